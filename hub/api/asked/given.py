"""What an operation is given: a value from a literal or from variables. In: coerced values. Out: facts and SQL values.

A plan outlives the variables that it was made for. So a Given says of a value only what the plan's shape needs (which
keys an input has, how many items a list), and notes that in a Trace; what is left becomes a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

Read = Callable[["Variables"], Any]


@dataclass(slots=True)
class Variables:
    """The variables of one request, coerced; what was read of them is kept for its duration."""

    coerced: Any
    memo: dict[int, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Trace:
    """What making a plan noted: decisions on variables, in order, and how each parameter is read."""

    variables: Variables
    decisions: list[tuple[Read, Hashable]] = field(default_factory=list)
    parameters: dict[str, Read] = field(default_factory=dict)

    def decide(self, read: Read) -> Any:
        """What `read` says now; the plan holds only for variables of which it says the same."""
        said = read(self.variables)
        self.decisions.append((read, said))
        return said

    def parameter(self, read: Read, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        """A parameter that is read from the variables of every request."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = read
        return Parameter(name, kind)


class Parameter(ColumnElement[Any]):
    """The place of a parameter in a plan's statement."""

    inherit_cache = False

    def __init__(self, name: str, kind: TypeEngine[Any]) -> None:
        self.name, self.type = name, kind


@compiles(Parameter)
def _marked(element: Parameter, compiler: Any, **_options: Any) -> str:
    return f"\x01{element.name}:{element.type.compile(compiler.dialect).split(' COLLATE')[0]}\x02"


class Given:
    """A value of an argument. Without a trace it is what it is; with one it may differ in the next request."""

    __slots__ = ("_read", "_trace", "_value")

    def __init__(self, value: Any = None, trace: Trace | None = None, read: Read | None = None) -> None:
        self._value, self._trace, self._read = value, trace, read

    def settled(self) -> Any:
        """The value itself, as a part of the plan."""
        if self._trace is None or self._read is None:
            return self._value
        read = self._read
        self._trace.decide(lambda variables: frozen(read(variables)))
        return read(self._trace.variables)

    @property
    def is_null(self) -> bool:
        """Whether it is null."""
        return bool(self._decided(lambda value: value is None))

    def then(self, make: Callable[[Any], Any]) -> Given:
        """What `make` makes of the value; it may raise ApiError."""
        if self._trace is None or self._read is None:
            return Given(make(self._value), self._trace)
        read = self._read

        def made(variables: Variables) -> Any:
            key = id(made)
            if key not in variables.memo:
                variables.memo[key] = make(read(variables))
            return variables.memo[key]

        return Given(None, self._trace, made)

    def fields(self) -> dict[str, Given]:
        """The fields of an input object, by name; those that are not said are missing."""
        names = self._decided(tuple)
        return {name: self._part(name) for name in names}

    def items(self) -> list[Given]:
        """The items of a list."""
        return [self._part(place) for place in range(self._decided(len))]

    def bind(self, kind: TypeEngine[Any], make: Callable[[Any], Any] = lambda value: value) -> ColumnElement[Any]:
        """The value as SQL. Raises what `make` raises."""
        if self._trace is None:
            return literal(make(self._value), kind)
        if self._read is None:
            value = make(self._value)
            return self._trace.parameter(lambda _variables: value, kind)
        read = self._read
        return self._trace.parameter(lambda variables: make(read(variables)), kind)

    def _decided(self, look: Callable[[Any], Any]) -> Any:
        if self._trace is None or self._read is None:
            return look(self._value)
        read = self._read
        return self._trace.decide(lambda variables: look(read(variables)))

    def _part(self, place: Any) -> Given:
        if self._trace is None or self._read is None:
            return Given(self._value[place], self._trace)
        read = self._read
        return Given(None, self._trace, lambda variables: read(variables)[place])


def frozen(value: Any) -> Hashable:
    """A coerced value as something that can be looked up."""
    if isinstance(value, Mapping):
        return tuple((name, frozen(part)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    kept: Hashable = value
    return kept


ABSENT = Given()
