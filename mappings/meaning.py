"""In: a System. Out: what pydantic cannot know is wrong: streams, settings, converters, words, what is missing.

Also the rules that the compiler shares: which conversion a field gets where the file names none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel

from mappings.converters import CONVERTERS
from mappings.document import Place, hint
from mappings.model import ENTITIES, MONEY_KINDS, Field, Type
from mappings.spec import Auth, Reconcile, Stream, System, Value

Found = Iterator[tuple[Place, str]]
BY_TYPE = {
    Type.TEXT: "strip",
    Type.INSTANT: "iso",
    Type.DATE: "date",
    Type.NUMBER: "int",
    Type.RATIO: "ratio",
    Type.FLAG: "bool",
    Type.CURRENCY: "currency",
}
BY_NAME = {"country": "country", "language": "language"}
FILLED = {"profile", "basis", "interaction_item"}  # required or not, the compiler fills these where they are not said
_SETTING = re.compile(r"\$\{([^}]*)\}?")
_LONE = {Type.INSTANT: (Type.INSTANT, Type.DATE)}  # a day is an instant too: its midnight


def conversion(name: str, field: Field) -> str | None:
    """The converter of a field where the mapping names none; None for amounts, choices, JSON and profiles."""
    return BY_NAME.get(name) or BY_TYPE.get(field.type)


def is_literal(said: Any, field: Field) -> bool:
    """Whether a bare value is the value itself and not a path."""
    return not isinstance(said, str | Value) or (isinstance(said, str) and (field.literal or bool(field.options)))


def wrong_meaning(system: System) -> Found:
    """Every place in the file that fits the spec and still cannot mean anything, with what is wrong there."""
    yield from _settings(system)
    for name, stream in system.streams.items():
        at: Place = ("streams", name)
        yield from _stream(system, stream, at)
    if not system.streams:
        yield ("streams",), "a system has at least one stream"


def _settings(system: System) -> Found:
    for place, text in _texts(system, ()):
        for setting in _SETTING.findall(text):
            if setting not in system.settings:
                allowed = ", ".join(system.settings) or "none"
                yield (
                    place,
                    f"the setting `{setting}` is not declared; declared: {allowed}{hint(setting, system.settings)}",
                )
    for place, text in _secrets(system.http.auth):
        if not _SETTING.search(text):
            yield place, "a secret is written out; declare a setting and say ${setting}"


def _secrets(auth: Auth | None) -> Iterator[tuple[Place, str]]:
    if auth is None:
        return
    if auth.bearer is not None:
        yield ("http", "auth", "bearer"), auth.bearer
    if auth.basic is not None and auth.basic.password:
        yield ("http", "auth", "basic", "password"), auth.basic.password
    if auth.api_key is not None:
        yield ("http", "auth", "api_key", "value"), auth.api_key.value


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, BaseModel):
        for name, about in type(value).model_fields.items():
            if name not in ("about", "description", "docs"):
                yield from _texts(getattr(value, name), (*place, about.alias or name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index))


def _stream(system: System, stream: Stream, at: Place) -> Found:
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
    if control.amount.minor is None and control.amount.major is None:
        yield (*place, "amount"), "an amount says `minor` or `major`: the path of its currency"
    if not stream.blocks("money_entry"):
        yield place, "`reconcile` controls money entries, and this stream has none"
    said = (
        n for n in ("convert", "table", "prefix", "split", "join", "when") if getattr(control.amount, n) is not None
    )
    for name in said:
        yield (*place, "amount", name), f"a control reads the record as it is, without `{name}`"
    yield from _whens(control, place)


def _profile(system: System, block: Any, at: Place) -> Found:
    yield from _fields(block, "profile", at)
    yield from _whens(block, at)
    if block.key is not None:
        yield from _value(block.key, ("key", Field(Type.TEXT, "")), (*at, "key"))
    lists = {"emails": "email", "phones": "phone", "devices": "strip"}
    for name in lists:
        for index, said in enumerate(getattr(block, name) or []):
            yield from _value(said, (name, Field(Type.TEXT, "")), (*at, name, index), many=True)
    for name, said in (block.identifiers or {}).items():
        yield from _value(said, (name, Field(Type.TEXT, "")), (*at, "identifiers", name))
    for name, said in (block.attributes or {}).items():
        yield from _value(said, (name, Field(Type.JSON, "")), (*at, "attributes", name))
    for name in type(block.address).model_fields if block.address is not None else ():
        said = getattr(block.address, name)
        if said is not None:
            yield from _value(said, (name, Field(Type.TEXT, "")), (*at, "address", name))
    for index, member in enumerate(block.memberships or []):
        place: Place = (*at, "memberships", index)
        yield from _references(system, member.organization, (*place, "organization"))
        yield from _fields(member, "membership", place, skip=("profile", "organization"))
        yield from _whens(member, place)


def _entity(system: System, stream: Stream, block: Any, entity: str, at: Place) -> Found:
    yield from _fields(block, entity, at, skip=("profile",))
    yield from _whens(block, at)
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
            yield from _value(said, (name, field), (*at, name))
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
        yield from _value(reference.key, ("key", Field(Type.TEXT, "")), (*place, "key"))


def _value(said: Any, named: tuple[str, Field], at: Place, many: bool = False) -> Found:
    name, field = named
    if not isinstance(said, Value):
        yield from _bare(said, field, at)
        return
    for index, inner in enumerate(said.alternatives()):
        within = field if said.table is None else Field(Type.JSON, "")
        yield from _value(inner, (name, within), (*at, "first", index))
    for index, part in enumerate(said.join or []):
        yield from _value(part, (name, Field(Type.TEXT, "")), (*at, "join", index))
    if said.split is not None and not many:
        yield (*at, "split"), "`split` gives several values: only for emails, phones and devices"
    if said.zone is not None and said.zone not in available_timezones():
        yield (*at, "zone"), f"`{said.zone}` is no time zone{hint(said.zone, available_timezones())}"
    yield from _whens(said, at)
    yield from _amount(said, field, at)
    yield from _converted(said, name, field, at)
    yield from _words(said, name, field, at)
    for part in ("path", "minor", "major", "times", "region"):
        if getattr(said, part) is not None:
            yield from _path(getattr(said, part), (*at, part))


def _bare(said: Any, field: Field, at: Place) -> Found:
    if field.options and said not in field.options:
        what = f"`{said}` is none of {', '.join(field.options)}{hint(said, field.options)}; for a path say {{path: …}}"
        yield at, what
    elif field.type is Type.AMOUNT:
        yield at, "an amount says `minor` or `major`: {path: …, minor: path of the currency}"
    elif isinstance(said, str) and not is_literal(said, field):
        yield from _path(said, at)


def _amount(said: Value, field: Field, at: Place) -> Found:
    units = said.minor is not None or said.major is not None
    if field.type is Type.AMOUNT:
        if not units and said.first is None:
            yield at, "an amount says `minor` or `major`: the path of its currency"
        for part in ("convert", "table"):
            if getattr(said, part) is not None:
                yield (*at, part), f"an amount is converted by `minor` or `major`, not by `{part}`"
        if said.default not in (None, 0):
            yield (*at, "default"), "the default of an amount can only be 0"
    elif units or said.times is not None:
        yield at, "`minor`, `major` and `times` are for amounts"


def _converted(said: Value, name: str, field: Field, at: Place) -> Found:
    if said.convert is None:
        return
    place: Place = (*at, "convert")
    converter = CONVERTERS.get(said.convert)
    allowed = _LONE.get(field.type, (field.type,))
    fits = [n for n, c in CONVERTERS.items() if field.type is Type.JSON or c.yields in allowed]
    if converter is None:
        yield place, f"`{said.convert}` is no converter; allowed: {', '.join(fits)}{hint(said.convert, CONVERTERS)}"
    elif said.convert == "intent" and name != "intent":
        yield place, "`intent` is the converter of the field `intent`"
    elif said.convert not in fits and not (field.options and converter.yields is Type.TEXT):
        what = f"`{said.convert}` yields {_article(converter.yields)}, and `{name}` is {_article(field.type)}"
        yield place, f"{what}; allowed: {', '.join(fits) or 'none'}"


def _article(kind: Type) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _words(said: Value, name: str, field: Field, at: Place) -> Found:
    if said.table is not None and said.convert is not None:
        yield at, "say `table` or `convert`, not both"
    targets = [((*at, "table", word), target) for word, target in (said.table or {}).items()]
    targets += [((*at, n), getattr(said, n)) for n in ("default", "const") if n in said.model_fields_set]
    for place, target in targets:
        if target is None:
            continue
        if field.options and target not in field.options:
            yield place, f"`{target}` is none of {', '.join(field.options)}{hint(target, field.options)}"
        elif (fault := _fault(target, name, field, said)) is not None:
            yield place, f"`{target}` is no value of `{name}`: {fault}"


def _fault(target: Any, name: str, field: Field, said: Value) -> str | None:
    used = conversion(name, field)
    if used is None or (said.convert is not None and CONVERTERS[said.convert].takes == "region"):
        return None
    try:
        CONVERTERS[used].call(target)
    except ValueError as error:
        return str(error)
    return None


def _whens(block: Any, at: Place) -> Found:
    for path, condition in (block.when or {}).items():
        yield from _path(path, (*at, "when", path))
        for part in ("same_as", "other_than"):
            other = getattr(condition, part, None)
            if other is not None:
                yield from _path(other, (*at, "when", path, part))
    if getattr(block, "each", None) is not None:
        yield from _path(block.each, (*at, "each"))


def _path(path: str, at: Place) -> Found:
    if path != "." and not all(path.split(".")):
        yield at, f"`{path}` is no path: names with single dots between them"
