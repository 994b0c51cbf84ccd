"""Survivorship. In: the customers in `batch`. Out: their provenance: for each field every value that a source states,
the winner first (rank 0) and the losers in order, each with the strategy that decided about it.

Junk never wins, for it is not even listed. A field that is never shown has losers only. Text sorts by code point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, text

from hub.identity.contest import Contest, Said
from hub.identity.normalise.forms import Forms
from hub.identity.rules import Rules
from hub.store.batch import batch
from hub.store.bulk import insert_rows
from hub.store.derived import provenance
from mappings.checking.document import Place, hint
from mappings.rulebook import Rulebook
from mappings.survivorship import GoldenField

_PLAIN: tuple[GoldenField, ...] = (
    "display_name", "given_name", "family_name", "birth_date", "country", "language"
)  # fmt: skip
_LISTS: dict[str, GoldenField] = {"EMAIL": "emails", "PHONE": "phones"}
_COLUMNS = ("customer_no", "field", "rank", "value", "source", "stream", "key", "observed_at", "strategy")

# Of a profile's records that say the same, as the visits of a visitor do, the newest counts. CROSS JOIN: SQLite, which
# knows nothing of how few a batch holds, then begins there and not with all profiles.
_NAMED = ", ".join(f"p.{name}" for name in _PLAIN)
_RECORDS = f"""
SELECT l.customer_no, k.kind, l.source, l.stream, l.key, p.attributes,
       MAX(COALESCE(p.updated_at, p.created_at)) AS observed, {_NAMED}
FROM batch b CROSS JOIN customer_ledger k CROSS JOIN profile_ledger l CROSS JOIN profile p
WHERE k.customer_no = b.customer_no AND l.customer_no = b.customer_no AND p.profile_no = l.profile_no
GROUP BY l.customer_no, k.kind, l.source, l.stream, l.key, p.attributes, {_NAMED}
"""  # noqa: S608  (names of columns, all ours)
_CONTACTS = """
SELECT l.customer_no, k.kind, l.source, l.stream, l.key, p.attributes,
       MAX(COALESCE(p.updated_at, p.created_at)) AS observed, c.type, c.value
FROM batch b CROSS JOIN customer_ledger k CROSS JOIN profile_ledger l CROSS JOIN contact_point c
LEFT JOIN profile p ON p.landing_no = c.landing_no
WHERE k.customer_no = b.customer_no AND l.customer_no = b.customer_no AND c.profile_no = l.profile_no
  AND c.type IN ('EMAIL', 'PHONE')
GROUP BY l.customer_no, k.kind, l.source, l.stream, l.key, p.attributes, c.type, c.value
"""


def survive(connection: Connection, rulebook: Rulebook, trust: Sequence[str]) -> None:
    """Rewrites the provenance of the customers in `batch`. `trust` names the sources, the most trusted first."""
    connection.execute(delete(provenance).where(provenance.c.customer_no.in_(select(batch.c.customer_no))))
    rules = rulebook.identity.survivorship
    contests: dict[tuple[GoldenField, str], Contest] = {}
    rows: list[tuple[Any, ...]] = []
    for (customer_no, field, kind), said in _statements(connection, Rules.forms_of(rulebook)).items():
        contest = contests.get((field, kind))
        if contest is None:
            contest = contests[field, kind] = Contest(rules, field, kind, trust)
        first = 1 if contest.chain[0] == "never" else 0
        for at, (one, strategy) in enumerate(contest.rank(said), first):
            rows.append((customer_no, field.upper(), at, *one[:5], strategy))
    rows.sort()
    insert_rows(connection, provenance, _COLUMNS, rows)


def check_survivorship(rulebook: Rulebook) -> Iterator[tuple[Place, str]]:
    """Every source that `survivorship:` names and the company has not: where it stands, and which ones there are."""
    rules, known = rulebook.identity.survivorship, list(rulebook.company.sources)
    named: list[tuple[Place, str | None]] = []
    for field, listed in rules.trusted.items():
        named += [(("trusted", field, at), source) for at, source in enumerate(listed)]
    for field, whose in rules.verified.items():
        named += [(("verified", field, at, "source"), one.source) for at, one in enumerate(whose)]
    for place, source in named:
        if source is not None and source not in known:
            there = f"no source `{source}` in company.yml; there are {', '.join(known)}"
            yield ("survivorship", *place), there + hint(source, known)


_Field = tuple[int, GoldenField, str]  # customer_no, field, kind


def _statements(connection: Connection, forms: Forms) -> dict[_Field, list[Said]]:
    """What the sources state of each customer in `batch`, field by field and without junk."""
    found: dict[_Field, list[Said]] = defaultdict(list)
    for number, kind, source, stream, key, marks, observed, *values in connection.execute(text(_RECORDS)):
        for field, value in zip(_PLAIN, values, strict=True):
            if value and not _junk(field, value, forms):
                found[number, field, kind].append(Said(value, source, stream, key, observed, marks))
    for number, kind, source, stream, key, marks, observed, type_, value in connection.execute(text(_CONTACTS)):
        if not _junk(type_, value, forms):
            found[number, _LISTS[type_], kind].append(Said(value, source, stream, key, observed, marks))
    return found


def _junk(field: str, value: str, forms: Forms) -> bool:
    match field:
        case "EMAIL":
            return forms.junk_email(value)
        case "PHONE":
            return forms.junk_phone(value)
        case "birth_date":
            return value in forms.junk_births
        case "given_name" | "family_name":
            return forms.junk_name(value)
        case "display_name":
            return "@" not in value and forms.junk_name(value)
    return False
