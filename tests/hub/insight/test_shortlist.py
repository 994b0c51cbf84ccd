"""The lists on a card: whose, in which order, how many, when left out, and that they follow every change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text, update

from hub.erasure.erase import erase
from hub.insight.derive import derive, due, rules_version
from hub.insight.shortlist import MOST_BYTES, shortlists
from hub.store.batch import fill_batch
from hub.store.derived import risk_flag
from hub.store.engine import Store
from hub.store.mapped import MAPPED, fact_no
from mappings.rulebook import Rulebook
from tests.hub.insight.shown import expected, shown, wide
from tests.hub.insight.told import Told, day

interaction = MAPPED["interaction"]


def follow(connection: Connection, rulebook: Rulebook, as_of: int) -> set[int]:
    """Derives who is due, as a sync does; returns who that was."""
    customers = due(connection, as_of, rules_version(rulebook), 1_000)
    derive(connection, rulebook, as_of, customers)
    return set(customers)


def flag(connection: Connection, number: int, customer: int, rank: int, since: int, **more: Any) -> None:
    words = dict.fromkeys(
        ("clears_when", "action_kind", "action_channel", "action_skill", "action_why", "message", "rule"), "x"
    )
    row = {"flag_no": number, "customer_no": customer, "severity": "HIGH", "severity_rank": rank, "since": since}
    row |= {"state": "OPEN", "points": 1, "action_not_before": 0, "action_not_after": 0}
    connection.execute(insert(risk_flag), {**words, **row, **more})


def test_the_newest_stand_first_and_ties_by_their_number(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who, nobody = told.customer(), told.customer()
        for at in (3, 1, 2, 3, 9, 2, 4):
            told.touch(who, "visit.made", day(at), summary=f"day {at}")
        later = told.touch(who, "meeting.planned", day(50), lane="BRAND", channel="SALES")
        derive(connection, rulebook, day(10), [who, nobody])
        cards = shown(connection)
        assert cards == expected(connection)
        *_, many, latest = cards[who]
        assert many == 8
        assert [item[1] for item in latest] == [day(50), day(9), day(4), day(3), day(3)]
        assert latest[3][0] > latest[4][0]
        assert latest[0] == [later, day(50), "meeting.planned", "SALES", "BRAND", "shop", None]
        assert cards[nobody] == (0, [], 0, [])


def test_an_organization_s_are_its_own_and_its_people_s_each_once(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        firm, ann, bob = told.customer("ORGANIZATION"), told.customer(), told.customer()
        told.joins(ann, firm)
        own = told.touch(firm, "deal.opened", day(1))
        hers = told.touch(ann, "visit.made", day(2))
        told.touch(bob, "visit.made", day(3))
        derive(connection, rulebook, day(10), [firm, ann, bob])
        cards = shown(connection)
        assert cards == expected(connection)
        assert [item[0] for item in cards[firm][3]] == [hers, own]
        assert [item[0] for item in cards[ann][3]] == [hers]


def test_the_worst_flags_stand_first_then_the_oldest(store: Store) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        places = [(1, 5), (4, 9), (2, 5), (4, 3), (3, 1), (1, 5), (2, 4), (3, 2), (1, 1), (4, 3)]
        for number, (rank, since) in enumerate(places, 1):
            flag(connection, number, who, rank, day(since))
        flag(connection, 99, who, 4, day(0), state="CLEARED")
        fill_batch(connection, [who])
        found = shortlists(connection)[who]
        assert found.open_flag_count == len(places)
        order = sorted(range(1, 11), key=lambda n: (-places[n - 1][0], places[n - 1][1], n))
        assert [item[0] for item in json.loads(found.flags or "null")] == order[:8]


LONG = "ü" * 300
TEXTS = {
    "none": (None, True),
    "as long as may be": (LONG[:150], True),
    "at the limit of a summary but not of the list": (LONG, True),
    "longer than a summary may be": ("u" * 301, False),
    "signs": ('"Ünïcode" \\ 東京 \x1f\n</script>', True),
}


@pytest.mark.parametrize(("summary", "fits"), TEXTS.values(), ids=TEXTS)
def test_a_text_stands_exactly_or_the_list_is_left_out(
    store: Store, rulebook: Rulebook, summary: str | None, fits: bool
) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "visit.made", day(1), summary=summary)
        derive(connection, rulebook, day(10), [who])
        *_, many, latest = shown(connection)[who]
        assert many == 1
        assert (latest and latest[0][-1]) == (summary if fits else None)
        assert (latest is not None) == fits


def test_a_list_that_would_make_the_card_wide_is_left_out(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        for number in range(5):
            told.touch(who, "visit.made", day(number), summary="y" * 180)
        for number in range(4):
            flag(connection, number, who, 1, day(1), message="z" * (MOST_BYTES // 4))
        fill_batch(connection, [who])
        found = shortlists(connection)[who]
        assert found == (4, None, 5, None)


def test_numbers_stay_exact(store: Store, rulebook: Rulebook) -> None:
    """Fact numbers beyond 2^53 are no floats anywhere."""
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        number = told.touch(who, "visit.made", day(1))
        huge = 2**62 + 1
        connection.execute(update(interaction).where(interaction.c.fact_no == number).values(fact_no=huge))
        derive(connection, rulebook, day(10), [who])
        assert shown(connection)[who][3][0][:2] == [huge, day(1)]


def test_the_card_has_the_sums_in_the_reporting_currency(store: Store, rulebook: Rulebook) -> None:
    sums = "revenue, refunds, direct_cost, cost_to_serve, contribution, margin, coverage"
    with store.write() as connection:
        told = Told(connection)
        who, poor = told.customer(), told.customer()
        for kind, amount in (("REVENUE", 900_000), ("REFUND", 100_000), ("FEE", 7_000)):
            told.money(who, kind, amount, "USD", day(1))
        derive(connection, rulebook, day(10), [who, poor])
        cards = connection.execute(
            text(f"SELECT has_profitability, {sums} FROM customer_card ORDER BY customer_no")  # noqa: S608
        ).all()
        worth = connection.execute(
            text(f"SELECT {sums} FROM profitability WHERE currency = :c"),  # noqa: S608
            {"c": rulebook.company.reporting_currency},
        ).one()
        assert tuple(cards[0]) == (True, *worth)
        assert worth.revenue > worth.contribution > 0
        assert tuple(cards[1]) == (False, *[None] * 7)


# what changes --------------------------------------------------------------------------------------------------------
def test_lists_rewritten_alike_are_no_change_of_the_card(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        number = told.touch(who, "payment.failed", day(9), summary="Überweisung")
        told.touch(who, "agreement.started", day(1))
        follow(connection, rulebook, day(10))
        derive(connection, rulebook, day(10) + 1, [who])
        assert _updated(connection, who) == day(10)
        connection.execute(text("UPDATE customer_card SET latest = NULL, timeline_count = 0"))
        derive(connection, rulebook, day(10) + 2, [who])
        assert _updated(connection, who) == day(10)
        assert shown(connection) == expected(connection)
        connection.execute(update(interaction).where(interaction.c.fact_no == number).values(summary="other words"))
        derive(connection, rulebook, day(10) + 3, [who])
        assert _updated(connection, who) == day(10) + 3
        assert shown(connection) == expected(connection)


def test_a_cleared_flag_leaves_the_card(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "agreement.started", day(1))
        told.touch(who, "payment.failed", day(9), channel="BILLING")
        follow(connection, rulebook, day(10))
        before = shown(connection)[who]
        assert before[0] > 0
        assert {who: before} == wide(expected(connection), {who: before})
        told.touch(who, "payment.succeeded", day(10.5), channel="BILLING")
        derive(connection, rulebook, day(11), [who])
        assert shown(connection)[who][0] < before[0]
        assert shown(connection) == expected(connection)


def test_an_erased_member_leaves_the_organization_s_card_at_once(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        firm, ann, bob = told.customer("ORGANIZATION"), told.customer(), told.customer()
        for person in (ann, bob):
            told.joins(person, firm)
        told.touch(ann, "case.opened", day(2), summary="Ann's words", profile_no=_profile(ann))
        told.touch(bob, "case.opened", day(3), summary="Bob's words")
        told.touch(firm, "deal.opened", day(4))
        follow(connection, rulebook, day(10))
        assert "Ann's words" in str(shown(connection)[firm])
    erase(store, f"cus_{ann:06}", dry_run=False, as_of=day(11))
    with store.write() as connection:
        assert "Ann's words" not in str(shown(connection))
        assert firm in follow(connection, rulebook, day(11))
        cards = shown(connection)
        assert cards == expected(connection)
        assert cards[firm][2] == 2
        assert ann not in cards


def test_words_of_an_erased_person_leave_the_cards_of_others_that_the_record_names(
    store: Store, rulebook: Rulebook
) -> None:
    with store.write() as connection:
        told = Told(connection)
        ann, bob = told.customer(), told.customer()
        number = told.touch(ann, "call.made", day(2), summary="Ann said so", text="all of it", profile_no=_profile(ann))
        row = {"landing_no": number >> 16, "source": "shop", "stream": "touches", "stale": False, "customer_no": bob}
        row |= {"profile_no": _profile(bob), "fact_no": fact_no(number >> 16, 1), "summary": "Ann said so"}
        row |= {"at": day(2), "type": "call.made", "lane": "BRAND", "channel": "PHONE", "text": "Bob's own"}
        connection.execute(insert(interaction), row)
        follow(connection, rulebook, day(10))
        assert shown(connection)[bob][3][0][-1] == "Ann said so"
    erase(store, f"cus_{ann:06}", dry_run=False, as_of=day(11))
    with store.write() as connection:
        assert "Ann said so" not in str(shown(connection))
        assert bob in follow(connection, rulebook, day(11))
        assert shown(connection) == expected(connection)
        kept = connection.execute(text("SELECT summary, text FROM interaction")).all()
        assert [tuple(row) for row in kept] == [(None, "Bob's own")]


def test_the_organization_that_is_left_to_people_is_due_with_what_now_counts_for_it(
    store: Store, rulebook: Rulebook
) -> None:
    with store.write() as connection:
        told = Told(connection)
        gone, left, ann = told.customer("ORGANIZATION"), told.customer("ORGANIZATION"), told.customer()
        number = told.touch(ann, "visit.made", day(2))  # counts for neither while she belongs to both
        told.joins(ann, gone)
        told.joins(ann, left)
        follow(connection, rulebook, day(10))
        assert shown(connection)[left][2] == 0
    erase(store, f"cus_{gone:06}", dry_run=False, as_of=day(11))
    with store.write() as connection:
        follow(connection, rulebook, day(11))
        cards = shown(connection)
        assert cards == expected(connection)
        assert cards[left][3][0][0] == number


def test_a_merged_customer_s_lists_move_to_the_one_that_is_left(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        ann, bob = told.customer(), told.customer()
        told.touch(ann, "visit.made", day(2))
        told.touch(bob, "visit.made", day(3))
        follow(connection, rulebook, day(10))
        told.forget_profiles(ann, into=bob)
        connection.execute(update(interaction).values(customer_no=bob))
        derive(connection, rulebook, day(11), [ann, bob])
        cards = shown(connection)
        assert cards == expected(connection)
        assert cards.keys() == {bob}
        assert cards[bob][2] == 2


def _updated(connection: Connection, customer: int) -> Any:
    return connection.scalar(text("SELECT updated_at FROM customer_card WHERE customer_no = :n"), {"n": customer})


def _profile(customer: int) -> int:
    """The number that Told gives to the profile of a customer: the next one."""
    return customer + 1
