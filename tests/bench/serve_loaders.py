"""The DataLoaders of the plain Strawberry server. In: customer numbers. Out: their rows, one statement a batch.

Every relation of a level is one statement, and a page is cut in SQL: as good as it gets without a planner.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import asyncpg
from strawberry.dataloader import DataLoader

Row = Any
_NEWEST = """
SELECT * FROM unnest($1::bigint[]) AS u(customer_no), LATERAL (
  SELECT i.fact_no, i.at, i.type, i.channel, i.lane, i.source, i.summary, i.sentiment FROM interaction i
  WHERE i.customer_no = u.customer_no ORDER BY i.at DESC, i.fact_no DESC LIMIT $2) i"""
_FLAGS = """SELECT * FROM risk_flag WHERE customer_no = ANY($1) AND state = 'OPEN'
ORDER BY severity_rank DESC, since, flag_no"""
_WORTH = "SELECT * FROM profitability WHERE customer_no = ANY($1) AND currency = 'EUR'"


class Loaders:
    """One request's loaders."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.worth = DataLoader(self._worth)
        self.flags = DataLoader(self._flags)
        self._timelines: dict[int, DataLoader[int, list[Row]]] = {}

    def timeline(self, most: int) -> DataLoader[int, list[Row]]:
        """The loader of the newest `most` interactions of customers."""

        async def load(numbers: list[int]) -> list[list[Row]]:
            return _grouped(numbers, await self._pool.fetch(_NEWEST, numbers, most))

        return self._timelines.setdefault(most, DataLoader(load))

    async def _worth(self, numbers: list[int]) -> list[Row | None]:
        found = {row["customer_no"]: row for row in await self._pool.fetch(_WORTH, numbers)}
        return [found.get(number) for number in numbers]

    async def _flags(self, numbers: list[int]) -> list[list[Row]]:
        return _grouped(numbers, await self._pool.fetch(_FLAGS, numbers))


def _grouped(numbers: list[int], rows: list[Row]) -> list[list[Row]]:
    lists: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        lists[row["customer_no"]].append(row)
    return [lists[number] for number in numbers]
