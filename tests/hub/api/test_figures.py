"""Figures over many customers, against a second and slower method: plain Python over the same rows."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from hub.store import derived
from tests.hub.api.conftest import EPOCH, Graph, at, euros, put, put_customer

DAY = 86_400_000_000
MAP = """query M($from: Date, $to: Date, $filter: CustomerFilter) { journeyMap(from: $from, to: $to, filter: $filter) {
  journeyCount
  stops { key customerCount entryCount exitCount medianDays sentiment contribution { amount } }
  transitions { from to count customerCount medianDays } } }"""
GROUPS = """query G($by: [GroupDimension!]!, $from: Date, $to: Date, $filter: CustomerFilter, $currency: String) {
  profitability(groupBy: $by, from: $from, to: $to, filter: $filter, currency: $currency) {
    group { dimension value } customerCount revenue { amount } refunds { amount } directCost { amount }
    costToServe { amount } contribution { amount } margin coverage } }"""
STAGES = ["INITIATION", "CHOOSING", "BUYING", "LIVING"]


@pytest.fixture
def crowd(graph: Graph) -> Graph:
    """Twenty customers with journeys and entries, seeded."""
    dice = random.Random(11)
    with graph.store.write() as connection:
        step_no = 0
        for number in range(1, 21):
            kind = dice.choice(["PERSON", "PERSON", "ORGANIZATION"])
            put_customer(connection, number, "N", kind=kind, country=dice.choice(["DE", "GB", None]))
            ended = dice.choice([None, at("2026-06-01T00:00:00")])
            journey = {"journey_no": number * 100, "customer_no": number, "definition": "d", "ended_at": ended}
            put(connection, derived.journey, **journey)
            entered = at("2025-11-20T00:00:00") + dice.randrange(40) * DAY
            length = dice.randrange(1, 5)
            for ordinal in range(1, length + 1):
                step_no += 1
                left = entered + dice.randrange(1, 60) * DAY // 2
                step = {"step_no": step_no, "journey_no": number * 100, "customer_no": number, "ordinal": ordinal}
                felt = dice.choice([None, 500_000, -333_333])
                leaves = left if ordinal < length else None
                where = {"stage": dice.choice(STAGES), "channels": "[]", "sentiment": felt}
                put(connection, derived.journey_step, **step, **where, entered_at=entered, left_at=leaves)
                worth = {"currency": "EUR", "customer_no": number, "contribution": dice.choice([None, euros(1.25)])}
                put(connection, derived.step_value, step_no=step_no, **worth)
                entered = left
        for number in range(1, 200):
            owner = dice.randrange(1, 21)
            amount = dice.choice([None, euros(dice.randrange(1, 900) / 7)])
            kinds = ["REVENUE", "REFUND", "COGS", "FEE", "COST_TO_SERVE", "TAX"]
            said = {"customer_no": owner, "kind": dice.choice(kinds), "stage": dice.choice([*STAGES, None])}
            when = at("2025-12-20T00:00:00") + dice.randrange(90 * 24) * (DAY // 24)
            put(connection, derived.entry, entry_no=number, at=when, **said, channel=dice.choice(["WEB", "SALES"]))
            put(connection, derived.entry_value, entry_no=number, currency="EUR", customer_no=owner, amount=amount)
            put(connection, derived.entry_value, entry_no=number, currency="USD", customer_no=owner, amount=None)
        for number in range(1, 18):
            worth = {"customer_no": number, "currency": "EUR", "contribution": euros(100 - 13 * number)}
            put(connection, derived.profitability, **worth)
        put(connection, derived.profitability, customer_no=18, currency="EUR", contribution=None)
    return graph


def rows(graph: Graph, table: Any) -> list[dict[str, Any]]:
    with graph.store.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def cents(amount: int | None) -> dict[str, str] | None:
    """Money by another way; amounts here are whole cents."""
    if amount is None:
        return None
    sign, whole = ("-" if amount < 0 else ""), abs(amount) // 1_000
    return {"amount": f"{sign}{whole // 100}.{whole % 100:02}"}


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [(None, None, None), ("2025-12-01", "2025-12-31", None), ("2025-11-01", None, "PERSON")],
    ids=["all", "December", "people since November"],
)
def test_journey_map_is_what_the_steps_say(crowd: Graph, first: str | None, last: str | None, kind: str | None) -> None:
    asked: dict[str, Any] = {"from": first, "to": last, "filter": {"kind": {"eq": kind}} if kind else None}
    kinds = {card["customer_no"]: card["kind"] for card in rows(crowd, derived.customer_card)}
    ends = {journey["journey_no"]: journey["ended_at"] for journey in rows(crowd, derived.journey)}
    worth = {value["step_no"]: value["contribution"] for value in rows(crowd, derived.step_value)}
    steps = sorted(rows(crowd, derived.journey_step), key=lambda s: (s["journey_no"], s["ordinal"]))
    following = {a["step_no"]: b for a, b in pairwise(steps) if a["journey_no"] == b["journey_no"]}
    low = -(2**62) if first is None else at(f"{first}T00:00:00") - DAY // 24
    high = 2**62 if last is None else at(f"{last}T00:00:00") + DAY - DAY // 24
    kept = [s for s in steps if low <= s["entered_at"] < high and kind in (None, kinds[s["customer_no"]])]
    stops, ways = defaultdict(list), defaultdict(list)
    for step in kept:
        stops[step["stage"]].append(step)
        if step["step_no"] in following:
            ways[step["stage"], following[step["step_no"]]["stage"]].append(step)
    wanted_stops = []
    for stage in [stage for stage in STAGES if stage in stops]:
        here = stops[stage]
        stays = [s["left_at"] - s["entered_at"] for s in here if s["left_at"] is not None]
        felt = [s["sentiment"] for s in here if s["sentiment"] is not None]
        known = [worth[s["step_no"]] for s in here if worth[s["step_no"]] is not None]
        out = [s for s in here if s["step_no"] not in following and ends[s["journey_no"]] is not None]
        wanted_stops.append(
            {
                "key": stage,
                "customerCount": len({s["customer_no"] for s in here}),
                "entryCount": len(here),
                "exitCount": len(out),
                "medianDays": round(median(stays) / DAY, 3) if stays else None,
                "sentiment": pytest.approx(sum(felt) / len(felt) / 1e6, abs=1e-6) if felt else None,
                "contribution": cents(sum(known)) if known else None,
            }
        )
    wanted_ways = [
        {
            "from": left,
            "to": entered,
            "count": len(ways[left, entered]),
            "customerCount": len({s["customer_no"] for s in ways[left, entered]}),
            "medianDays": round(
                median(following[s["step_no"]]["entered_at"] - s["entered_at"] for s in ways[left, entered]) / DAY, 3
            ),
        }
        for left in STAGES
        for entered in STAGES
        if (left, entered) in ways
    ]
    wanted = {"journeyCount": len({s["journey_no"] for s in kept}), "stops": wanted_stops, "transitions": wanted_ways}
    assert crowd.data(MAP, **asked) == {"journeyMap": wanted}


def month(instant: int) -> str:
    return (EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m")


def quarter(instant: int) -> str:
    year, number = month(instant).split("-")
    return f"{year}-Q{(int(number) + 2) // 3}"


@pytest.mark.parametrize(
    ("by", "first", "last"),
    [
        ([], None, None),
        (["STAGE", "CHANNEL"], None, None),
        (["KIND", "COUNTRY"], "2026-01-01", "2026-01-31"),
        (["MONTH"], None, None),
        (["QUARTER", "STAGE"], None, "2026-02-10"),
        (["YEAR"], "2025-12-24", None),
    ],
    ids=str,
)
def test_groups_add_up_to_the_entries(crowd: Graph, by: list[str], first: str | None, last: str | None) -> None:
    cards = {card["customer_no"]: card for card in rows(crowd, derived.customer_card)}
    amounts = {v["entry_no"]: v["amount"] for v in rows(crowd, derived.entry_value) if v["currency"] == "EUR"}
    low = -(2**62) if first is None else at(f"{first}T00:00:00") - DAY // 24
    high = 2**62 if last is None else at(f"{last}T00:00:00") + DAY - DAY // 24
    parts: dict[str, Callable[[dict[str, Any]], Any]] = {
        "STAGE": lambda e: e["stage"],
        "CHANNEL": lambda e: e["channel"],
        "KIND": lambda e: cards[e["customer_no"]]["kind"],
        "COUNTRY": lambda e: cards[e["customer_no"]]["country"],
        "MONTH": lambda e: month(e["at"]),
        "QUARTER": lambda e: quarter(e["at"]),
        "YEAR": lambda e: month(e["at"])[:4],
    }
    groups = defaultdict(list)
    for entry in rows(crowd, derived.entry):
        if low <= entry["at"] < high and entry["kind"] != "TAX":
            groups[tuple(parts[dimension](entry) for dimension in by)].append(entry)
    answer = crowd.data(GROUPS, by=by, **{"from": first, "to": last})["profitability"]
    assert [tuple(part["value"] for part in group["group"]) for group in answer] == sorted(
        groups, key=lambda key: [(part is None, part or "") for part in key]
    )
    for group in answer:
        entries = groups[tuple(part["value"] for part in group["group"])]
        assert group["customerCount"] == len({e["customer_no"] for e in entries})
        sums = [_sum(entries, amounts, *kinds) for kinds in _KINDS]
        assert [group[name] for name in _NAMES] == [cents(amount) for amount in sums]
        known = [amounts[e["entry_no"]] for e in entries if amounts[e["entry_no"]] is not None]
        assert group["coverage"] == round(len(known) / len(entries), 6)
        signed = [amount * sign for amount, sign in zip(sums, (1, -1, -1, -1), strict=True) if amount is not None]
        assert group["contribution"] == (cents(sum(signed)) if signed else None)


_NAMES = ("revenue", "refunds", "directCost", "costToServe")
_KINDS = (("REVENUE",), ("REFUND",), ("COGS", "FEE"), ("COST_TO_SERVE",))


def _sum(entries: list[dict[str, Any]], amounts: dict[int, int | None], *kinds: str) -> int | None:
    known = [amounts[e["entry_no"]] for e in entries if e["kind"] in kinds]
    found = [amount for amount in known if amount is not None]
    return sum(found) if found else None


def test_unknown_amounts_are_null_and_not_covered(crowd: Graph) -> None:
    (group,) = crowd.data(GROUPS, by=[], currency="USD")["profitability"]
    assert {name: group[name] for name in (*_NAMES, "contribution", "margin")} == dict.fromkeys(
        (*_NAMES, "contribution", "margin")
    )
    assert group["coverage"] == 0


def test_nothing_grouped_by_month_is_nothing(graph: Graph) -> None:
    assert graph.data(GROUPS, by=["MONTH"])["profitability"] == []


REFUSED = {
    "too many dimensions": {"by": ["STAGE", "CHANNEL", "SOURCE", "KIND", "COUNTRY"]},
    "too many periods": {"by": ["MONTH"], "from": "1900-01-01", "to": "2999-12-31"},
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
def test_too_much_to_group_is_refused(crowd: Graph, said: dict[str, Any]) -> None:
    assert crowd.code(GROUPS, **said) == "BAD_USER_INPUT"


WHALE = """query W($buckets: Int) { whaleCurve(buckets: $buckets) {
  bucket customerCount cumulativeContribution { amount } cumulativeShare } }"""


def test_whale_curve_rises_while_customers_earn_and_falls_after(crowd: Graph) -> None:
    worth = [euros(100 - 13 * number) for number in range(1, 18)]
    whole = sum(worth)
    curve = crowd.data(WHALE, buckets=4)["whaleCurve"]
    assert [bucket["customerCount"] for bucket in curve] == [5, 4, 4, 4]
    ends = [5, 9, 13, 17]
    assert [bucket["cumulativeContribution"] for bucket in curve] == [cents(sum(worth[:end])) for end in ends]
    assert {bucket["cumulativeShare"] for bucket in curve} == {None}
    assert whole < 0


@pytest.mark.parametrize("buckets", [0, 101, -1])
def test_bucket_count_out_of_range_is_refused(crowd: Graph, buckets: int) -> None:
    assert crowd.code(WHALE, buckets=buckets) == "BAD_USER_INPUT"
