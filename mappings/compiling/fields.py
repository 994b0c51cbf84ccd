"""In: the value of a field as a mapping file says it. Out: generated statements that find and convert it.

The order is find, prefix, table or convert, default; what a bare path means follows from the field's type.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from mappings.checking.saying import conversion, is_literal
from mappings.compiling.called import (
    DAYS,
    NO_DEFAULT,
    after_prefix,
    joined,
    looked_up,
    option,
    raise_missing,
    raise_unfit,
    region_of,
    something,
)
from mappings.compiling.filling import Filled
from mappings.compiling.generate import Code, Scope
from mappings.compiling.searching import search
from mappings.conditions import condition, same
from mappings.converters import CONVERTERS
from mappings.converting.instants import patterned, patterned_date
from mappings.converting.lexicon import Lexicon, intent
from mappings.converting.quantities import less, major, minor, times, written
from mappings.model import KEY_LIMIT, Field, Type
from mappings.spec import Test, Value
from mappings.values import UnfitError, short

RAW = Field(Type.JSON, "")
TEXT = Field(Type.TEXT, "")
KEY = Field(Type.TEXT, "", most=KEY_LIMIT)
CURRENCY = Field(Type.CURRENCY, "")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What values are read by beside their own block: the region of bare phone numbers, the lexicon of intents."""

    region: str
    lexicon: Lexicon
    nothing: frozenset[tuple[type, Any]] = frozenset()  # what a system writes where it has no value


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
        variable = self.code.fresh()
        if "const" in value.model_fields_set and not (field.type is Type.AMOUNT or value.convert or value.when):
            if not isinstance(value.const, Filled):
                return self.code.bind(_constant(value.const, name, field))
            self.code.line(f"{variable} = {self._constant(value.const, name, field)}", self.place(scope, value))
        else:
            self._assign(variable, scope, value, name, field)
            self._default(variable, scope, value, name, field)
        if required:
            missing = self.code.function(raise_missing)
            self.code.line(f"if {variable} is None: {missing}()", self.place(scope, value))
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
        if field.type is not Type.FLAG:
            found = self._something(found)
        if value.when:
            found = f"({found} if {self.holds(scope, value.when)} else None)"
        if value.prefix is not None:
            found = f"{self.code.function(after_prefix)}({found}, {self.code.bind(value.prefix)})"
        if value.decimal is not None:
            found = f"{self.code.function(written)}({found}, {self.code.bind(value.decimal)})"
        converted = self._converted(scope, value, name, field)
        self.code.line(f"{variable} = None if (t := {found}) is None else {converted}", self.place(scope, value))

    def _something(self, found: str) -> str:
        """The expression, None where the system writes so that there is nothing."""
        if not self.around.nothing or found == "None":
            return found
        return f"{self.code.function(something)}({found}, {self.code.bind(self.around.nothing)})"

    def _first(self, variable: str, scope: Scope, value: Value, name: str, field: Field) -> None:
        within = field if value.table is None else RAW
        for index, inner in enumerate(value.alternatives()):
            with self.code.under(f"if {variable} is None:") if index else nullcontext():
                self._assign(variable, scope, inner, name, within)
                self._default(variable, scope, inner, name, within)
        if value.table is not None:
            self.code.line(f"t = {variable}")
            table = self._table(value, name, field)
            self.code.line(f"{variable} = None if t is None else {table}", self.place(scope, value))

    def _default(self, variable: str, scope: Scope, value: Value, name: str, field: Field) -> None:
        if value.default is not None:
            default = self._constant(value.default, name, field)
            self.code.line(f"if {variable} is None: {variable} = {default}", self.place(scope, value))

    def _constant(self, said: Any, name: str, field: Field) -> str:
        """The expression of a constant; of a setting that does not fit, one that raises for each record."""
        try:
            return self.code.bind(_constant(said, name, field))
        except UnfitError as error:
            return f"{self.code.function(raise_unfit)}({self.code.bind(str(error))})"

    def _origin(self, scope: Scope, value: Value) -> str:
        if value.path is not None:
            return self.code.find(scope, value.path)
        if value.jmespath is not None:
            return f"{self.code.bind(search(value.jmespath))}({scope.value})"
        if value.join is not None:
            parts = [self.put(scope, inner, "", TEXT) for inner in value.join]
            return f"{self.code.function(joined)}({self.code.bind(value.with_)}, ({', '.join(parts)},))"
        return self.code.bind(str(value.const) if isinstance(value.const, Filled) else value.const)

    def place(self, scope: Scope, value: Value) -> str:
        """The JSON path of what a value reads, for a message; an expression stands behind it."""
        while value.path is None and (inner := (value.first or value.join)):
            value = inner[0] if isinstance(inner[0], Value) else Value(path=inner[0])
        return self.code.place(scope, value.path or ".")

    def _converted(self, scope: Scope, value: Value, name: str, field: Field) -> str:
        if value.table is not None:
            return self._table(value, name, field)
        if field.type is Type.AMOUNT:
            return self._amount(scope, value)
        if value.format is not None:
            return self._patterned(value, field)
        named = value.convert or (None if field.type is Type.JSON else conversion(name, field))
        converted = "t" if named is None else self._call(scope, value, named)
        if field.type is Type.INSTANT and named in DAYS:
            converted = f"{self.code.function(DAYS[named])}(t, {self._zone(value)})"
        if field.options and named != "intent":
            converted = f"{self.code.function(option)}({converted}, {self.code.bind(frozenset(field.options))})"
        if field.most is not None:
            converted = f"{self.code.function(short)}({converted}, {self.code.bind(field.most)})"
        if value.times is not None:
            converted = self._times(scope, value, converted)
        return converted

    def _patterned(self, value: Value, field: Field) -> str:
        pattern = self.code.bind(value.format)
        if field.type is Type.DATE:
            return f"{self.code.function(patterned_date)}(t, {pattern})"
        return f"{self.code.function(patterned)}(t, {pattern}, {self._zone(value)})"

    def _times(self, scope: Scope, value: Value, converted: str) -> str:
        count = self.code.find(scope, value.times) if isinstance(value.times, str) else self.code.bind(value.times)
        return f"{self.code.function(times)}({converted}, {self._something(count)})"

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
        unit = self.code.function(minor if value.minor is not None else major)
        code = self._currency(scope, value)
        converted = f"{unit}(t, {code})"
        if value.times is not None:
            converted = self._times(scope, value, converted)
        if value.minus is not None:
            paths = [value.minus] if isinstance(value.minus, str) else value.minus
            taken = ", ".join(self._something(self.code.find(scope, path)) for path in paths)
            mark = self.code.bind(value.decimal)
            converted = f"{self.code.function(less)}({converted}, {unit}, {code}, {mark}, {taken})"
        return converted

    def _currency(self, scope: Scope, value: Value) -> str:
        said = value.minor if value.minor is not None else value.major
        if isinstance(said, Value):
            return self.put(scope, said, "currency", CURRENCY)
        return self._something(self.code.find(scope, said or "."))

    def _table(self, value: Value, name: str, field: Field) -> str:
        table = {word: _constant(target, name, field) for word, target in (value.table or {}).items()}
        default = NO_DEFAULT if value.default is None else _constant(value.default, name, field)
        call = self.code.function(looked_up)
        return f"{call}(t, {self.code.bind(table)}, {self.code.bind(default)})"


def _constant(said: Any, name: str, field: Field) -> Any:
    named = conversion(name, field)
    if isinstance(said, Filled):
        said = option(str(said), frozenset(field.options)) if field.options else str(said)
    return said if named is None or said is None else CONVERTERS[named].call(said)
