from __future__ import annotations

import asyncio
import json
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, insert

from hub.api.listen.subscribe import Outbox
from hub.store.engine import Store
from hub.store.errors import LockedError
from hub.store.kept import outbox


class LostOnce:
    """The store, whose second read finds no database."""

    def __init__(self, store: Store) -> None:
        self.store, self.reads = store, 0

    def read(self) -> AbstractContextManager[Connection]:
        self.reads += 1
        if self.reads == 2:
            raise LockedError("the database is away")
        return self.store.read()


def test_a_database_that_was_away_for_a_moment_ends_no_subscription(store: Store) -> None:
    row = {"at": 0, "topic": "flag.raised", "payload": json.dumps({"flag": 7, "severity": "HIGH"})}
    away: Any = LostOnce(store)

    async def heard() -> tuple[int, str | None]:
        async with Outbox(away).listen() as subscriber:
            with store.write() as connection:
                connection.execute(insert(outbox).values(row))
            return await asyncio.wait_for(anext(aiter(subscriber.flags())), 10)

    assert asyncio.run(heard()) == (7, "HIGH")
    assert away.reads >= 3
