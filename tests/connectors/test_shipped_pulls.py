"""The shipped mappings against the sandbox over HTTP, rate limits and failures included: each record once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.pull import Connection
from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import Running, serve
from mappings.loader import Settings, Source, load_system, shipped, variable
from mappings.spec import Stream

FILES = {"hubspot": "crm", "stripe": "billing", "zendesk": "support", "matomo": "web_analytics"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[tuple[Company, Running]]:
    company = generate(200)
    with serve(company) as running:
        yield company, running


def source(name: str, running: Running) -> Source:
    system = load_system(Path(shipped()) / "sources" / FILES[name] / f"{name}.yml")
    environment = running.environment()
    given = {s: environment.get(variable(name, s)) or about.default for s, about in system.settings.items()}
    return Source(name, system, Settings({s: value for s, value in given.items() if value is not None}))


def pulled(source: Source, cursors: dict[str, Any]) -> tuple[dict[str, Counter[str | None]], dict[str, Any]]:
    """How often each key came, by stream, all streams side by side; and the cursors at the end."""
    seen: dict[str, Counter[str | None]] = {name: Counter() for name in source.system.streams}
    ends: dict[str, Any] = {}

    async def one(connection: Connection, stream: str) -> None:
        async for page in connection.pull(stream, cursors.get(stream)):
            seen[stream].update(record.key for record in page.records)
            ends[stream] = page.cursor

    async def all_streams() -> None:
        async with Connection(source) as connection:
            await asyncio.gather(*(one(connection, stream) for stream in seen))

    asyncio.run(all_streams())
    return seen, ends


@pytest.mark.parametrize("name", FILES)
def test_each_record_of_the_sandbox_comes_once(sandbox: tuple[Company, Running], name: str) -> None:
    company, running = sandbox
    asked = source(name, running)
    streams: dict[str, Stream] = asked.system.streams
    seen, ends = pulled(asked, {})
    for stream, spec in streams.items():
        assert isinstance(spec.key, str)
        assert seen[stream] == Counter(str(record[spec.key]) for record in company.records[name][stream]), stream
    again, _ = pulled(asked, ends)
    for stream, spec in streams.items():
        if spec.since is not None:
            assert again[stream].total() < seen[stream].total(), stream
        assert again[stream] <= seen[stream], stream
