"""Journeys by hand, and against a slow reading of the same facts by plain loops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from hub.expression import duration
from hub.insight.journey import journeys
from hub.insight.touch import check_journey
from hub.store.batch import fill_batch
from hub.store.engine import Store
from mappings.model import STAGES
from mappings.rulebook import Journey, Rulebook, StageEvidence
from tests.hub.insight.told import Told, day

BOUGHT = {"BUYING", "ORDER_TO_DELIVERY", "FIRST_EXPERIENCE", "LIVING", "EXPANSION", "RENEWAL", "ADVOCACY"}


@contextmanager
def undone(store: Store) -> Iterator[Connection]:
    """A connection whose work is rolled back: many examples on one empty store."""
    with store.engine.connect() as connection:
        yield connection
        connection.rollback()


def walked(connection: Connection, rulebook: Rulebook, customers: list[int], as_of: int) -> None:
    fill_batch(connection, customers)
    journeys(connection, rulebook, as_of)


def rows(connection: Connection, query: str, **binds: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query), binds)]


# a slow reading -----------------------------------------------------------------------------------------------------
Touch = tuple[int, int, str, str]  # at, number, type, channel


@dataclass
class Slow:
    """Steps of one journey: [stage, number of the first touch, entered, touches, left, overdue]."""

    number: int
    started: int
    steps: list[list[Any]] = field(default_factory=list)
    last: int = 0
    ended: int | None = None
    outcome: str | None = None


def _is(type_: str, patterns: list[str]) -> bool:
    return any(type_ == p or (p.endswith("*") and type_.startswith(p[:-1])) for p in patterns)


def _holds(evidence: StageEvidence, past: list[Touch], now: Touch) -> bool:
    if not _is(now[2], evidence.types) or evidence.kind == "ORGANIZATION":
        return False
    after = [place for place, touch in enumerate(past) if _is(touch[2], evidence.after)]
    until = [place for place, touch in enumerate(past) if _is(touch[2], evidence.until)]
    if any(_is(touch[2], evidence.unless) for touch in past) or (evidence.after and not after):
        return False
    if evidence.after and until and until[-1] > after[-1]:
        return False
    return not evidence.later_than or now[0] - past[after[0]][0] >= duration(evidence.later_than)


def _place(rulebook: Rulebook, type_: str) -> float:
    stages = rulebook.journey.stages.values()
    return min((rule.order for rule in stages for e in rule.evidence if _is(type_, e.types)), default=float("inf"))


def _named(touches: list[Touch]) -> Iterator[Touch]:
    """An agreement's end while more have begun than ended is no end."""
    running = 0
    for at, number, type_, channel in touches:
        running += {"agreement.started": 1, "agreement.ended": -1}.get(type_, 0)
        yield at, number, "agreement.reduced" if type_ == "agreement.ended" and running > 0 else type_, channel


def slow_journeys(rulebook: Rulebook, touches: list[Touch], as_of: int) -> list[Slow]:
    """The same rules with loops: evidence, then gaps, then journeys."""
    rules, silence = rulebook.journey, duration(rulebook.journey.ends_after)
    past: list[Touch] = []
    stages: list[str | None] = []
    happened = [touch for touch in touches if touch[0] <= as_of]
    for touch in _named(sorted(happened, key=lambda t: (t[0], _place(rulebook, t[2]), t[2], t[1]))):
        found = [s for s, rule in rules.stages.items() if any(_holds(e, past, touch) for e in rule.evidence)]
        stages.append(found[-1] if found else None)
        past.append(touch)
    current = next((stage for stage in stages if stage), None)
    made: list[Slow] = []
    if current is None:
        return made
    for touch, own in zip(past, stages, strict=True):
        before, current = current, own or current
        gap = made and touch[0] - made[-1].last >= silence
        if not made or gap or (before == "ENDED" and current in ("INITIATION", "WIN_BACK")):
            made.append(Slow(touch[1], touch[0]))
        if not made[-1].steps or made[-1].steps[-1][0] != current:
            made[-1].steps.append([current, touch[1], touch[0], [], None])
        made[-1].steps[-1][3].append(touch[1])
        made[-1].last = touch[0]
    for place, trip in enumerate(made):
        _finish(trip, made[place + 1].started if place + 1 < len(made) else None, silence, as_of)
    return made


def _finish(trip: Slow, restarted: int | None, silence: int, as_of: int) -> None:
    for step, following in zip(trip.steps, trip.steps[1:], strict=False):
        step[4] = following[2]
    stage, _, entered, _, _ = trip.steps[-1]
    silent = (as_of if restarted is None else restarted) - trip.last >= silence
    if stage == "ENDED":
        trip.ended, trip.steps[-1][4] = entered, restarted
    elif silent:
        trip.ended = trip.steps[-1][4] = trip.last
    if trip.ended is not None:
        bought = any(step[0] in BOUGHT for step in trip.steps)
        trip.outcome = "LOST" if not bought else "ENDED" if stage == "ENDED" else "WON"


TYPES = [
    "visit.made", "visit.made", "visit.pricing", "visit.signed_up", "contact.created", "deal.opened", "deal.won",
    "deal.lost", "agreement.started", "agreement.cancel_scheduled", "agreement.ended", "invoice.issued", "invoice.paid",
    "payment.succeeded", "payment.failed", "refund.made", "case.opened", "case.reply", "survey.answered",
]  # fmt: skip
lives = st.lists(
    st.lists(st.tuples(st.integers(0, 80).map(lambda n: n * 15), st.sampled_from(TYPES)), max_size=14),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=lives, until=st.integers(0, 1800))
def test_journeys_are_what_a_slow_reading_finds(
    store: Store, rulebook: Rulebook, lives: list[list[tuple[int, str]]], until: int
) -> None:
    as_of = day(until)
    with undone(store) as connection:
        told = Told(connection)
        touches: dict[int, list[Touch]] = {}
        for life in lives:
            who = told.customer()
            touches[who] = [(day(n), told.touch(who, type_, day(n)), type_, "WEB") for n, type_ in life]
        walked(connection, rulebook, list(touches), as_of)
        for who, facts in touches.items():
            expected = slow_journeys(rulebook, facts, as_of)
            found = rows(
                connection,
                "SELECT journey_no, ordinal, started_at, ended_at, outcome FROM journey WHERE customer_no = :who "
                "ORDER BY ordinal", who=who,
            )  # fmt: skip
            assert found == [(t.number, n, t.started, t.ended, t.outcome) for n, t in enumerate(expected, 1)]
            steps = rows(
                connection,
                "SELECT stage, step_no, entered_at, left_at, s.ordinal FROM journey_step s JOIN journey j "
                "ON j.journey_no = s.journey_no WHERE s.customer_no = :who ORDER BY j.ordinal, s.ordinal", who=who,
            )  # fmt: skip
            assert steps == [(s[0], s[1], s[2], s[4], n) for t in expected for n, s in enumerate(t.steps, 1)]
            query = "SELECT interaction_no, step_no FROM step_interaction WHERE customer_no = :who"
            held = rows(connection, query, who=who)
            assert sorted(held) == sorted((touch, s[1]) for t in expected for s in t.steps for touch in s[3])


# by hand -------------------------------------------------------------------------------------------------------------
STORIES = {
    "first-visit": (["visit.made"], ["BRAND"]),
    "leaves-an-address": (["visit.made", "contact.created"], ["BRAND", "INITIATION"]),
    "looks-at-prices": (["visit.made", "contact.created", "visit.pricing"], ["BRAND", "INITIATION", "CHOOSING"]),
    "buys": (
        ["contact.created", "deal.opened", "deal.won", "invoice.issued", "invoice.paid", "payment.succeeded"],
        ["INITIATION", "CHOOSING", "BUYING", "ORDER_TO_DELIVERY"],
    ),
    "tries-it": (["invoice.issued", "invoice.paid", "visit.made"], ["BUYING", "ORDER_TO_DELIVERY", "FIRST_EXPERIENCE"]),
    "failure-is-no-stage": (["invoice.issued", "payment.failed"], ["BUYING"]),
    "what-comes-before-evidence-belongs-to-the-first-step": (["payment.failed", "deal.won"], ["BUYING"]),
    "asks-for-help-with-what-another-bought": (["case.opened"], ["LIVING"]),
    "loses-interest": (["contact.created", "deal.opened", "deal.lost"], ["INITIATION", "CHOOSING", "ENDED"]),
    "nothing-that-says-a-stage": (["refund.made"], []),
}


@pytest.mark.parametrize(("types", "stages"), STORIES.values(), ids=STORIES)
def test_stages_of_a_story_within_a_month(
    store: Store, rulebook: Rulebook, types: list[str], stages: list[str]
) -> None:
    with undone(store) as connection:
        told = Told(connection)
        who = told.customer()
        for number, type_ in enumerate(types):
            told.touch(who, type_, day(number * 3))
        walked(connection, rulebook, [who], day(60))
        assert [s for (s,) in rows(connection, "SELECT stage FROM journey_step ORDER BY ordinal")] == stages


def test_a_source_that_knows_the_stage_outranks_the_rules(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "visit.made", day(0), stage="ADVOCACY")
        walked(connection, rulebook, [who], day(1))
        assert rows(connection, "SELECT stage FROM journey_step") == [("ADVOCACY",)]


def _subscriber(connection: Connection) -> tuple[Told, int]:
    told = Told(connection)
    who = told.customer()
    for at, type_ in [(0, "contact.created"), (5, "agreement.started"), (6, "invoice.paid"), (50, "visit.made")]:
        told.touch(who, type_, day(at))
    return told, who


def test_who_comes_back_after_the_end_begins_a_new_journey(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told, who = _subscriber(connection)
        told.touch(who, "agreement.ended", day(90))
        told.touch(who, "visit.made", day(200))
        told.touch(who, "agreement.started", day(210))
        told.touch(who, "invoice.paid", day(240))
        walked(connection, rulebook, [who], day(250))
        found = rows(connection, "SELECT ordinal, started_at, ended_at, outcome FROM journey ORDER BY ordinal")
        query = "SELECT stage, left_at FROM journey_step WHERE entered_at >= :end ORDER BY entered_at"
        steps = rows(connection, query, end=day(90))
    assert found == [(1, day(0), day(90), "ENDED"), (2, day(200), None, None)]
    assert steps == [("ENDED", day(200)), ("WIN_BACK", day(210)), ("BUYING", day(240)), ("LIVING", None)]


@pytest.mark.parametrize("type_", ["case.opened", "survey.answered", "payment.succeeded", "invoice.paid"])
def test_who_left_and_asks_once_more_or_pays_the_last_bill_has_left(
    store: Store, rulebook: Rulebook, type_: str
) -> None:
    with undone(store) as connection:
        told, who = _subscriber(connection)
        told.touch(who, "agreement.ended", day(90))
        told.touch(who, type_, day(95))
        walked(connection, rulebook, [who], day(120))
        query = "SELECT stage, left_at FROM journey_step ORDER BY ordinal DESC LIMIT 1"
        assert rows(connection, query) == [("ENDED", None)]


def test_the_end_of_one_of_two_agreements_is_no_end(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told, who = _subscriber(connection)
        for at, type_ in [(60, "agreement.started"), (90, "agreement.ended"), (91, "visit.made"), (95, "invoice.paid")]:
            told.touch(who, type_, day(at))
        walked(connection, rulebook, [who], day(120))
        assert rows(connection, "SELECT ended_at FROM journey") == [(None,)]
        stages = [stage for (stage,) in rows(connection, "SELECT stage FROM journey_step ORDER BY ordinal")]
        assert stages == ["INITIATION", "BUYING", "ORDER_TO_DELIVERY", "LIVING", "EXPANSION", "LIVING"]


@pytest.mark.parametrize(("silence", "ended"), [(539, None), (540, day(50))], ids=["a-day-less", "long-enough"])
def test_silence_ends_a_journey(store: Store, rulebook: Rulebook, silence: int, ended: int | None) -> None:
    with undone(store) as connection:
        _, who = _subscriber(connection)
        walked(connection, rulebook, [who], day(50 + silence))
        assert rows(connection, "SELECT ended_at, outcome FROM journey") == [(ended, ended and "WON")]
        assert rows(connection, "SELECT due_at FROM customer") == [(None if ended else day(590),)]


@pytest.mark.parametrize(
    ("until", "overdue", "due", "late"),
    [
        pytest.param(18, False, 19, [], id="in-time"),
        pytest.param(19, True, 545, [("LATE", day(19), "Buying should take 14 days; it goes on.")], id="overdue"),
    ],
)
def test_a_step_becomes_overdue_at_an_instant_known_before(
    store: Store, rulebook: Rulebook, until: int, overdue: bool, due: int, late: list[tuple[Any, ...]]
) -> None:
    with undone(store) as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "deal.won", day(5))
        walked(connection, rulebook, [who], day(until))
        found = rows(connection, "SELECT expected_days, overdue FROM journey_step")
        assert [(days, bool(is_late)) for days, is_late in found] == [(14, overdue)]
        assert rows(connection, "SELECT kind, at, message FROM deviation") == late
        assert rows(connection, "SELECT due_at FROM customer") == [(day(due),)]


def test_deviations_say_what_differs_from_the_plan(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "visit.made", day(0))
        told.touch(who, "agreement.started", day(1))
        told.touch(who, "visit.made", day(50))
        told.touch(who, "invoice.paid", day(60), stage="ORDER_TO_DELIVERY")
        walked(connection, rulebook, [who], day(61))
        found = rows(connection, "SELECT kind, at, message FROM deviation ORDER BY at, kind")
    assert found == [
        ("SKIPPED", day(1), "From Brand to Buying without Initiation, Choosing."),
        ("LATE", day(15), "Buying should take 14 days; it took 49."),
        ("BACKWARD", day(60), "Back from Living with it to From order to delivery."),
    ]


def test_a_step_counts_both_lanes_and_lists_its_channels(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "case.opened", day(0), channel="PHONE", sentiment=-500_000)
        told.touch(who, "case.reply", day(1), lane="BRAND", channel="EMAIL")
        told.touch(who, "case.comment", day(2), channel="EMAIL", sentiment=-100_001)
        walked(connection, rulebook, [who], day(3))
        columns = "customer_interaction_count, brand_interaction_count, channels, sentiment"
        assert rows(connection, f"SELECT {columns} FROM journey_step") == [(2, 1, '["EMAIL","PHONE"]', -300_000)]  # noqa: S608


# organizations -------------------------------------------------------------------------------------------------------
def test_people_make_their_organization_s_journey_and_keep_their_own(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told = Told(connection)
        firm, ann = told.customer("ORGANIZATION"), told.customer()
        told.joins(ann, firm, "Buyer")
        visit = told.touch(ann, "visit.made", day(0))
        deal = told.touch(firm, "deal.opened", day(4), channel="SALES")
        walked(connection, rulebook, [firm, ann], day(5))
        columns = "step_no, stage, customer_interaction_count"
        query = f"SELECT {columns} FROM journey_step WHERE customer_no = :n ORDER BY ordinal"  # noqa: S608
        steps, own = rows(connection, query, n=firm), rows(connection, query, n=ann)
        columns = "organization_no, person_no, role, interaction_count, first_at"
        group = rows(connection, f"SELECT {columns} FROM buying_group_member")  # noqa: S608
    assert steps == [(-visit, "BRAND", 1), (deal, "CHOOSING", 1)]
    assert own == [(visit, "BRAND", 1)]
    assert group == [(firm, ann, "Buyer", 1, day(0))]


def test_who_asks_for_help_lives_with_it_but_makes_no_customer_of_the_employer(
    store: Store, rulebook: Rulebook
) -> None:
    with undone(store) as connection:
        told = Told(connection)
        firm, ann = told.customer("ORGANIZATION"), told.customer()
        told.joins(ann, firm)
        for at, type_ in enumerate(["contact.created", "deal.opened", "case.opened", "case.reply"]):
            told.touch(ann, type_, day(at))
        walked(connection, rulebook, [firm, ann], day(9))
        query = "SELECT stage FROM journey_step WHERE customer_no = :who ORDER BY ordinal"
        assert rows(connection, query, who=ann)[-1] == ("LIVING",)
        assert rows(connection, query, who=firm) == [("INITIATION",), ("CHOOSING",)]


def test_interest_leaves_the_buying_group_with_the_window(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told = Told(connection)
        firm, ann, bob = told.customer("ORGANIZATION"), told.customer(), told.customer()
        told.joins(ann, firm)
        told.joins(bob, firm)
        told.touch(ann, "visit.made", day(0))
        told.touch(ann, "payment.failed", day(30))
        told.touch(bob, "visit.pricing", day(10))
        walked(connection, rulebook, [firm], day(59))
        query = "SELECT person_no, interaction_count FROM buying_group_member ORDER BY person_no"
        assert rows(connection, query) == [(ann, 1), (bob, 1)]
        due = rows(connection, "SELECT due_at FROM customer WHERE customer_no = :f", f=firm)
        assert due[0][0] == day(60)
        for table in ("journey", "journey_step", "step_interaction", "deviation", "buying_group_member"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        walked(connection, rulebook, [firm], day(60))
        assert rows(connection, query) == [(bob, 1)]


def test_what_is_dated_ahead_has_not_happened_but_is_waited_for(store: Store, rulebook: Rulebook) -> None:
    with undone(store) as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "visit.made", day(0))
        told.touch(who, "deal.won", day(3) + 1)
        walked(connection, rulebook, [who], day(3))
        assert rows(connection, "SELECT stage FROM journey_step") == [("BRAND",)]
        assert rows(connection, "SELECT due_at FROM customer") == [(day(3) + 1,)]


def test_every_stage_of_the_vocabulary_is_planned(rulebook: Rulebook) -> None:
    assert tuple(rulebook.journey.stages) == STAGES
    assert all(rule.owner and rule.goal for rule in rulebook.journey.stages.values())


@pytest.mark.parametrize(
    ("path", "said", "place", "what"),
    [
        (["ends_after"], "540 days", ("ends_after",), "is no duration"),
        (["organization_active", "within"], "2x", ("organization_active", "within"), "is no duration"),
        (["active"], ["visit"], ("active",), "`visit` is no interaction type"),
        (["obtainable"], ["*.made"], ("obtainable",), "is no interaction type"),
        (
            ["stages", "BRAND", "evidence", 0, "unless"], ["a.b' OR 1=1"],
            ("stages", "BRAND", "evidence", "0", "unless"), "is no interaction type",
        ),
        (
            ["stages", "LIVING", "evidence", 0, "later_than"], "month",
            ("stages", "LIVING", "evidence", "0", "later_than"), "is no duration",
        ),
    ],
    ids=["silence", "window", "no-event", "star-in-front", "quote", "later"],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_named(
    rulebook: Rulebook, path: list[Any], said: Any, place: tuple[str, ...], what: str
) -> None:
    rules = rulebook.journey.model_dump(mode="json")
    inner = rules
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = said
    ((found, message),) = check_journey(Journey.model_validate(rules))
    assert found == place
    assert what in message


def test_the_shipped_rules_are_fine(rulebook: Rulebook) -> None:
    assert list(check_journey(rulebook.journey)) == []
