"""What a remap would change, before it does. In: the store and the mappings as they are now. Out: per stream whose
mapping is another: rows by entity, dead letters and money before and after, and whom that touches.

The records are mapped in memory, chunk by chunk, and compared with what is stored, in one reading transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from hub.quality.guard import any_item
from hub.quality.understand import understand
from hub.run import Hub
from hub.store.bulk import among
from hub.store.kept import dead_letter, landing, profile_ledger, stream_state
from hub.store.ledger import Reference, numbered
from hub.store.mapped import FACTS, MAPPED, column_name, fact_no
from mappings.compile import Mapped
from mappings.model import ENTITIES, Type

RECORDS_A_CHUNK = 2_000
_PROFILES = {
    name: frozenset(at for at, kind in enumerate(entity.fields.values()) if kind.type is Type.PROFILE)
    for name, entity in ENTITIES.items()
}
_MONEY = tuple(list(ENTITIES["money_entry"].fields).index(name) for name in ("kind", "currency", "amount"))

Values = tuple[Any, ...]
Numbers = Mapping[Reference, tuple[int, int | None]]  # a profile's number and its customer's


@dataclass(slots=True)
class RowChange:
    """How many rows of an entity there are before and after, and how many come, go, or say something else."""

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(slots=True)
class Foreseen:
    """What a remap changes of one stream.

    `kept` records stay as they were mapped, as their payload is kept no longer. `reasons` are those of the dead
    letters after it, by path. `money` has the sums before and after by kind and currency.
    """

    source: str
    stream: str
    records: int = 0
    kept: int = 0
    dead_before: int = 0
    dead_after: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: dict[str, RowChange] = field(default_factory=dict)
    money: dict[tuple[str, str], list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Foresight:
    """What a remap changes: `streams` with another mapping, `same` those with the same, `lost` those with none now.

    `profiles` are resolved anew, since something else is said of who they are; `customers` are derived anew.
    """

    streams: list[Foreseen] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    profiles: set[Any] = field(default_factory=set)
    customers: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Fact:
    """A row as it is stored or as it would be: the values of its fields, and whom it counts for."""

    values: Values
    owners: tuple[int | None, ...]


def foresee(hub: Hub) -> Foresight:
    """What `hub remap` would change of the mapped rows, and whom that touches. Changes nothing.

    Ids, flags and figures follow from that and are not foreseen.
    """
    found = Foresight()
    with hub.store.read() as connection:
        c = stream_state.c
        rows = connection.execute(select(c.source, c.stream, c.mapping_version).where(c.record_count > 0))
        landed = {(source, stream): version for source, stream, version in rows}
        for names in hub.streams():
            if names in landed and landed[names] == hub.compiled(*names).version:
                found.same.append(".".join(names))
            elif names in landed:
                found.streams.append(_stream(connection, hub, *names, found))
        found.lost += [".".join(names) for names in sorted(landed.keys() - set(hub.streams()))]
        found.customers |= _customers_of(connection, {no for no in found.profiles if isinstance(no, int)})
    return found


def _stream(connection: Connection, hub: Hub, source: str, stream: str, found: Foresight) -> Foreseen:
    letters = select(func.count()).where(dead_letter.c.source == source, dead_letter.c.stream == stream)
    foreseen = Foreseen(source, stream, dead_before=int(connection.execute(letters).scalar_one()))
    size = select(func.count()).where(landing.c.source == source, landing.c.stream == stream)
    left = int(connection.execute(size).scalar_one())
    for chunk in _chunks(connection, source, stream):
        read = [row for row in chunk if row.payload or row.deleted_at is not None]
        _, mapped = understand(hub.compiled(source, stream), [(row.landing_no, bytes(row.payload)) for row in read])
        problems = {no: (any_item(path), reason) for no, path, reason in reversed(mapped.problems)}
        _compare_all(connection, foreseen, [row.landing_no for row in read], mapped, problems.keys(), found)
        foreseen.records += len(read)
        foreseen.kept += len(chunk) - len(read)
        foreseen.dead_after += len(problems)
        foreseen.reasons.update(problems.values())
        left = max(0, left - len(chunk))
        hub.progress("foresee", f"{source}.{stream}", len(chunk), left)
    return foreseen


def _chunks(connection: Connection, source: str, stream: str) -> Iterator[Sequence[Row[Any, Any, Any]]]:
    c, last = landing.c, 0
    query = select(c.landing_no, c.payload, c.deleted_at).where(c.source == source, c.stream == stream)
    query = query.order_by(c.landing_no).limit(RECORDS_A_CHUNK)
    while chunk := connection.execute(query.where(c.landing_no > last)).all():
        yield chunk
        last = chunk[-1].landing_no


def _compare_all(
    connection: Connection,
    foreseen: Foreseen,
    landing_nos: Sequence[int],
    mapped: Mapped,
    failing: Collection[int],
    found: Foresight,
) -> None:
    numbers = _numbers(connection, foreseen.source, mapped)
    for name, table in MAPPED.items():
        before, lasting = _stored(connection, name, table, landing_nos, failing)
        after = lasting | {fact_no(*row[:2]): _meant(name, row[2:], numbers) for row in mapped.rows.get(name, ())}
        if before or after:
            _count(foreseen.rows.setdefault(name, RowChange()), before, after)
        if name == "money_entry":
            _sum(foreseen.money, before, after)
        for number in before.keys() | after.keys():
            was, now = before.get(number), after.get(number)
            if (was and was.values) != (now and now.values):
                _touch(found, name, [fact for fact in (was, now) if fact is not None])


def _stored(
    connection: Connection, name: str, table: Table, landing_nos: Sequence[int], failing: Collection[int]
) -> tuple[dict[int, _Fact], dict[int, _Fact]]:
    """The records' rows as they are, and those of them that outlast a remap: what a record said that now fails."""
    fields = [table.c[column_name(field, said.type)] for field, said in ENTITIES[name].fields.items()]
    owners = [table.c.customer_no, table.c.organization_no] if name in FACTS else []
    query = select(table.c.fact_no, table.c.landing_no, *fields, *owners)
    before, lasting = {}, {}
    for row in connection.execute(query.where(among(connection, table.c.landing_no, landing_nos))):
        fact = before[row[0]] = _Fact(tuple(row[2 : 2 + len(fields)]), tuple(row[2 + len(fields) :]))
        if row.landing_no in failing:
            lasting[row[0]] = fact
    return before, lasting


def _meant(name: str, values: Values, numbers: Numbers) -> _Fact:
    """A row of the mapping with numbers for profiles; a profile without a number stays as it was referred to."""
    resolved = list(values)
    for at in _PROFILES[name]:
        if values[at] in numbers:
            resolved[at] = numbers[values[at]][0]
    owner = numbers.get(values[0]) if name in FACTS else None
    return _Fact(tuple(resolved), (owner[1],) if owner else ())


def _numbers(connection: Connection, source: str, mapped: Mapped) -> Numbers:
    by_stream: dict[str, dict[str, None]] = {}
    for name, rows in mapped.rows.items():
        for at in _PROFILES[name]:
            for reference in (row[at + 2] for row in rows if row[at + 2] is not None):
                by_stream.setdefault(reference[0], {})[reference[1]] = None
    return {
        (stream, key): numbers
        for stream, keys in by_stream.items()
        for key, numbers in numbered(connection, source, stream, keys).items()
    }


def _count(change: RowChange, before: Mapping[int, _Fact], after: Mapping[int, _Fact]) -> None:
    change.before += len(before)
    change.after += len(after)
    change.added += len(after.keys() - before.keys())
    change.removed += len(before.keys() - after.keys())
    change.changed += sum(before[number].values != after[number].values for number in before.keys() & after.keys())


def _sum(money: dict[tuple[str, str], list[int]], before: Mapping[int, _Fact], after: Mapping[int, _Fact]) -> None:
    for side, facts in enumerate((before, after)):
        for fact in facts.values():
            kind, currency, amount = (fact.values[at] for at in _MONEY)
            money.setdefault((kind, currency), [0, 0])[side] += amount or 0


def _touch(found: Foresight, name: str, facts: Sequence[_Fact]) -> None:
    for fact in facts:
        if name in FACTS:
            found.customers.update(no for no in fact.owners if no is not None)
        elif fact.values[0] is not None:
            found.profiles.add(fact.values[0])


def _customers_of(connection: Connection, profile_nos: Collection[int]) -> set[int]:
    c = profile_ledger.c
    these = among(connection, c.profile_no, profile_nos)
    return set(connection.execute(select(c.customer_no).where(these, c.customer_no.is_not(None))).scalars())
