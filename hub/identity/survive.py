"""Survivorship. In: the customers in `batch`. Out: their provenance: for each field every value that a source states,
the winner first (rank 0) and the losers in order, with the strategy that decided.

Junk never wins, for it is not even listed. Values are compared as they are stored; text sorts by code point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from hub.identity.normalise import Forms
from hub.identity.resolve import Rules
from hub.store.batch import batch
from hub.store.bulk import insert_rows
from hub.store.derived import provenance
from hub.store.kept import profile_ledger
from hub.store.mapped import MAPPED
from mappings.rulebook import Rulebook, Strategy

_PROFILE, _CONTACT = MAPPED["profile"], MAPPED["contact_point"]
_PLAIN = ("display_name", "given_name", "family_name", "birth_date", "country", "language")
_LISTS = {"EMAIL": "emails", "PHONE": "phones"}
_COLUMNS = ("customer_no", "field", "rank", "value", "source", "stream", "key", "observed_at", "strategy")


class _Said(NamedTuple):
    """One source's statement of a value; `doubtful`: an e-mail that stands in for a name."""

    value: str
    source: str
    stream: str
    key: str
    observed_at: int | None
    doubtful: bool


@dataclass(frozen=True, slots=True)
class _Value:
    """A value with the statement that speaks best for it, and how many profiles state it."""

    best: _Said
    frequency: int


def survive(connection: Connection, rulebook: Rulebook, trust: Sequence[str]) -> None:
    """Rewrites the provenance of the customers in `batch`. `trust` names the sources, the most trusted first.

    Ties go by trust, then by the newest, then by the place in the source, so that the outcome is one.
    """
    connection.execute(delete(provenance).where(provenance.c.customer_no.in_(select(batch.c.customer_no))))
    order = {source: at for at, source in enumerate(trust)}
    rows: list[tuple[Any, ...]] = []
    for (customer_no, field), said in sorted(_statements(connection, Rules.of(rulebook.identity).forms).items()):
        strategy = rulebook.identity.survivorship.get(field)
        if strategy:
            ranked = rank(said, strategy, order)
            rows += [(customer_no, field.upper(), at, *v[:5], strategy) for at, v in enumerate(ranked)]
    insert_rows(connection, provenance, _COLUMNS, rows)


def rank(said: Iterable[_Said], strategy: Strategy, trust: Mapping[str, int]) -> list[_Said]:
    """Each distinct value once, by its best statement, the winner first."""
    by_value: dict[str, list[_Said]] = defaultdict(list)
    for one in said:
        by_value[one.value].append(one)
    newest = strategy in ("most_recent", "longest")
    values = []
    for ones in by_value.values():
        profiles = len({(one.source, one.stream, one.key) for one in ones})
        values.append(_Value(min(ones, key=lambda one: _preference(one, newest, trust)), profiles))
    values.sort(key=lambda v: (v.best.doubtful, *_STRATEGIES[strategy](v), *_preference(v.best, newest, trust)))
    return [value.best for value in values]


def _preference(one: _Said, newest: bool, trust: Mapping[str, int]) -> tuple[Any, ...]:
    trusted = trust.get(one.source, len(trust))
    age = -(one.observed_at if one.observed_at is not None else -(1 << 62))
    first = (age, trusted) if newest else (trusted, age)
    return (*first, one.source, one.stream, one.key, one.value)


# What each strategy puts first; _preference decides the rest.
_STRATEGIES: dict[Strategy, Callable[[_Value], tuple[int, ...]]] = {
    "most_recent": lambda value: (),
    "most_trusted": lambda value: (),
    "most_frequent": lambda value: (-value.frequency,),
    "longest": lambda value: (-len(value.best.value),),
}

_Field = tuple[int, Any]


def _statements(connection: Connection, forms: Forms) -> dict[_Field, list[_Said]]:
    """What the sources state of each customer in `batch`, field by field, without junk."""
    found: dict[_Field, list[_Said]] = defaultdict(list)
    own, p, c = profile_ledger.c, _PROFILE.c, _CONTACT.c
    place = (own.customer_no, own.source, own.stream, own.key)
    here = batch.join(profile_ledger, own.customer_no == batch.c.customer_no)
    profiles = here.join(_PROFILE, p.profile_no == own.profile_no)
    columns = (*place, p.updated_at, p.created_at, *(p[name] for name in _PLAIN))
    for row in connection.execute(select(*columns).select_from(profiles)):
        for field in _PLAIN:
            value = getattr(row, field)
            if value and not _junk(field, value, forms):
                found[row.customer_no, field].append(_said(value, row))
    contacts = here.join(_CONTACT, c.profile_no == own.profile_no).outerjoin(_PROFILE, p.landing_no == c.landing_no)
    columns = (*place, p.updated_at, p.created_at, c.type, c.value)
    for row in connection.execute(select(*columns).select_from(contacts).where(c.type.in_(_LISTS))):
        if not _junk(row.type, row.value, forms):
            found[row.customer_no, _LISTS[row.type]].append(_said(row.value, row))
    return found


def _said(value: str, row: Any) -> _Said:
    observed = row.updated_at if row.updated_at is not None else row.created_at
    return _Said(value, row.source, row.stream, row.key, observed, "@" in value)


def _junk(field: str, value: str, forms: Forms) -> bool:
    match field:
        case "EMAIL":
            return forms.junk_email(value)
        case "PHONE":
            return forms.phone(value) is None
        case "birth_date":
            return value in forms.junk_births
        case "given_name" | "family_name":
            return forms.junk_name(value)
        case "display_name":
            return "@" not in value and forms.junk_name(value)
    return False
