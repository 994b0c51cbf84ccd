"""Each rule fires, does not fire and clears as the clock moves; logs grow only on change; flags keep their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from hub.insight.risk import band, check_risk
from hub.store.derived import flag_evidence, metric, risk_flag
from hub.store.engine import Store
from hub.store.kept import flag_log, score_log
from mappings.rulebook import Risk, RiskRule, Rulebook
from tests.hub.insight.dealt import Dealt, assess, due_at, flagged
from tests.hub.insight.told import DAY, day

World = Callable[[Dealt, int], object]


def _visits(world: Dealt, customer: int, days: range) -> list[int]:
    return [world.touch(customer, "visit.made", day(number)) for number in days]


def _lapsing(world: Dealt, customer: int) -> None:
    """Weekly visits for half a year, then none, under an agreement."""
    world.agreement(customer, day(0))
    _visits(world, customer, range(0, 183, 7))


def _member_asks_to_cancel(world: Dealt, customer: int) -> None:
    person = world.customer()
    world.joins(person, customer)
    world.touch(person, "case.comment", day(100), channel="EMAIL", intent="CANCEL")


STORIES: dict[str, tuple[str, str, World, float, float, float]] = {
    # rule, kind, what happens, last day without, first day with, last day with the flag (the last two: by the clock)
    "payment failed": (
        "failed_payment", "PERSON", lambda w, c: w.touch(c, "payment.failed", day(100), "BRAND"), 99, 100, 159,
    ),
    "invoice overdue": ("unpaid_invoice", "PERSON", lambda w, c: w.invoice(c, day(80), day(94), 5_000), 101, 102, 900),
    "asked to cancel": (
        "cancel_intent", "PERSON", lambda w, c: w.touch(c, "case.comment", day(100), intent="CANCEL"), 99, 100, 129,
    ),
    "said that they leave": (
        "cancel_intent", "PERSON", lambda w, c: w.touch(c, "case.comment", day(100), intent="SWITCH"), 99, 100, 129,
    ),
    "a member asks to cancel": ("cancel_intent", "ORGANIZATION", _member_asks_to_cancel, 99, 100, 129),
    "case open": ("case_open_too_long", "PERSON", lambda w, c: w.case(c, "OPEN", day(86)), 100, 101, 900),
    "agreement ends": ("agreement_ending", "PERSON", lambda w, c: w.agreement(c, day(0), day(130)), 99, 100, 129),
    "order, then silence": (
        "silence_after_order", "PERSON", lambda w, c: w.touch(c, "payment.succeeded", day(40)), 100, 101, 404,
    ),
    "fewer visits": ("use_dropping", "PERSON", _lapsing, 202, 203, 258),
    "spoke of a lawyer": (
        "legal_threat", "PERSON", lambda w, c: w.touch(c, "case.comment", day(100), intent="LEGAL"), 99, 100, 159,
    ),
    "complained twice": (
        "repeated_complaints",
        "PERSON",
        lambda w, c: [w.touch(c, "case.comment", day(at), intent="COMPLAINT") for at in (60, 100)],
        99,
        100,
        149,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "story", "before", "first", "last"), STORIES.values(), ids=STORIES)
def test_a_rule_fires_and_clears_as_the_clock_moves(
    store: Store, rulebook: Rulebook, rule: str, kind: str, story: World, before: float, first: float, last: float
) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer(kind)
        story(world, customer)
        told = {at: rule in _flags_at(connection, rulebook, customer, at) for at in (before, first, last, last + 1)}
    assert told == {before: False, first: True, last: True, last + 1: rule in ("unpaid_invoice", "case_open_too_long")}


def _flags_at(connection: Connection, rulebook: Rulebook, customer: int, at: float) -> list[str]:
    assess(connection, rulebook, day(at), customer)
    return flagged(connection, customer)


QUIET: dict[str, World] = {
    "paid after a failure": lambda w, c: [
        w.touch(c, "payment.failed", day(95)), w.touch(c, "payment.succeeded", day(97)),
    ],
    "invoice without a due day": lambda w, c: w.invoice(c, day(50), None, 5_000),
    "invoice paid": lambda w, c: w.invoice(c, day(50), day(64), 0, status="PAID"),
    "cancelled, and it has ended": lambda w, c: [
        w.touch(c, "case.comment", day(90), intent="CANCEL"), w.touch(c, "agreement.ended", day(95), "BRAND"),
    ],
    "our agent wrote of cancelling": lambda w, c: w.touch(c, "case.reply", day(99), "BRAND", intent="CANCEL"),
    "case closed": lambda w, c: w.case(c, "CLOSED", day(10)),
    "agreement without an end": lambda w, c: w.agreement(c, day(0)),
    "agreement over": lambda w, c: w.agreement(c, day(0), day(90), status="ENDED"),
    "order, then a visit": lambda w, c: [w.touch(c, "payment.succeeded", day(30)), w.touch(c, "visit.made", day(90))],
    "order under an agreement": lambda w, c: [w.touch(c, "payment.succeeded", day(20)), w.agreement(c, day(20))],
    "steady visits": lambda w, c: [w.agreement(c, day(0)), _visits(w, c, range(0, 100, 7))],
    "fewer visits without an agreement": lambda w, c: _visits(w, c, range(0, 60, 4)),
    "one complaint": lambda w, c: w.touch(c, "case.comment", day(99), intent="COMPLAINT"),
    "nothing at all": lambda w, c: None,
}  # fmt: skip


@pytest.mark.parametrize("story", QUIET.values(), ids=QUIET)
def test_nothing_fires_where_all_is_well(store: Store, rulebook: Rulebook, story: World) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        story(world, customer)
        assert _flags_at(connection, rulebook, customer, 100) == []


def test_a_members_failed_payment_is_not_the_organizations(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        firm, person = world.customer("ORGANIZATION"), world.customer()
        world.joins(person, firm)
        world.touch(person, "payment.failed", day(100), "BRAND")
        assess(connection, rulebook, day(101), firm, person)
        assert (flagged(connection, firm), flagged(connection, person)) == ([], ["failed_payment"])


def test_points_add_up_to_a_score_with_reasons_in_words(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        world.touch(customer, "case.comment", day(99), intent="CANCEL")
        assess(connection, rulebook, day(101), customer)
        score = connection.execute(text("SELECT points, band, reasons, as_of FROM score_log")).one()
    assert (score.points, score.band, score.as_of) == (85, "CRITICAL", day(101))
    assert json.loads(score.reasons) == [
        {"rule": "cancel_intent", "points": 50, "text": "Asked on 2025-04-15 to cancel or to leave for somebody else."},
        {
            "rule": "failed_payment",
            "points": 35,
            "text": "The payment of 2025-04-16 failed and none has gone through since.",
        },
    ]


@pytest.mark.parametrize(
    ("points", "expected"),
    [(0, "LOW"), (19, "LOW"), (20, "MEDIUM"), (39, "MEDIUM"), (40, "HIGH"), (69, "HIGH"), (70, "CRITICAL")],
)
def test_a_score_is_in_the_highest_band_that_it_reaches(rulebook: Rulebook, points: int, expected: str) -> None:
    assert band(rulebook.risk, points) == expected


def test_a_score_never_passes_100(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        world.agreement(customer, day(0), day(110))
        for intent in ("CANCEL", "LEGAL"):
            world.touch(customer, "case.comment", day(99), intent=intent)
        assess(connection, rulebook, day(101), customer)
        assert connection.scalar(text("SELECT points FROM score_log")) == 100


def test_the_score_log_grows_only_when_the_score_changes(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer, calm = world.customer(), world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        for at in (98, 99, 101, 102, 140, 160, 161):
            assess(connection, rulebook, day(at), customer, calm)
        rows = connection.execute(text("SELECT customer_no, as_of, points FROM score_log ORDER BY log_no")).all()
    assert [tuple(row) for row in rows if row.customer_no == customer] == [
        (customer, day(98), 0),
        (customer, day(101), 35),
        (customer, day(160), 0),
    ]
    assert [tuple(row) for row in rows if row.customer_no == calm] == [(calm, day(98), 0)]


def _flag_numbers(connection: Connection) -> list[tuple[Any, ...]]:
    query = "SELECT flag_no, rule, state, message, action_not_before, since FROM risk_flag ORDER BY flag_no"
    return [tuple(row) for row in connection.execute(text(query))]


def test_a_flag_keeps_its_number_while_it_is_open_also_over_a_remap(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        raised, cleared = assess(connection, rulebook, day(101), customer)
        before = _flag_numbers(connection)
        connection.execute(text("DELETE FROM risk_flag"))
        connection.execute(text("DELETE FROM metric"))
        again = assess(connection, rulebook, day(120), customer)
        assert (len(raised), cleared, again) == (1, [], ([], []))
        assert _flag_numbers(connection) == before


def test_a_flag_that_comes_back_has_a_new_number_and_the_old_one_is_cleared(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        (first,), _ = assess(connection, rulebook, day(101), customer)
        world.touch(customer, "payment.succeeded", day(102))
        assert assess(connection, rulebook, day(103), customer) == ([], [first])
        world.touch(customer, "payment.failed", day(104), "BRAND")
        (second,), _ = assess(connection, rulebook, day(105), customer)
        log = connection.execute(text("SELECT flag_no, raised_at, cleared_at FROM flag_log ORDER BY flag_no")).all()
        states = connection.execute(text("SELECT flag_no, state, message FROM risk_flag ORDER BY flag_no")).all()
    assert [tuple(row) for row in log] == [(first, day(101), day(103)), (second, day(105), None)]
    assert [(row.flag_no, row.state) for row in states] == [(first, "CLEARED"), (second, "OPEN")]
    assert states[0].message.endswith("Cleared on 2025-04-19.")


def test_evidence_is_the_newest_interactions_behind_the_flag_and_no_others(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        failed = [world.touch(customer, "payment.failed", day(at), "BRAND") for at in range(90, 97)]
        world.touch(customer, "visit.made", day(98))
        world.touch(customer, "payment.failed", day(120), "BRAND")
        assess(connection, rulebook, day(101), customer)
        shown = connection.execute(text("SELECT ordinal, interaction_no FROM flag_evidence ORDER BY ordinal")).all()
    assert [tuple(row) for row in shown] == list(enumerate(reversed(failed[-5:])))


def test_an_organization_shows_the_evidence_of_its_people(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        firm = world.customer("ORGANIZATION")
        _member_asks_to_cancel(world, firm)
        assess(connection, rulebook, day(101), firm)
        assert len(connection.execute(text("SELECT * FROM flag_evidence")).all()) == 1


def test_a_merged_customers_flags_are_cleared(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer, other = world.customer(), world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        (flag,), _ = assess(connection, rulebook, day(101), customer)
        world.forget_profiles(customer, other)
        assert assess(connection, rulebook, day(102), customer) == ([], [flag])
        assert connection.scalar(text("SELECT COUNT(*) FROM risk_flag")) == 0


def test_a_rule_may_ask_for_kind_stage_and_market_state(store: Store, rulebook: Rulebook) -> None:
    rule = rulebook.risk.rules["failed_payment"]
    rules = {
        "firm": _said(rule, "kind = 'ORGANIZATION'"),
        "living": _said(rule, "stage = 'LIVING'"),
        "active": _said(rule, "market_state = 'ACTIVE'"),
        "nobody": _said(rule, "stage is null and market_state = 'ADDRESSABLE'"),
    }
    asked = rulebook.model_copy(update={"risk": rulebook.risk.model_copy(update={"rules": rules})})
    with store.write() as connection:
        world = Dealt(connection)
        firm, user, buyer = world.customer("ORGANIZATION"), world.customer(), world.customer()
        world.touch(user, "visit.made", day(1), stage="LIVING")
        world.touch(buyer, "payment.succeeded", day(1))
        assess(connection, asked, day(2), firm, user, buyer)
        found = [flagged(connection, customer) for customer in (firm, user, buyer)]
    assert found == [["firm", "nobody"], ["living"], ["active"]]


def _said(rule: RiskRule, when: str) -> RiskRule:
    return rule.model_copy(update={"when": when, "message": "So it is.", "since": None})


def test_due_at_is_the_first_instant_at_which_a_flag_comes_or_goes(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        assess(connection, rulebook, day(50), customer)
        assert due_at(connection, customer) == day(100)  # what has not happened yet does not count, but will
        assess(connection, rulebook, day(158), customer)
        assert due_at(connection, customer) == day(160)
        assess(connection, rulebook, day(160), customer)
        assert flagged(connection, customer) == []


def test_both_databases_hold_the_same_rows(new_store: Callable[[str], Store], rulebook: Rulebook) -> None:
    kept = [_rows_of_all_stories(new_store(dialect), rulebook) for dialect in ("sqlite", "postgresql")]
    assert kept[0] == kept[1]
    assert all(kept[0].values())


def _rows_of_all_stories(store: Store, rulebook: Rulebook) -> dict[str, list[tuple[Any, ...]]]:
    tables = (score_log, flag_log, risk_flag, flag_evidence, metric)
    with store.write() as connection:
        world = Dealt(connection)
        customers = []
        for _, kind, story, *_ in STORIES.values():
            customers.append(world.customer(kind))
            story(world, customers[-1])
        for at in (95, 101, 140, 230):
            assess(connection, rulebook, day(at), *customers)
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables
        }


def test_the_shipped_rules_have_no_problem(rulebook: Rulebook) -> None:
    assert list(check_risk(rulebook)) == []


PROBLEMS: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "unknown metric": ({"when": "visits_28 > 3"}, ("when",), "did you mean `visits_28d`?"),
    "unknown stage": ({"when": "stage = 'LIVIN'"}, ("when",), "did you mean `LIVING`?"),
    "aggregate in a rule": ({"when": "count() > 3"}, ("when",), "may stand only as a metric's `value`"),
    "message names nothing": ({"message": "Since {since}"}, ("message",), "`{since}` is no metric"),
    "message reaches into values": ({"message": "{visits_28d.real}"}, ("message",), "is no metric"),
    "message formats": ({"message": "{visits_28d:>90}"}, ("message",), "is no metric"),
    "message with an open bracket": ({"message": "{visits_28d"}, ("message",), "is no metric"),
    "since is a count": ({"since": "visits_28d"}, ("since",), "no metric that holds an instant"),
    "evidence with a clock": ({"evidence.where": "at > as_of - 3d"}, ("evidence", "where"), "as_of may not stand"),
    "action without a window": ({"action.within": "soon"}, ("action", "within"), "write 30d, 12h, 2w or 90m"),
}


@pytest.mark.parametrize(("changes", "place", "what"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_wrong_rule_is_told_with_its_place(
    rulebook: Rulebook, changes: dict[str, Any], place: tuple[str, ...], what: str
) -> None:
    said = rulebook.risk.model_dump(mode="json")
    for path, value in changes.items():
        at = said["rules"]["failed_payment"]
        *above, last = path.split(".")
        for step in above:
            at = at[step]
        at[last] = value
    wrong = rulebook.model_copy(update={"risk": Risk.model_validate(said)})
    ((found, message),) = check_risk(wrong)
    assert found == ("rules", "failed_payment", *place)
    assert what in message


def test_windows_of_shipped_actions_open_on_a_working_day(store: Store, rulebook: Rulebook) -> None:
    saturday = day(5)
    assert datetime.fromtimestamp(saturday // 1_000_000, UTC).weekday() == 5
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", saturday - DAY, "BRAND")
        assess(connection, rulebook, saturday, customer)
        opens = connection.scalar(text("SELECT action_not_before FROM risk_flag"))
    assert datetime.fromtimestamp(opens // 1_000_000, UTC).isoformat() == "2025-01-13T07:00:00+00:00"
