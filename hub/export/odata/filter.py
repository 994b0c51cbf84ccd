"""The language of $filter. In: its text. Out: a tree of conditions on columns; nothing of it is SQL.

Tokens, then precedence climbing: `or` binds least, then `and`, then comparisons, then `not` (OData 4.01 URL, 5.1.1.14).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from hub.clock import to_us
from hub.export.refusals import UnknownExport

LONGEST = 8_000
DEEPEST = 40
MOST_DIGITS = 60
COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
FUNCTIONS = ("contains", "startswith", "endswith")
PRECEDENCE = {"or": 1, "and": 2}
_TOKEN = re.compile(
    r"""(?P<blank>\s+) | (?P<string>'(?:[^']|'')*')
    | (?P<instant>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6}0*)?)?(?:Z|[+-]\d\d:\d\d))?(?![\w.]))
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?(?![\w.])) | (?P<name>[A-Za-z_]\w*) | (?P<sign>[(),])""",
    re.VERBOSE | re.ASCII,
)


class Instant(int):
    """Microseconds since the epoch."""


Literal = str | Instant | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column beside a literal; `operator` is one of COMPARISONS."""

    column: str
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column is one of the literals."""

    column: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A text holds another; `function` is one of FUNCTIONS."""

    function: str
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Holds:
    """A flag is true."""

    column: str


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Joined:
    """Two conditions with `and` or `or` between them."""

    operator: str
    left: Condition
    right: Condition


Condition = Comparison | OneOf | Match | Holds | Not | Joined


class Token(NamedTuple):
    """A word of the text and its kind: string, instant, number, name, sign, or end."""

    kind: str
    text: str
    at: int


def parse(text: str) -> Condition:
    """The conditions that the text says. Raises UnknownExport, which names the place."""
    if len(text) > LONGEST:
        raise UnknownExport(f"$filter: longer than {LONGEST} characters")
    parser = _Parser(list(_tokens(text)))
    condition = parser.condition(0, 0)
    parser.expect("end", "")
    return condition


def parse_literal(text: str) -> Literal:
    """A literal alone, as in a key. Raises UnknownExport."""
    parser = _Parser(list(_tokens(text)))
    literal = parser.literal()
    parser.expect("end", "")
    return literal


def columns_of(condition: Condition) -> frozenset[str]:
    """The columns that a condition reads."""
    match condition:
        case Not(inner):
            return columns_of(inner)
        case Joined(_, left, right):
            return columns_of(left) | columns_of(right)
    return frozenset({condition.column})


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise UnknownExport(f"$filter: cannot read on at character {at + 1}: {text[at : at + 20]!r}")
        if found.lastgroup != "blank":
            yield Token(found.lastgroup, found[0], at)
        at = found.end()
    yield Token("end", "", at)


class _Parser:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._place = tokens, 0

    def condition(self, least: int, depth: int) -> Condition:
        """A condition whose operators bind tighter than `least`."""
        left = self._primary(depth)
        while (operator := self._now.text) in PRECEDENCE and PRECEDENCE[operator] > least:
            self._take()
            left = Joined(operator, left, self.condition(PRECEDENCE[operator], depth + 1))
        return left

    def literal(self) -> Literal:
        """A text, a number, an instant, true, false or null."""
        token = self._take()
        match token.kind, token.text:
            case "string", text:
                return text[1:-1].replace("''", "'")
            case "instant", text:
                return self._instant(token, text)
            case "number", text if len(text) <= MOST_DIGITS:
                return _decimal(text)
            case "name", "true" | "false" as word:
                return word == "true"
            case "name", "null":
                return None
        raise self._wrong(token, "a value: 'text', a number, an instant, true, false or null")

    def expect(self, kind: str, text: str) -> Token:
        """Takes the next token, which must be this one."""
        token = self._take()
        if (token.kind, token.text) != (kind, text):
            raise self._wrong(token, repr(text) if text else "the end, `and` or `or`")
        return token

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._now
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def _primary(self, depth: int) -> Condition:
        token = self._now
        if depth > DEEPEST:
            raise self._wrong(token, f"no more than {DEEPEST} conditions in one another")
        if token.text == "(":
            self._take()
            inner = self.condition(0, depth + 1)
            self.expect("sign", ")")
            return inner
        if token.kind == "name" and token.text == "not":
            self._take()
            return Not(self._negated(depth + 1))
        if token.kind == "name" and token.text not in ("true", "false", "null"):
            return self._about_column()
        literal = self.literal()
        operator = self._operator()
        return Comparison(self._column(), MIRRORED[operator], literal)

    def _negated(self, depth: int) -> Condition:
        """What `not` binds to: parentheses, a function, another `not` or a flag, but no comparison."""
        following = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        if self._now.text in ("(", "not") or following.text == "(":
            return self._primary(depth)
        return Holds(self._column())

    def _about_column(self) -> Condition:
        token = self._take()
        if self._now.text == "(":
            return self._call(token)
        if self._now.text == "in":
            self._take()
            return OneOf(token.text, self._listed())
        if self._now.text in COMPARISONS:
            return Comparison(token.text, self._operator(), self.literal())
        return Holds(token.text)

    def _call(self, token: Token) -> Match:
        if token.text not in FUNCTIONS:
            raise UnknownExport(f"$filter: there is no {token.text}(); use {', '.join(FUNCTIONS)}")
        self.expect("sign", "(")
        column = self._column()
        self.expect("sign", ",")
        text = self.literal()
        self.expect("sign", ")")
        if not isinstance(text, str):
            raise UnknownExport(f"$filter: {token.text}() looks for a 'text'")
        return Match(token.text, column, text)

    def _listed(self) -> tuple[Literal, ...]:
        self.expect("sign", "(")
        literals = [self.literal()]
        while self._now.text == ",":
            self._take()
            literals.append(self.literal())
        self.expect("sign", ")")
        return tuple(literals)

    def _operator(self) -> str:
        token = self._take()
        if token.kind != "name" or token.text not in COMPARISONS:
            raise self._wrong(token, f"one of {', '.join(COMPARISONS)}")
        return token.text

    def _column(self) -> str:
        token = self._take()
        if token.kind != "name":
            raise self._wrong(token, "a column")
        return token.text

    def _instant(self, token: Token, text: str) -> Instant:
        """A day is its first moment, UTC."""
        try:
            moment = datetime.fromisoformat(text)
            return Instant(to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
        except (ValueError, OverflowError):
            raise self._wrong(token, "an instant that there is") from None

    def _wrong(self, token: Token, wanted: str) -> UnknownExport:
        found = repr(token.text) if token.text else "the end"
        return UnknownExport(f"$filter: at character {token.at + 1} stands {found}, wanted is {wanted}")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UnknownExport(f"$filter: {text} is no number") from None
