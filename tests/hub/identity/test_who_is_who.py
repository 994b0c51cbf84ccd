"""The noise of reality, case by case: which profiles become one customer and which do not."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from hub.store.kept import profile_ledger
from tests.hub.identity.world import World

ANNA = {"given": "Anna", "family": "Müller"}
MAIL = {"emails": ["anna@mail.example"]}
PHONE = {"phones": ["+493023125001"]}
INBOX = {"emails": ["info@acme-xyz.example"]}

GIVEN = "Eva Jan Mia Tom Lea Max Ida Uwe Ute Kai Pia Udo Ina Leo Rolf Ben Amy Ali Zoe Guy Ann Rex Ivo Fay Hal"

ONE = ["crm/1 billing/1"]
TWO = ["billing/1", "crm/1"]

PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "same e-mail in crm and billing": (ANNA | MAIL, ANNA | MAIL, ONE),
    "case of the e-mail": (ANNA | MAIL, ANNA | {"emails": ["Anna@Mail.example"]}, ONE),
    "plus tag": (ANNA | MAIL, ANNA | {"emails": ["anna+shop@mail.example"]}, ONE),
    "transliterated name": (ANNA | PHONE, {"given": "ANNA", "family": "Mueller"} | PHONE, ONE),
    "accent left out": (ANNA | PHONE, {"given": "Anna", "family": "Muller"} | PHONE, ONE),
    "ß and ss": ({"given": "Eva", "family": "Groß"} | PHONE, {"given": "Eva", "family": "Gross"} | PHONE, ONE),
    "ø and o": ({"given": "Søren", "family": "Holm"} | PHONE, {"given": "Soren", "family": "Holm"} | PHONE, ONE),
    "ł and l": ({"given": "Łukasz", "family": "Nowak"} | PHONE, {"given": "Lukasz", "family": "Nowak"} | PHONE, ONE),
    "title": (ANNA | PHONE, {"name": "Frau Dr. Anna Müller"} | PHONE, ONE),
    "name in one field, comma": (ANNA | PHONE, {"name": "Müller, Anna"} | PHONE, ONE),
    "nickname": ({"given": "Robert", "family": "Hill"} | PHONE, {"given": "Bob", "family": "Hill"} | PHONE, ONE),
    "two nicknames of one name": (
        {"given": "Liz", "family": "Hill"} | MAIL, {"given": "Beth", "family": "Hill"} | MAIL, ONE),
    "given name mistyped": (
        {"given": "Katharina", "family": "Vogt"} | PHONE, {"given": "Katahrina", "family": "Vogt"} | PHONE, ONE),
    "swapped given and family": (ANNA | PHONE, {"given": "Müller", "family": "Anna"} | PHONE, ONE),
    "initial": (ANNA | PHONE, {"given": "A.", "family": "Müller"} | PHONE, ONE),
    "second given name": (ANNA | PHONE, {"given": "Anna Maria", "family": "Müller"} | PHONE, ONE),
    "double name": (ANNA | PHONE, {"given": "Anna", "family": "Müller-Schmidt"} | PHONE, ONE),
    "particle left out": (
        {"given": "Eva", "family": "van der Berg"} | PHONE, {"given": "Eva", "family": "Berg"} | PHONE, ONE),
    "married name, same e-mail": (ANNA | MAIL, {"given": "Anna", "family": "Schmidt"} | MAIL, ONE),
    "married name, same phone only": (ANNA | PHONE, {"given": "Anna", "family": "Schmidt"} | PHONE, TWO),
    "married name, same phone and birth date": (
        ANNA | PHONE | {"birth": "1980-02-03"},
        {"given": "Anna", "family": "Schmidt", "birth": "1980-02-03"} | PHONE, ONE),
    "no name on a personal e-mail": (ANNA | MAIL, MAIL, ONE),
    "no name on either side": (MAIL, MAIL, ONE),
    "no name on a phone": (ANNA | PHONE, PHONE, TWO),
    "one word that is the given name": (ANNA | MAIL, {"name": "Anna"} | MAIL, ONE),
    "user name says nothing": (ANNA | MAIL, {"name": "amueller77"} | MAIL, ONE),
    "other script cannot contradict": (ANNA | MAIL, {"name": "Анна Мюллер"} | MAIL, ONE),
    "family sharing phone and last name": (ANNA | PHONE, {"given": "Peter", "family": "Müller"} | PHONE, TWO),
    "family sharing an e-mail": (ANNA | MAIL, {"given": "Peter", "family": "Müller"} | MAIL, TWO),
    "brother and sister with like names": (
        {"given": "Christian", "family": "Vogt"} | PHONE, {"given": "Christina", "family": "Vogt"} | PHONE, TWO),
    "Daniel and Daniela": (
        {"given": "Daniel", "family": "Vogt"} | MAIL, {"given": "Daniela", "family": "Vogt"} | MAIL, TWO),
    "father and son by birth date": (
        {"given": "Hans", "family": "Vogt", "birth": "1950-04-01"} | PHONE,
        {"given": "Hans", "family": "Vogt", "birth": "1980-04-01"} | PHONE, TWO),
    "father and son by suffix": (
        {"given": "Hans", "family": "Vogt sen."} | PHONE, {"given": "Hans", "family": "Vogt jun."} | PHONE, TWO),
    "day and month swapped": (
        ANNA | PHONE | {"birth": "1980-02-03"}, ANNA | PHONE | {"birth": "1980-03-02"}, ONE),
    "birth date that a form fills in": (
        ANNA | PHONE | {"birth": "1980-02-03"}, ANNA | PHONE | {"birth": "1900-01-01"}, ONE),
    "inbox for several people": (ANNA | INBOX, {"given": "Peter", "family": "Vogt"} | INBOX, TWO),
    "same person at an inbox for several": (ANNA | INBOX, ANNA | INBOX, ONE),
    "nobody's name at an inbox for several": (ANNA | INBOX, INBOX, TWO),
    "junk e-mail": (ANNA | {"emails": ["test@test.example"]}, ANNA | {"emails": ["test@test.example"]}, TWO),
    "junk phone": (ANNA | {"phones": ["+490000000"]}, ANNA | {"phones": ["+490000000"]}, TWO),
    "junk name counts as none": (ANNA | MAIL, {"name": "unknown"} | MAIL, ONE),
    "same name alone": (ANNA, ANNA, TWO),
    "id of the crm carried": (ANNA | MAIL, {"name": "A. M.", "ids": {"crm": "1"}}, ONE),
    "id carried, another name": (ANNA, {"name": "Bookkeeping Desk", "ids": {"crm": "1"}}, ONE),
    "id carried, other name and birth date": (
        ANNA | {"birth": "1980-02-03"}, {"name": "Peter Vogt", "birth": "1955-05-05", "ids": {"crm": "1"}}, TWO),
    "equal keys in two sources mean nothing": (ANNA, {"given": "Anna", "family": "Müller"}, TWO),
    "person and organization at one e-mail": (ANNA | MAIL, {"kind": "ORGANIZATION", "name": "Müller"} | MAIL, TWO),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "expected"), PAIRS.values(), ids=PAIRS)
def test_two_profiles_are_one_customer_or_not(
    world: World, left: dict[str, Any], right: dict[str, Any], expected: list[str]
) -> None:
    world.tell(crm_1=left, billing_1=right)
    world.resolve()
    assert world.customers() == expected


ACME = {"kind": "ORGANIZATION", "name": "Acme GmbH", "country": "DE"}

ORGANIZATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "legal form left out": (ACME, ACME | {"name": "ACME"}, ONE),
    "same domain": (
        ACME | {"emails": ["a@acme.example"]}, ACME | {"name": "Acme", "emails": ["billing@acme.example"]}, ONE),
    "stated domain and e-mail": (
        ACME | {"ids": {"domain": "acme.example"}},
        {"kind": "ORGANIZATION", "name": "Acme", "emails": ["rechnung@acme.example"]}, ONE),
    "freemail is no domain": (
        ACME | {"emails": ["acme@gmail.com"]},
        {"kind": "ORGANIZATION", "name": "Vogt KG", "emails": ["vogt@gmail.com"]}, TWO),
    "subsidiary on the same domain": (
        ACME | {"emails": ["a@acme.example"]},
        ACME | {"name": "Acme Logistik GmbH", "emails": ["b@acme.example"]}, TWO),
    "namesake in another country": (ACME, ACME | {"name": "Acme Ltd", "country": "GB"}, TWO),
    "id carried": (ACME, {"kind": "ORGANIZATION", "name": "Konto 7", "ids": {"crm": "1"}}, ONE),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "expected"), ORGANIZATIONS.values(), ids=ORGANIZATIONS)
def test_two_profiles_are_one_organization_or_not(
    world: World, left: dict[str, Any], right: dict[str, Any], expected: list[str]
) -> None:
    world.tell(crm_1=left, billing_1=right)
    world.resolve()
    assert world.customers() == expected


def test_family_of_three_with_one_phone_and_one_mail_stays_three(world: World) -> None:
    shared: dict[str, Any] = {"family": "Vogt", "phones": ["+493023125007"], "emails": ["vogt@mail.example"]}
    world.tell(
        crm_1={"given": "Eva"} | shared,
        crm_2={"given": "Jan"} | shared,
        crm_3={"given": "Mia"} | shared,
        billing_1={"given": "Eva"} | shared,
        support_1={"name": "Jan Vogt", "phones": shared["phones"], "emails": shared["emails"]},
        support_2={"emails": ["vogt@mail.example"]},
    )
    world.resolve()
    assert world.customers() == ["crm/1 billing/1", "crm/2 support/1", "crm/3", "support/2"]


def test_contacts_of_one_inbox_stay_apart_although_nobody_listed_it(world: World) -> None:
    inbox = {"emails": ["werkstatt@acme.example"]}
    world.tell(
        crm_1={"given": "Eva", "family": "Vogt"} | inbox,
        crm_2={"given": "Jan", "family": "Holm"} | inbox,
        billing_1={"given": "Eva", "family": "Vogt"} | inbox,
        support_1=inbox,
    )
    world.resolve()
    assert world.customers() == ["crm/1 billing/1", "crm/2", "support/1"]


def test_contact_on_more_profiles_than_the_limit_proposes_nothing(world: World) -> None:
    limit = world.rulebook.identity.shared_limit
    people = [{"given": word, "family": f"V{word}ner"} for word in GIVEN.split()[: limit + 1]]
    for number, person in enumerate(people):
        world.tell(**{f"crm_{number}": person | MAIL})
    world.tell(billing_1=people[1] | MAIL)
    world.resolve()
    assert len(world.customers()) == limit + 2, "so many people hold it that it says nothing"
    world.forget("crm/0")
    world.resolve()
    assert "crm/1 billing/1" in world.customers(), "one person less, and the e-mail speaks again"
    world.tell(crm_0=people[0] | MAIL)
    world.resolve()
    assert len(world.customers()) == limit + 2


def test_many_profiles_of_one_person_do_not_make_an_email_junk(world: World) -> None:
    for number in range(world.rulebook.identity.shared_limit + 5):
        world.tell(**{f"crm_{number}": ANNA | MAIL})
    world.resolve()
    assert len(world.customers()) == 1


def test_anonymous_visitor_is_nobody_until_the_log_in(world: World) -> None:
    with world.store.write() as connection:
        world.put(connection, "web/abc", {"devices": ["abc"]}, "visit 1")
    world.tell(crm_1=ANNA | MAIL)
    world.resolve()
    assert world.assigned()["web/abc"] is None
    with world.store.write() as connection:
        world.put(connection, "web/abc", {"devices": ["abc"]} | MAIL, "visit 2")
    world.resolve()
    assert world.customers() == ["crm/1 web/abc"]


def test_visitor_with_the_crm_id_joins_that_person(world: World) -> None:
    world.tell(crm_1=ANNA, web_abc={"devices": ["abc"], "ids": {"crm": "1"}})
    world.resolve()
    assert world.customers() == ["crm/1 web/abc"]


def test_device_on_which_two_people_log_in_joins_neither_to_the_other(world: World) -> None:
    world.tell(
        crm_1={"given": "Eva", "family": "Vogt", "emails": ["eva@mail.example"]},
        crm_2={"given": "Jan", "family": "Vogt", "emails": ["jan@mail.example"]},
        web_abc={"devices": ["abc"], "emails": ["eva@mail.example", "jan@mail.example"]},
    )
    world.resolve()
    assigned = world.assigned()
    assert assigned["crm/1"] != assigned["crm/2"]


def test_record_without_any_contact_is_a_customer_for_its_money_needs_one(world: World) -> None:
    world.tell(billing_1={})
    world.resolve()
    assert world.customers() == ["billing/1"]


def test_profile_that_is_only_referenced_waits_for_its_record(world: World) -> None:
    with world.store.write() as connection:
        world.number(connection, "billing/1")
    world.resolve()
    assert world.customers() == []
    world.tell(billing_1=ANNA)
    world.resolve()
    assert world.customers() == ["billing/1"]


def test_chain_over_a_nameless_profile_does_not_join_father_and_son(world: World) -> None:
    name = {"given": "Hans", "family": "Vogt"}
    world.tell(
        crm_1=name | {"birth": "1950-01-01", "emails": ["hans@mail.example"]},
        crm_2=name | {"birth": "1980-01-01", "phones": ["+493023125009"]},
        billing_1=name | {"emails": ["hans@mail.example"], "phones": ["+493023125009"]},
    )
    world.resolve()
    assert world.customers() == ["crm/1 billing/1", "crm/2"], "the e-mail is the stronger link"


def test_second_email_of_a_profile_bridges_two_systems(world: World) -> None:
    world.tell(
        crm_1=ANNA | {"emails": ["anna@mail.example", "a.mueller@post.example"]},
        billing_1=ANNA | MAIL,
        support_1={"emails": ["a.mueller@post.example"]},
    )
    world.resolve()
    assert world.customers() == ["crm/1 billing/1 support/1"]


def test_name_that_changes_changes_what_its_phone_says_of_others(world: World) -> None:
    phone = {"phones": ["+493023125003"]}
    world.tell(crm_1=ANNA | phone, billing_1={"name": "A. Müller"} | phone, crm_2={"given": "Peter"} | phone)
    world.resolve()
    assert world.customers() == ["billing/1", "crm/1", "crm/2"], "the initial may be anybody's of the household"
    world.tell(crm_2=phone)
    world.resolve()
    assert world.customers() == ["crm/1 billing/1", "crm/2"]
    world.tell(crm_2={"given": "Peter"} | phone)
    world.resolve()
    assert world.customers() == ["billing/1", "crm/1", "crm/2"]


def test_same_key_in_two_streams_of_one_source_is_no_evidence(world: World) -> None:
    with world.store.write() as connection:
        world.put(connection, "crm/1", ANNA)
        world.put(connection, "crm/1@leads", ANNA)
    world.resolve()
    with world.store.read() as connection:
        owners = connection.scalars(select(profile_ledger.c.customer_no)).all()
    assert len(set(owners)) == 2
