"""Organizations and their people over the whole of resolving: groups of companies, branches, employees, their facts."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from hub.store.derived import link, member
from tests.hub.identity.world import AS_OF, World, fact_owner

DAY = 86_400 * 1_000_000


def company(name: str | None = "Acme GmbH", **more: Any) -> dict[str, Any]:
    return {"kind": "ORGANIZATION", "name": name, "country": "DE"} | more


SITE = {"domain": "acme.example"}
EVA: dict[str, Any] = {"given": "Eva", "family": "Vogt", "emails": ["eva@mail.example"]}


def members(world: World) -> list[tuple[Any, ...]]:
    """(organization, person, role, since, until), the customers named by their first profile."""
    first: dict[int, str] = {}
    for place, number in sorted(world.assigned().items()):
        if number is not None:
            first.setdefault(number, place)
    rows = world.rows(member, "organization_no", "person_no", "role", "since", "until")
    return sorted(((first[o], first[p], *rest) for o, p, *rest in rows), key=repr)


def rules(world: World) -> set[tuple[str, str]]:
    """Verdict and rule of every judgement stored."""
    return set(world.rows(link, "verdict", "rule"))


def test_the_same_organization_in_four_systems_is_one_customer(world: World) -> None:
    world.tell(
        crm_o1=company("Acme Robotics GmbH", ids={"domain": "acme-robotics.example"}),
        billing_o1=company("ACME Robotics", ids={"vat": "DE811907980"}, emails=["rechnung@acme-robotics.example"]),
        support_o1=company("Acme", emails=["help@acme-robotics.example"]),
        web_o1=company("Konto 4711", ids={"vat": "DE 811 907 980"}),
    )
    world.resolve()
    assert world.customers() == ["crm/o1 billing/o1 support/o1 web/o1"]


def test_subsidiaries_stay_apart_though_a_short_name_fits_both(world: World) -> None:
    world.tell(
        crm_o1=company("Acme Logistik GmbH", emails=["dispo@acme.example"]),
        crm_o2=company("Acme Handel GmbH", emails=["shop@acme.example"]),
        billing_o1=company("Acme", emails=["dispo@acme.example", "shop@acme.example"]),
    )
    world.resolve()
    assigned = world.assigned()
    assert assigned["crm/o1"] != assigned["crm/o2"]
    assert ("UNSURE", "may_be_subsidiary") in rules(world)


def test_a_short_name_at_the_same_number_does_not_hide_the_legal_form(world: World) -> None:
    world.tell(
        crm_o1=company("Acme GmbH", ids={"vat": "DE811907980"}, emails=["info@acme.example"]),
        crm_o2=company("Acme AG", emails=["info@acme.example"]),
        billing_o1=company("Acme", ids={"vat": "DE811907980"}, emails=["info@acme.example"]),
    )
    world.resolve()
    assert world.customers() == ["crm/o1 billing/o1", "crm/o2"]


def test_a_part_of_an_organization_stays_apart_and_is_linked(world: World) -> None:
    world.tell(
        crm_o1=company(ids=SITE, phones=["+493023125001"]),
        crm_o2=company(ids=SITE, phones=["+493023125001"], of=[("crm/o1", "subsidiary", AS_OF - DAY, None)]),
    )
    world.resolve()
    assert world.customers() == ["crm/o1", "crm/o2"]
    assert members(world) == [("crm/o1", "crm/o2", "subsidiary", AS_OF - DAY, None)]
    assert rules(world) == {("NO_MATCH", "subsidiary")}


def test_no_shared_number_or_id_joins_an_organization_to_its_part(world: World) -> None:
    world.tell(
        crm_o1=company(ids={"vat": "DE811907980"}),
        crm_o2=company(ids={"vat": "DE811907980"}, of=["crm/o1"]),
        billing_o1=company(ids={"vat": "DE811907980", "crm": "o1"}),
    )
    world.resolve()
    assert world.customers() == ["crm/o1 billing/o1", "crm/o2"], "the id says which of both it is"


def test_a_part_that_becomes_independent_may_be_joined_again(world: World) -> None:
    both = company(ids={"vat": "DE811907980"})
    world.tell(crm_o1=both, crm_o2=both | {"of": ["crm/o1"]})
    world.resolve()
    assert world.customers() == ["crm/o1", "crm/o2"]
    world.tell(crm_o2=both)
    world.resolve()
    assert world.customers() == ["crm/o1 crm/o2"]
    assert members(world) == []


def test_an_organization_is_no_member_of_itself(world: World) -> None:
    world.tell(
        crm_o1=company(), billing_o1=company(ids={"crm": "o1"}, of=["billing/o2"]), billing_o2=company("Vogt KG")
    )
    world.resolve()
    assert members(world) == [("billing/o2", "billing/o1", None, None, None)]
    world.tell(billing_o2=company("Vogt KG", ids={"crm": "o1"}))
    world.resolve()
    assert all(organization != person for organization, person, *_ in members(world))


def test_branches_of_one_source_are_many_and_a_name_tells_none_of_them(world: World) -> None:
    world.tell(**{f"crm_o{n}": company("Burger Palast", ids={"domain": "burger-palast.example"}) for n in range(12)})
    world.tell(billing_o1=company("Burger Palast"))
    world.resolve()
    assert "billing/o1" in world.customers()


def test_franchise_under_one_name_without_anything_else_stays_many(world: World) -> None:
    world.tell(
        **{f"crm_o{number}": company("Burger Palast") for number in range(12)}, billing_o1=company("Burger Palast")
    )
    world.resolve()
    assert len(world.customers()) == 13


def test_other_vat_number_of_the_same_country_is_another_company(world: World) -> None:
    world.tell(
        crm_o1=company(ids=SITE | {"vat": "DE811907980"}), billing_o1=company(ids=SITE | {"vat": "DE129274202"}),
        support_o1=company(ids=SITE),
    )  # fmt: skip
    world.resolve()
    assigned = world.assigned()
    assert assigned["crm/o1"] != assigned["billing/o1"]


def test_a_platform_on_which_many_are_is_nobody_s_domain(world: World) -> None:
    names = (
        "Zorbau",
        "Quellex",
        "Brinoda",
        "Tarvik",
        "Ulmeno",
        "Wexford Inn",
        "Pyrolin",
        "Klarwerk",
        "Dovatex",
        "Ferrum",
    )
    for number, name in enumerate(names * 3):
        world.tell(**{f"crm_o{number}": company(f"{name} {number}", emails=[f"s{number}@hoster.example"])})
    world.tell(billing_o1={"kind": "ORGANIZATION", "emails": ["x@hoster.example"]})
    world.resolve()
    assert len(world.customers()) == 31


def test_a_person_and_an_organization_at_one_e_mail_and_name_never_join(world: World) -> None:
    same = {"name": "Eva Vogt", "emails": ["eva@mail.example"], "phones": ["+493023125001"]}
    world.tell(crm_1=same, crm_o1=same | {"kind": "ORGANIZATION"}, billing_o1=same | {"kind": "ORGANIZATION"})
    world.resolve()
    assert world.customers() == ["crm/1", "crm/o1 billing/o1"]


def test_people_belong_to_organizations_with_role_and_dates(world: World) -> None:
    world.tell(
        crm_o1=company(ids=SITE),
        crm_o2=company("Vogt KG"),
        crm_1=EVA | {"of": [("crm/o1", "Buyer", AS_OF - 9 * DAY, None), ("crm/o2", "Owner", None, AS_OF - DAY)]},
    )
    world.resolve()
    assert members(world) == [
        ("crm/o1", "crm/1", "Buyer", AS_OF - 9 * DAY, None),
        ("crm/o2", "crm/1", "Owner", None, AS_OF - DAY),
    ]


def test_two_systems_that_name_one_membership_make_one_with_the_latest_role(world: World) -> None:
    world.tell(
        crm_o1=company(ids=SITE),
        support_o1=company("Acme", ids=SITE),
        crm_1=EVA | {"of": [("crm/o1", "Trainee", AS_OF - 9 * DAY, AS_OF - 5 * DAY)]},
        support_1=EVA | {"of": [("support/o1", "Head of sales", AS_OF - 5 * DAY, None)]},
    )
    world.resolve()
    assert members(world) == [("crm/o1", "crm/1", "Head of sales", AS_OF - 9 * DAY, None)]


def test_what_a_member_does_counts_for_the_one_organization_that_is_current(world: World) -> None:
    world.tell(
        crm_o1=company(ids=SITE),
        crm_o2=company("Vogt KG"),
        crm_1=EVA | {"of": [("crm/o1", "Buyer", None, None), ("crm/o2", "Owner", None, AS_OF - DAY)]},
        crm_2={"given": "Jan", "family": "Holm", "of": ["crm/o1", "crm/o2"]},
        crm_3={"given": "Mia", "family": "Roth"},
    )
    numbers = {
        place: world.interaction(place, 900 + n) for n, place in enumerate(("crm/1", "crm/2", "crm/3", "crm/o1"))
    }
    world.resolve()
    assigned = world.assigned()
    with world.store.read() as connection:
        found = fact_owner(connection, numbers.values())
    assert found == {
        numbers["crm/1"]: (assigned["crm/1"], assigned["crm/o1"]),
        numbers["crm/2"]: (assigned["crm/2"], None),
        numbers["crm/3"]: (assigned["crm/3"], None),
        numbers["crm/o1"]: (assigned["crm/o1"], assigned["crm/o1"]),
    }


def test_a_consumer_who_also_works_somewhere_is_one_person(world: World) -> None:
    world.tell(
        crm_o1=company(ids=SITE),
        crm_1={
            "given": "Eva",
            "family": "Vogt",
            "emails": ["eva.vogt@acme.example", "eva@mail.example"],
            "of": ["crm/o1"],
        },
        billing_1=EVA,
    )
    world.resolve()
    assert world.customers() == ["crm/1 billing/1", "crm/o1"]
    assert members(world) == [("crm/o1", "billing/1", None, None, None)]


def test_what_a_part_does_counts_for_it_and_not_for_the_organization_above(world: World) -> None:
    world.tell(crm_o1=company(), crm_o2=company("Acme Logistik GmbH", of=["crm/o1"]), crm_1=EVA | {"of": ["crm/o2"]})
    numbers = [world.interaction(place, 900 + n) for n, place in enumerate(("crm/o1", "crm/o2", "crm/1"))]
    world.resolve()
    assigned = world.assigned()
    with world.store.read() as connection:
        found = fact_owner(connection, numbers)
    assert [found[number][1] for number in numbers] == [assigned["crm/o1"], assigned["crm/o2"], assigned["crm/o2"]]


def test_the_last_day_of_a_membership_moves_what_the_person_does(world: World) -> None:
    world.tell(crm_o1=company(), crm_1=EVA | {"of": ["crm/o1"]})
    world.resolve()
    number = world.interaction("crm/1", 900)
    for until, owner in ((AS_OF - DAY, None), (None, "crm/o1")):
        world.tell(crm_1=EVA | {"of": [("crm/o1", None, None, until)]})
        world.resolve()
        with world.store.read() as connection:
            found = fact_owner(connection, [number])[number]
        assert found[1] == (world.assigned()[owner] if owner else None)


def some_companies(seed: int) -> dict[str, dict[str, Any]]:
    """Twenty records of a handful of companies, their parts and namesakes, each told as a system happens to know it."""
    draw = Random(seed)
    names = ("Acme GmbH", "Acme", "Acme AG", "Acme Logistik GmbH", "Acme Logistik", "Nexory Tools", None)
    found: dict[str, dict[str, Any]] = {}
    for number in range(20):
        name = draw.choice(names)
        site = draw.choice((None, "acme.example", "nexory.example"))
        ids = {"website": site} if site else {}
        if draw.random() < 0.3:
            ids["vat"] = draw.choice(("DE811907980", "DE129274202"))
        place = f"{draw.choice(('crm', 'billing', 'support'))}_o{number}"
        emails = [f"{draw.choice(('info', 'eva'))}@{site}"] if site and draw.random() < 0.5 else []
        found[place] = company(name, ids=ids, emails=emails, country=draw.choice(("DE", "FR", None)))
        if number > 12 and place.startswith("crm") and draw.random() < 0.5:
            found[place]["of"] = [draw.choice(("crm/o0", "crm/o1", "crm/o2"))]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_neither_order_nor_batches_change_who_is_which_organization(world: World, seed: int) -> None:
    told = some_companies(seed)
    world.tell(**told)
    world.resolve()
    expected = world.customers()
    assert 2 < len(expected) < 20
    world.wipe()
    for number, place in enumerate(sorted(told, key=lambda place: place[::-1], reverse=True)):
        world.tell(**{place: told[place]})
        if number % 3 == 0:
            world.resolve(limit=4)
    world.resolve(limit=3)
    assert world.customers() == expected
