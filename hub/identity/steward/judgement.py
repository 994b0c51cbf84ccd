"""Stewards' judgements. In: two profiles and a reason. Out: one row that every later run respects, revocable.

What was decided and taken back is also told in the identity log of the customers concerned, by the judgement's id
alone: its words go with the judgement where somebody is erased.

Errors: JudgementError, with what to do, for profiles or judgements that are not there or cannot be judged.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from hub.identity.evidence.verdict import MATCH, NO_MATCH
from hub.store.bulk import among, insert_rows
from hub.store.kept import customer_ledger, identity_log, judgement, profile_ledger
from hub.store.ledger import mark_pending
from hub.store.listing import json_list
from hub.store.mapped import MAPPED

DECIDED_BY = "steward"
OVERRIDDEN, WITHDRAWN = "OVERRIDDEN", "WITHDRAWN"
_TOLD = {MATCH: "a steward joined two profiles", NO_MATCH: "a steward keeps two profiles apart"}


class JudgementError(Exception):
    """A judgement that cannot be made or taken back; the message says why and what would work."""


def number_of(name: str) -> int:
    """The number of `jdg_7`. Raises JudgementError for other words."""
    prefix, _, number = name.strip().partition("_")
    if prefix != "jdg" or not (number.isascii() and number.isdigit() and len(number) < 19):
        raise JudgementError(f"{name!r} is no steward's judgement; identity.judgements lists them, as jdg_7")
    return int(number)


def pair_judged(connection: Connection, number: int) -> tuple[int, int]:
    """The two profiles that a steward's judgement is about."""
    j = judgement.c
    left, right = connection.execute(
        select(j.left_profile_no, j.right_profile_no).where(j.judgement_no == number)
    ).one()
    return left, right


def find_profile(connection: Connection, source: str, stream: str, key: str) -> int:
    """The number of a source's profile. Raises JudgementError where the hub has no record of it."""
    p = profile_ledger.c
    known = MAPPED["profile"].c
    found = connection.scalar(
        select(p.profile_no)
        .join(MAPPED["profile"], known.profile_no == p.profile_no)
        .where(p.source == source, p.stream == stream, p.key == key)
        .limit(1)
    )
    if found is None:
        raise JudgementError(f"there is no profile {key!r} in {source}.{stream}; name one that customer.profiles lists")
    return int(found)


def join(connection: Connection, left: int, right: int, *, reason: str, decided_by: str, as_of: int) -> int:
    """Says that two profiles are one customer; returns the judgement's number. The same said twice is one row."""
    kinds = _kinds(connection, (left, right))
    if kinds.get(left) != kinds.get(right):
        raise JudgementError("a person and an organization cannot be one customer; state a membership at the source")
    return _append(connection, left, right, MATCH, reason, decided_by, as_of)


def separate(connection: Connection, left: int, right: int, *, reason: str, decided_by: str, as_of: int) -> int:
    """Says that two profiles are different customers, whatever joins them; returns the judgement's number."""
    _kinds(connection, (left, right))
    return _append(connection, left, right, NO_MATCH, reason, decided_by, as_of)


def withdraw(connection: Connection, judgement_no: int, *, reason: str, as_of: int) -> int:
    """Takes a judgement back, so that the one before it or the hub's own holds again; returns its number."""
    j = judgement.c
    found = connection.execute(
        select(j.left_profile_no, j.right_profile_no, j.withdrawn_at).where(j.judgement_no == judgement_no)
    ).one_or_none()
    if found is None:
        raise JudgementError(f"there is no judgement {judgement_no}; customer.identity.judgements lists them")
    if found.withdrawn_at is not None:
        raise JudgementError(f"judgement {judgement_no} was withdrawn before; nothing is left to do")
    connection.execute(
        update(judgement).where(j.judgement_no == judgement_no).values(withdrawn_at=as_of, withdrawn_reason=reason)
    )
    pair = (found.left_profile_no, found.right_profile_no)
    _log(connection, pair, WITHDRAWN, f"jdg_{judgement_no}: taken back", as_of)
    mark_pending(connection, pair)
    return judgement_no


def _kinds(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    if len(set(numbers)) == 1:
        raise JudgementError("left and right are the same profile; name two")
    p = MAPPED["profile"].c
    rows = connection.execute(select(p.profile_no, p.kind).where(among(connection, p.profile_no, numbers)))
    kinds: dict[int, str] = {}
    for number, kind in rows:
        kinds[number] = min(kind, kinds.get(number, kind))
    for number in numbers:
        if number not in kinds:
            raise JudgementError(f"the hub has no record of profile {number}; sync its source first")
    return kinds


def _append(
    connection: Connection, left: int, right: int, verdict: str, reason: str, decided_by: str, as_of: int
) -> int:
    left, right = min(left, right), max(left, right)
    j = judgement.c
    newest = connection.execute(
        select(j.judgement_no, j.verdict)
        .where(j.left_profile_no == left, j.right_profile_no == right, j.withdrawn_at.is_(None))
        .order_by(j.judgement_no.desc())
        .limit(1)
    ).one_or_none()
    if newest and newest.verdict == verdict:
        return int(newest.judgement_no)
    values = {
        "left_profile_no": left, "right_profile_no": right, "verdict": verdict,
        "reason": reason, "decided_by": decided_by, "at": as_of,
    }  # fmt: skip
    number = connection.execute(insert(judgement).values(values).returning(j.judgement_no)).scalar_one()
    _log(connection, (left, right), OVERRIDDEN, f"jdg_{number}: {_TOLD[verdict]}", as_of)
    mark_pending(connection, (left, right))
    return int(number)


def _log(connection: Connection, pair: Sequence[int], event: str, reason: str, as_of: int) -> None:
    """Appends a row for each customer of the two profiles as they are now; profiles that are nobody yet have none."""
    c, own = customer_ledger.c, profile_ledger.c
    found = (
        select(c.customer_no, c.public_id)
        .join(profile_ledger, own.customer_no == c.customer_no)
        .where(among(connection, own.profile_no, pair))
        .distinct()
        .order_by(c.customer_no)
    )
    concerned = connection.execute(found).all()
    ids = json_list(sorted(public for _, public in concerned))
    rows = [(number, as_of, event, ids, reason) for number, _ in concerned]
    insert_rows(connection, identity_log, ("customer_no", "at", "event", "customer_ids", "reason"), rows)
