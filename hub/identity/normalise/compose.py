"""Composing portraits. In: one profile's mapped rows and the company's rules. Out: what they say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Address, Portrait

ORGANIZATION = "ORGANIZATION"

# Births, countries, e-mails, phones, devices, handles, addresses.
_Texts = tuple[str, ...]
_Shared = tuple[_Texts, _Texts, _Texts, _Texts, _Texts, _Texts, tuple[Address, ...]]


class Said(NamedTuple):
    """What the records of one profile say, as mapped.

    `records` are (given name, family name, display name, birth date, country), `contacts` (type, value) of contact
    points, `identifiers` (system, value), `parents` (source, key) of the organizations that an organization is a part
    of. `kind` is empty where no record is there.
    """

    kind: str
    source: str
    key: str
    records: Sequence[tuple[str | None, str | None, str | None, str | None, str | None]]
    contacts: Iterable[tuple[str, str]]
    identifiers: Sequence[tuple[str, str]]
    parents: Iterable[tuple[str, str]] = ()


def portrait_of(said: Said, forms: Forms) -> Portrait:
    """The profile in comparison form; the same whatever the order of its rows, and no error for values out of shape."""
    births, countries = [], []
    for _, _, _, birth, country in said.records:
        if birth and birth not in forms.junk_births and _is_day(birth):
            births.append(birth)
        if country:
            countries.append(country)
    contacts = _contacts(said.contacts, min(countries) if countries else "", forms)
    shared = _ordered(births), _ordered(countries), *contacts
    if said.kind == ORGANIZATION:
        return _organization(said, shared, forms)
    names = [name for g, f, d, _, _ in said.records if (name := forms.names.name(g, f, d)) is not None]
    # A generation may be None, which does not sort.
    ordered = tuple(names) if len(names) < 2 else tuple(sorted(set(names), key=repr))
    ids = [one for one in said.identifiers if not forms.registers.is_domain(one[0])]
    return Portrait(said.kind, (said.source, said.key), ordered, (), *shared, _ordered(ids))


def _organization(said: Said, shared: _Shared, forms: Forms) -> Portrait:
    """An organization has titles for names, and its domains and register numbers are no ids of a system."""
    _, countries, emails, *_ = shared
    shown = {display for _, _, display, _, _ in said.records if display and not forms.junk_name(display)}
    return Portrait(
        said.kind,
        (said.source, said.key),
        (),
        _ordered([title for display in shown for title in forms.titling.titles(display)]),
        *shared,
        _ordered([(system, value) for system, value in said.identifiers if forms.registers.is_id(system)]),
        forms.registers.registrations(said.identifiers, countries),
        forms.registers.domains(emails, said.identifiers),
        _ordered(list(said.parents)),
    )


def _contacts(
    contacts: Iterable[tuple[str, str]], country: str, forms: Forms
) -> tuple[_Texts, _Texts, _Texts, _Texts, tuple[Address, ...]]:
    emails: list[str] = []
    phones: list[str] = []
    devices: list[str] = []
    handles: list[str] = []
    addresses: list[Address] = []
    for type_, value in contacts:
        if type_ == "EMAIL":
            if email := forms.emails.email(value):
                emails.append(email)
        elif type_ == "PHONE":
            if phone := forms.phones.phone(value, country):
                phones.append(phone)
        elif type_ == "ADDRESS":
            if address := forms.addresses.address(value, country):
                addresses.append(address)
        elif type_ == "DEVICE":
            if device := forms.devices.device(value):
                devices.append(device)
        elif type_ == "SOCIAL" and (handle := value.strip().casefold().removeprefix("@")):
            handles.append(handle)
    return _ordered(emails), _ordered(phones), _ordered(devices), _ordered(handles), _ordered(addresses)


def _is_day(text: str) -> bool:
    """Whether the text looks like an ISO day; it need not be in any calendar, for sources hold such days."""
    return len(text) == 10 and text[4] == text[7] == "-" and (text[:4] + text[5:7] + text[8:]).isdecimal()


def _ordered(found: Sequence[Any]) -> tuple[Any, ...]:
    """Sorted, each once."""
    return tuple(found) if len(found) < 2 else tuple(sorted(set(found)))
