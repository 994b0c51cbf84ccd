"""The generated company: same seed same bytes, inside its window, noisy in every way it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import phonenumbers
import pytest

from connectors.sandbox import noise
from connectors.sandbox.company import Company, generate
from connectors.sandbox.names import NICKNAMES, folded
from connectors.sandbox.window import FIRST, LAST_EVENT, LAST_INSTANT

ROOT = Path(__file__).parents[3]
EMAIL = re.compile(r"[\w.+'-]+@[\w.-]+")
# What a record may say about the time after the last event: ends of running periods, due dates, expected closings.
PLANS_AHEAD = {
    "due_date",
    "current_period_end",
    "cancel_at",
    "due_at",
    "closedate",
    "period_end",
    "end",
    "start",
    "period_start",
}


def walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, name)
    else:
        yield name, value


def everything(company: Company) -> Iterator[tuple[str, Any]]:
    for streams in company.records.values():
        for records in streams.values():
            yield from walk(records)


def test_same_arguments_give_the_same_bytes() -> None:
    first, second = generate(120, seed=3), generate(120, seed=3)
    assert msgspec.json.encode(first.records) == msgspec.json.encode(second.records)
    assert first.to_json() == second.to_json()


def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import hashlib, msgspec; from connectors.sandbox.company import generate; c = generate(120, seed=3); "
        "print(hashlib.sha256(msgspec.json.encode(c.records) + c.to_json()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_another_seed_gives_another_company() -> None:
    assert msgspec.json.encode(generate(60, seed=3).records) != msgspec.json.encode(generate(60, seed=4).records)


def test_every_mail_address_is_invented(company: Company) -> None:
    addresses = [hit for _, value in everything(company) if isinstance(value, str) for hit in EMAIL.findall(value)]
    assert len(addresses) > 500
    assert [address for address in addresses if not address.lower().endswith(".example")] == []


def instants(company: Company) -> Iterator[tuple[str, int]]:
    for name, value in everything(company):
        if isinstance(value, str) and re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", value):
            yield name, int(datetime.fromisoformat(value).timestamp())
        elif isinstance(value, int) and value > 1_600_000_000 and name not in ("amount", "secondsSinceFirstVisit"):
            yield name, value


def test_nothing_happens_outside_the_window(company: Company) -> None:
    late = {name for name, at in instants(company) if at > LAST_EVENT} - PLANS_AHEAD
    early = {name for name, at in instants(company) if at < FIRST} - {"start_date", "created"}
    assert (late, early) == (set(), set())
    assert LAST_INSTANT.timestamp() > LAST_EVENT


def test_the_company_is_alive_up_to_its_last_days(company: Company) -> None:
    last_week = Counter(name for name, at in instants(company) if at > LAST_EVENT - 7 * 86_400)
    assert all(last_week[name] > 3 for name in ("serverTimestamp", "created", "created_at", "updatedAt"))


def test_record_ids_are_unique_in_every_stream(company: Company) -> None:
    for system, streams in company.records.items():
        key = "idVisit" if system == "matomo" else "id"
        for stream, records in streams.items():
            assert len({record[key] for record in records}) == len(records), (system, stream)


def contacts(company: Company) -> list[dict[str, Any]]:
    return [record["properties"] for record in company.records["hubspot"]["contacts"]]


def stripe_customers(company: Company) -> list[dict[str, Any]]:
    return company.records["stripe"]["customers"]


NOISE: list[tuple[str, Callable[[Company], int]]] = [
    ("capitals in e-mails", lambda c: sum((p["email"] or "") != (p["email"] or "").lower() for p in contacts(c))),
    ("plus tags", lambda c: sum("+" in (p["email"] or "") for p in contacts(c) + stripe_customers(c))),
    ("second e-mails", lambda c: sum(bool(p["hs_additional_emails"]) for p in contacts(c))),
    ("nicknames", lambda c: sum(p["firstname"] in set(NICKNAMES.values()) for p in contacts(c))),
    ("no given name", lambda c: sum(p["firstname"] is None for p in contacts(c))),
    ("no e-mail", lambda c: sum(p["email"] is None for p in contacts(c))),
    ("junk phones", lambda c: sum(p["phone"] in noise.JUNK_PHONES for p in contacts(c))),
    ("junk e-mails", lambda c: sum(r["email"] in noise.JUNK_EMAILS for r in stripe_customers(c))),
    ("birth dates", lambda c: sum(p["date_of_birth"] is not None for p in contacts(c))),
    ("names beyond ASCII", lambda c: sum(not (p["lastname"] or "").isascii() for p in contacts(c))),
    ("trunk zero in brackets", lambda c: sum("(0)" in (p["phone"] or "") for p in contacts(c))),
    ("national numbers", lambda c: sum(re.match(r"0[1-9]", p["phone"] or "") is not None for p in contacts(c))),
    ("info@ inboxes", lambda c: sum((p["email"] or "").lower().startswith("info@") for p in contacts(c))),
    ("ids carried to billing", lambda c: sum("hubspot_id" in r["metadata"] for r in stripe_customers(c))),
    ("ids carried to support", lambda c: sum(r["external_id"] is not None for r in c.records["zendesk"]["users"])),
    (
        "two accounts in billing",
        lambda c: sum(sum(ref.system == "stripe" for ref in person.profiles) > 1 for person in c.truth.persons),
    ),
    (
        "several devices",
        lambda c: sum(sum(ref.system == "matomo" for ref in person.profiles) > 1 for person in c.truth.persons),
    ),
]


@pytest.fixture(scope="module")
def crowd() -> Company:
    return generate(1500, seed=7)


@pytest.mark.parametrize("count", [count for _, count in NOISE], ids=[name for name, _ in NOISE])
def test_reality_is_noisy(crowd: Company, count: Callable[[Company], int]) -> None:
    assert 3 <= count(crowd) < 0.6 * len(crowd.truth.persons)


def test_typos_in_e_mails_have_their_share() -> None:
    rng = Random(1)
    written = [noise.email_as_written(rng, "katharina.lindenauberg@mail.example").lower() for _ in range(20_000)]
    typos = sum(re.sub(r"\+\w+@", "@", email) != "katharina.lindenauberg@mail.example" for email in written)
    assert 0.7 * noise.TYPO_EMAIL_SHARE < typos / len(written) < 1.3 * noise.TYPO_EMAIL_SHARE


def test_some_people_go_by_two_family_names(crowd: Company) -> None:
    in_crm = {record["id"]: record["properties"]["lastname"] for record in crowd.records["hubspot"]["contacts"]}
    in_billing = {record["id"]: record["name"] for record in stripe_customers(crowd)}
    renamed = 0
    for person in crowd.truth.persons:
        held = {ref.system: ref.key for ref in person.profiles}
        if {"hubspot", "stripe"} <= set(held) and in_billing[held["stripe"]]:
            family = folded(in_crm[held["hubspot"]])
            renamed += not folded(in_billing[held["stripe"]]).endswith(family)
    assert 2 <= renamed < 0.05 * len(crowd.truth.persons)


def test_families_share_a_phone_and_parent_and_child_a_name(crowd: Company) -> None:
    full_names = {nickname: name for name, nickname in NICKNAMES.items()}
    owners: dict[str, set[tuple[str, str]]] = {}
    for record in crowd.records["hubspot"]["contacts"]:
        held = record["properties"]
        try:
            number = phonenumbers.parse(held["phone"] or "", held["country"])
        except phonenumbers.NumberParseException:
            continue
        if held["firstname"] and phonenumbers.is_valid_number(number):
            given = full_names.get(held["firstname"], held["firstname"])
            owners.setdefault(str(number), set()).add((given, held["date_of_birth"] or ""))
    assert sum(len({given for given, _ in people}) > 1 for people in owners.values()) >= 5
    alike = [people for people in owners.values() if len({given for given, _ in people}) == 1]
    births = [{day for _, day in people if day} for people in alike]
    assert sum(len(days) == 2 for days in births) >= 2


@pytest.mark.parametrize("country", sorted(noise._FICTIONAL))
def test_written_phones_are_valid_and_mean_the_same_number(country: str) -> None:
    rng = Random(country)
    for serial in (*range(40), *(rng.randrange(20_000) for _ in range(40))):
        number = noise.phone_number(country, serial)
        parsed = phonenumbers.parse(noise.phone_as_written(rng, number, country), country)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number


def test_a_change_replaces_the_record_and_moves_its_stamp() -> None:
    small = generate(40, seed=5)
    contact = small.records["hubspot"]["contacts"][3]
    changed = small.change("hubspot", "contacts", contact["id"], firstname="Ada")
    assert contact["properties"]["firstname"] != "Ada"
    assert small.get("hubspot", "contacts", contact["id"])["properties"]["firstname"] == "Ada"
    assert changed["updatedAt"] > contact["updatedAt"]
    again = small.change("hubspot", "contacts", contact["id"], firstname="Ida")
    assert again["updatedAt"] > changed["updatedAt"]


def test_added_and_removed_records_are_refused_twice() -> None:
    small = generate(40, seed=5)
    user = {**small.records["zendesk"]["users"][-1], "id": 77}
    small.add("zendesk", "users", user)
    with pytest.raises(ValueError, match="zendesk users 77"):
        small.add("zendesk", "users", user)
    small.remove("zendesk", "users", 77)
    with pytest.raises(KeyError, match="no record 77 in zendesk users"):
        small.remove("zendesk", "users", 77)
