"""The conditions of the rule language: an allow-list over a parsed expression, rendered by us for either database.

In: a parsed expression and the names it may use. Out: SQL, and the instants at which its truth may flip.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sqlglot import exp

from hub.expression.terms import Kind, Term, Values, article, hint, moved, quoted

_COMPARE: dict[type[exp.Expression], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_MIRROR = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# After which microseconds past `column - k` the truth of `column <op> as_of + k` has changed.
_FLIPS = {"=": (0, 1), "<>": (0, 1), "<": (1,), "<=": (0,), ">": (0,), ">=": (1,)}
_SIGNS = re.compile(r"\\[\\%]|.")


@dataclass(slots=True)
class Grammar(Values):
    """Writes a whole condition for one dialect; collects the names it uses and its flips on the way."""

    flips: list[tuple[str, int]] = field(default_factory=list)

    def condition(self, tree: exp.Expression) -> tuple[str, str]:
        """The SQL of the whole, and of those of its and-ed parts that do not depend on as_of."""
        parts, timeless = [], []
        for node in _conjuncts(tree):
            before = len(self.flips)
            parts.append(self._truth(node))
            timeless += [parts[-1]] if len(self.flips) == before else []
        return f"({' AND '.join(parts)})", f"({' AND '.join(timeless or ['1 = 1'])})"

    def _truth(self, node: exp.Expression) -> str:
        """A condition. Comparisons, and/or/not, in, between, is null, like, and flags by themselves."""
        match node:
            case exp.And() | exp.Or():
                word = "AND" if isinstance(node, exp.And) else "OR"
                return f"({self._truth(node.this)} {word} {self._truth(node.expression)})"
            case exp.Not():
                return f"(NOT {self._truth(node.this)})"
            case exp.Paren():
                return self._truth(node.this)
            case exp.Between():
                value, low, high = self.value(node.this), self.value(node.args["low"]), self.value(node.args["high"])
                return f"({self._compared(value, '>=', low)} AND {self._compared(value, '<=', high)})"
            case exp.In():
                return self._in(node)
            case exp.Is():
                return self._is_null(node)
            case exp.Like():
                return self._like(node)
        if type(node) in _COMPARE:
            return self._compared(self.value(node.this), _COMPARE[type(node)], self.value(node.expression))
        term = self.value(node)
        if term.kind != "flag" or term.literal is not None:
            raise self.error(f"{article(term)} is no condition; compare it with something")
        return f"({term.sql})"

    def _compared(self, left: Term, op: str, right: Term) -> str:
        if left.is_as_of and not right.is_as_of:
            left, right, op = right, left, _MIRROR[op]
        left, right = _fitted(left, right), _fitted(right, left)
        self._check_comparison(left, op, right)
        if right.is_as_of:
            shift = right.offset - left.offset
            self.flips += [(left.sql, late - shift) for late in _FLIPS[op]]
            return f"({left.sql} {op} :as_of{shift:+d})" if shift else f"({left.sql} {op} :as_of)"
        return f"({moved(left)} {op} {moved(right)})"

    def _check_comparison(self, left: Term, op: str, right: Term) -> None:
        kinds = {left.kind, right.kind}
        if len(kinds) > 1 or kinds & {"condition", "null"} or left.is_as_of:
            raise self.error(f"{article(left)} cannot be compared with {article(right)}{_remedy(kinds)}")
        if left.kind in ("text", "flag") and op not in ("=", "<>"):
            raise self.error(f"{article(left)} has no order; allowed: =, <>, in, is null")
        for one, other in ((left, right), (right, left)):
            if one.options and other.literal is not None and other.literal not in one.options:
                near = hint(other.literal, one.options)
                raise self.error(f"'{other.literal}' is none of {', '.join(one.options)}{near}")

    def _in(self, node: exp.In) -> str:
        left, listed = self.value(node.this), [self.value(item) for item in node.expressions]
        fitted = [_fitted(item, left) for item in listed]
        if not fitted or any(item.literal is None for item in fitted) or left.is_as_of or left.kind == "instant":
            raise self.error("`in` takes a name and a list of plain values, as: type in ('a.b', 'c.d')")
        for item in fitted:
            self._check_comparison(left, "=", item)
        return f"({moved(left)} IN ({', '.join(item.sql for item in fitted)}))"

    def _is_null(self, node: exp.Is) -> str:
        term = self.value(node.this)
        if not isinstance(node.expression, exp.Null) or term.is_as_of:
            raise self.error("after `is` only null or not null may stand, and before it a name")
        return f"({term.sql} IS NULL)"

    def _like(self, node: exp.Like) -> str:
        """`'a%'` begins with a, `'%a'` ends with a, `'%a%'` contains a; `\\%` is the sign itself. Case counts."""
        term, pattern = self.value(node.this), self.value(node.expression)
        if term.kind != "text" or pattern.literal is None or term.literal is not None:
            raise self.error("`like` takes a text name and a text in quotes")
        match _between_wildcards(pattern.literal):
            case [whole]:
                return f"({term.sql} = {quoted(whole)})"
            case [start, ""] if start:
                return f"(substr({term.sql}, 1, {len(start)}) = {quoted(start)})"
            case ["", end] if end:
                last = f"substr({term.sql}, -" if self.dialect == "sqlite" else f"right({term.sql}, "
                return f"({last}{len(end)}) = {quoted(end)})"
            case ["", inner, ""] if inner:
                found = "instr" if self.dialect == "sqlite" else "strpos"
                return f"({found}({term.sql}, {quoted(inner)}) > 0)"
        raise self.error("`like` allows 'a%' (begins), '%a' (ends) and '%a%' (contains); \\% is the sign itself")


def _conjuncts(node: exp.Expression) -> list[exp.Expression]:
    if isinstance(node, exp.And):
        return [*_conjuncts(node.this), *_conjuncts(node.expression)]
    return _conjuncts(node.this) if isinstance(node, exp.Paren) else [node]


def _between_wildcards(pattern: str) -> list[str]:
    parts = [""]
    for sign in _SIGNS.findall(pattern):
        if sign == "%":
            parts.append("")
        else:
            parts[-1] += sign[-1]
    return parts


def _fitted(term: Term, other: Term) -> Term:
    """A plain number beside a ratio is a ratio, beside an amount only 0 is an amount: no other is free of currency."""
    if term.literal is None or term.kind not in ("number", "ratio"):
        return term
    if other.kind == "ratio" and other.literal is None:
        scaled = str(int(Decimal(term.literal) * 1_000_000))
        return replace(term, kind="ratio", sql=scaled, literal=scaled)
    return replace(term, kind="amount") if other.kind == "amount" and term.literal == "0" else term


def _remedy(kinds: set[Kind]) -> str:
    if "amount" in kinds:
        return "; an amount is compared with 0 or with another amount of the same row"
    if "ratio" in kinds:
        return "; a ratio is compared with a decimal number"
    return "; null is asked for with `is null`" if "null" in kinds else ""
