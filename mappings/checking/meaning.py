"""In: a System. Out: what pydantic cannot know is wrong: streams, settings, converters, words, what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mappings.checking.document import Place, hint
from mappings.checking.reaching import SETTING, texts, wrong_fetching
from mappings.checking.saying import wrong_value, wrong_whens
from mappings.checking.slips import slips
from mappings.model import ENTITIES, MONEY_KINDS, Field, Type
from mappings.spec import Reconcile, Stream, System

Found = Iterator[tuple[Place, str]]
FILLED = {"profile", "basis", "interaction_item"}  # required or not, the compiler fills these where they are not said
NOT_IN_A_CONTROL = ("convert", "format", "table", "prefix", "split", "join", "jmespath", "when")
_MEANT = {"profile", "belongs_to", "reconcile", *(e.name for e in ENTITIES.values() if not e.party)}


def wrong_meaning(system: System) -> Found:
    """Every place in the file that fits the spec and still cannot mean anything, with what is wrong there."""
    yield from wrong_fetching(system)
    yield from slips(system)
    yield from _secrets(system)
    for name, stream in system.streams.items():
        at: Place = ("streams", name)
        yield from _stream(system, stream, at)
    if not system.streams:
        yield ("streams",), "a system has at least one stream"


def _secrets(system: System) -> Found:
    """What a mapping makes of records is shown to people: a secret has no place in it."""
    for place, text in texts(system.streams, ("streams",)):
        if place[2] in _MEANT and place[-1] in ("const", "default"):
            for setting in SETTING.findall(text):
                if setting in system.settings and system.settings[setting].secret:
                    yield place, f"the setting `{setting}` is secret, and a value is shown"


def _stream(system: System, stream: Stream, at: Place) -> Found:
    if stream.deleted is not None:
        yield from wrong_whens(stream.deleted, (*at, "deleted"))
    if stream.belongs_to is not None:
        yield from _references(system, stream.belongs_to, (*at, "belongs_to"))
    if stream.profile is not None:
        yield from _profile(system, stream.profile, (*at, "profile"))
    for entity in (e for e in ENTITIES.values() if not e.party):
        many = isinstance(getattr(stream, entity.name), list)
        for index, block in enumerate(stream.blocks(entity.name)):
            place = (*at, entity.name, index) if many else (*at, entity.name)
            yield from _entity(system, stream, block, entity.name, place)
    for index, control in enumerate(stream.blocks("reconcile")):
        many = isinstance(stream.reconcile, list)
        yield from _control(stream, control, (*at, "reconcile", index) if many else (*at, "reconcile"))


def _control(stream: Stream, control: Reconcile, place: Place) -> Found:
    for index, kind in enumerate(control.kinds):
        if kind not in MONEY_KINDS:
            what = f"`{kind}` is no kind of money entry: {', '.join(MONEY_KINDS)}{hint(kind, MONEY_KINDS)}"
            yield (*place, "kinds", index), what
    if not stream.blocks("money_entry"):
        yield place, "`reconcile` controls money entries, and this stream has none"
    for name in NOT_IN_A_CONTROL:
        if getattr(control.amount, name) is not None:
            yield (*place, "amount", name), f"a control reads the record as it is, without `{name}`"
    yield from wrong_value(control.amount, ("amount", Field(Type.AMOUNT, "")), (*place, "amount"))
    yield from wrong_value(control.currency, ("currency", Field(Type.CURRENCY, "")), (*place, "currency"))
    yield from wrong_whens(control, place)


def _profile(system: System, block: Any, at: Place) -> Found:
    yield from _fields(block, "profile", at)
    yield from wrong_whens(block, at)
    if block.key is not None:
        yield from wrong_value(block.key, ("key", Field(Type.TEXT, "")), (*at, "key"))
    for name in ("emails", "phones", "devices", "handles"):
        for index, said in enumerate(getattr(block, name) or []):
            yield from wrong_value(said, (name, Field(Type.TEXT, "")), (*at, name, index), many=True)
    for name, said in (block.identifiers or {}).items():
        yield from wrong_value(said, (name, Field(Type.TEXT, "")), (*at, "identifiers", name))
    for name, said in (block.attributes or {}).items():
        yield from wrong_value(said, (name, Field(Type.JSON, "")), (*at, "attributes", name))
    for name in type(block.address).model_fields if block.address is not None else ():
        said = getattr(block.address, name)
        if said is not None:
            yield from wrong_value(said, (name, Field(Type.TEXT, "")), (*at, "address", name))
    for index, member in enumerate(block.memberships or []):
        place: Place = (*at, "memberships", index)
        yield from _references(system, member.organization, (*place, "organization"))
        yield from _fields(member, "membership", place, skip=("profile", "organization"))
        yield from wrong_whens(member, place)


def _entity(system: System, stream: Stream, block: Any, entity: str, at: Place) -> Found:
    yield from _fields(block, entity, at, skip=("profile",))
    yield from wrong_whens(block, at)
    if block.profile is not None:
        yield from _references(system, block.profile, (*at, "profile"))
    elif stream.belongs_to is None and stream.profile is None:
        yield at, "whose it is: say `profile` here or `belongs_to` in the stream"


def _fields(block: Any, entity: str, at: Place, skip: tuple[str, ...] = ()) -> Found:
    for name, field in ENTITIES[entity].fields.items():
        if name in skip or name not in type(block).model_fields:
            continue
        said = getattr(block, name)
        if said is not None:
            yield from wrong_value(said, (name, field), (*at, name))
        elif field.required and name not in FILLED:
            yield at, f"`{name}` is missing: {field.about}"


def _references(system: System, said: Any, at: Place) -> Found:
    for index, reference in enumerate(said if isinstance(said, list) else [said]):
        place: Place = (*at, index) if isinstance(said, list) else at
        stream = system.streams.get(reference.stream)
        if stream is None:
            what = f"`{reference.stream}` is no stream here: {', '.join(system.streams)}"
            yield (*place, "stream"), what + hint(reference.stream, system.streams)
        elif stream.profile is None:
            yield (*place, "stream"), f"the stream `{reference.stream}` has no profiles"
        yield from wrong_value(reference.key, ("key", Field(Type.TEXT, "")), (*place, "key"))
