"""The read model from provenance and facts, and what search finds it by."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text

from hub.insight.derive import derive
from hub.insight.search import email_tokens, name_tokens, phone_tokens, sort_key, words
from hub.store.engine import Store
from mappings.rulebook import Rulebook
from tests.hub.insight.told import Told, day


def card(connection: Connection, customer: int, columns: str) -> tuple[Any, ...]:
    query = text(f"SELECT {columns} FROM customer_card WHERE customer_no = :n")  # noqa: S608
    return tuple(connection.execute(query, {"n": customer}).one())


def test_a_card_shows_the_golden_values_and_finds_the_losers(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer(display_name="Zoë Müller", country="DE", language="de", updated_at=day(9))
        old = told.profile(who, display_name="Zoë Łukasik", updated_at=day(1))
        told.contact(old, "EMAIL", "zoe.m@mail.example")
        told.contact(old, "PHONE", "+4915155667788")
        derive(connection, rulebook, day(10), [who])
        columns = "public_id, kind, display_name_key, country, language, emails, phones, updated_at"
        assert card(connection, who, columns) == (
            f"cus_{who:06}", "PERSON", sort_key(card(connection, who, "display_name")[0]), "DE", "de",
            '["zoe.m@mail.example"]', '["+4915155667788"]', day(10),
        )  # fmt: skip
        tokens = set(connection.scalars(text("SELECT token FROM customer_token")))
        assert tokens == {
            "zoe", "muller", "mueller", "lukasik", "zoe.m@mail.example", "m", "4915155667788", "15155667788",
        }  # fmt: skip
        known = connection.execute(
            text("SELECT type, value, customer_no, sources FROM customer_identifier ORDER BY type")
        )
        assert [tuple(row) for row in known] == [
            ("EMAIL", "zoe.m@mail.example", who, '["crm"]'), ("PHONE", "+4915155667788", who, '["crm"]'),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], (None, 0, None, None), id="nobody-said-anything"),
        pytest.param([-400_000], (-400_000, 1, None, 0), id="once-is-no-trend"),
        pytest.param([-400_000, 200_000], (-100_000, 2, "RISING", 1), id="better-than-before"),
        pytest.param([1_000_000, 500_000, 500_001], (666_667, 3, "FALLING", 2), id="worse-than-before"),
        pytest.param([300_000, 300_000], (300_000, 2, "STEADY", 1), id="the-same"),
        pytest.param([-1, 0], (0, 2, "RISING", 1), id="rounded-towards-zero"),
    ],
)
def test_sentiment_is_the_mean_and_the_last_against_the_earlier(
    store: Store, rulebook: Rulebook, said: list[int], expected: tuple[Any, ...]
) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        for number, sentiment in enumerate(said):
            told.touch(who, "survey.answered", day(number), sentiment=sentiment)
        told.touch(who, "visit.made", day(9))
        derive(connection, rulebook, day(10), [who])
        *figures, at = expected
        columns = "sentiment, sentiment_count, sentiment_trend, sentiment_at"
        assert card(connection, who, columns) == (*figures, None if at is None else day(at))


STATES = {
    "unknown-visitor": (["visit.made"], "ADDRESSABLE"),
    "left-an-address": (["contact.created"], "OBTAINABLE"),
    "bought": (["contact.created", "invoice.issued"], "ACTIVE"),
    "bought-and-left": (["invoice.issued", "agreement.started", "agreement.ended"], "OBTAINABLE"),
    "nothing": ([], "ADDRESSABLE"),
}


@pytest.mark.parametrize(("types", "expected"), STATES.values(), ids=STATES)
def test_the_market_state_of_a_person(store: Store, rulebook: Rulebook, types: list[str], expected: str) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        for number, type_ in enumerate(types):
            told.touch(who, type_, day(number))
        derive(connection, rulebook, day(10), [who])
        assert card(connection, who, "market_state") == (expected,)


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        pytest.param({0: []}, "ADDRESSABLE", id="nobody"),
        pytest.param({0: [5, 6, 7, 8]}, "OBTAINABLE", id="one-member-however-often"),
        pytest.param({0: [5], 1: [40]}, "ACTIVE", id="two-members-within-the-window"),
        pytest.param({0: [5], 1: [70]}, "OBTAINABLE", id="two-members-too-far-apart"),
    ],
)
def test_an_organization_is_active_when_enough_of_its_people_show_interest(
    store: Store, rulebook: Rulebook, visits: dict[int, list[int]], expected: str
) -> None:
    with store.write() as connection:
        told = Told(connection)
        firm = told.customer("ORGANIZATION")
        for days in visits.values():
            person = told.customer()
            told.joins(person, firm)
            for number in days:
                told.touch(person, "visit.made", day(number))
        latest = max((number for days in visits.values() for number in days), default=1)
        derive(connection, rulebook, day(latest), [firm])
        assert card(connection, firm, "market_state") == (expected,)


def test_an_organization_s_card_counts_its_people_s_cases_and_touches(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        firm, ann = told.customer("ORGANIZATION"), told.customer(at=day(3))
        told.joins(ann, firm)
        told.case(firm, "OPEN", day(1))
        told.case(ann, "PENDING", day(2))
        told.case(ann, "CLOSED", day(2))
        told.case(ann, "OPEN", day(20))
        told.touch(ann, "visit.made", day(4))
        told.touch(firm, "deal.opened", day(6))
        derive(connection, rulebook, day(10), [firm, ann])
        columns = "open_case_count, interaction_count, first_seen, last_seen, stage, stage_since"
        assert card(connection, firm, columns) == (2, 2, day(0), day(6), "CHOOSING", day(6))
        assert card(connection, ann, columns) == (1, 1, day(3), day(4), "BRAND", day(4))


def test_who_left_and_looks_at_us_again_is_no_customer_yet(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        types = ["agreement.started", "invoice.paid", "agreement.ended", "visit.made", "agreement.started"]
        for number, type_ in enumerate(types):
            told.touch(who, type_, day(10 * number))
        derive(connection, rulebook, day(35), [who])
        assert card(connection, who, "stage, market_state") == ("WIN_BACK", "OBTAINABLE")
        derive(connection, rulebook, day(45), [who])
        assert card(connection, who, "stage, market_state") == ("BUYING", "ACTIVE")


def test_who_ended_in_silence_has_ended(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        told.touch(who, "invoice.paid", day(4))
        derive(connection, rulebook, day(600), [who])
        assert card(connection, who, "stage, stage_since, market_state") == ("ENDED", day(4), "OBTAINABLE")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(words("  Anna-Lena O'Brien "), {"anna", "lena", "o", "brien"}, id="words"),
        pytest.param(words("STRAẞE Øre Ünal İz"), {"strasse", "ore", "unal", "iz"}, id="folded"),
        pytest.param(words("東京 太郎"), {"東京", "太郎"}, id="other-scripts"),
        pytest.param(words("x" * 100), {"x" * 64}, id="cut"),
        pytest.param(words(" -_. "), set(), id="no-word"),
        pytest.param(email_tokens("Jo.Doe+x@Mail.example"), {"jo", "doe", "x", "jo.doe+x@mail.example"}, id="e-mail"),
        pytest.param(phone_tokens("+49 (0) 151-12"), {"4915112", "15112"}, id="phone"),
        pytest.param(phone_tokens("0049151"), {"49151"}, id="phone-with-zeros"),
        pytest.param(phone_tokens("n/a"), set(), id="no-phone"),
        pytest.param(name_tokens("Jörg Weiß"), {"jorg", "joerg", "weiss"}, id="umlauts-both-ways"),
    ],
)
def test_search_tokens(found: frozenset[str], expected: set[str]) -> None:
    assert found == expected
