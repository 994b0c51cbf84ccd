"""The words of the invented company of the serve benchmark, and small pieces of SQL that spread them.

In: expressions and lists. Out: SQL that SQLite and PostgreSQL read alike.
"""

# ruff: noqa: S608  (statements of constants)
from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from hub.store.kept import metadata

DAY = 86_400_000_000
LAST = 1_782_856_799_000_000  # the sandbox company's last instant, 2026-06-30

CURRENCIES = (("EUR", 1000, "1"), ("GBP", 825, "0.825"), ("USD", 1140, "1.14"))
STEPS = ((1, "INITIATION"), (2, "CHOOSING"), (3, "BUYING"), (4, "LIVING"))
FLAGS = (
    (1, "failed_payment", "HIGH", 3, 30, "EMAIL", 1, "The payment failed and none has gone through since; day "),
    (2, "cancel_intent", "CRITICAL", 4, 40, "PHONE", 1, "They wrote that they want to cancel; day "),
    (3, "case_open_too_long", "MEDIUM", 2, 20, "EMAIL", 1, "A case has been open for too long; day "),
)
_TOUCHES: tuple[tuple[int, str, str, str, str, str], ...] = (
    (42, "visit.made", "WEB", "CUSTOMER", "matomo", "Pages seen:"),
    (12, "invoice.issued", "BILLING", "BRAND", "stripe", "Invoice HUB"),
    (12, "invoice.paid", "BILLING", "CUSTOMER", "stripe", "Paid HUB"),
    (12, "payment.succeeded", "BILLING", "CUSTOMER", "stripe", "Payment"),
    (5, "case.opened", "EMAIL", "CUSTOMER", "zendesk", "It does not work:"),
    (7, "case.reply", "EMAIL", "BRAND", "zendesk", "Re: it does not work:"),
    (3, "case.solved", "SUPPORT", "BRAND", "zendesk", "Solved:"),
    (2, "survey.answered", "SURVEY", "CUSTOMER", "zendesk", "CSAT"),
    (3, "contact.created", "SALES", "BRAND", "hubspot", "Contact created"),
    (2, "deal.opened", "SALES", "BRAND", "hubspot", "New business, household"),
)
KINDS_OF_TOUCH: tuple[tuple[str | int, ...], ...] = tuple(
    (share, *words) for share, words in enumerate(words for many, *words in _TOUCHES for _ in range(many))
)

_MULTIPLIERS = (1_103_515_245, 742_938_285, 950_706_376, 1_226_874_159, 62_089_911, 1_343_714_438, 2_049_513_912)
_PRIME = 2_147_483_647


def rolled(number: str, which: int) -> str:
    """A number that looks random, 0 to 2³¹ - 2, made from another by one of seven multipliers."""
    return f"({number} * {_MULTIPLIERS[which]} % {_PRIME})"


def picked(number: str, which: int, words: Sequence[str]) -> str:
    """One of some words, each as likely as the others."""
    whens = " ".join(f"WHEN {place} THEN {quoted(word)}" for place, word in enumerate(words))
    return f"CASE {rolled(number, which)} % {len(words)} {whens} END"


def by_share(number: str, shares: Sequence[tuple[str | int, int]]) -> str:
    """The first word whose share, in hundredths counted from 0, is not used up."""
    whens = " ".join(f"WHEN {number} % 100 < {share} THEN {quoted(word)}" for word, share in shares)
    return f"CASE {whens} END"


def rows_of(rows: Sequence[Sequence[str | int]], names: Sequence[str]) -> str:
    """A table `t` of constants."""
    selects = (
        "SELECT " + ", ".join(f"{quoted(value)} AS {name}" for name, value in zip(names, row, strict=True))
        for row in rows
    )
    return f"({' UNION ALL '.join(selects)}) AS t"


def either(condition: str, one: str, other: str) -> str:
    """One word where an expression is 0, else another."""
    return f"CASE WHEN {condition} = 0 THEN {quoted(one)} ELSE {quoted(other)} END"


def quoted(value: str | int) -> str:
    """A constant."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


class Pen:
    """Writes statements for one dialect and size."""

    def __init__(self, dialect: str, customers: int, each: int) -> None:
        self.postgresql = dialect == "postgresql"
        self.customers, self.each = customers, each
        self.step = next(step for step in range(customers * 5 // 8 + 7, 2 * customers + 9) if gcd(step, customers) == 1)

    def series(self, count: int) -> str:
        """Rows n = 1 to count."""
        if self.postgresql:
            return f"generate_series(CAST(1 AS bigint), {count}) AS s(n)"
        more = f"SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {count}"
        return f"(WITH RECURSIVE r(n) AS ({more}) SELECT n FROM r) AS s"

    def hexed(self, number: str) -> str:
        """A number as eight hexadecimal digits."""
        return f"lpad(to_hex({number}), 8, '0')" if self.postgresql else f"printf('%08x', {number})"

    def insert(self, table: str, values: dict[str, str], rows: str) -> str:
        """INSERT … SELECT of expressions by column; columns that are not named stay null."""
        columns = ", ".join(f'"{name}"' for name in values)
        if missing := values.keys() - metadata.tables[table].columns.keys():
            raise KeyError(f"{table} has no column {', '.join(sorted(missing))}")
        return f'INSERT INTO "{table}" ({columns}) SELECT {", ".join(values.values())} FROM {rows}'

    def listed(self, items: str) -> str:
        """An aggregate: the rows as a JSON list of lists, in the order in which they come."""
        return f"jsonb_agg(jsonb_build_array({items}))" if self.postgresql else f"json_group_array(json_array({items}))"
