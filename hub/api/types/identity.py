"""Why profiles are one customer: judgements of the hub and of stewards, and the history of ids."""

from typing import Any

import strawberry
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from hub.api.declare import Column, Order, Rows, column, expression, related, same_row
from hub.api.render import AS_IS, INSTANT, LIST, RATIO, Rendering, among_words, known_or, texts
from hub.api.types.connection import Node
from hub.api.types.scalars import DateTime
from hub.api.types.words import IdentityEventKind, Verdict
from hub.store.derived import customer_card as card
from hub.store.derived import link
from hub.store.kept import customer_ledger, identity_log, profile_ledger
from hub.store.kept import judgement as steward

_left, _right = profile_ledger.alias("left_profile"), profile_ledger.alias("right_profile")


def _judged(pairs: Any, owner: Any, *said: ColumnElement[Any]) -> Select[Any]:
    """The judgements of a table, each beside the customer whose profile `owner` is."""
    other = _right if owner is _left else _left
    sides = [c.label(f"{side.name}_{c.name}") for side in (_left, _right) for c in _named(side)]
    return (
        select(owner.c.customer_no.label("customer_no"), other.c.customer_no.label("other_no"), *said, *sides)
        .select_from(pairs)
        .join(_left, _left.c.profile_no == pairs.c.left_profile_no)
        .join(_right, _right.c.profile_no == pairs.c.right_profile_no)
    )


def _named(side: Any) -> tuple[ColumnElement[Any], ...]:
    return (side.c.source, side.c.stream, side.c.key)


def _by_hub(owner: Any) -> Select[Any]:
    return _judged(
        link,
        owner,
        link.c.left_profile_no.label("left_no"),
        link.c.right_profile_no.label("right_no"),
        cast(null(), BigInteger).label("judgement_no"),
        link.c.verdict,
        link.c.rule,
        link.c.score,
        link.c.reasons,
        cast(null(), Text).label("reason"),
        cast(null(), Text).label("decided_by"),
        link.c.at,
        cast(null(), BigInteger).label("withdrawn_at"),
    )


def _by_steward(owner: Any) -> Select[Any]:
    return _judged(
        steward,
        owner,
        steward.c.left_profile_no.label("left_no"),
        steward.c.right_profile_no.label("right_no"),
        steward.c.judgement_no.label("judgement_no"),
        steward.c.verdict,
        literal("steward", Text).label("rule"),
        cast(null(), BigInteger).label("score"),
        cast(null(), Text).label("reasons"),
        steward.c.reason,
        steward.c.decided_by,
        steward.c.at,
        steward.c.withdrawn_at,
    )


def _other_side() -> ColumnElement[bool]:
    """A pair within one customer is seen from its left profile only."""
    same = _left.c.customer_no == _right.c.customer_no
    return or_(_left.c.customer_no.is_(None), and_(_left.c.customer_no.is_not(None), ~same))


judged = union_all(
    _by_hub(_left), _by_hub(_right).where(_other_side()), _by_steward(_left), _by_steward(_right).where(_other_side())
).subquery("judged")


def _pair(left: int, right: int) -> str:
    return f"lnk_{left}-{right}"


def _pair_sql(left: Any, right: Any) -> ColumnElement[str]:
    return literal("lnk_", Text) + cast(left, Text) + "-" + cast(right, Text)


def _id(number: int | None, left: int, right: int) -> str:
    return _pair(left, right) if number is None else f"jdg_{number}"


def _id_sql(number: Any, left: Any, right: Any) -> ColumnElement[str]:
    return case((number.is_(None), _pair_sql(left, right)), else_=literal("jdg_", Text) + cast(number, Text))


def side_of(rows: Any, side: str) -> dict[str, Column]:
    """The profile of one side: its name stands in the rows of a pair twice."""
    return {part: Column((rows.c[f"{side}_profile_{part}"],), AS_IS) for part in ("source", "stream", "key")}


PAIR = among_words(_pair, _pair_sql)  # the id of the hub's own judgement
REASONS = Rendering(
    lambda _scope, stored, said: texts(stored) if stored is not None else [said or ""],
    lambda writer, _scope, selected, stored, said: case(
        (stored.is_not(None), writer.stored(selected, stored)),
        else_=writer.array(writer.text(func.coalesce(said, ""))),
    ),
)


@strawberry.type(description="A profile by its source, stream and key.")
class ProfileName:
    source: str = strawberry.field(description="The source.")
    stream: str = strawberry.field(description="The stream there.")
    key: str = strawberry.field(description="The record's key there.")


@strawberry.type(description="Whether two profiles are one customer, by the hub or by a steward.")
class Judgement(Node):
    __reads__ = Rows(
        judged,
        (judged.c.left_no, judged.c.right_no, judged.c.at, judged.c.customer_no),
        "jdg",
        judged.c.customer_no,
        (judged.c.other_no,),
    )

    id: strawberry.ID = expression(
        (judged.c.judgement_no, judged.c.left_no, judged.c.right_no),
        among_words(_id, _id_sql),
        "jdg_… a steward's, lnk_… the hub's own.",
    )
    left: ProfileName = same_row("One profile.", reads=side_of(judged, "left"))
    right: ProfileName = same_row("The other profile.", reads=side_of(judged, "right"))
    verdict: Verdict = column(judged.c.verdict, "One customer or two.")
    rule: str | None = column(judged.c.rule, "The rule that decided; steward where a person did.")
    score: float | None = column(judged.c.score, "How sure, 0 to 1; null where a person decided.", RATIO)
    reasons: list[str] = expression((judged.c.reasons, judged.c.reason), REASONS, "Why, in words.")
    decided_by: str = expression((judged.c.decided_by,), known_or("hub"), "Who decided; hub where a rule did.")
    at: DateTime = column(judged.c.at, "When.", INSTANT)
    withdrawn_at: DateTime | None = column(judged.c.withdrawn_at, "When a steward took it back.", INSTANT)


@strawberry.type(description="Something that happened to a customer id.")
class IdentityEvent:
    __reads__ = Rows(identity_log, (identity_log.c.log_no,))

    at: DateTime = column(identity_log.c.at, "When.", INSTANT)
    event: IdentityEventKind = column(identity_log.c.event, "What.")
    customer_ids: list[strawberry.ID] = column(identity_log.c.customer_ids, "The ids concerned, sorted.", LIST)
    reason: str = column(identity_log.c.reason, "Why, in words.")


_count = (
    select(func.count())
    .select_from(profile_ledger)
    .where(profile_ledger.c.customer_no == card.c.customer_no)
    .correlate(card)
    .scalar_subquery()
)


@strawberry.type(description="Who this customer is made of, and why.")
class Identity:
    __reads__ = Rows(card, (card.c.customer_no,))

    profile_count: int = expression((_count,), AS_IS, "How many profiles it is made of.")
    merged_ids: list[strawberry.ID] = related(
        "values",
        card.c.customer_no,
        customer_ledger.c.merged_into,
        about="Ids that redirect here.",
        order=(Order("ID", customer_ledger.c.public_id),),
    )
    judgements: list[Judgement] = related(
        "list",
        card.c.customer_no,
        judged.c.customer_no,
        about="Every judgement about a profile of this customer, the oldest first.",
        order=(Order("AT", judged.c.at),),
    )
    history: list[IdentityEvent] = related(
        "list",
        card.c.customer_no,
        identity_log.c.customer_no,
        about="What happened to its id, the oldest first.",
        order=(Order("NO", identity_log.c.log_no),),
    )
