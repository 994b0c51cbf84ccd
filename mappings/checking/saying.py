"""In: one value as a mapping file says it, and the field it is for. Out: what is wrong with it.

Also the rules that the compiler shares: which conversion a field gets where the file names none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from mappings.checking.document import Place, hint
from mappings.checking.reaching import SETTING
from mappings.compiling import searching
from mappings.converters import CONVERTERS
from mappings.converting.instants import pattern_fault
from mappings.model import Field, Type
from mappings.paths import lists_of, steps_of
from mappings.spec import Value

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
_LONE = {Type.INSTANT: (Type.INSTANT, Type.DATE)}  # a day is an instant too: its midnight
_WRITTEN = (Type.AMOUNT, Type.NUMBER, Type.RATIO)
_ANY, _TEXT, _CURRENCY = Field(Type.JSON, ""), Field(Type.TEXT, ""), Field(Type.CURRENCY, "")


def conversion(name: str, field: Field) -> str | None:
    """The converter of a field where the mapping names none; None for amounts, choices, JSON and profiles."""
    return BY_NAME.get(name) or BY_TYPE.get(field.type)


def is_literal(said: Any, field: Field) -> bool:
    """Whether a bare value is the value itself and not a path."""
    return not isinstance(said, str | Value) or (isinstance(said, str) and (field.literal or bool(field.options)))


def wrong_value(said: Any, named: tuple[str, Field], at: Place, many: bool = False) -> Found:
    """What is wrong with one value of a field (its name and type); `many` where it may be split into several."""
    name, field = named
    if not isinstance(said, Value):
        yield from _bare(said, name, field, at)
        return
    within = field if said.table is None else _ANY
    for index, inner in enumerate(said.alternatives()):
        yield from wrong_value(inner, (name, within), (*at, "first", index))
    for index, part in enumerate(said.join or []):
        yield from wrong_value(part, ("", _TEXT), (*at, "join", index))
    if said.split is not None and not many:
        yield (*at, "split"), "`split` gives several values: only for emails, phones and devices"
    if said.zone is not None and said.zone not in available_timezones():
        yield (*at, "zone"), f"`{said.zone}` is no time zone{hint(said.zone, available_timezones())}"
    yield from wrong_whens(said, at)
    yield from _amount(said, field, at)
    yield from _formatted(said, field, at)
    yield from _converted(said, name, field, at)
    yield from _words(said, name, field, at)
    yield from _paths(said, at)
    if said.jmespath is not None and (wrong := searching.fault(said.jmespath)) is not None:
        yield (*at, "jmespath"), f"no JMESPath expression: {wrong}"


def _paths(said: Value, at: Place) -> Found:
    for part in ("path", "minor", "major", "times", "region"):
        one = getattr(said, part)
        if isinstance(one, str):
            yield from _path(one, (*at, part))
        elif isinstance(one, Value):
            yield from wrong_value(one, ("currency", _CURRENCY), (*at, part))
    for index, path in enumerate(lists_of(said.minus)):
        yield from _path(path, (*at, "minus", *([index] if isinstance(said.minus, list) else [])))


def _bare(said: Any, name: str, field: Field, at: Place) -> Found:
    if field.options and said not in field.options:
        what = f"`{said}` is none of {', '.join(field.options)}{hint(said, field.options)}; for a path say {{path: …}}"
        yield at, what
    elif field.type is Type.AMOUNT:
        yield at, "an amount says `minor` or `major`: {path: …, minor: path of the currency}"
    elif not is_literal(said, field):
        yield from _path(said, at)
    elif (fault := _fault(said, name, field, None)) is not None:
        yield at, f"`{said}` is no value of `{name}`: {fault}"


def _amount(said: Value, field: Field, at: Place) -> Found:
    units = said.minor is not None or said.major is not None
    if field.type is Type.AMOUNT:
        if not units and said.first is None:
            yield at, "an amount says `minor` or `major`: the path of its currency"
        for part in ("convert", "table", "format"):
            if getattr(said, part) is not None:
                yield (*at, part), f"an amount is converted by `minor` or `major`, not by `{part}`"
        if said.default not in (None, 0):
            yield (*at, "default"), "the default of an amount can only be 0"
    elif units or said.minus is not None:
        yield at, "`minor`, `major` and `minus` are for amounts"
    elif said.times is not None and field.type is not Type.NUMBER:
        yield (*at, "times"), "`times` is for amounts and numbers"
    if said.decimal is not None and field.type not in _WRITTEN:
        yield (*at, "decimal"), "`decimal` is for amounts, numbers and ratios"


def _formatted(said: Value, field: Field, at: Place) -> Found:
    if said.format is None or field.type is Type.AMOUNT:
        return
    place: Place = (*at, "format")
    if field.type not in (Type.INSTANT, Type.DATE):
        yield place, "`format` is for times and days"
    for part in ("convert", "table"):
        if getattr(said, part) is not None:
            yield place, f"say `format` or `{part}`, not both"
    if (wrong := pattern_fault(said.format)) is not None:
        yield place, f"`{said.format}` is no pattern of a time: {wrong}; write it as %d.%m.%Y %H:%M"


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
        if target is None or (isinstance(target, str) and SETTING.search(target) and place[-1] in ("const", "default")):
            continue  # what a setting holds is known when it is filled in
        if field.options and target not in field.options:
            yield place, f"`{target}` is none of {', '.join(field.options)}{hint(target, field.options)}"
        elif (fault := _fault(target, name, field, said.convert)) is not None:
            yield place, f"`{target}` is no value of `{name}`: {fault}"


def _fault(target: Any, name: str, field: Field, convert: str | None) -> str | None:
    used = conversion(name, field)
    if used is None or (convert is not None and _takes(convert) == "region"):
        return None
    try:
        CONVERTERS[used].call(target)
    except ValueError as error:
        return str(error)
    return None


def _takes(name: str) -> str | None:
    return CONVERTERS[name].takes if name in CONVERTERS else None


def wrong_whens(block: Any, at: Place) -> Found:
    """What is wrong with the paths of a block's `when` and `each`."""
    for path, condition in (block.when or {}).items():
        yield from _path(path, (*at, "when", path))
        for part in ("same_as", "other_than"):
            other = getattr(condition, part, None)
            if other is not None:
                yield from _path(other, (*at, "when", path, part))
    each = getattr(block, "each", None)
    for index, path in enumerate(lists_of(each)):
        yield from _path(path, (*at, "each", *([index] if isinstance(each, list) else [])))


def _path(path: str, at: Place) -> Found:
    if not all(steps_of(path)):
        yield at, f"`{path}` is no path: names with single dots between them"
