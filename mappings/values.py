"""In: any JSON value. Out: plain text or an exact decimal; UnfitError where it is none.

A reason never holds the value itself: it may be somebody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any


class UnfitError(ValueError):
    """A value that cannot be what the mapping says it is; the message names its kind, not the value."""


def kind_of(value: Any) -> str:
    """The kind of a JSON value, for messages."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return {str: "a text", list: "a list", dict: "an object", type(None): "nothing"}.get(type(value), "a value")


def joined_key(parts: Sequence[str]) -> str:
    """One key made of several parts with `/` between them; where a part holds one, it stands behind a backslash, so
    that no two records share a key."""
    return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)


def plain(value: Any) -> str | None:
    """Any single value as trimmed text; an empty text is None."""
    if value.__class__ is str:
        value = value.strip()
        if not value:
            return None
        return value if value.isprintable() else _storable(value)
    if value.__class__ is bool:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value) if isinstance(value, float) and value.is_integer() else value)
    raise UnfitError(f"{kind_of(value)} where a text is expected")


def short(value: str | None, most: int) -> str | None:
    """The text as it is. Raises UnfitError where it has more than `most` letters."""
    if value is not None and len(value) > most:
        raise UnfitError(f"a text of more than {most} letters")
    return value


def _storable(value: str) -> str | None:
    """Without what PostgreSQL and UTF-8 cannot hold: NUL and lone surrogates."""
    return value.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8").strip() or None


def decimal_of(value: Any, expected: str) -> Decimal:
    """Exact: a JSON number's shortest form is what the source wrote. `1_000` is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise UnfitError(f"{kind_of(value)} where {expected} is expected")
    if isinstance(value, str) and ("_" in value or len(value) > 60):
        raise UnfitError(f"a text that is not {expected}")
    try:
        said = Decimal(value.strip() if isinstance(value, str) else repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise UnfitError(f"a text that is not {expected}") from None
    if not said.is_finite() or abs(said.adjusted()) > 40:
        raise UnfitError(f"a value that is not {expected}")
    return said
