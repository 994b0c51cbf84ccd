"""In: values as generated code finds them. Out: the same looked up, checked or put together; it calls these by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from mappings.converters import CONVERTERS
from mappings.converting.instants import eu_time, iso, iso_date, us_time
from mappings.values import UnfitError, plain

NO_DEFAULT = object()
_SCALARS = frozenset((str, int, float, bool))


def raise_unfit(reason: str) -> None:
    """Raises UnfitError: a setting of the source does not fit where the mapping puts it."""
    raise UnfitError(reason)


def something(value: Any, nothing: frozenset[tuple[type, Any]]) -> Any:
    """The value, None where it is one of those that the system writes for nothing."""
    if value.__class__ is str:
        return None if (str, value.strip()) in nothing else value
    return None if value.__class__ in _SCALARS and (value.__class__, value) in nothing else value


def raise_missing() -> None:
    """Raises UnfitError: the mapping needs a value and there is none."""
    raise UnfitError("a value is needed and there is none")


def looked_up(value: Any, table: Mapping[str, Any], default: Any) -> Any:
    """The table's word for a value. Raises UnfitError where the table lacks it and there is no default."""
    word = plain(value)
    if word is None or word in table:
        return None if word is None else table[word]
    if default is NO_DEFAULT:
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


def region_of(value: Any, default: str) -> str:
    """The country in a value, or the default."""
    found = CONVERTERS["country"].call(value) if value.__class__ is str else None
    return str(found or default)


# What reads a time by a converter of days.
DAYS: dict[str | None, Callable[[Any, ZoneInfo], int | None]] = {
    "date": midnight, "eu_date": eu_time, "us_date": us_time
}  # fmt: skip
