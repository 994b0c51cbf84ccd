"""`hub explain`: one customer with the grounds of everything said about it.

In: an id, an e-mail or a phone. Out: a title and branches: profiles, judgements, values with their losers, money,
journey, flags with their evidence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from hub.clock import show
from hub.store.engine import Store
from mappings.converting.currencies import render
from mappings.rulebook import Rulebook

Branch = tuple[str, list[str]]


class NoSuchCustomer(Exception):
    """Nobody, or more than one, answers to this id, e-mail or phone."""


def explanation(store: Store, rulebook: Rulebook, words: str) -> tuple[str, list[Branch]]:
    """The customer's name and the branches of the tree that explains it. Raises NoSuchCustomer."""
    with store.read() as connection:
        number = _find(connection, words)
        card = _rows(connection, "SELECT * FROM customer_card WHERE customer_no = :no", number)[0]
        branches = [
            ("profiles", _profiles(connection, number)),
            ("why they are one", _judgements(connection, number)),
            ("values, and what they won over", _values(connection, number)),
            ("money", _money(connection, number, rulebook.company.reporting_currency)),
            ("journey", _steps(connection, number)),
            ("risk flags", _flags(connection, number)),
        ]
    title = f"{card.display_name or '(no name)'}  {card.public_id}  {card.kind}  {card.market_state} {card.stage or ''}"
    return title, [(name, leaves or ["none"]) for name, leaves in branches]


_FIND = text("""
    SELECT COALESCE(l.merged_into, l.customer_no) FROM customer_ledger l WHERE l.public_id = :words
    UNION
    SELECT c.customer_no FROM customer_identifier c WHERE c.value = :words OR c.value = :folded
""")

_NAMES = text("SELECT public_id FROM customer_ledger WHERE customer_no IN :numbers").bindparams(
    bindparam("numbers", expanding=True)
)


def _find(connection: Connection, words: str) -> int:
    bound = {"words": words.strip(), "folded": words.strip().casefold()}
    found = sorted(connection.execute(_FIND, bound).scalars())
    if len(found) == 1:
        return int(found[0])
    if not found:
        raise NoSuchCustomer(f"no customer has the id, e-mail or phone {words!r}; phones as +4930123456")
    ids = connection.execute(_NAMES, {"numbers": found}).scalars()
    raise NoSuchCustomer(f"{len(found)} customers share {words!r}: {', '.join(sorted(ids))}; name one by its id")


def _rows(connection: Connection, sql: str, number: int) -> Sequence[Row[Any]]:
    return connection.execute(text(sql), {"no": number}).all()


def _profiles(connection: Connection, number: int) -> list[str]:
    sql = """
        SELECT l.source, l.stream, l.key, MAX(p.display_name) AS display_name FROM profile_ledger l
        LEFT JOIN profile p ON p.profile_no = l.profile_no
        WHERE l.customer_no = :no GROUP BY l.profile_no, l.source, l.stream, l.key ORDER BY l.profile_no
    """
    return [f"{r.source}/{r.stream}/{r.key}  {r.display_name or ''}" for r in _rows(connection, sql, number)]


def _judgements(connection: Connection, number: int) -> list[str]:
    sql = """
        SELECT a.source || '/' || a.key || ' = ' || b.source || '/' || b.key AS pair, k.rule, k.score, k.reasons
        FROM link k JOIN profile_ledger a ON a.profile_no = k.left_profile_no
        JOIN profile_ledger b ON b.profile_no = k.right_profile_no
        WHERE a.customer_no = :no AND b.customer_no = :no AND k.verdict = 'MATCH'
        ORDER BY k.left_profile_no, k.right_profile_no
    """
    rows = _rows(connection, sql, number)
    return [f"{r.pair}  {r.rule} {r.score / 1_000_000:.2f}: {'; '.join(json.loads(r.reasons))}" for r in rows]


def _values(connection: Connection, number: int) -> list[str]:
    sql = """
        SELECT field, rank, value, source, strategy FROM provenance WHERE customer_no = :no ORDER BY field, rank
    """
    return [
        f"{r.field}: {r.value}  ({r.source}, {r.strategy})"
        if r.rank == 0
        else f"  {r.field} lost: {r.value} ({r.source})"
        for r in _rows(connection, sql, number)
    ]


def _money(connection: Connection, number: int, currency: str) -> list[str]:
    sql = """
        SELECT e.kind, e.basis, COUNT(v.amount) AS known, COUNT(*) - COUNT(v.amount) AS unknown,
               CAST(SUM(v.amount) AS BIGINT) AS amount
        FROM entry e JOIN entry_value v ON v.entry_no = e.entry_no
        WHERE e.customer_no = :no AND v.currency = :currency GROUP BY e.kind, e.basis ORDER BY e.kind, e.basis
    """
    rows = connection.execute(text(sql), {"no": number, "currency": currency})
    return [
        f"{r.kind}: {'unknown' if r.amount is None else render(r.amount, currency)} {currency} "
        f"in {r.known} entries, {r.basis}" + (f"; {r.unknown} more have no rate to {currency}" if r.unknown else "")
        for r in rows
    ]


def _steps(connection: Connection, number: int) -> list[str]:
    sql = """
        SELECT stage, entered_at, left_at, customer_interaction_count AS theirs, brand_interaction_count AS ours
        FROM journey_step WHERE customer_no = :no ORDER BY entered_at, step_no
    """
    return [
        f"{r.stage}: {show(r.entered_at)[:10]} – {show(r.left_at)[:10] if r.left_at else 'now'}, "
        f"{r.theirs} interactions of theirs, {r.ours} of ours"
        for r in _rows(connection, sql, number)
    ]


def _flags(connection: Connection, number: int) -> list[str]:
    sql = """
        SELECT f.severity, f.message, f.since, f.clears_when, f.action_kind,
               (SELECT COUNT(*) FROM flag_evidence e WHERE e.flag_no = f.flag_no) AS evidence
        FROM risk_flag f WHERE f.customer_no = :no AND f.state = 'OPEN' ORDER BY f.severity_rank DESC, f.flag_no
    """
    return [
        f"{r.severity} since {show(r.since)[:10]}: {r.message}  [{r.evidence} interactions; clears when "
        f"{r.clears_when}; {r.action_kind}]"
        for r in _rows(connection, sql, number)
    ]
