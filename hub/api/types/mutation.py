"""What stewards decide: one row each, respected by every later run, and taken back by another."""

import asyncio
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from hub.api import steward
from hub.api.types.customer import Customer
from hub.api.types.identity import Judgement
from hub.api.types.inputs import ProfileInput

Left = Annotated[ProfileInput, strawberry.argument(description="One profile.")]
Right = Annotated[ProfileInput, strawberry.argument(description="The other profile.")]
Reason = Annotated[str, strawberry.argument(description="Why, in 1 to 2,000 characters.")]
JudgementId = Annotated[strawberry.ID, strawberry.argument(description="A steward's judgement, jdg_….")]
CustomerId = Annotated[strawberry.ID, strawberry.argument(description="The customer; a merged id redirects.")]
DryRun = Annotated[bool, strawberry.argument(description="Only count.")]


@strawberry.type(description="A decision about two profiles, and who they are now.")
class JudgementPayload:
    judgement: Judgement = strawberry.field(description="The decision.")
    customers: list[Customer] = strawberry.field(description="The customers of the two profiles. 2 at most.")


@strawberry.type(description="A decision taken back, and who its profiles are now.")
class WithdrawalPayload:
    customers: list[Customer] = strawberry.field(description="The customers of the two profiles. 2 at most.")


@strawberry.type(description="Rows of one table.")
class RowCount:
    table: str = strawberry.field(description="The table.")
    count: int = strawberry.field(description="Rows that are (or would be) gone.")


@strawberry.type(description="What an erasure removed, or would remove.")
class ErasurePayload:
    certificate: str | None = strawberry.field(description="Proof of the erasure; null of a dry run.")
    rows: list[RowCount] = strawberry.field(description="Rows by table. 100 at most.")


async def _decided(info: Info, decide: Any, *arguments: Any) -> Any:
    """The write path runs in a thread of its own; what is selected stands in the root value."""
    return await asyncio.to_thread(decide, info.context, info.root_value[info.path.key], *arguments)


async def _join(info: Info, left: Left, right: Right, reason: Reason) -> Any:
    return await _decided(info, steward.join_profiles, left, right, reason)


async def _separate(info: Info, left: Left, right: Right, reason: Reason) -> Any:
    return await _decided(info, steward.separate_profiles, left, right, reason)


async def _withdraw(info: Info, id: JudgementId, reason: Reason) -> Any:
    return await _decided(info, steward.withdraw_judgement, id, reason)


async def _erase(info: Info, id: CustomerId, dry_run: DryRun) -> Any:
    return await _decided(info, steward.erase_customer, id, dry_run)


@strawberry.type(description="What can be decided.")
class Mutation:
    join_profiles: JudgementPayload = strawberry.mutation(
        resolver=_join, description="These two profiles are one customer, whatever the rules say."
    )
    separate_profiles: JudgementPayload = strawberry.mutation(
        resolver=_separate, description="These two profiles are two customers, whatever the rules say."
    )
    withdraw_judgement: WithdrawalPayload = strawberry.mutation(
        resolver=_withdraw, description="Takes a steward's judgement back; the rules decide again."
    )
    erase_customer: ErasurePayload = strawberry.mutation(
        resolver=_erase, description="Erases a customer everywhere; the person does not come back. A dry run counts."
    )
