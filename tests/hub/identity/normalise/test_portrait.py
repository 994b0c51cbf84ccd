"""Portraits: what the rows of one profile say together."""

from __future__ import annotations

import random

import msgspec
import pytest

from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait, bare

Record = tuple[str | None, str | None, str | None, str | None, str | None]
ANNA: Record = ("Anna", "Vogt", None, "1980-02-03", "DE")
CONTACTS = [
    ("EMAIL", "Anna.Vogt@gmail.com"),
    ("EMAIL", "annavogt@googlemail.com"),
    ("EMAIL", "noreply@post.example"),
    ("PHONE", "+493023125001"),
    ("PHONE", "0000000"),
    ("ADDRESS", "hauptstr. 5, 10115, berlin, de"),
    ("ADDRESS", "hauptstraße 5, 10115, berlin, de"),
    ("DEVICE", " visitor-1 "),
    ("DEVICE", "undefined"),
    ("SOCIAL", "@Anna"),
    ("ELSE", "whatever"),
]


def _said(records: list[Record], kind: str = "PERSON", **said: list[tuple[str, str]]) -> Said:
    return Said(kind, "crm", "1", records, said.get("contacts", []), said.get("identifiers", []))


def test_a_person_in_one_portrait(forms: Forms) -> None:
    portrait = portrait_of(
        _said([ANNA], contacts=CONTACTS, identifiers=[("ssn", "7"), ("website", "a.example")]), forms
    )
    assert portrait.kind == "PERSON"
    assert portrait.own == ("crm", "1")
    assert portrait.names == (forms.names.name("Anna", "Vogt", None),)
    assert portrait.births == ("1980-02-03",)
    assert portrait.countries == ("DE",)
    assert portrait.emails == ("annavogt@gmail.com",)
    assert portrait.phones == ("+493023125001",)
    assert [(a.number, a.postcode) for a in portrait.addresses] == [("5", "10115")]
    assert portrait.devices == ("visitor-1",)
    assert portrait.handles == ("anna",)
    assert portrait.ids == (("ssn", "7"),)
    assert (portrait.titles, portrait.registrations, portrait.domains, portrait.parents) == ((), (), (), ())


def test_an_organization_in_one_portrait(forms: Forms) -> None:
    record: Record = (None, None, "Acme Software GmbH", None, "DE")
    identifiers = [("vat", "DE 811 569 869"), ("domain", "www.acme.example"), ("crm_id", "7")]
    contacts = [("EMAIL", "info@acme.example"), ("EMAIL", "acme@web.de")]
    said = _said([record], "ORGANIZATION", contacts=contacts, identifiers=identifiers)
    portrait = portrait_of(said._replace(parents=[("crm", "2")]), forms)
    assert portrait.names == ()
    assert portrait.titles == forms.titling.titles("Acme Software GmbH")
    assert portrait.registrations == (("vat", "DE:811569869"),)
    assert portrait.domains == ("acme.example",)
    assert portrait.ids == (("crm_id", "7"),)
    assert portrait.parents == (("crm", "2"),)


def test_the_order_of_the_rows_does_not_count(forms: Forms) -> None:
    records: list[Record] = [
        ANNA,
        ("Hans", "Vogt jr.", None, None, "AT"),
        ("Hans", "Vogt", None, "1981-02-03", "DE"),
        ("A.", "Vogt", None, None, None),
    ]
    identifiers = [("b", "2"), ("a", "1"), ("b", "1"), ("b", "2")]
    shuffle = random.Random(1).shuffle
    found = set()
    for _ in range(20):
        for rows in (records, CONTACTS, identifiers):
            shuffle(rows)
        found.add(msgspec.json.encode(portrait_of(_said(records, contacts=CONTACTS, identifiers=identifiers), forms)))
    assert len(found) == 1


def test_a_portrait_is_read_back_as_it_was_written(forms: Forms) -> None:
    portrait = portrait_of(_said([ANNA], contacts=CONTACTS, identifiers=[("ssn", "7")]), forms)
    assert msgspec.json.decode(msgspec.json.encode(portrait), type=Portrait) == portrait


BIRTHS = {
    "a day": ("1980-02-03", ("1980-02-03",)),
    "a day in no calendar": ("1915-13-31", ("1915-13-31",)),
    "one that forms fill in": ("1900-01-01", ()),
    "a year": ("1980", ()),
    "a text": ("in summer!", ()),
    "empty": ("", ()),
}


@pytest.mark.parametrize(("value", "expected"), BIRTHS.values(), ids=BIRTHS)
def test_birth_dates(forms: Forms, value: str, expected: tuple[str, ...]) -> None:
    assert portrait_of(_said([("Anna", "Vogt", None, value, None)]), forms).births == expected


def test_a_profile_that_says_nothing_has_an_empty_portrait(forms: Forms) -> None:
    assert portrait_of(_said([(None,) * 5], ""), forms) == Portrait("", ("crm", "1"))


def test_a_national_number_is_read_in_the_country_of_the_record(forms: Forms) -> None:
    record: Record = ("Anna", "Vogt", None, None, "CH")
    assert portrait_of(_said([record], contacts=[("PHONE", "044 668 18 00")]), forms).phones == ("+41446681800",)


@pytest.mark.parametrize(
    ("records", "contacts", "identifiers", "nobody"),
    [
        pytest.param([(None,) * 5], [("DEVICE", "d1")], [], True, id="a-device"),
        pytest.param([(None, None, None, None, "DE")], [("DEVICE", "d1")], [], True, id="a-device-in-a-country"),
        pytest.param([(None,) * 5], [], [], False, id="nothing"),
        pytest.param([ANNA], [("DEVICE", "d1")], [], False, id="a-named-one"),
        pytest.param([(None,) * 5], [("DEVICE", "d1"), ("EMAIL", "a@mail.example")], [], False, id="an-e-mail"),
        pytest.param([(None,) * 5], [("DEVICE", "d1"), ("SOCIAL", "anna")], [], False, id="an-account"),
        pytest.param([(None,) * 5], [("DEVICE", "d1"), ("EMAIL", "noreply@a.example")], [], True, id="junk"),
        pytest.param([(None,) * 5], [("DEVICE", "d1")], [("crm", "1")], False, id="another-system-s-id"),
    ],
)
def test_a_device_and_nothing_else_is_nobody(
    forms: Forms,
    records: list[Record],
    contacts: list[tuple[str, str]],
    identifiers: list[tuple[str, str]],
    nobody: bool,
) -> None:
    assert bare(portrait_of(_said(records, contacts=contacts, identifiers=identifiers), forms)) is nobody
