"""Metrics against a slow reading of the same facts in Python, and due marks that never come late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from hub.expression import ExpressionError
from hub.insight.metrics import check_metrics, metric_kinds, metrics
from hub.store.batch import fill_batch
from hub.store.engine import Store
from mappings.rulebook import Metrics, Rulebook
from tests.hub.insight.dealt import Dealt, assess, due_at, flagged
from tests.hub.insight.told import DAY, day

Row = dict[str, Any]
LAST_DAY = 260
examples = settings(
    deadline=None,
    max_examples=4,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a world of facts is shrunk for minutes and tells no more
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class Facts:
    """What one customer did, in plain rows."""

    touches: list[Row] = field(default_factory=list)
    agreements: list[Row] = field(default_factory=list)
    invoices: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)

    def deal(self, world: Dealt, kind: str = "PERSON") -> int:
        customer = world.customer(kind)
        for row in self.touches:
            world.touch(customer, row["type"], row["at"], row["lane"], intent=row["intent"])
        for row in self.agreements:
            world.agreement(customer, row["starts_at"], row["ends_at"], status=row["status"])
        for row in self.invoices:
            world.invoice(customer, row["issued_at"], row["due_at"], row["open"], status=row["status"])
        for row in self.cases:
            world.case(customer, row["status"], row["opened_at"])
        return customer


TYPES = (
    "visit.made", "visit.made", "visit.made", "payment.succeeded", "payment.failed", "case.comment", "agreement.ended",
    "deal.won", "invoice.issued", "visit.pricing",
)  # fmt: skip
_instant = st.integers(0, LAST_DAY * 4).map(lambda quarter: day(quarter / 4))
_after = st.none() | st.integers(0, 120)
_touch = st.fixed_dictionaries(
    {
        "type": st.sampled_from(TYPES),
        "at": _instant,
        "lane": st.sampled_from(("CUSTOMER", "CUSTOMER", "BRAND")),
        "intent": st.sampled_from((None, None, "CANCEL", "SWITCH", "LEGAL", "COMPLAINT", "PRAISE")),
    }
)
_agreement = st.builds(
    lambda at, days, status: {"starts_at": at, "ends_at": None if days is None else at + days * DAY, "status": status},
    _instant,
    _after,
    st.sampled_from(("ACTIVE", "PAST_DUE", "TRIAL", "ENDED")),
)
_invoice = st.builds(
    lambda at, days, owed, status: {
        "issued_at": at, "due_at": None if days is None else at + days * DAY, "open": owed, "status": status,
    },
    _instant,
    _after,
    st.sampled_from((0, 5_000, 10**17)),
    st.sampled_from(("OPEN", "OPEN", "PAID", "VOID")),
)  # fmt: skip
_case = st.fixed_dictionaries({"status": st.sampled_from(("OPEN", "PENDING", "CLOSED")), "opened_at": _instant})
_facts = st.builds(
    Facts,
    st.lists(_touch, max_size=25),
    st.lists(_agreement, max_size=3),
    st.lists(_invoice, max_size=3),
    st.lists(_case, max_size=3),
)


def _last(rows: list[Row], at: str, holds: Callable[[Row], bool]) -> int | None:
    return max((row[at] for row in rows if holds(row)), default=None)


def _first(rows: list[Row], at: str, holds: Callable[[Row], bool]) -> int | None:
    return min((row[at] for row in rows if holds(row)), default=None)


def _slowly(facts: Facts, now: int) -> dict[str, int | None]:
    """Every shipped metric, read from the facts one by one."""
    touches = [t for t in facts.touches if t["at"] <= now]
    theirs = [t for t in touches if t["lane"] == "CUSTOMER"]
    agreements = [a for a in facts.agreements if a["starts_at"] <= now]
    cases = [c for c in facts.cases if c["opened_at"] <= now and c["status"] != "CLOSED"]
    owed = [i for i in facts.invoices if i["issued_at"] <= now and i["status"] == "OPEN" and i["open"]]
    overdue = [i for i in owed if i["due_at"] is not None and i["due_at"] < now]
    visits = [t["at"] for t in touches if t["type"] == "visit.made"]
    complaints = [t["at"] for t in theirs if t["intent"] == "COMPLAINT"]
    bought = ("deal.won", "payment.succeeded", "invoice.paid", "invoice.issued")
    return {
        "last_payment_at": _last(touches, "at", lambda t: t["type"] == "payment.succeeded"),
        "last_payment_failed_at": _last(touches, "at", lambda t: t["type"] == "payment.failed"),
        "invoices_overdue": len(overdue),
        "overdue_since": min((i["due_at"] for i in overdue), default=None),
        "last_purchase_at": _last(touches, "at", lambda t: t["type"] in bought),
        "agreements_running": sum(
            a["status"] in ("ACTIVE", "PAST_DUE") and (a["ends_at"] is None or a["ends_at"] > now) for a in agreements
        ),
        "agreement_ends_at": _first(
            agreements,
            "ends_at",
            lambda a: a["status"] != "ENDED" and a["ends_at"] is not None and a["ends_at"] > now,
        ),
        "agreement_ended_at": _last(touches, "at", lambda t: t["type"] == "agreement.ended"),
        "last_heard_at": _last(theirs, "at", lambda t: True),
        "cancel_asked_at": _last(theirs, "at", lambda t: t["intent"] in ("CANCEL", "SWITCH")),
        "legal_threatened_at": _last(theirs, "at", lambda t: t["intent"] == "LEGAL"),
        "complaints_90d": sum(at > now - 90 * DAY for at in complaints),
        "last_complaint_at": max(complaints, default=None),
        "last_visit_at": max(visits, default=None),
        "visits_28d": sum(at > now - 28 * DAY for at in visits),
        "visits_before": sum(now - 112 * DAY < at <= now - 28 * DAY for at in visits),
        "cases_open": len(cases),
        "oldest_open_case_at": min((c["opened_at"] for c in cases), default=None),
    }


@contextmanager
def _undone(store: Store) -> Iterator[Connection]:
    """A writing connection whose work is taken back, so that the next example finds the store empty."""
    with store.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@examples
@given(st.lists(_facts, min_size=1, max_size=5), st.integers(0, LAST_DAY * 8))
def test_metrics_are_what_a_slow_reading_says(store: Store, rulebook: Rulebook, many: list[Facts], eighth: int) -> None:
    now = day(eighth / 8)
    with _undone(store) as connection:
        world = Dealt(connection)
        customers = {facts_no: facts.deal(world) for facts_no, facts in enumerate(many)}
        assess(connection, rulebook, now, *customers.values())
        found = {number: _metrics(connection, customer) for number, customer in customers.items()}
    for number, facts in enumerate(many):
        assert found[number] == {name: value for name, value in _slowly(facts, now).items() if value is not None}


def _metrics(connection: Connection, customer: int) -> dict[str, int]:
    query = text("SELECT name, value FROM metric WHERE customer_no = :c")
    return {row.name: row.value for row in connection.execute(query, {"c": customer})}


def test_the_slow_reading_knows_every_shipped_metric(rulebook: Rulebook) -> None:
    assert set(_slowly(Facts(), day(0))) == set(rulebook.metrics.metrics)


@examples
@given(st.lists(_facts, min_size=1, max_size=4))
def test_deriving_only_who_is_due_gives_the_flags_of_deriving_everybody(
    store: Store, rulebook: Rulebook, many: list[Facts]
) -> None:
    days = [day(at) for at in range(1, LAST_DAY + 130, 13)]
    with _undone(store) as connection:
        world = Dealt(connection)
        always = _walk(connection, rulebook, [facts.deal(world) for facts in many], days, everybody=True)
    with _undone(store) as connection:
        world = Dealt(connection)
        assert _walk(connection, rulebook, [facts.deal(world) for facts in many], days, everybody=False) == always


def _walk(
    connection: Connection, rulebook: Rulebook, customers: list[int], days: list[int], everybody: bool
) -> tuple[list[list[list[str]]], list[Any]]:
    """The flags of every customer on every day, and the scores logged."""
    told = []
    for number, now in enumerate(days):
        marks = {customer: due_at(connection, customer) for customer in customers}
        due = [c for c, mark in marks.items() if everybody or number == 0 or (mark is not None and mark <= now)]
        if due:
            assess(connection, rulebook, now, *due)
        told.append([flagged(connection, customer) for customer in customers])
    query = text("SELECT customer_no, as_of, points, reasons FROM score_log ORDER BY customer_no, as_of")
    return told, [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize(
    ("now", "expected"), [(99, 100), (100, 128), (127, 128), (128, 212), (211, 212), (212, None)], ids=str
)
def test_a_visit_makes_its_customer_due_when_it_enters_or_leaves_a_window(
    store: Store, rulebook: Rulebook, now: int, expected: int | None
) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "visit.made", day(100))
        fill_batch(connection, [customer])
        metrics(connection, rulebook, day(now))
        assert due_at(connection, customer) == (None if expected is None else day(expected))


def test_an_organization_counts_its_people_only_where_the_metric_says_so(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        firm, person = world.customer("ORGANIZATION"), world.customer()
        world.joins(person, firm)
        for owner in (firm, person):
            world.touch(owner, "visit.made", day(1))
            world.touch(owner, "payment.failed", day(2), "BRAND")
            world.case(owner, "OPEN", day(3))
        world.invoice(person, day(3), day(4), 5_000)
        assess(connection, rulebook, day(10), firm, person)
        found = _metrics(connection, firm)
    assert (found["visits_28d"], found["cases_open"], found["invoices_overdue"]) == (2, 2, 0)
    assert found["last_payment_failed_at"] == day(2)


def test_somebody_without_any_fact_has_counts_of_0_and_no_other_metric(store: Store, rulebook: Rulebook) -> None:
    kinds = metric_kinds(rulebook.metrics)
    with store.write() as connection:
        customer = Dealt(connection).customer()
        assess(connection, rulebook, day(10), customer)
        found = _metrics(connection, customer)
        assert due_at(connection, customer) is None
    assert found == {name: 0 for name, kind in kinds.items() if kind == "number"}


AGGREGATES: dict[str, tuple[str, str, str | None, int | None]] = {
    "count": ("interaction", "count()", None, 4),
    "count some": ("interaction", "count()", "type like 'visit.%'", 3),
    "count none": ("interaction", "count()", "type = 'x'", 0),
    "count different": ("interaction", "count(distinct type)", None, 3),
    "sum": ("interaction", "sum(duration_s)", None, 70),
    "sum of nothing": ("interaction", "sum(duration_s)", "type = 'x'", None),
    "least": ("interaction", "min(sentiment)", None, -500_000),
    "by a ratio": ("interaction", "count()", "sentiment < -0.25", 1),
    "days between": ("interaction", "max(days(at, at + 3d))", None, 3),
    "by a flag": ("interaction", "count()", "solicited", 1),
    "by no flag": ("interaction", "count()", "not solicited", 1),
    "by a text with a colon": ("interaction", "count()", "summary = 'a:b \\:c'", 1),
    "by a percent sign": ("interaction", "count()", "summary like '%50\\% off%'", 1),
    "by its end": ("interaction", "count()", "type like '%.made'", 2),
    "case counts": ("interaction", "count()", "type like 'Visit%'", 0),
    "by a quote": ("interaction", "count()", "summary = 'it''s'", 1),
    "by an amount": ("invoice", "count()", "amount_open < amount and amount_open > 0", 1),
    "largest amount allowed": ("invoice", "count()", "amount_open + amount_open > amount", 1),
}


@pytest.mark.parametrize(("entity", "value", "where", "expected"), AGGREGATES.values(), ids=AGGREGATES)
def test_every_function_gives_the_same_on_both_databases(
    store: Store, rulebook: Rulebook, entity: str, value: str, where: str | None, expected: int | None
) -> None:
    said = {"about": "", "of": entity, "value": value, "where": where}
    risk = rulebook.risk.model_copy(update={"rules": {}})
    rules = rulebook.model_copy(update={"metrics": Metrics.model_validate({"metrics": {"m": said}}), "risk": risk})
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "visit.made", day(1), duration_s=30, summary="a:b \\:c", solicited=True)
        world.touch(customer, "visit.made", day(2), duration_s=40, sentiment=-500_000, solicited=False)
        world.touch(customer, "visit.pricing", day(2), summary="Now 50% off: everything", sentiment=-250_000)
        world.touch(customer, "case.opened", day(2), summary="it's", text="x")
        world.invoice(customer, day(1), None, 10**17 - 1, amount=10**17)
        assess(connection, rules, day(3), customer)
        assert _metrics(connection, customer).get("m") == expected


WRONG: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "entity": ({"of": "interactions"}, ("of",), "did you mean `interaction`?"),
    "party entity": ({"of": "profile"}, ("of",), "is no entity that can be counted"),
    "value": ({"value": "average(at)"}, ("value",), "is no aggregate; allowed: count, sum, min, max"),
    "sum of amounts": ({"of": "invoice", "value": "sum(amount)"}, ("value",), "several currencies do not add up"),
    "where": ({"where": "typ = 'x'"}, ("where",), "did you mean `type`?"),
}


@pytest.mark.parametrize(("changes", "place", "what"), WRONG.values(), ids=WRONG)
def test_a_wrong_metric_is_told_with_its_place(changes: dict[str, Any], place: tuple[str, ...], what: str) -> None:
    said = {"about": "", "of": "interaction", "value": "count()"} | changes
    ((found, message),) = check_metrics(Metrics.model_validate({"metrics": {"m": said}}))
    assert (found, what in message) == (("metrics", "m", *place), True)


@pytest.mark.parametrize("name", ["as_of", "stage", "Visits", "1st", 'x"y', "a" * 41])
def test_a_name_that_could_not_be_a_column_is_refused(name: str) -> None:
    rules = Metrics.model_validate({"metrics": {name: {"about": "", "of": "interaction", "value": "count()"}}})
    assert [place for place, _ in check_metrics(rules)] == [("metrics", name, "of")]
    with pytest.raises(ExpressionError, match="cannot name a metric"):
        metric_kinds(rules)


def test_the_shipped_metrics_have_no_problem(rulebook: Rulebook) -> None:
    assert list(check_metrics(rulebook.metrics)) == []
