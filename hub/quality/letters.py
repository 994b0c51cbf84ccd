"""Dead letters: records that cannot be mapped. In: a stream, a reason, a key. Out: what is wrong with which of them,
the record itself with the place marked, what it said before it failed; or they are back in the queue of the mapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select, update

from hub.quality.guard import any_item
from hub.quality.understand import as_written
from hub.store.bulk import among
from hub.store.kept import dead_letter, landing, profile_ledger, stream_state
from hub.store.mapped import MAPPED, column_name
from mappings.model import ENTITIES, Type

LONGEST = 20_000  # letters of a record that is no JSON


class UnknownPlace(Exception):
    """A command names a source or stream of which nothing is landed; the message lists those of which something is."""


class NoSuchLetter(Exception):
    """The record is no dead letter."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that cannot be mapped: where, why, by which mapping, since when."""

    landing_no: int
    source: str
    stream: str
    key: str
    path: str
    reason: str
    mapping_version: str
    first_seen_at: int
    last_seen_at: int


@dataclass(frozen=True, slots=True)
class Pile:
    """Dead letters of a stream with the same fault; `[*]` in its path is any item of a list."""

    source: str
    stream: str
    path: str
    reason: str
    count: int
    first_seen_at: int
    last_seen_at: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A dead letter, its record line by line with the lines marked where it fails, and what it said before."""

    letter: Letter
    record: list[tuple[str, bool]]
    said: list[tuple[str, list[str]]]


_COLUMNS = (
    dead_letter.c.landing_no, dead_letter.c.source, dead_letter.c.stream, landing.c.key, dead_letter.c.path,
    dead_letter.c.reason, dead_letter.c.mapping_version, dead_letter.c.first_seen_at, dead_letter.c.last_seen_at,
)  # fmt: skip


def letters(connection: Connection, place: str | None, reason: str | None, most: int) -> list[Letter]:
    """The dead letters of a source or a `source.stream` whose reason or path holds this text, the latest first.

    Raises UnknownPlace.
    """
    query = (
        select(*_COLUMNS)
        .join(landing, landing.c.landing_no == dead_letter.c.landing_no)
        .where(*_these(connection, place), *_said(reason))
        .order_by(dead_letter.c.last_seen_at.desc(), dead_letter.c.landing_no.desc())
        .limit(most)
    )
    return [Letter(*row) for row in connection.execute(query)]


def piles(connection: Connection, place: str | None = None, reason: str | None = None) -> list[Pile]:
    """The same dead letters counted by what is wrong with them, the largest pile first. Raises UnknownPlace."""
    c = dead_letter.c
    by = (c.source, c.stream, c.path, c.reason)
    rows = connection.execute(
        select(*by, func.count(), func.min(c.first_seen_at), func.max(c.last_seen_at))
        .where(*_these(connection, place), *_said(reason))
        .group_by(*by)
    )
    found: dict[tuple[str, str, str, str], Pile] = {}
    for source, stream, path, why, count, first, last in rows:
        names = source, stream, any_item(path), why
        held = found.get(names, Pile(*names, 0, first, last))
        found[names] = Pile(*names, held.count + count, min(held.first_seen_at, first), max(held.last_seen_at, last))
    return sorted(found.values(), key=lambda pile: (-pile.count, pile.source, pile.stream, pile.path, pile.reason))


def opened(connection: Connection, place: str, key: str) -> Opened:
    """The dead letter of the `source.stream` under this key. Raises UnknownPlace, NoSuchLetter."""
    query = select(*_COLUMNS, landing.c.payload).join(landing, landing.c.landing_no == dead_letter.c.landing_no)
    row = connection.execute(query.where(*_these(connection, place), landing.c.key == key)).first()
    if row is None:
        raise NoSuchLetter(
            f"no dead letter of {place} has the key {key!r}; `hub dead-letters list {place} --all` lists their keys"
        )
    letter = Letter(*row[:-1])
    return Opened(letter, record_lines(bytes(row[-1]), letter.path), list(_said_before(connection, letter.landing_no)))


def put_back(connection: Connection, place: str | None) -> set[int]:
    """Send the dead letters of a source or a `source.stream` back to be mapped; their numbers. Raises UnknownPlace."""
    numbers = set(connection.execute(select(dead_letter.c.landing_no).where(*_these(connection, place))).scalars())
    connection.execute(
        update(landing).where(among(connection, landing.c.landing_no, numbers), landing.c.state == 2).values(state=0)
    )
    return numbers


def still_dead(connection: Connection, numbers: set[int]) -> int:
    """How many of these records are dead letters."""
    these = among(connection, dead_letter.c.landing_no, numbers)
    return int(connection.execute(select(func.count()).where(these)).scalar_one())


def _these(connection: Connection, place: str | None) -> Iterator[ColumnElement[bool]]:
    if place is None:
        return
    source, _, stream = place.partition(".")
    rows = connection.execute(select(stream_state.c.source, stream_state.c.stream))
    known = sorted((of, name) for of, name in rows)
    if not any(source == of and stream in ("", name) for of, name in known):
        listed = ", ".join(f"{of}.{name}" for of, name in known) or "none"
        raise UnknownPlace(f"nothing is landed of {place!r}; there are {listed}")
    yield dead_letter.c.source == source
    if stream:
        yield dead_letter.c.stream == stream


def _said(reason: str | None) -> Iterator[ColumnElement[bool]]:
    if reason:
        words = (dead_letter.c.reason, dead_letter.c.path)
        yield func.lower(words[0] + " " + words[1]).contains(reason.lower(), autoescape=True)


# the record ----------------------------------------------------------------------------------------------------------
def record_lines(payload: bytes, path: str) -> list[tuple[str, bool]]:
    """A record as indented JSON, line by line, and whether a line is where the JSON path leads.

    Where it leads nowhere, the lines are marked that it would stand in. What is no JSON is shown as text, all marked.
    """
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return [(line, True) for line in payload.decode(errors="replace")[:LONGEST].splitlines()]
    return list(_lines(value, _leading(value, path), 0, "", ""))


def _leading(value: Any, path: str) -> list[str | int]:
    """As many steps of a JSON path as lead somewhere; names may hold dots."""
    steps: list[str | int] = []
    rest = path.removeprefix("$")
    while rest:
        if value.__class__ is list and rest.startswith("["):
            number, _, after = rest[1:].partition("]")
            if not number.isdecimal() or int(number) >= len(value):
                return steps
            step: str | int = int(number)
        elif value.__class__ is dict and rest.startswith("."):
            names = [name for name in value if rest[1:] == name or rest[1:].startswith((f"{name}.", f"{name}["))]
            if not names:
                return steps
            name = max(names, key=len)
            step, after = name, rest[1 + len(name) :]
        else:
            return steps
        steps.append(step)
        value, rest = value[step], after
    return steps


def _lines(value: Any, way: list[str | int] | None, depth: int, name: str, end: str) -> Iterator[tuple[str, bool]]:
    """`way` is what is left of the path to the marked value; None in what is not on it."""
    indent, here = "  " * depth, way == []
    if value.__class__ not in (dict, list) or not value:
        yield f"{indent}{name}{_json(value)}{end}", here
        return
    opening, closing = "{}" if value.__class__ is dict else "[]"
    yield f"{indent}{name}{opening}", here
    inner = list(value.items() if value.__class__ is dict else enumerate(value))
    for number, (step, item) in enumerate(inner, 1):
        on = way[1:] if way and way[0] == step else None
        named = f"{_json(step)}: " if value.__class__ is dict else ""
        yield from _lines(item, on, depth + 1, named, "," if number < len(inner) else "")
    yield f"{indent}{closing}{end}", False


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# what it said --------------------------------------------------------------------------------------------------------
def _said_before(connection: Connection, landing_no: int) -> Iterator[tuple[str, list[str]]]:
    """The rows that the record's last good version left in the graph, all of them stale."""
    for entity, table in MAPPED.items():
        for row in connection.execute(select(table).where(table.c.landing_no == landing_no)).mappings():
            fields = ENTITIES[entity].fields
            said = {name: row[column_name(name, field.type)] for name, field in fields.items()}
            yield (
                entity,
                [
                    f"{name}: {_shown(connection, fields[name].type, value, said.get('currency'))}"
                    for name, value in said.items()
                    if value is not None
                ],
            )


def _shown(connection: Connection, kind: Type, value: Any, currency: str | None) -> str:
    if kind is Type.PROFILE:
        ledger = profile_ledger.c
        named = select(ledger.stream + "/" + ledger.key).where(ledger.profile_no == value)
        return str(connection.execute(named).scalar_one())
    return as_written(kind, value, currency)
