"""Keys: which errors of forms and hands leave two profiles a key in common, and which profiles share none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.identity.evidence.keys import keys_of
from hub.identity.evidence.means import STRONG, Means, means_of, most
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from mappings.rulebook import Rulebook

Portray = Callable[..., Portrait]
ANNA = {"given": "Johanna", "family": "Brandtner", "birth": "1984-03-12", "address": "Lindenweg 7, 80331, München"}


@pytest.fixture
def forms(rulebook: Rulebook) -> Forms:
    return Forms(rulebook.identity, "DE")


@pytest.fixture
def portray(forms: Forms) -> Portray:
    def made(place: str = "crm/1", kind: str = "PERSON", **said: Any) -> Portrait:
        source, _, key = place.partition("/")
        record = (said.get("given"), said.get("family"), said.get("name"), said.get("birth"), said.get("country"))
        types = (("EMAIL", "email"), ("PHONE", "phone"), ("DEVICE", "device"), ("ADDRESS", "address"))
        contacts = [(type_, said[name]) for type_, name in types if said.get(name)]
        return portrait_of(Said(kind, source, key, [record], contacts, said.get("ids", [])), forms)

    return made


def shared(left: Portrait, right: Portrait, forms: Forms) -> set[Means]:
    return {means_of(key) for key in keys_of(left, forms).keys() & keys_of(right, forms).keys()}


@pytest.mark.parametrize(
    "error",
    [
        pytest.param({"given": "Johana"}, id="letter left out of the given name"),
        pytest.param({"given": "Hanna"}, id="nickname"),
        pytest.param({"given": "J."}, id="initial"),
        pytest.param({"given": "Brandtner", "family": "Johanna"}, id="names in each other's field"),
        pytest.param({"given": None, "family": None, "name": "BRANDTNER, Johanna"}, id="name in one field"),
        pytest.param({"family": "Brantner"}, id="letter left out of the family name"),
        pytest.param({"family": "Weiss"}, id="married"),
        pytest.param({"family": "Brandtner-Weiss"}, id="married, both names"),
        pytest.param({"birth": "1984-12-03"}, id="day and month in each other's place"),
        pytest.param({"birth": "1948-03-12"}, id="wrong year"),
        pytest.param({"birth": None}, id="no birth date"),
        pytest.param({"address": None}, id="no address"),
        pytest.param({"address": "Hauptstr. 3, 20095, Hamburg"}, id="moved"),
        pytest.param({"birth": None, "address": "Lindenweg 7, 83031, Munchen"}, id="digits of the postcode swapped"),
        pytest.param({"birth": None, "given": "Jonhana", "address": "Lindenweg 9, 80331, München"}, id="two errors"),
        pytest.param({"birth": None, "family": "Weiss", "address": "Lindenwg 7, 80331, München"}, id="married, typo"),
        pytest.param({"given": "Xohanna", "family": "Prandtner", "birth": None}, id="both names wrong, same house"),
    ],
)
def test_an_error_in_one_part_leaves_a_key_of_others(portray: Portray, forms: Forms, error: dict[str, Any]) -> None:
    assert shared(portray(**ANNA), portray("shop/1", **(ANNA | error)), forms)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("johanna.brandtner@mail.example", "johana.brandtner@mail.example", id="letter left out early"),
        pytest.param("johanna.brandtner@mail.example", "johanna.brandnter@mail.example", id="letters swapped late"),
        pytest.param("j.brandtner84@mail.example", "j.brandtner84@mial.example", id="domain mistyped"),
        pytest.param("j.brandtner84@mail.example", "j.brandtner84@other.example", id="another provider"),
    ],
)
def test_a_mistyped_email_is_found_with_the_name(portray: Portray, forms: Forms, left: str, right: str) -> None:
    name = {"given": "Johanna", "family": "Brandtner"}
    assert Means.EMAIL_TYPO in shared(portray(**name, email=left), portray("shop/1", **name, email=right), forms)
    assert not shared(portray(email=left), portray("shop/1", email=right), forms)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({"email": "anna@mail.example"}, Means.EMAIL),
        ({"email": "info@acme.example"}, Means.INBOX),
        ({"phone": "+493023125001"}, Means.PHONE),
        ({"device": "d-81f2a"}, Means.DEVICE),
        ({"address": "Lindenweg 7, 80331, München"}, Means.ADDRESS),
        ({"ids": [("loyalty", "L-1")]}, Means.ID),
    ],
    ids=lambda value: value.name if isinstance(value, Means) else "",
)
def test_what_both_hold_is_a_strong_key(portray: Portray, forms: Forms, said: dict[str, Any], means: Means) -> None:
    found = shared(portray(**said), portray("shop/1", **said), forms)
    assert found & STRONG == {means}


def test_a_record_s_own_id_meets_the_one_that_another_carries(portray: Portray, forms: Forms) -> None:
    own, carrier = portray("crm/7"), portray("billing/1", ids=[("crm", "7")])
    (key,) = keys_of(own, forms).keys() & keys_of(carrier, forms).keys()
    assert means_of(key) is Means.ID
    assert (keys_of(own, forms)[key], keys_of(carrier, forms)[key]) == (True, False)


def test_people_and_organizations_share_no_key(portray: Portray, forms: Forms) -> None:
    said = {"name": "Acme Trading", "email": "a@acme.example", "phone": "+493023125001", "ids": [("crm", "7")]}
    said["address"] = ANNA["address"]
    person, company = portray(**said), portray("crm/1", "ORGANIZATION", **said)
    assert not shared(person, company, forms)


def test_keys_fit_a_signed_column_and_say_their_means(portray: Portray, forms: Forms) -> None:
    keys = keys_of(portray(**ANNA, email="johanna.b84@mail.example", phone="+493023125001"), forms)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert {means_of(key) for key in keys} >= {Means.ID, Means.EMAIL, Means.PHONE, Means.ADDRESS, Means.NAME}


def test_a_profile_without_a_record_has_no_key(forms: Forms) -> None:
    assert keys_of(Portrait("", ("crm", "1")), forms) == {}


def test_weak_keys_are_bounded_far_below_strong_ones() -> None:
    strong, weak = {most(m) for m in STRONG}, {most(m) for m in set(Means) - STRONG}
    assert max(weak) * 10 < min(strong)


def test_a_profile_that_says_much_has_few_weak_keys(portray: Portray, forms: Forms) -> None:
    many = portray(**ANNA)
    names = tuple(many.names[0]._replace(given=(f"name{chr(97 + n)}",)) for n in range(20))
    births = tuple(f"19{n}-01-01" for n in range(50, 70))
    loud = Portrait("PERSON", ("web", "1"), names=names, births=births, addresses=many.addresses)
    assert len(keys_of(loud, forms)) < 50
