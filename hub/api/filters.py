"""Filters. In: a filter's coerced value and its input type's declarations. Out: SQL conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, true

from hub.api.declare import LARGEST_FIRST, READS
from hub.api.errors import ApiError
from hub.api.scope import Scope


def conditions(scope: Scope, filter_type: Any, said: Mapping[str, Any] | None) -> list[ColumnElement[bool]]:
    """The conditions of a filter; what is not said (or null) does not restrict. Raises ApiError BAD_USER_INPUT."""
    return list(_conditions(scope, _columns(filter_type), said or {}))


def checked_text(value: str, name: str) -> str:
    """A text that a database can compare. Raises ApiError BAD_USER_INPUT."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ApiError("BAD_USER_INPUT", f"{name}: holds a character that no stored text has")
    return value


def _columns(filter_type: Any) -> dict[str, ColumnElement[Any]]:
    fields = filter_type.__strawberry_definition__.fields
    return {_camel(f.python_name): f.metadata[READS] for f in fields if READS in (f.metadata or {})}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _conditions(scope: Scope, columns: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[ColumnElement[bool]]:
    for name, value in said.items():
        if value is None:
            continue
        if name == "and":
            yield and_(true(), *(_all(scope, columns, part) for part in value))
        elif name == "or":
            yield or_(*(_all(scope, columns, part) for part in value)) if value else not_(true())
        elif name == "not":
            # A condition over an unknown value is unknown; its contrary is to hold for the row all the same.
            yield not_(func.coalesce(_all(scope, columns, value), not_(true())))
        elif isinstance(value, Mapping):
            yield from _compared(scope, columns[name], name, value)
        else:
            yield columns[name] == value


def _all(scope: Scope, columns: Mapping[str, Any], said: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(true(), *_conditions(scope, columns, said))


def _compared(
    scope: Scope, column: ColumnElement[Any], name: str, said: Mapping[str, Any]
) -> Iterator[ColumnElement[bool]]:
    for operator, value in said.items():
        match operator:
            case "eq":
                yield column.is_(None) if value is None else column == _plain(value, name)
            case "in" if value is not None:
                if len(value) > LARGEST_FIRST:
                    raise ApiError("BAD_USER_INPUT", f"{name}.in: {len(value)} values; {LARGEST_FIRST} at most")
                yield column.in_([_plain(item, name) for item in value])
            case "from" if value is not None:
                yield column >= scope.day_begins(value)
            case "to" if value is not None:
                yield column < scope.day_ends(value)
            case "gte" if value is not None:
                yield column >= value
            case "lte" if value is not None:
                yield column <= value


def _plain(value: Any, name: str) -> Any:
    """An enum's word or a text."""
    return checked_text(value, name) if type(value) is str else value.value


def days(scope: Scope, column: ColumnElement[Any], first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Whether an instant lies within days of the reporting time zone, both included."""
    begins = [] if first is None else [column >= scope.day_begins(first)]
    return begins if last is None else [*begins, column < scope.day_ends(last)]
