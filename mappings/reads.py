"""In: a stream of a mapping. Out: every path of the record that the mapping reads, as records are watched by.

A path is dotted; `*` stands for the items of a list, whichever of them the mapping picks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.checking.saying import is_literal
from mappings.model import ENTITIES, Field, Type
from mappings.paths import steps_of
from mappings.spec import Reference, References, Stream, Value

Steps = tuple[str, ...]
Scopes = tuple[Steps, ...]  # where paths start: the record, then the items of each list that a block goes through
_TEXT = Field(Type.TEXT, "")
_UP = "parent."
_LISTED = ("emails", "phones", "devices", "handles")
_NAMED = ("identifiers", "attributes")


def paths_of(stream: Stream) -> frozenset[str]:
    """The paths that the stream's key, blocks, conditions and controls read, and its changed-at.

    What a JMESPath expression reads is not among them, nor is the record as a whole.
    """
    found = set(_stream(stream, ((),)))
    return frozenset(".".join(steps) for steps in found if steps)


def _stream(stream: Stream, record: Scopes) -> Iterator[Steps]:
    for path in [stream.key] if isinstance(stream.key, str) else stream.key:
        yield _at(record, path)
    if stream.since is not None and stream.since.field is not None:
        yield _at(record, stream.since.field)
    if stream.deleted is not None:
        yield from _when(stream.deleted.when, record)
    yield from _references(stream.belongs_to, record)
    if stream.profile is not None:
        yield from _profile(stream.profile, record)
    for entity in ENTITIES.values():
        for block in stream.blocks(entity.name) if not entity.party else ():
            scopes = _inside(block, record)
            yield from _references(block.profile, scopes)
            yield from _fields(block, entity.fields, scopes)
    for control in stream.blocks("reconcile"):
        scopes = _inside(control, record)
        yield from _when(control.when, scopes)
        yield from _value(control.amount, _TEXT, scopes)
        yield from _value(control.currency, _TEXT, scopes)
    yield from _lists(stream, record)


def _lists(stream: Stream, record: Scopes) -> Iterator[Steps]:
    """The lists themselves: one that is gone is empty of items without a word."""
    blocks = [block for entity in ENTITIES.values() if not entity.party for block in stream.blocks(entity.name)]
    for block in (*blocks, *stream.blocks("reconcile")):
        yield from (scope[:-1] for scope in _inside(block, record)[len(record) :])


def _profile(block: Any, record: Scopes) -> Iterator[Steps]:
    yield from _when(block.when, record)
    yield from _value(block.key, _TEXT, record)
    fields = ENTITIES["profile"].fields
    yield from _fields(block, {name: field for name, field in fields.items() if name != "attributes"}, record)
    for name in _LISTED:
        for said in getattr(block, name) or []:
            yield from _value(said, _TEXT, record)
    for name in _NAMED:
        for said in (getattr(block, name) or {}).values():
            yield from _value(said, _TEXT, record)
    if block.address is not None:
        yield from _fields(block.address, dict.fromkeys(type(block.address).model_fields, _TEXT), record)
    for member in block.memberships or []:
        scopes = _inside(member, record)
        yield from (scope[:-1] for scope in scopes[len(record) :])
        yield from _references(member.organization, scopes)
        yield from _fields(member, ENTITIES["membership"].fields, scopes)


def _fields(block: Any, fields: Mapping[str, Field], scopes: Scopes) -> Iterator[Steps]:
    yield from _when(getattr(block, "when", None), scopes)
    for name, field in fields.items():
        if field.type is not Type.PROFILE:
            yield from _value(getattr(block, name, None), field, scopes)


def _value(said: Any, field: Field, scopes: Scopes) -> Iterator[Steps]:
    if isinstance(said, str) and not is_literal(said, field):
        yield _at(scopes, said)
    if not isinstance(said, Value):
        return
    minus = [said.minus] if isinstance(said.minus, str) else said.minus or []
    paths = (said.path, said.minor, said.major, said.times, said.region, *minus)
    yield from (_at(scopes, path) for path in paths if isinstance(path, str))
    yield from _when(said.when, scopes)
    units = (unit for unit in (said.minor, said.major) if isinstance(unit, Value))
    for inner in (*(said.first or ()), *(said.join or ()), *units):
        yield from _value(inner, _TEXT, scopes)


def _references(said: References | None, scopes: Scopes) -> Iterator[Steps]:
    for reference in [said] if isinstance(said, Reference) else said or []:
        yield from _value(reference.key, _TEXT, scopes)


def _when(said: Mapping[str, Any] | None, scopes: Scopes) -> Iterator[Steps]:
    for path, test in (said or {}).items():
        others = (getattr(test, "same_as", None), getattr(test, "other_than", None))
        yield from (_at(scopes, each) for each in (path, *others) if each)


def _inside(block: Any, record: Scopes) -> Scopes:
    """The scopes of a block: those given, and one for each list that it goes through."""
    scopes = record
    for path in [block.each] if isinstance(block.each, str) else block.each or []:
        scopes = (*scopes, (*_at(scopes, path), "*"))
    return scopes


def _at(scopes: Scopes, path: str) -> Steps:
    while len(scopes) > 1 and path.startswith(_UP):
        scopes, path = scopes[:-1], path.removeprefix(_UP)
    steps = ("*" if step.removeprefix("-").isdecimal() else step for step in steps_of(path))
    return (*scopes[-1], *steps)
