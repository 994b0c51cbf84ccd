"""Filters. In: a filter's coerced value and its input type's declarations. Out: SQL conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, func, not_, or_, true

from hub.api.asked.given import Given
from hub.api.declare import LARGEST_FIRST, READS, Folded, Worded
from hub.api.errors import ApiError
from hub.api.read.search import begins, checked_text, has_words
from hub.api.scope import Scope
from hub.insight.search import sort_key


def conditions(scope: Scope, filter_type: Any, said: Given) -> list[ColumnElement[bool]]:
    """The conditions of a filter; what is not said (or null) does not restrict. Raises ApiError BAD_USER_INPUT."""
    return [] if said.is_null else list(_conditions(scope, _columns(filter_type), said))


def _columns(filter_type: Any) -> dict[str, ColumnElement[Any]]:
    fields = filter_type.__strawberry_definition__.fields
    return {_camel(f.python_name): f.metadata[READS] for f in fields if READS in (f.metadata or {})}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _conditions(scope: Scope, columns: Mapping[str, Any], said: Given) -> Iterator[ColumnElement[bool]]:
    for name, value in said.fields().items():
        if value.is_null:
            continue
        if name == "and":
            yield and_(true(), *(_all(scope, columns, part) for part in value.items()))
        elif name == "or":
            parts = value.items()
            yield or_(*(_all(scope, columns, part) for part in parts)) if parts else not_(true())
        elif name == "not":
            # A condition over an unknown value is unknown; its contrary is to hold for the row all the same.
            yield not_(func.coalesce(_all(scope, columns, value), not_(true())))
        else:
            yield from _holds(scope, columns[name], name, value)


def _holds(scope: Scope, reads: Any, name: str, said: Given) -> Iterator[ColumnElement[bool]]:
    match reads:
        case Worded(customer_no):
            yield from has_words(customer_no, said, name)
        case Folded(column):
            yield from _compared(scope, column, name, said, sort_key)
        case ColumnElement(type=Boolean()):
            yield reads == said.bind(reads.type)
        case _:
            yield from _compared(scope, reads, name, said)


def _all(scope: Scope, columns: Mapping[str, Any], said: Given) -> ColumnElement[bool]:
    return and_(true(), *_conditions(scope, columns, said))


def _compared(
    scope: Scope, column: ColumnElement[Any], name: str, said: Given, fold: Callable[[str], str] = str
) -> Iterator[ColumnElement[bool]]:
    for operator, value in said.fields().items():
        if value.is_null:
            if operator == "eq":
                yield column.is_(None)
        elif operator == "startsWith":
            yield begins(column, value.then(lambda text: fold(checked_text(text, name))))
        elif operator in ("eq", "in"):
            words = [value] if operator == "eq" else value.items()
            yield _one_of(column, name, words, fold)
        else:
            yield _COMPARED[operator](scope, column, value)


def _one_of(
    column: ColumnElement[Any], name: str, words: Sequence[Given], fold: Callable[[str], str]
) -> ColumnElement[bool]:
    if len(words) > LARGEST_FIRST:
        raise ApiError("BAD_USER_INPUT", f"{name}.in: {len(words)} values; {LARGEST_FIRST} at most")
    bound = [word.bind(column.type, lambda said: fold(_plain(said, name))) for word in words]
    return column == bound[0] if len(bound) == 1 else column.in_(bound)


_COMPARED: dict[str, Callable[[Scope, ColumnElement[Any], Given], ColumnElement[bool]]] = {
    "from": lambda scope, column, said: column >= said.bind(column.type, scope.day_begins),
    "to": lambda scope, column, said: column < said.bind(column.type, scope.day_ends),
    "gte": lambda scope, column, said: column >= said.bind(column.type),
    "lte": lambda scope, column, said: column <= said.bind(column.type),
}


def _plain(value: Any, name: str) -> Any:
    """An enum's word or a text."""
    return checked_text(value, name) if type(value) is str else value.value


def days(scope: Scope, column: ColumnElement[Any], first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Whether an instant lies within days of the reporting time zone, both included."""
    begins = [] if first is None else [column >= scope.day_begins(first)]
    return begins if last is None else [*begins, column < scope.day_ends(last)]
