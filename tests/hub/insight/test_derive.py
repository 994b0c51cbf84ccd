"""Derivation as a whole: who is due, that twice is once, what others are told, and that both databases agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from hub.insight.derive import derive, due, rules_version
from hub.store.derived import DERIVED, OWNED_BY_CUSTOMER
from hub.store.engine import Store
from hub.store.kept import flag_log, metadata, outbox, score_log
from mappings.rulebook import Rulebook
from tests.hub.insight.told import Told, day

EVERYTHING = (*(table for table in DERIVED if table.name not in ("link", "member")), score_log, flag_log, outbox)
Row = tuple[Any, ...]


def dump(connection: Connection, without: Iterable[str] = ()) -> dict[str, list[Row]]:
    """Every row that a derivation writes, table by table, in the order of their keys."""
    skipped = set(without)

    def told(name: str, value: Any) -> Any:
        """The lists of a card alike on both databases, flags without their numbers where those are skipped."""
        if name not in ("flags", "latest") or value is None:
            return value
        items = json.loads(value) if isinstance(value, str) else value
        return [item[1:] for item in items] if name == "flags" and "flag_no" in skipped else items

    return {
        table.name: [
            tuple(told(name, value) for name, value in row._mapping.items())
            for row in connection.execute(
                select(*(c for c in table.columns if c.name not in skipped)).order_by(*table.primary_key)
            )
        ]
        for table in EVERYTHING
        if table.name not in skipped
    }


def rows(connection: Connection, query: str, **binds: Any) -> list[Row]:
    return [tuple(row) for row in connection.execute(text(query), binds)]


def mark_dirty(connection: Connection, *customers: int) -> None:
    for number in customers:
        connection.execute(text("UPDATE customer SET dirty = TRUE WHERE customer_no = :n"), {"n": number})


def follow(connection: Connection, rulebook: Rulebook, as_of: int, limit: int = 1000) -> int:
    """What a sync does with those who are due; returns how many were derived."""
    count = 0
    while numbers := due(connection, as_of, rules_version(rulebook), limit):
        count += derive(connection, rulebook, as_of, numbers).customers
    return count


def tell(connection: Connection) -> list[int]:
    """A small company: a subscriber in trouble, a buyer, a visitor, a firm with two people."""
    told = Told(connection)
    ann, bob, cyd = told.customer(display_name="Ann"), told.customer(), told.customer()
    firm, dee, eve = told.customer("ORGANIZATION"), told.customer(), told.customer()
    told.joins(dee, firm, "Buyer")
    told.joins(eve, firm)
    told.touch(ann, "agreement.started", day(1))
    for number, month in enumerate(range(1, 90, 30)):
        bill = told.touch(ann, "invoice.issued", day(month), lane="BRAND", channel="BILLING")
        told.money(ann, "REVENUE", 2_900_000, "USD", day(month), bill)
        told.money(ann, "FEE", 100_000, "USD", day(month), bill)
        paid = "payment.failed" if number == 2 else "payment.succeeded"
        told.touch(ann, paid, day(month + 1), channel="BILLING")
    told.touch(ann, "case.opened", day(62), channel="EMAIL", intent="CANCEL", sentiment=-500_000)
    told.case(ann, "OPEN", day(62))
    told.touch(bob, "deal.won", day(40), channel="SALES")
    told.money(bob, "REVENUE", 777, "JPY", day(41))
    told.touch(cyd, "visit.made", day(50))
    told.touch(dee, "visit.pricing", day(55))
    told.touch(eve, "contact.created", day(58))
    told.touch(firm, "deal.opened", day(59), channel="SALES")
    return [ann, bob, cyd, firm, dee, eve]


def test_a_second_derivation_at_the_same_instant_changes_nothing(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        everybody = tell(connection)
        assert follow(connection, rulebook, day(70)) == len(everybody)
        before = dump(connection)
        assert follow(connection, rulebook, day(70)) == 0
        assert derive(connection, rulebook, day(70), everybody).flags_raised == 0
        assert dump(connection) == before
    assert all(before[name] for name in ("entry", "journey_step", "customer_card", "risk_flag", "outbox", "step_value"))


def test_a_later_derivation_leaves_a_card_alone_where_nothing_changed(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        everybody = tell(connection)
        follow(connection, rulebook, day(70))
        told = len(dump(connection)["outbox"])
        derive(connection, rulebook, day(70) + 1, everybody)
        assert set(connection.scalars(text("SELECT updated_at FROM customer_card"))) == {day(70)}
        assert len(dump(connection)["outbox"]) == told


@pytest.mark.parametrize("size", [1, 2, 4])
def test_how_customers_are_batched_does_not_matter(
    new_store: Callable[[str], Store], rulebook: Rulebook, size: int
) -> None:
    dumps = []
    for limit in (1000, size):
        with new_store("sqlite").write() as connection:
            tell(connection)
            follow(connection, rulebook, day(70), limit)
            dumps.append(dump(connection, {"flag_no", "log_no", "outbox_no", "outbox", "flag_log", "score_log"}))
    assert dumps[0] == dumps[1]


def test_both_databases_give_the_same_rows(new_store: Callable[[str], Store], rulebook: Rulebook) -> None:
    dumps = []
    for dialect in ("sqlite", "postgresql"):
        with new_store(dialect).write() as connection:
            tell(connection)
            for as_of in (70, 75, 200, 700):
                follow(connection, rulebook, day(as_of))
            dumps.append(dump(connection))
    assert dumps[0] == dumps[1]


def test_moving_the_clock_derives_only_who_is_due(store: Store, rulebook: Rulebook) -> None:
    version = rules_version(rulebook)
    with store.write() as connection:
        told = Told(connection)
        slow, other = told.customer(), told.customer()
        told.touch(slow, "deal.won", day(5))
        told.touch(other, "visit.made", day(5))
        assert follow(connection, rulebook, day(6)) == 2
        marks: dict[int, int] = dict(rows(connection, "SELECT customer_no, due_at FROM customer"))
        assert day(6) < marks[slow] <= day(19) < marks[other]
        assert due(connection, marks[slow] - 1, version, 9) == []
        assert due(connection, marks[slow], version, 9) == [slow]
        assert follow(connection, rulebook, day(19)) == 1
        assert rows(connection, "SELECT overdue FROM journey_step ORDER BY step_no") == [(True,), (None,)]
        derived = rows(connection, "SELECT derived_as_of FROM customer ORDER BY customer_no")
        assert derived == [(day(19),), (day(6),)]


types = st.sampled_from([
    "visit.made", "contact.created", "deal.opened", "deal.won", "deal.lost", "agreement.started", "agreement.ended",
    "invoice.issued", "invoice.paid", "payment.failed", "case.opened",
])  # fmt: skip
life = st.lists(st.tuples(st.integers(0, 200), types), max_size=6)
clock = st.lists(st.integers(0, 800), min_size=1, max_size=12).map(sorted)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=life, theirs=life, clock=clock)
def test_who_is_derived_only_when_due_is_as_if_derived_always(
    store: Store, rulebook: Rulebook, mine: list[tuple[int, str]], theirs: list[tuple[int, str]], clock: list[int]
) -> None:
    found = []
    for always in (False, True):
        with store.engine.connect() as connection:
            told = Told(connection)
            firm, person = told.customer("ORGANIZATION"), told.customer()
            told.joins(person, firm)
            for who, facts in ((firm, mine), (person, theirs)):
                for at, type_ in facts:
                    told.touch(who, type_, day(at))
            for until in clock:
                if always:
                    derive(connection, rulebook, day(until), [firm, person])
                else:
                    follow(connection, rulebook, day(until))
            unlike = {"customer", "outbox", "flag_no", "log_no", "score_log", "flag_log", "risk_as_of"}
            found.append(dump(connection, unlike))
            connection.rollback()
    assert found[0] == found[1]


def test_a_changed_rule_makes_everybody_due_and_a_changed_limit_of_the_api_nobody(
    store: Store, rulebook: Rulebook
) -> None:
    ends_later = rulebook.journey.model_copy(update={"ends_after": "541d"})
    wider = rulebook.access.model_copy(update={"max_depth": 13})
    with store.write() as connection:
        everybody = tell(connection)
        follow(connection, rulebook, day(70))
        changed = rules_version(rulebook.model_copy(update={"journey": ends_later}))
        assert due(connection, day(70), changed, 9) == sorted(everybody)
        assert due(connection, day(70), changed, 2) == sorted(everybody)[:2]
        assert due(connection, day(70), rules_version(rulebook.model_copy(update={"access": wider})), 9) == []


def test_the_order_of_cost_rules_is_part_of_the_rules(rulebook: Rulebook) -> None:
    cost = rulebook.cost.model_copy(update={"rules": dict(reversed(rulebook.cost.rules.items()))})
    assert rules_version(rulebook.model_copy(update={"cost": cost})) != rules_version(rulebook)


def test_a_fact_that_changed_is_told_of_once(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        everybody = tell(connection)
        follow(connection, rulebook, day(70))
        first = rows(connection, "SELECT customer_no FROM outbox WHERE topic = 'customer.changed' ORDER BY outbox_no")
        assert first == [(number,) for number in sorted(everybody)]
        ann, bob, *_ = everybody
        connection.execute(text("UPDATE interaction SET sentiment = 5 WHERE type = 'deal.won'"))
        mark_dirty(connection, ann, bob)
        follow(connection, rulebook, day(70) + 5)
        news = rows(connection, "SELECT topic, customer_no, payload FROM outbox WHERE at > :seen", seen=day(70))
        assert news == [("customer.changed", bob, f'{{"id":"cus_{bob:06}"}}')]


def test_flags_are_told_of_when_raised_and_when_cleared(store: Store, rulebook: Rulebook) -> None:
    told = "SELECT payload FROM outbox WHERE topic = :topic AND customer_no = :n ORDER BY outbox_no"
    with store.write() as connection:
        ann, *_ = tell(connection)
        follow(connection, rulebook, day(70))
        query = "SELECT flag_no, rule, severity FROM risk_flag WHERE customer_no = :n ORDER BY flag_no"
        raised = rows(connection, query, n=ann)
        news = [json.loads(payload) for (payload,) in rows(connection, told, topic="flag.raised", n=ann)]
        assert raised
        assert news == [{"flag": number, "rule": rule, "severity": severity} for number, rule, severity in raised]
        for table in ("interaction", '"case"'):
            connection.execute(text(f"DELETE FROM {table} WHERE customer_no = :n"), {"n": ann})  # noqa: S608
        assert derive(connection, rulebook, day(71), [ann]).flags_cleared == len(raised)
        news = [json.loads(payload) for (payload,) in rows(connection, told, topic="flag.cleared", n=ann)]
        assert [one["flag"] for one in news] == [number for number, _, _ in raised]


def test_a_customer_without_profiles_loses_what_was_derived(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        ann, bob, *_ = tell(connection)
        follow(connection, rulebook, day(70))
        raised = rows(connection, "SELECT flag_no FROM flag_log WHERE customer_no = :n", n=ann)
        Told(connection).forget_profiles(ann, into=bob)
        for table in ("interaction", "money_entry", '"case"'):
            moved = text(f"UPDATE {table} SET customer_no = :b WHERE customer_no = :a")  # noqa: S608
            connection.execute(moved, {"a": ann, "b": bob})
        mark_dirty(connection, ann, bob)
        follow(connection, rulebook, day(71))
        left = [
            name for name, owner in OWNED_BY_CUSTOMER.items()
            if rows(connection, f"SELECT {owner} FROM {name} WHERE {owner} = :n", n=ann)  # noqa: S608
        ]  # fmt: skip
        news = "SELECT topic, payload FROM outbox WHERE at = :at AND customer_no = :n ORDER BY outbox_no"
        told, *flags = rows(connection, news, at=day(71), n=ann)
        assert left == []
        assert rows(connection, "SELECT customer_no FROM customer WHERE customer_no = :n", n=ann) == []
        assert told == ("customer.changed", f'{{"id":"cus_{ann:06}","mergedInto":"cus_{bob:06}"}}')
        assert raised
        assert [topic for topic, _ in flags] == ["flag.cleared"] * len(raised)
        assert rows(connection, "SELECT 1 FROM flag_log WHERE customer_no = :n AND cleared_at IS NULL", n=ann) == []
        assert rows(connection, "SELECT revenue FROM profitability WHERE customer_no = :n AND revenue > 777", n=bob)


def test_deriving_one_customer_leaves_the_others_alone(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        everybody = tell(connection)
        follow(connection, rulebook, day(70))
        before = dump(connection)
        derive(connection, rulebook, day(400), everybody[:1])
        after = dump(connection)
    for name in ("customer_card", "journey_step", "profitability", "metric"):
        place = list(metadata.tables[name].columns.keys()).index("customer_no")
        others = [[row for row in dumped[name] if row[place] != everybody[0]] for dumped in (before, after)]
        assert others[0] == others[1]
        assert others[0]
