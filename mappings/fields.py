"""In: the value of a field as a mapping file says it. Out: generated statements that find and convert it.

The order is find, prefix, table or convert, default; what a bare path means follows from the field's type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from mappings.conditions import condition, same
from mappings.converters import CONVERTERS
from mappings.generate import Code, Scope
from mappings.instants import eu_time, iso, iso_date, us_time
from mappings.lexicon import Lexicon, intent
from mappings.meaning import conversion, is_literal
from mappings.model import KEY_LIMIT, Field, Type
from mappings.quantities import major, minor, times
from mappings.spec import Test, Value
from mappings.values import UnfitError, plain, short

RAW = Field(Type.JSON, "")
TEXT = Field(Type.TEXT, "")
KEY = Field(Type.TEXT, "", most=KEY_LIMIT)
_NO_DEFAULT = object()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What values are read by beside the mapping: the region of bare phone numbers, the lexicon of intents."""

    region: str
    lexicon: Lexicon


@dataclass(slots=True)
class Values:
    """Writes the statements for values into one function."""

    code: Code
    around: Surroundings
    language: str = "None"  # variable of the language of the text at hand
    country: str | None = None  # variable of the country at hand, for national phone numbers

    def put(self, scope: Scope, said: Any, name: str, field: Field, required: bool = False) -> str:
        """The variable (or constant) that holds the canonical value; missing ones raise where `required`."""
        if not isinstance(said, Value) and is_literal(said, field):
            return self.code.bind(_constant(said, name, field))
        value = said if isinstance(said, Value) else Value(path=said)
        if "const" in value.model_fields_set and not (field.type is Type.AMOUNT or value.convert or value.when):
            return self.code.bind(_constant(value.const, name, field))
        variable = self.code.fresh()
        self._assign(variable, scope, value, name, field)
        if value.default is not None:
            self.code.line(
                f"if {variable} is None: {variable} = {self.code.bind(_constant(value.default, name, field))}"
            )
        if required:
            missing = self.code.function(raise_missing)
            self.code.line(f"if {variable} is None: {missing}()", self._place(scope, value))
        return variable

    def holds(self, scope: Scope, when: Mapping[str, Any]) -> str:
        """The expression of a `when`."""
        checks = []
        for path, said in when.items():
            found = self.code.find(scope, path)
            checks.append(f"{self.code.bind(condition(said, '*' in path))}({found})")
            if isinstance(said, Test):
                for other, negated in ((said.same_as, ""), (said.other_than, "not ")):
                    if other is not None:
                        checks.append(f"{negated}{self.code.function(same)}({found}, {self.code.find(scope, other)})")
        return " and ".join(checks)

    def _assign(self, variable: str, scope: Scope, value: Value, name: str, field: Field) -> None:
        if value.first is not None:
            self._first(variable, scope, value, name, field)
            return
        found = self._origin(scope, value)
        if value.when:
            found = f"({found} if {self.holds(scope, value.when)} else None)"
        if value.prefix is not None:
            found = f"{self.code.function(after_prefix)}({found}, {self.code.bind(value.prefix)})"
        converted = self._converted(scope, value, name, field)
        self.code.line(f"{variable} = None if (t := {found}) is None else {converted}", self._place(scope, value))

    def _first(self, variable: str, scope: Scope, value: Value, name: str, field: Field) -> None:
        depth = self.code.depth
        for index, inner in enumerate(value.alternatives()):
            if index:
                self.code.line(f"if {variable} is None:")
                self.code.depth += 1
            self._assign(variable, scope, inner, name, field if value.table is None else RAW)
            self._default(variable, inner, name, field)
        self.code.depth = depth
        if value.table is not None:
            self.code.line(f"t = {variable}")
            table = self._table(value, name, field)
            self.code.line(f"{variable} = None if t is None else {table}", self._place(scope, value))

    def _default(self, variable: str, inner: Value, name: str, field: Field) -> None:
        if inner.default is not None:
            self.code.line(
                f"if {variable} is None: {variable} = {self.code.bind(_constant(inner.default, name, field))}"
            )

    def _origin(self, scope: Scope, value: Value) -> str:
        if value.path is not None:
            return self.code.find(scope, value.path)
        if value.join is not None:
            parts = [self.put(scope, inner, "", TEXT) for inner in value.join]
            return f"{self.code.function(joined)}({self.code.bind(value.with_)}, ({', '.join(parts)},))"
        return self.code.bind(value.const)

    def _place(self, scope: Scope, value: Value) -> str:
        while value.path is None and (inner := (value.first or value.join)):
            value = inner[0] if isinstance(inner[0], Value) else Value(path=inner[0])
        return self.code.place(scope, value.path or ".")

    def _converted(self, scope: Scope, value: Value, name: str, field: Field) -> str:
        if value.table is not None:
            return self._table(value, name, field)
        if field.type is Type.AMOUNT:
            return self._amount(scope, value)
        named = value.convert or (None if field.type is Type.JSON else conversion(name, field))
        converted = "t" if named is None else self._call(scope, value, named)
        if field.type is Type.INSTANT and named in _DAYS:
            converted = f"{self.code.function(_DAYS[named])}(t, {self._zone(value)})"
        if field.options and named != "intent":
            converted = f"{self.code.function(option)}({converted}, {self.code.bind(frozenset(field.options))})"
        if field.most is not None:
            converted = f"{self.code.function(short)}({converted}, {self.code.bind(field.most)})"
        return converted

    def _call(self, scope: Scope, value: Value, named: str) -> str:
        converter = CONVERTERS[named]
        call = self.code.function(converter.call)
        if converter.takes == "zone" and value.zone is not None:
            return f"{call}(t, {self._zone(value)})"
        if converter.takes == "region":
            return f"{call}(t, {self._region(scope, value)})"
        if converter.takes == "lexicon":
            return f"{self.code.function(intent)}(t, {self.code.bind(self.around.lexicon)}, {self.language})"
        return f"{call}(t)"

    def region(self, scope: Scope, value: Any) -> str:
        """The expression of the country that a national phone number belongs to."""
        return self._region(scope, value if isinstance(value, Value) else Value(path="."))

    def _region(self, scope: Scope, value: Value) -> str:
        default = self.code.bind(self.around.region)
        if value.region is not None:
            call = self.code.function(region_of)
            return f"{call}({self.code.find(scope, value.region)}, {default})"
        return default if self.country is None else f"({self.country} or {default})"

    def _zone(self, value: Value) -> str:
        return self.code.bind(ZoneInfo(value.zone or "UTC"))

    def _amount(self, scope: Scope, value: Value) -> str:
        call = self.code.function(minor if value.minor is not None else major)
        converted = f"{call}(t, {self.code.find(scope, value.minor or value.major or '.')})"
        if value.times is not None:
            converted = f"{self.code.function(times)}({converted}, {self.code.find(scope, value.times)})"
        return converted

    def _table(self, value: Value, name: str, field: Field) -> str:
        table = {word: _constant(target, name, field) for word, target in (value.table or {}).items()}
        default = _NO_DEFAULT if value.default is None else _constant(value.default, name, field)
        call = self.code.function(looked_up)
        return f"{call}(t, {self.code.bind(table)}, {self.code.bind(default)})"


def _constant(said: Any, name: str, field: Field) -> Any:
    named = conversion(name, field)
    return said if named is None or said is None else CONVERTERS[named].call(said)


def raise_missing() -> None:
    """Raises UnfitError: the mapping needs a value and there is none."""
    raise UnfitError("a value is needed and there is none")


def looked_up(value: Any, table: Mapping[str, Any], default: Any) -> Any:
    """The table's word for a value. Raises UnfitError where the table lacks it and there is no default."""
    word = plain(value)
    if word is None or word in table:
        return None if word is None else table[word]
    if default is _NO_DEFAULT:
        raise UnfitError("a word that the table lacks")
    return default


def option(value: str | None, options: frozenset[str]) -> str | None:
    """The value if it is one of the options. Raises UnfitError for others."""
    word = plain(value) if value is not None else None
    if word is not None and word not in options:
        raise UnfitError("a word that is none of the field's options")
    return word


def after_prefix(value: Any, prefix: str) -> str | None:
    """What follows the prefix; None for a value that does not begin so."""
    return value[len(prefix) :] if value.__class__ is str and value.startswith(prefix) else None


def joined(between: str, parts: tuple[str | None, ...]) -> str | None:
    """The parts that are not empty, with something between them; None where all are empty."""
    return between.join(part for part in parts if part) or None


def midnight(value: Any, zone: ZoneInfo) -> int | None:
    """The first instant of an ISO day in a zone."""
    day = iso_date(value)
    return None if day is None else iso(day, zone)


# What reads a time by a converter of days.
_DAYS: dict[str | None, Callable[[Any, ZoneInfo], int | None]] = {
    "date": midnight, "eu_date": eu_time, "us_date": us_time
}  # fmt: skip


def region_of(value: Any, default: str) -> str:
    """The country in a value, or the default."""
    found = CONVERTERS["country"].call(value) if value.__class__ is str else None
    return str(found or default)
