"""How fast a big view leaves the database, beside the fastest that the database offers. In: a filled database.

Out: rows a second, CPU and peak memory of `hub export` and of the yardsticks, by format.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sqlalchemy import text

from hub.store.engine import open_store
from tests.bench.serve_contenders import HOUSE
from tests.bench.serve_database import Database
from tests.bench.serve_load import cpu_ms

VIEW = "bi_money"


@dataclass(frozen=True)
class Exported:
    """One export. Times in seconds, sizes in megabytes."""

    rows_s: float
    seconds: float
    client_cpu_s: float
    database_cpu_s: float
    rss_mb: float
    file_mb: float


def exports(database: Database, rounds: int) -> dict[str, Exported]:
    """The fastest of some rounds of each way, taken in turns."""
    rows = _count(database)
    best: dict[str, Exported] = {}
    for _ in range(rounds):
        for name, command in _ways(database).items():
            one = _exported(command, database, rows)
            best[name] = max(best.get(name, one), one, key=lambda each: each.rows_s)
    return best


def _ways(database: Database) -> Mapping[str, list[str]]:
    hub = [str(Path(sys.executable).with_name("hub")), "export", VIEW, "--output", "FILE", "--format"]
    ours = {f"hub export, {form}": [*hub, form] for form in ("csv", "ndjson", "parquet", "arrow")}
    if database.kind == "sqlite":
        return ours
    copy = [sys.executable, "-m", "tests.bench.serve_copy"]
    return {
        "COPY to CSV": [*copy, "csv", database.url, VIEW, "FILE"],
        "ADBC to Parquet": [*copy, "parquet", database.url, VIEW, "FILE"],
        **ours,
    }


def _exported(command: list[str], database: Database, rows: int) -> Exported:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        file = Path(folder) / "out"
        before, began = cpu_ms(database.process), perf_counter()
        process = subprocess.Popen(
            [str(file) if word == "FILE" else word for word in command],
            cwd=HOUSE,
            env=os.environ | {"HUB_DATABASE_URL": database.url, "HUB_LOG_LEVEL": "ERROR"},
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command!r} ended with code {process.returncode}; its message stands above")
        return Exported(
            rows_s=rows / seconds,
            seconds=seconds,
            client_cpu_s=used.ru_utime + used.ru_stime,
            database_cpu_s=(cpu_ms(database.process) - before) / 1000,
            rss_mb=used.ru_maxrss / 1024,
            file_mb=file.stat().st_size / 2**20,
        )


def _count(database: Database) -> int:
    store = open_store(database.url, migrate=False)
    with store.read() as connection:
        count: int = connection.execute(text(f"SELECT COUNT(*) FROM {VIEW}")).scalar_one()  # noqa: S608  (a name of ours)
    store.close()
    return count
