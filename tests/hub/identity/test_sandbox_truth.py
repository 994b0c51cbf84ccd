"""Precision and recall of pairs against the sandbox's truth, from the vendors' records through the shipped mappings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import comb

import msgspec
import pytest
from sqlalchemy import select

from connectors.sandbox.company import Company, generate
from connectors.sandbox.truth import ProfileRef, Truth
from hub.identity.resolve import resolve
from hub.store.engine import Store
from hub.store.kept import profile_ledger
from hub.store.write import write_mapped
from mappings.compile import compile_stream
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

AS_OF = 1_782_856_799_000_000
STREAMS = (
    ("hubspot", "companies"), ("hubspot", "contacts"), ("stripe", "customers"), ("zendesk", "organizations"),
    ("zendesk", "users"), ("matomo", "visits"),
)  # fmt: skip
PARTY = ("profile", "contact_point", "identifier", "membership")

_BEARERS = {"visits": "visitors"}  # visits bear the profiles of visitors

Customers = dict[ProfileRef, int | None]


def told(store: Store, company: Company, rulebook: Rulebook) -> Customers:
    """Who is whom after all that the vendors hold of people and organizations was mapped and resolved."""
    sources = load_sources(rulebook, [shipped()], {})
    landing_no = 0
    for system, stream in STREAMS:
        if stream not in company.records[system] or stream not in sources[system].system.streams:
            continue
        compiled = compile_stream(sources[system], stream, rulebook)
        records = []
        for record in company.records[system][stream]:
            landing_no += 1
            records.append((landing_no, msgspec.json.decode(msgspec.json.encode(record))))
        mapped = compiled.map(records)
        for entity in mapped.rows:
            if entity not in PARTY:
                mapped.rows[entity] = []
        hashes = [(number, b"") for number, _ in records]
        with store.write() as connection:
            write_mapped(connection, system, stream, compiled, hashes, mapped, AS_OF)
    while True:
        with store.write() as connection:
            if not resolve(connection, rulebook, list(rulebook.company.sources), AS_OF).profiles:
                break
    own = profile_ledger.c
    with store.read() as connection:
        rows = connection.execute(select(own.source, own.stream, own.key, own.customer_no)).all()
    return {ProfileRef(source, _BEARERS.get(stream, stream), key): number for source, stream, key, number in rows}


def pairs(groups: Iterable[Sequence[ProfileRef]], found: Customers) -> tuple[float, float]:
    """(precision, recall) of pairs of profiles, among those that the truth knows."""
    right = total = 0
    sizes: Counter[int] = Counter()
    for group in groups:
        members = Counter(found[ref] for ref in group if found.get(ref) is not None)
        total += comb(len(group), 2)
        right += sum(comb(count, 2) for count in members.values())
        for number, count in members.items():
            sizes[number or 0] += count
    said = sum(comb(count, 2) for count in sizes.values())
    return right / said, right / total


def mixed(truth: Truth, found: Customers) -> dict[int, set[str]]:
    """Customers that hold several people, for a reader of a failure."""
    owners: dict[int, set[str]] = defaultdict(set)
    for person in truth.persons:
        for ref in person.profiles:
            if (number := found.get(ref)) is not None:
                owners[number].add(person.id)
    return {number: people for number, people in owners.items() if len(people) > 1}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_people_and_organizations_are_found_as_the_truth_has_them(
    new_store: Callable[[str], Store], rulebook: Rulebook, dialect: str
) -> None:
    company = generate(1000, seed=7)
    found = told(new_store(dialect), company, rulebook)
    precision, recall = pairs([p.profiles for p in company.truth.persons], found)
    assert precision >= 0.99, mixed(company.truth, found)
    assert recall >= 0.85
    precision, recall = pairs([o.profiles for o in company.truth.organizations], found)
    assert precision >= 0.99
    assert recall >= 0.85
    visitors = [ProfileRef("matomo", "visitors", visitor) for visitor in company.truth.anonymous_visitors]
    assert {found[ref] for ref in visitors} == {None}
