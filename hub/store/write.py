"""Writing what records mean. In: a batch of landed records and what the mapping made of them. Out: rows of the mapped
tables, dead letters, controls; profiles to be resolved and customers to be derived.

A record's rows are replaced as a whole. A record that fails keeps the rows it had, marked stale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.bulk import among, insert_rows, update_rows
from hub.store.kept import dead_letter, landing, stream_run, sync_run
from hub.store.ledger import Assigned, Reference, assign, mark_dirty, mark_pending
from hub.store.mapped import FACTS, ITEM_BITS, MAPPED, control, fact_no
from mappings.model import ENTITIES, Type

_MAPPED, _FAILED = 1, 2
_PROFILES: dict[str, tuple[int, ...]] = {  # where an entity's rows refer to profiles
    name: tuple(at for at, field in enumerate(entity.fields.values(), 2) if field.type is Type.PROFILE)
    for name, entity in ENTITIES.items()
}
_CONTROL = ("landing_no", "item", "source", "stream", "currency", "amount")

Rows = dict[str, list[tuple[Any, ...]]]


class Versioned(Protocol):
    """What writing needs of a compiled mapping."""

    @property
    def version(self) -> str:
        """By which mapping it was."""


class Meaning(Protocol):
    """What writing needs of a batch that was mapped; see mappings.compile.Mapped."""

    rows: Rows
    controls: list[tuple[int, int, str, int]]
    problems: list[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Written:
    """How many records were mapped and how many became dead letters."""

    mapped: int
    failed: int


def write_mapped(
    connection: Connection,
    source: str,
    stream: str,
    compiled: Versioned,
    records: Sequence[tuple[int, bytes]],
    mapped: Meaning,
    as_of: int,
) -> Written:
    """Replaces what these records, (landing_no, content hash), said before by what they say now.

    `as_of` in microseconds. Rows whose profile is not known are kept without an owner.
    """
    problems = _problems(mapped)
    fine = {no for no, _ in records if no not in problems}
    before = _mapped_before(connection, [no for no, _ in records])
    assigned = assign(connection, source, _references(mapped.rows, fine), as_of)
    rows = {name: _stored(name, source, stream, given, assigned, fine) for name, given in mapped.rows.items()}
    _replace_parties(connection, rows, before & fine)
    _replace_facts(connection, rows, before & fine)
    _replace_controls(connection, source, stream, mapped, before & fine)
    _mark_stale(connection, before & problems.keys())
    _write_dead_letters(connection, source, stream, compiled.version, problems, as_of)
    if before & fine:
        connection.execute(delete(dead_letter).where(among(connection, dead_letter.c.landing_no, before & fine)))
    _settle(connection, records, problems)
    return Written(len(fine), len(problems))


def _problems(mapped: Meaning) -> dict[int, tuple[str, str]]:
    """Landing number to the first thing wrong with the record: its path and the reason."""
    problems: dict[int, tuple[str, str]] = {}
    for landing_no, path, reason in mapped.problems:
        problems.setdefault(landing_no, (path, reason))
    for rows in mapped.rows.values():
        for row in rows:
            if row[1] >> ITEM_BITS:
                problems.setdefault(row[0], ("$", f"yields more than {1 << ITEM_BITS} rows of one kind"))
    return problems


def _mapped_before(connection: Connection, landing_nos: Collection[int]) -> set[int]:
    """Those that were in a batch before: only they can have rows or dead letters. They have a content hash since."""
    this = landing.c
    rows = connection.execute(
        select(this.landing_no).where(among(connection, this.landing_no, landing_nos), this.content_hash.is_not(None))
    )
    return set(rows.scalars())


# rows ----------------------------------------------------------------------------------------------------------------
def _references(rows: Rows, fine: Collection[int]) -> Iterable[Reference]:
    """The profiles that the rows refer to, in an order that is the same in every replay."""
    for name, given in rows.items():
        for at in _PROFILES[name]:
            yield from (row[at] for row in given if row[at] is not None and row[0] in fine)


def _stored(
    name: str,
    source: str,
    stream: str,
    given: Iterable[tuple[Any, ...]],
    assigned: Mapping[Reference, Assigned],
    fine: Collection[int],
) -> list[tuple[Any, ...]]:
    """The rows as their table holds them."""
    owned, also = name in FACTS, _PROFILES[name][1:]
    nobody = Assigned(0, None, None)
    stored = []
    for row in given:
        if row[0] not in fine:
            continue
        values = list(row[2:])
        who = nobody if row[2] is None else assigned[row[2]]
        values[0] = None if row[2] is None else who.profile_no
        for at in also:
            values[at - 2] = None if row[at] is None else assigned[row[at]].profile_no
        if owned:
            values += (who.customer_no, who.organization_no)
        stored.append((fact_no(row[0], row[1]), row[0], source, stream, False, *values))
    return stored


def _insert(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    insert_rows(connection, table, table.columns.keys(), rows)


def _replace_parties(connection: Connection, rows: Rows, replaced: Collection[int]) -> None:
    """Writes who the records speak of; profiles of which they say something else than before are to be resolved."""
    changed: set[int] = set()
    for name in (name for name in MAPPED if name not in FACTS):
        table, now = MAPPED[name], rows.get(name, [])
        old = _delete(connection, table, replaced, tuple(table.columns))
        at = table.columns.keys().index("profile_no")
        changed |= {row[at] for row in old.symmetric_difference(now)}
        _insert(connection, table, now)
    mark_pending(connection, changed - {None})


def _replace_facts(connection: Connection, rows: Rows, replaced: Collection[int]) -> None:
    """Writes what the records say happened; customers that gain or lose by it are to be derived."""
    touched: set[int | None] = set()
    for name, table in FACTS.items():
        owners = (table.c.customer_no, table.c.organization_no)
        touched.update(*_delete(connection, table, replaced, owners))
        now = rows.get(name, [])
        touched.update(*{row[-2:] for row in now})
        _insert(connection, table, now)
    mark_dirty(connection, {no for no in touched if no is not None})


def _delete(
    connection: Connection, table: Table, landing_nos: Collection[int], columns: tuple[Any, ...]
) -> set[tuple[Any, ...]]:
    """Deletes the records' rows and returns these columns of them."""
    if not landing_nos:
        return set()
    gone = delete(table).where(among(connection, table.c.landing_no, landing_nos)).returning(*columns)
    return {tuple(row) for row in connection.execute(gone)}


def _replace_controls(
    connection: Connection, source: str, stream: str, mapped: Meaning, replaced: Collection[int]
) -> None:
    """A record that fails keeps its control with its rows, unless the control itself can still be read."""
    now = [(no, item, source, stream, currency, amount) for no, item, currency, amount in mapped.controls]
    gone = {*replaced, *(row[0] for row in now)}
    if gone:
        connection.execute(delete(control).where(among(connection, control.c.landing_no, gone)))
    insert_rows(connection, control, _CONTROL, now)


# what failed ---------------------------------------------------------------------------------------------------------
def _mark_stale(connection: Connection, landing_nos: Collection[int]) -> None:
    if landing_nos:
        for table in MAPPED.values():
            these = among(connection, table.c.landing_no, landing_nos)
            connection.execute(update(table).where(these).values(stale=True))


def _write_dead_letters(
    connection: Connection, source: str, stream: str, version: str, problems: dict[int, tuple[str, str]], as_of: int
) -> None:
    if not problems:
        return
    rows = [
        {
            "landing_no": landing_no,
            "source": source,
            "stream": stream,
            "path": path,
            "reason": reason,
            "mapping_version": version,
            "first_seen_at": as_of,
            "last_seen_at": as_of,
        }
        for landing_no, (path, reason) in problems.items()
    ]
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = make(dead_letter)
    later = {name: new.excluded[name] for name in ("path", "reason", "mapping_version", "last_seen_at")}
    connection.execute(new.on_conflict_do_update(index_elements=["landing_no"], set_=later), rows)
    run = stream_run.c
    this_run = run.run_no == select(sync_run.c.run_no).order_by(sync_run.c.run_no.desc()).limit(1).scalar_subquery()
    connection.execute(
        update(stream_run)
        .where(this_run, run.source == source, run.stream == stream)
        .values(failed=run.failed + len(problems))
    )


def _settle(connection: Connection, records: Sequence[tuple[int, bytes]], problems: Collection[int]) -> None:
    """Takes the records off the queue."""
    rows = [(no, content, _FAILED if no in problems else _MAPPED) for no, content in records]
    update_rows(connection, landing, "landing_no", ("content_hash", "state"), rows)
