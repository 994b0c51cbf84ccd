"""The one rule language: small SQL-like conditions and aggregates over declared names, for either database.

In: a rule's text and a Scope (the names it may use). Out: a Condition or an Aggregate, or an ExpressionError.
sqlglot only parses; terms.py and grammar.py hold what is allowed and render it. docs/rules.md describes the
language for those who write rules. Instants are microseconds, ratios millionths, as in the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from hub.expression.grammar import Grammar
from hub.expression.terms import (
    AGGREGATES,
    DURATION,
    FUNCTIONS,
    MICROSECONDS,
    Dialect,
    ExpressionError,
    Kind,
    Name,
    Scope,
    Term,
    article,
    moved,
)
from mappings.model import ENTITIES, Type

LONGEST = 2_000
_DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")
_KINDS: dict[Type, Kind] = {
    Type.TEXT: "text",
    Type.CHOICE: "text",
    Type.CURRENCY: "text",
    Type.INSTANT: "instant",
    Type.NUMBER: "number",
    Type.RATIO: "ratio",
    Type.AMOUNT: "amount",
    Type.FLAG: "flag",
}
_TOKENS = re.compile(r"('(?:[^']|'')*')|\b(\d+)([a-z]+)\b|(--)|([^A-Za-z0-9_\s().,<>=!+*'-])")
# What a parsed node may carry; anything else is a variant that we would render without it.
_PARTS = {"this", "expression", "expressions", "low", "high", "table", "is_string", "big_int", "quoted"}
_SUMMED: dict[str, tuple[Kind, ...]] = {
    "count": ("text", "number", "instant", "flag", "ratio"),
    "sum": ("number",),
    "min": ("number", "ratio", "instant"),
    "max": ("number", "ratio", "instant"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition. Its SQL is for `sqlalchemy.text` and has one bind, `:as_of`.

    `flips`: (SQL of an instant, offset in µs): for the same row the truth changes only when as_of reaches one of
    these instants + offset. `guard` is what must hold besides, whatever as_of is, for a flip to matter.
    """

    _sql: Mapping[str, str]
    _guard: Mapping[str, str]
    columns: frozenset[str]
    flips: tuple[tuple[str, int], ...]

    def sql(self, dialect: str) -> str:
        """The condition in the dialect (sqlite or postgresql), in brackets."""
        return self._sql[dialect]

    def guard(self, dialect: str) -> str:
        """The part of the condition that does not depend on as_of, in brackets."""
        return self._guard[dialect]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A checked aggregate over rows, and the kind of what it yields."""

    function: str
    argument: str
    distinct: bool
    kind: Kind
    columns: frozenset[str] = frozenset()

    def sql(self, condition: str) -> str:
        """The aggregate over the rows for which the condition holds; where there are none null, for a count 0."""
        picked = f"CASE WHEN {condition} THEN {self.argument} END"
        if self.function == "count":
            return f"COUNT({'DISTINCT ' if self.distinct else ''}{picked})"
        return f"CAST({self.function.upper()}({picked}) AS BIGINT)"


@lru_cache(maxsize=64)
def entity_scope(entity: str, alias: str = "") -> Scope:
    """The fields of an entity of the vocabulary, as columns of `alias` where one is given. Raises KeyError."""
    fields = ENTITIES[entity].fields.items()
    prefix = f"{alias}." if alias else ""
    names = {n: Name(f'{prefix}"{n}"', _KINDS[f.type], f.options) for n, f in fields if f.type in _KINDS}
    return Scope(f"`{entity}`", names)


@lru_cache(maxsize=1024)
def compile_condition(text: str, scope: Scope, where: str = "") -> Condition:
    """The condition `text` over the names of `scope`. Raises ExpressionError, whose message begins with `where`."""
    tree = _read(text, where)
    writers = {dialect: Grammar(text, scope, where, dialect) for dialect in _DIALECTS}
    parts = {dialect: writer.condition(tree) for dialect, writer in writers.items()}
    one = writers["sqlite"]
    return Condition(
        {d: whole for d, (whole, _) in parts.items()},
        {d: guard for d, (_, guard) in parts.items()},
        frozenset(one.columns),
        tuple(dict.fromkeys(one.flips)),
    )


@lru_cache(maxsize=1024)
def compile_aggregate(text: str, scope: Scope, where: str = "") -> Aggregate:
    """The aggregate `text`, as count() or max(at), over the names of `scope`. Raises ExpressionError."""
    tree = _read(text, where)
    writer = Grammar(text, scope, where, "sqlite")
    function = AGGREGATES.get(type(tree))
    if function is None:
        raise writer.error(f"is no aggregate; allowed: {', '.join(AGGREGATES.values())}")
    distinct = isinstance(tree.this, exp.Distinct)
    arguments = tree.this.expressions if distinct else [a for a in (tree.this, *tree.expressions) if a is not None]
    if function == "count" and not arguments:
        return Aggregate("count", "1", False, "number")
    if len(arguments) != 1 or (function == "count") != distinct:
        raise writer.error(f"is not how it is written: {FUNCTIONS[function]}")
    term = writer.value(arguments[0])
    _check_argument(writer, function, term)
    kind: Kind = "number" if function == "count" else term.kind
    return Aggregate(function, moved(term), distinct, kind, frozenset(writer.columns))


def duration(text: str, where: str = "") -> int:
    """`30d`, `12h`, `2w` or `90m` in microseconds. Raises ExpressionError."""
    found = re.fullmatch(r"(\d{1,6})([a-z]+)", text)
    if not found or found[2] not in MICROSECONDS:
        raise ExpressionError(where, f"`{text}` is no duration; write 30d, 12h, 2w or 90m")
    return int(found[1]) * MICROSECONDS[found[2]]


def _check_argument(writer: Grammar, function: str, term: Term) -> None:
    if term.is_as_of or term.kind not in _SUMMED[function] or not writer.columns:
        amount = "amounts of several currencies do not add up" if term.kind == "amount" else ""
        why = amount or f"it takes a name that holds a {', '.join(_SUMMED[function])}"
        raise writer.error(f"{function} of {article(term)} is not allowed; {why}")


def _read(text: str, where: str) -> exp.Expression:
    """The parsed text; what cannot be part of any rule is refused before it is parsed."""
    if len(text) > LONGEST:
        raise ExpressionError(where, f"`{text[:40]}…`: is longer than {LONGEST} characters")
    shown = f"`{text}`"
    if DURATION in text:
        raise ExpressionError(where, f"{shown}: `{DURATION}` is unknown; a duration is written 30d, 12h, 2w or 90m")
    try:
        found = parse(_TOKENS.sub(lambda token: _token(token, where, shown), text))
    except SqlglotError:
        raise ExpressionError(where, f"{shown}: cannot be read; is a word, a quote or a bracket missing?") from None
    except RecursionError:
        raise ExpressionError(where, f"`{text[:40]}…`: is nested too deeply") from None
    if len(found) != 1 or not isinstance(found[0], exp.Expression):
        raise ExpressionError(where, f"{shown}: is not one expression")
    for node in found[0].walk():
        if extra := sorted(name for name, value in node.args.items() if value and name not in _PARTS):
            raise ExpressionError(where, f"{shown}: `{extra[0]}` is not part of the rule language")
    return found[0]


def _token(found: re.Match[str], where: str, shown: str) -> str:
    literal, count, unit, comment, odd = found.groups()
    if literal is not None:
        if not literal.isprintable():
            raise ExpressionError(where, f"{shown}: a text in quotes holds a character that cannot be printed")
        return str(literal)
    if comment or odd:
        what = f"`{comment or odd}` is not part of the rule language; texts stand in 'single quotes'"
        raise ExpressionError(where, f"{shown}: {what}")
    return f"{DURATION}({duration(count + unit, where) // MICROSECONDS['m']})"
