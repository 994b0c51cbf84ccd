"""The yardstick: hand-written SQL that builds the answer's JSON, behind the same kind of server as the hub.

In: DATABASE_URL; a POST with operationName and variables. Out: the answer of the hub to the same operation, as bytes.
What it lacks is what the hub must not cost: parsing, validation, access, a free choice of fields.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.serve_sql import STATEMENTS


def _one(variables: dict[str, Any]) -> tuple[Any, ...]:
    return (variables["id"],)


def _page(variables: dict[str, Any]) -> tuple[Any, ...]:
    day = datetime.fromisoformat(variables["from"]).replace(tzinfo=UTC)
    return (int(day.timestamp()) * 1_000_000,)


def _flat(variables: dict[str, Any]) -> tuple[Any, ...]:
    after = variables.get("after")
    return (0 if after is None else int(after),)


READ = {"One": _one, "Page": _page, "Flat": _flat}


async def answer(request: Request) -> Response:
    """One operation."""
    asked = msgspec.json.decode(await request.body())
    name = asked["operationName"]
    parameters = READ[name](asked["variables"])
    async with request.app.state.pool.acquire() as connection:
        text = await connection.fetchval(STATEMENTS[name], *parameters)
    return Response(text, media_type="application/json")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """A pool that does not reset its connections between requests: nothing is changed on them."""
    settings = {"jit": "off", "timezone": "UTC"}
    app.state.pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=8, max_size=8, init=_bytes, reset=_nothing, server_settings=settings
    )
    yield
    await app.state.pool.close()


async def _bytes(connection: Any) -> None:
    """Text stays as the bytes that it came as."""
    await connection.set_type_codec("text", schema="pg_catalog", format="binary", encoder=str.encode, decoder=bytes)


async def _nothing(_connection: Any) -> None:
    return None


app = Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=lifespan)
