"""The system query options of a request. In: the pairs of its query string. Out: a Query that names known columns only.

What a $skiptoken holds are the sort keys of the last row, so that pages neither skip nor repeat rows in between.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.export.column import Column
from hub.export.odata.filter import Condition, columns_of, parse
from hub.export.refusals import ForbiddenColumn, UnknownExport

OPTIONS = ("$select", "$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$format")
ELSEWHERE = ("$expand", "$search", "$apply", "$compute", "$levels", "$index", "$schemaversion", "$deltatoken")
MOST_KEYS = 8
MOST_DIGITS = 15


class NotImplementedOption(UnknownExport):
    """OData has it, this service has not."""


@dataclass(frozen=True, slots=True)
class Last:
    """Where a page ended: the sort keys of its last row, and how many rows of $top are left."""

    keys: tuple[int | str | None, ...]
    left: int | None


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an entity set; `order` holds columns and whether each descends."""

    select: tuple[str, ...]
    condition: Condition | None = None
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    last: Last | None = None

    @property
    def columns(self) -> frozenset[str]:
        """Every column that the answer depends on."""
        read = frozenset() if self.condition is None else columns_of(self.condition)
        return read | {*self.select, *(name for name, _ in self.order)}


def parse_query(pairs: Iterable[tuple[str, str]], columns: Mapping[str, Column], refused: Collection[str]) -> Query:
    """The query over an entity set with these columns, of which the first is its key and selected in any case.

    Options without a $ are the client's own and mean nothing here. Raises UnknownExport, NotImplementedOption, and
    ForbiddenColumn for a column that the role refuses.
    """
    said: dict[str, str] = {}
    for name, value in pairs:
        if name in ELSEWHERE:
            raise NotImplementedOption(f"{name} is not supported; use {', '.join(OPTIONS)}")
        if name.startswith("$") and (name not in OPTIONS or name in said):
            raise UnknownExport(f"{name}: there are {', '.join(OPTIONS)}, each at most once")
        said[name] = value
    query = Query(
        _selected(said.get("$select", "*"), columns),
        parse(said["$filter"]) if said.get("$filter") else None,
        tuple(_ordered(said.get("$orderby", ""))),
        _number("$top", said["$top"]) if "$top" in said else None,
        _number("$skip", said.get("$skip", "0")),
        _flag(said.get("$count", "false")),
        decode_last(said["$skiptoken"]) if "$skiptoken" in said else None,
    )
    for name in sorted(query.columns):
        if name in refused:
            raise ForbiddenColumn(f"{name} is not for this role; choose of {', '.join(columns)}")
        if name not in columns:
            raise UnknownExport(f"there is no {name!r}; choose of {', '.join(columns)}")
    return query


def encode_last(last: Last) -> str:
    """The $skiptoken of a page's end."""
    said = json.dumps([last.left, *last.keys], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def decode_last(token: str) -> Last:
    """The end that `encode_last` wrote. Raises UnknownExport where it is none."""
    try:
        said: Any = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        left, *keys = said
    except (ValueError, TypeError, RecursionError):
        raise UnknownExport("$skiptoken: is none of ours; follow @odata.nextLink as it is") from None
    whole = all(key is None or type(key) in (int, str) for key in keys) and (left is None or type(left) is int)
    if not whole or not keys or any(type(key) is int and abs(key) >= 2**63 for key in (left, *keys)):
        raise UnknownExport("$skiptoken: is none of ours; follow @odata.nextLink as it is")
    return Last(tuple(keys), left)


def _selected(text: str, columns: Mapping[str, Column]) -> tuple[str, ...]:
    key = next(iter(columns))
    names = [name.strip() for name in text.split(",")]
    if "*" in names:
        return tuple(columns)
    unique = dict.fromkeys(names)
    return tuple(unique) if key in unique else (key, *unique)


def _ordered(text: str) -> Iterable[tuple[str, bool]]:
    parts = [part.split() for part in text.split(",")] if text.strip() else []
    if len(parts) > MOST_KEYS:
        raise UnknownExport(f"$orderby: more than {MOST_KEYS} columns")
    for words in parts:
        if len(words) not in (1, 2) or words[1:] not in ([], ["asc"], ["desc"]):
            raise UnknownExport(f"$orderby: {' '.join(words)!r} is not a column with asc or desc")
        yield words[0], words[1:] == ["desc"]


def _number(option: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise UnknownExport(f"{option}: {text!r} is no number of rows")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise UnknownExport(f"$count: {text!r} is not true or false")
    return text == "true"
