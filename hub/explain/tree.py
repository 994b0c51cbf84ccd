"""The tree of words. In: an id, an e-mail or a phone. Out: a title and branches, ready for a terminal or a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.clock import show
from hub.explain.evidence import Event, Evidence, Judged, evidence, other_end
from hub.explain.figures import Golden, flags, golden, journey, money
from hub.explain.find import find
from hub.identity.evidence.verdict import MATCH
from hub.identity.steward.review import Side
from hub.store.engine import Store
from mappings.rulebook import Rulebook

MOST = 25  # of a kind; who has 300 profiles is told by their numbers

Leaf = str | tuple[str, Sequence["Leaf"]]
Branch = tuple[str, Sequence[Leaf]]


def explanation(store: Store, rulebook: Rulebook, words: str) -> tuple[str, list[Branch]]:
    """The customer's name and the branches of the tree that explains it. Raises NoSuchCustomer."""
    with store.read() as connection:
        number = find(connection, words)
        found = evidence(connection, number, list(rulebook.company.sources))
        branches: list[Branch] = [
            *about_identity(found),
            ("values, and what they won over", [_value(field) for field in golden(connection, number)]),
            ("money", money(connection, number, rulebook.company.reporting_currency)),
            ("journey", journey(connection, number)),
            ("risk flags", flags(connection, number)),
        ]
        card = card_of(connection, number)
    title = f"{card.display_name or '(no name)'}  {card.public_id}  {card.kind}  {card.market_state} {card.stage or ''}"
    return title, [(name, leaves or ["none"]) for name, leaves in branches]


def card_of(connection: Connection, number: int) -> Row[Any]:
    """The customer's card, which `find` has seen."""
    return connection.execute(text("SELECT * FROM customer_card WHERE customer_no = :no"), {"no": number}).one()


def about_identity(found: Evidence) -> list[Branch]:
    """Profiles, what joined them, what was not joined, stewards' words and the history of the id."""
    inside = {side.number for side in found.profiles}
    joins = [_joined(one, found) for one in found.joins[:MOST]] + _more(len(found.joins), "joins like these")
    if found.further:
        scores = [one.score for one in found.further]
        joins.append(f"confirmed by {len(scores)} more judgements, {score(min(scores))} to {score(max(scores))}")
    joins += [_in_spite(one, found) for one in found.in_spite[:MOST]]
    apart: list[Leaf] = [_apart(one, found, inside) for one in found.apart[:MOST]]
    return [
        (f"profiles: {len(found.profiles)}", _profiles(found.profiles)),
        ("why they are one", joins if len(found.profiles) > 1 else ["there is one profile"]),
        ("not joined", apart + _more(len(found.apart), "customers")),
        ("stewards' judgements", [_steward(one, found) for one in found.stewards]),
        ("history of the id", [_event(one) for one in found.history]),
    ]


def score(millionths: int) -> str:
    """The chance as 0.985, never rounded up to certainty."""
    return f"{millionths // 1000 / 1000:.3f}"


def says(side: Side) -> list[str]:
    """What a profile says of itself, but for its name, the telling things first."""
    return [*(f"born {day}" for day in side.births), *side.emails, *side.phones, *side.addresses, *side.ids]


def name_of(side: Side) -> str:
    """The name that a profile says, or that it says none."""
    return " / ".join(side.names) or "(no name)"


def _profiles(profiles: Sequence[Side]) -> list[Leaf]:
    leaves: list[Leaf] = []
    for side in profiles[:MOST]:
        said = says(side)
        rest = [f"and {len(said) - 12} more"] if len(said) > 12 else []
        leaves.append((f"{side.place}  {name_of(side)}", [" · ".join([*said[:12], *rest])] if said else []))
    hidden = Counter("/".join(side.place.split("/", 2)[:2]) for side in profiles[MOST:])
    if hidden:
        streams = ", ".join(f"{count} of {stream}" for stream, count in sorted(hidden.items()))
        leaves.append(f"and {sum(hidden.values())} more: {streams}")
    return leaves


def _joined(one: Judged, found: Evidence) -> Leaf:
    who = f"a steward, {one.decided_by}" if one.decided_by else f"{score(one.score)} {one.rule}"
    return f"{_pair(one, found, '=')}  {who}", ["; ".join(one.reasons)]


def _in_spite(one: Judged, found: Evidence) -> Leaf:
    words = f"in spite of {one.verdict} {score(one.score)} {one.rule}"
    return f"{_pair(one, found, '≠')}  {words}", ["; ".join(one.reasons)]


def _apart(one: Judged, found: Evidence, inside: set[int]) -> Leaf:
    other = found.sides[other_end(one, inside)]
    whose = f"{name_of(other)}, {other.customer or 'nobody yet'}"
    leaves = ["; ".join(one.reasons)]
    if one.waits:
        leaves.append(f"waits for a steward: hub review show lnk_{one.left}-{one.right}")
    return f"{_pair(one, found, '≠')}  ({whose})  {one.verdict} {score(one.score)} {one.rule}", leaves


def _pair(one: Judged, found: Evidence, sign: str) -> str:
    return f"{found.sides[one.left].place} {sign} {found.sides[one.right].place}"


def _steward(one: Judged, found: Evidence) -> Leaf:
    sign = "=" if one.verdict == MATCH else "≠"
    line = f"{show(one.at)[:10]}  {one.decided_by}: {_pair(one, found, sign)}  {'; '.join(one.reasons)}"
    if one.withdrawn is None:
        return line
    at, why = one.withdrawn
    return line, [f"withdrawn {show(at)[:10]}: {why}"]


def _event(one: Event) -> str:
    ids = f" {', '.join(one.ids)}" if len(one.ids) > 1 else ""
    return f"{show(one.at)[:10]}  {one.event}{ids}: {one.reason}"


def _value(field: Golden) -> Leaf:
    won, lost = (field.values[0], field.values[1:]) if field.shown else (None, field.values)
    head = f"{field.field}: {won.value}  ({_origin(won)})" if won else f"{field.field}: never shown"
    word = "also" if field.listed and won else "over" if won else "said"
    return head, [f"{word} {one.value}  ({_origin(one)})" for one in lost[:MOST]] + _more(len(lost), "values")


def _origin(row: Row[Any]) -> str:
    return f"{row.source}, {row.strategy}"


def _more(count: int, what: str) -> list[Leaf]:
    return [f"and {count - MOST} more {what}"] if count > MOST else []
