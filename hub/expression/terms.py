"""The values of the rule language: names, plain values, durations and arithmetic, each with what it holds.

In: a node of a parsed expression and the names it may use. Out: a Term, or an ExpressionError. Nothing of a rule's
text reaches SQL but through the rendering here and in grammar.py.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlglot import exp

Dialect = Literal["sqlite", "postgresql"]
Kind = Literal["text", "number", "ratio", "amount", "instant", "duration", "flag", "condition", "null"]

MICROSECONDS = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
DURATION = "minutes__"  # what `30d` becomes before it is parsed: minutes__(43200); no rule may write it
FUNCTIONS = {
    "count": "count(), or count(distinct name): how many rows, or how many different values",
    "sum": "sum(name): of a number",
    "min": "min(name): the least number, ratio or instant",
    "max": "max(name): the greatest number, ratio or instant",
    "days": "days(a, b): whole days from instant a to instant b",
}

AGGREGATES: dict[type[exp.Expression], str] = {exp.Count: "count", exp.Sum: "sum", exp.Min: "min", exp.Max: "max"}
CONDITIONS = (
    exp.And, exp.Or, exp.Not, exp.Between, exp.In, exp.Is, exp.Like,
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE,
)  # fmt: skip


class ExpressionError(Exception):
    """A rule's text cannot be used: `where: what, what is allowed, did you mean`. `what` has no place."""

    def __init__(self, where: str, what: str) -> None:
        self.what = what
        super().__init__(f"{where}: {what}" if where else what)


@dataclass(frozen=True, slots=True)
class Name:
    """What a rule may name: its SQL, what it holds, and the words it may be compared with (empty: any)."""

    sql: str
    kind: Kind
    options: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Scope:
    """The names that a rule sees. `of` says in messages what they belong to."""

    of: str
    names: Mapping[str, Name]


@dataclass(frozen=True, slots=True)
class Term:
    """A value in the making. An instant is `sql` + `offset`; `sql` is empty for as_of."""

    sql: str
    kind: Kind
    options: tuple[str, ...] = ()
    literal: str | None = None
    offset: int = 0

    @property
    def is_as_of(self) -> bool:
        """Whether it is the run's instant, possibly moved."""
        return self.kind == "instant" and not self.sql


@dataclass(slots=True)
class Values:
    """Writes the values of one text for one dialect and collects the names that they use."""

    text: str
    scope: Scope
    where: str
    dialect: Dialect
    columns: set[str] = field(default_factory=set)

    def value(self, node: exp.Expression) -> Term:
        """The node as a value. Raises ExpressionError for whatever is not listed here."""
        match node:
            case exp.Paren():
                return self.value(node.this)
            case exp.Column():
                return self._named(node)
            case exp.Literal():
                return self._literal(node)
            case exp.Boolean():
                word = "true" if node.this else "false"
                return Term(word, "flag", literal=word)
            case exp.Null():
                return Term("NULL", "null")
            case exp.Neg():
                term = self.value(node.this)
                if term.kind not in ("number", "ratio"):
                    raise self.error(f"{article(term)} has no negative")
                return replace(term, sql=f"(-{term.sql})", literal=None if term.literal is None else f"-{term.literal}")
            case exp.Add() | exp.Sub():
                return self._added(self.value(node.this), self.value(node.expression), isinstance(node, exp.Sub))
            case exp.Mul():
                return self._multiplied(self.value(node.this), self.value(node.expression))
            case exp.Anonymous():
                return self._called(node)
        if type(node) in AGGREGATES:
            raise self.error(f"{AGGREGATES[type(node)]}() may stand only as a metric's `value`")
        if isinstance(node, CONDITIONS):
            return Term("", "condition")
        raise self.error(f"`{_shown(node)}` is not part of the rule language; functions: {', '.join(FUNCTIONS)}")

    def error(self, what: str) -> ExpressionError:
        """The error for this text, with its place and its beginning."""
        begun = self.text if len(self.text) <= 80 else f"{self.text[:77]}..."
        return ExpressionError(self.where, f"`{begun}`: {what}")

    def _named(self, node: exp.Column) -> Term:
        name = node.name
        if node.args.get("table") is not None:
            raise self.error(f"`{_shown(node)}`: names have no dots here")
        if name == "as_of":
            return Term("", "instant")
        known = self.scope.names.get(name)
        if known is None:
            allowed = ["as_of", *self.scope.names]
            near = hint(name, allowed)
            raise self.error(f"`{name}` is unknown for {self.scope.of}; allowed: {', '.join(allowed)}{near}")
        self.columns.add(name)
        return Term(known.sql, known.kind, known.options)

    def _literal(self, node: exp.Literal) -> Term:
        if node.is_string:
            return Term(quoted(node.this), "text", literal=node.this)
        if not re.fullmatch(r"\d{1,15}(\.\d{1,6})?", node.this):
            raise self.error(f"`{node.this}` is no number that can be used; at most 15 digits and 6 decimals")
        return Term(node.this, "ratio" if "." in node.this else "number", literal=node.this)

    def _added(self, left: Term, right: Term, minus: bool) -> Term:
        sign = "-" if minus else "+"
        if left.kind == "instant" and right.kind == "duration" and right.literal is not None:
            return replace(left, offset=left.offset + (-1 if minus else 1) * int(right.literal))
        if minus and left.kind == right.kind == "instant" and left.sql and right.sql:
            return Term(f"({moved(left)} - {moved(right)})", "duration")
        if left.kind == right.kind and left.kind in ("number", "amount", "duration"):
            return Term(f"({left.sql} {sign} {right.sql})", left.kind)
        remedy = "; write it as: name > as_of - 30d" if left.is_as_of or right.is_as_of else ""
        raise self.error(f"{article(left)} {sign} {article(right)} is not allowed{remedy}")

    def _multiplied(self, left: Term, right: Term) -> Term:
        plain = [t for t in (left, right) if t.literal is not None and len(t.literal) <= 6]
        if not plain or left.kind != "number" or right.kind != "number":
            raise self.error("`*` takes a number and a plain number of at most 6 digits; amounts are never multiplied")
        return Term(f"({left.sql} * {right.sql})", "number")

    def _called(self, node: exp.Anonymous) -> Term:
        name, arguments = str(node.this).lower(), node.expressions
        if name == DURATION:
            span = int(arguments[0].this) * MICROSECONDS["m"]
            return Term(str(span), "duration", literal=str(span))
        if name != "days":
            raise self.error(f"function `{name}` is unknown; allowed: {', '.join(FUNCTIONS)}{hint(name, FUNCTIONS)}")
        terms = [self.value(argument) for argument in arguments]
        if len(terms) != 2 or any(t.kind != "instant" or t.is_as_of for t in terms):
            raise self.error(f"{FUNCTIONS['days']}; neither may be as_of, which is written: name < as_of - 30d")
        return Term(f"(({moved(terms[1])} - {moved(terms[0])}) / {MICROSECONDS['d']})", "number")


def moved(term: Term) -> str:
    """The term's SQL with its offset."""
    return f"({term.sql} {'+' if term.offset > 0 else '-'} {abs(term.offset)})" if term.offset else term.sql


def quoted(text: str) -> str:
    """A text as an SQL literal; the colon is escaped because sqlalchemy.text reads `:name` in quotes as a bind."""
    return "'" + text.replace("'", "''").replace(":", "\\:") + "'"


def article(term: Term) -> str:
    """The kind of a term as messages name it."""
    if term.is_as_of:
        return "as_of"
    if term.kind == "null":
        return "null"
    return f"{'an' if term.kind in ('amount', 'instant') else 'a'} {term.kind}"


def _shown(node: exp.Expression) -> str:
    return node.sql()[:40]


def hint(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean x?` where one of the allowed words is close, else an empty text."""
    close = difflib.get_close_matches(word, list(allowed), 1, 0.6)
    return f"; did you mean `{close[0]}`?" if close else ""
