"""What can be listened to: the answers of a subscription's root field, as they come."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from hub.api.types.risk import RiskFlag
from hub.api.types.words import SEVERITIES, Severity

Least = Annotated[Severity | None, strawberry.argument(description="This severity or worse; all unless said.")]


async def _raised(info: Info, min_severity: Least = strawberry.UNSET) -> AsyncGenerator[RiskFlag, None]:
    selected: Any = info.root_value[info.path.key]
    least = SEVERITIES.index(min_severity.value) if min_severity else 0
    async with info.context.outbox.listen() as subscriber:
        async for number, severity in subscriber.flags():
            if severity is not None and SEVERITIES.index(severity) < least:
                continue
            flag = await asyncio.to_thread(info.context.flag, selected, number)
            if flag is not None:
                yield flag


@strawberry.type(description="What can be listened to, over WebSocket or server-sent events.")
class Subscription:
    risk_flag_raised: AsyncGenerator[RiskFlag, None] = strawberry.subscription(
        resolver=_raised, description="Risk flags as they are raised."
    )
