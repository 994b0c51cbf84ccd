"""Stewards' mutations. In: what was decided. Out: the customers as they are once the write path has followed it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from hub.api.asked.selection import Selected
from hub.api.context import Context
from hub.api.errors import ApiError
from hub.api.read.search import checked_text
from hub.api.read.shape import Answer, project
from hub.api.scope import EPOCH
from hub.identity.steward import judgement
from hub.identity.steward.judgement import JudgementError
from hub.store.bulk import among
from hub.store.derived import customer_card as card
from hub.store.kept import customer_ledger, profile_ledger, sync_run

if TYPE_CHECKING:
    from hub.api.types.inputs import ProfileInput

LONGEST_REASON = 2_000

Decide = Callable[..., int]


def join_profiles(context: Context, selected: Selected, left: ProfileInput, right: ProfileInput, reason: str) -> Answer:
    """`joinProfiles`. Raises ApiError BAD_USER_INPUT with what to do."""
    return _judge(context, selected, judgement.join, (left, right), reason)


def separate_profiles(
    context: Context, selected: Selected, left: ProfileInput, right: ProfileInput, reason: str
) -> Answer:
    """`separateProfiles`. Raises ApiError BAD_USER_INPUT with what to do."""
    return _judge(context, selected, judgement.separate, (left, right), reason)


def withdraw_judgement(context: Context, selected: Selected, name: str, reason: str) -> Answer:
    """`withdrawJudgement`. Raises ApiError BAD_USER_INPUT with what to do."""
    try:
        number = judgement.number_of(name)
    except JudgementError as error:
        raise ApiError("BAD_USER_INPUT", f"id: {error}") from None
    return _decide(
        context,
        selected,
        lambda connection, as_of: judgement.withdraw(connection, number, reason=_said(reason), as_of=as_of),
    )


def erase_customer(context: Context, selected: Selected, name: str, dry_run: bool) -> Answer:
    """`eraseCustomer`; a merged id redirects. Raises ApiError NOT_FOUND."""
    with context.store.read() as connection:
        known = customer_ledger.c
        current = func.coalesce(known.merged_into, known.customer_no)
        wanted = select(current).where(known.public_id == checked_text(name, "id")).scalar_subquery()
        public_id = connection.execute(select(card.c.public_id).where(card.c.customer_no == wanted)).scalar()
        as_of = _as_of(connection)
    if public_id is None:
        raise ApiError("NOT_FOUND", "id: no customer has it")
    erased = context.writer.erase(public_id, dry_run, as_of)
    if not dry_run:
        context.writer.follow(as_of)
    rows = [{"table": str(table), "count": count} for table, count in erased.rows]
    answer: Answer = project({"certificate": erased.certificate, "rows": rows}, selected)
    return answer


def _judge(
    context: Context, selected: Selected, decide: Decide, pair: tuple[ProfileInput, ProfileInput], reason: str
) -> Answer:
    def append(connection: Connection, as_of: int) -> int:
        left, right = (judgement.find_profile(connection, *_named(profile)) for profile in pair)
        return decide(connection, left, right, reason=_said(reason), decided_by=judgement.DECIDED_BY, as_of=as_of)

    return _decide(context, selected, append)


def _decide(context: Context, selected: Selected, append: Callable[[Connection, int], int]) -> Answer:
    """Appends a decision, lets the write path follow it, and reads who its profiles are now."""
    try:
        with context.store.write() as connection:
            as_of = _as_of(connection)
            number = append(connection, as_of)
    except JudgementError as error:
        raise ApiError("BAD_USER_INPUT", str(error)) from None
    context.writer.follow(as_of)
    return _decided(context, selected, number)


def _decided(context: Context, selected: Selected, number: int) -> Answer:
    answer: Answer = {}
    with context.reader() as reader:
        pair = judgement.pair_judged(reader.connection, number)
        owners = select(profile_ledger.c.customer_no).where(
            among(reader.connection, profile_ledger.c.profile_no, sorted(pair))
        )
        judged = reader.declarations.rows("Judgement").table.c
        for child in selected.below():
            if child.name == "judgement":
                answer[child.key] = reader.rows(child, "Judgement", judged.judgement_no == number)[0]
            else:
                answer[child.key] = reader.rows(child, "Customer", card.c.customer_no.in_(owners), most=2)
    return answer


def _named(profile: ProfileInput) -> tuple[str, str, str]:
    source, stream, key = (checked_text(getattr(profile, part), part) for part in ("source", "stream", "key"))
    return source, stream, key


def _said(reason: str) -> str:
    plain = checked_text(reason, "reason").strip()
    if not 0 < len(plain) <= LONGEST_REASON:
        raise ApiError("BAD_USER_INPUT", f"reason: say why, in 1 to {LONGEST_REASON} characters")
    return plain


def _as_of(connection: Connection) -> int:
    """The instant of the last run, so that a decision changes nothing but what it decides; before the first, now."""
    last = connection.execute(select(func.max(sync_run.c.as_of))).scalar()
    return (datetime.now(UTC) - EPOCH) // timedelta(microseconds=1) if last is None else int(last)
