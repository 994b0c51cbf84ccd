"""Which value survives, by strategy, with its losers; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from hub.identity.survive import survive
from hub.store.batch import fill_batch
from hub.store.derived import provenance
from mappings.rulebook import Strategy
from tests.hub.identity.world import AS_OF, TRUST, World

MAIL = {"emails": ["anna@mail.example"]}


def survivors(world: World, field: str, **strategies: Strategy) -> list[tuple[Any, ...]]:
    """(rank, value, source) of a field, after a derivation of all customers."""
    identity = world.rulebook.identity
    rules = identity.model_copy(update={"survivorship": {**identity.survivorship, **strategies}})
    rulebook = world.rulebook.model_copy(update={"identity": rules})
    numbers = {number for number in world.assigned().values() if number is not None}
    with world.store.write() as connection:
        fill_batch(connection, numbers)
        survive(connection, rulebook, TRUST)
        survive(connection, rulebook, TRUST)
    rows = world.rows(provenance, "field", "rank", "value", "source")
    return [row[1:] for row in rows if row[0] == field]


STRATEGIES: dict[str, tuple[Strategy, list[str]]] = {
    "the most recent": ("most_recent", ["Anni Vogt", "Anna Vogt", "Anna Maria Vogt"]),
    "the most trusted": ("most_trusted", ["Anna Maria Vogt", "Anna Vogt", "Anni Vogt"]),
    "the most frequent": ("most_frequent", ["Anna Vogt", "Anna Maria Vogt", "Anni Vogt"]),
    "the longest": ("longest", ["Anna Maria Vogt", "Anni Vogt", "Anna Vogt"]),
}


@pytest.mark.parametrize(("strategy", "expected"), STRATEGIES.values(), ids=STRATEGIES)
def test_strategy_decides_and_the_losers_follow_in_order(world: World, strategy: Strategy, expected: list[str]) -> None:
    world.tell(
        crm_1=MAIL | {"name": "Anna Maria Vogt", "at": AS_OF - 30},
        billing_1=MAIL | {"name": "Anna Vogt", "at": AS_OF - 20},
        billing_2=MAIL | {"name": "Anna Vogt", "at": AS_OF - 21},
        support_1=MAIL | {"name": "Anni Vogt", "at": AS_OF - 10},
    )
    world.resolve()
    assert [value for _, value, _ in survivors(world, "DISPLAY_NAME", display_name=strategy)] == expected


def test_junk_never_wins_and_an_address_is_a_name_of_last_resort(world: World) -> None:
    world.tell(
        crm_1=MAIL | {"name": "anna@mail.example"},
        billing_1=MAIL | {"name": "unknown", "phones": ["+490000000", "+493023125001"], "birth": "1900-01-01"},
        support_1=MAIL | {"name": "Anna Vogt", "birth": "1980-02-03"},
    )
    world.resolve()
    assert survivors(world, "DISPLAY_NAME") == [(0, "Anna Vogt", "support"), (1, "anna@mail.example", "crm")]
    assert survivors(world, "PHONES") == [(0, "+493023125001", "billing")]
    assert survivors(world, "BIRTH_DATE") == [(0, "1980-02-03", "support")]


def test_every_email_is_listed_once_the_newest_first(world: World) -> None:
    world.tell(
        crm_1={"emails": ["old@mail.example", "anna@mail.example"], "at": AS_OF - 9},
        billing_1={"emails": ["anna@mail.example"], "at": AS_OF - 5},
        support_1={"emails": ["anna@mail.example", "new@mail.example"], "at": AS_OF - 5},
    )
    world.resolve()
    assert survivors(world, "EMAILS") == [
        (0, "anna@mail.example", "billing"),
        (1, "new@mail.example", "support"),
        (2, "old@mail.example", "crm"),
    ]


def test_provenance_names_the_record_its_time_and_the_strategy(world: World) -> None:
    world.tell(crm_1={"given": "Anna", "family": "Vogt", "country": "DE", "at": 7})
    world.resolve()
    survivors(world, "COUNTRY")
    names = ("field", "value", "source", "stream", "key", "observed_at", "strategy")
    assert world.rows(provenance, *names) == [
        ("COUNTRY", "DE", "crm", "contacts", "1", 7, "most_recent"),
        ("DISPLAY_NAME", "Anna Vogt", "crm", "contacts", "1", 7, "most_trusted"),
        ("FAMILY_NAME", "Vogt", "crm", "contacts", "1", 7, "most_recent"),
        ("GIVEN_NAME", "Anna", "crm", "contacts", "1", 7, "most_trusted"),
    ]


def test_customers_outside_the_batch_keep_theirs(world: World) -> None:
    world.tell(crm_1={"name": "Anna Vogt"}, crm_2={"name": "Jan Holm"})
    world.resolve()
    survivors(world, "DISPLAY_NAME")
    assigned = world.assigned()
    with world.store.write() as connection:
        fill_batch(connection, [assigned["crm/1"] or 0])
        survive(connection, world.rulebook, TRUST)
    assert [row[0] for row in world.rows(provenance, "value", "field") if row[1] == "DISPLAY_NAME"] == [
        "Anna Vogt", "Jan Holm",
    ]  # fmt: skip
