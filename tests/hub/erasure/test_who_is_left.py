"""After an erasure those who are left are who they would be if the erased had never been told of."""

from __future__ import annotations

from typing import Any

import pytest

from hub.erasure.erase import erase, sweep
from hub.identity.rules import Rules
from hub.store.derived import portrait
from hub.store.engine import Store
from mappings.rulebook import Rulebook
from tests.hub.identity.world import AS_OF, World

ANNA = {"given": "Anna", "family": "Vogt"}
HOME = {"emails": ["home@mail.example"]}


@pytest.fixture
def world(store: Store, rulebook: Rulebook) -> World:
    return World(store, rulebook)


def erased(world: World, place: str) -> None:
    public = world.ids()[place]
    assert public is not None
    erase(world.store, public, dry_run=False, as_of=AS_OF)


def swept(world: World) -> None:
    with world.store.write() as connection:
        sweep(connection, Rules.forms_of(world.rulebook), AS_OF)


LEFT: dict[str, tuple[dict[str, dict[str, Any]], str, list[str], list[str]]] = {
    "an address is one person's again": (
        {"crm_1": ANNA | HOME, "billing_1": HOME, "crm_2": {"given": "Jan", "family": "Vogt"} | HOME},
        "crm/2",
        ["billing/1", "crm/1", "crm/2"],
        ["crm/1 billing/1"],
    ),
    "a device leads to one customer again": (
        {
            "crm_1": ANNA | {"emails": ["anna@mail.example"], "devices": ["tablet-1"]},
            "crm_2": {"given": "Jan", "family": "Vogt", "emails": ["jan@mail.example"], "devices": ["tablet-1"]},
            "web_1": {"devices": ["tablet-1"]},
        },
        "crm/2",
        ["crm/1", "crm/2"],
        ["crm/1 web/1"],
    ),
}


@pytest.mark.parametrize(("told", "gone", "before", "after"), LEFT.values(), ids=LEFT)
def test_what_the_erased_stood_between_is_one(
    world: World, told: dict[str, Any], gone: str, before: list[str], after: list[str]
) -> None:
    world.tell(**told)
    world.resolve()
    assert world.customers() == before
    erased(world, gone)
    world.resolve()
    assert world.customers() == after
    ids = world.ids()
    world.rebuild()
    assert world.ids() == ids


def test_part_of_an_erased_organization_does_not_name_it_any_more(world: World) -> None:
    acme = {"kind": "ORGANIZATION", "name": "Acme GmbH"}
    world.tell(crm_o1=acme, crm_o2=acme | {"name": "Acme Handel GmbH", "of": ["crm/o1"]})
    world.resolve()
    erased(world, "crm/o1")
    world.resolve()
    [(said,)] = world.rows(portrait, "said")
    assert '"o1"' not in said


GONE = {"emails": ["gone@mail.example"]}


def test_who_was_known_as_another_customer_is_not_erased_for_an_erased_address(world: World) -> None:
    world.tell(crm_1=ANNA | GONE, web_1={"devices": ["tablet-1"], "emails": ["eva@mail.example"]})
    world.resolve()
    erased(world, "crm/1")
    world.tell(web_1={"devices": ["tablet-1"]} | GONE, web_2={"devices": ["tablet-2"]} | GONE)
    for _ in range(2):
        swept(world)
        world.resolve()
        assert list(world.assigned()) == ["web/1"]
        with world.store.write() as connection:
            world.number(connection, "web/1")


@pytest.mark.parametrize("address", ["test@test.com", "info@acme.example"])
def test_an_address_that_is_nobodys_own_does_not_erase_newcomers(world: World, address: str) -> None:
    world.tell(crm_1=ANNA | {"emails": ["anna@mail.example", address]})
    world.resolve()
    erased(world, "crm/1")
    world.tell(crm_2={"given": "Eva", "family": "Holm", "emails": [address]})
    swept(world)
    assert list(world.assigned()) == ["crm/2"]
