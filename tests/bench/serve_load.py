"""Load and what it costs. In: a port, request bodies, the processes to watch. Out: rates, latencies, CPU and memory.

The load is wrk's; CPU and memory come from /proc. On few cores the CPU a request tells more than the requests a second.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

LUA = Path(__file__).parent / "serve" / "load.lua"
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Measured:
    """One burst of load. CPU in milliseconds a request, latencies in milliseconds, memory in megabytes."""

    requests_s: float
    p50_ms: float
    p99_ms: float
    bytes_each: float
    server_cpu_ms: float
    database_cpu_ms: float
    rss_mb: float
    errors: int


def wrk() -> str:
    """Where wrk is. Raises SystemExit with the remedy where it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("bench-serve needs wrk; on Debian and Ubuntu: apt install wrk")
    return found


def burst(port: int, bodies: Path, seconds: float, connections: int, server: int, database: int | None) -> Measured:
    """Loads a server for some seconds; `server` and `database` are the process ids at the heads of their trees."""
    before = cpu_ms(server), cpu_ms(database)
    command = [wrk(), "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(LUA)]
    ran = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        env=os.environ | {"BODIES": str(bodies)},
        capture_output=True,
        text=True,
        check=True,
    )
    after = cpu_ms(server), cpu_ms(database)
    found = re.search(r"^RESULT (.*)$", ran.stdout, re.MULTILINE)
    if found is None:
        raise SystemExit(f"wrk said nothing that we can read: {ran.stdout[-500:]}{ran.stderr[-500:]}")
    said = json.loads(found[1])
    count = max(said["requests"], 1)
    return Measured(
        requests_s=said["requests"] / said["seconds"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        bytes_each=said["bytes"] / count,
        server_cpu_ms=(after[0] - before[0]) / count,
        database_cpu_ms=(after[1] - before[1]) / count,
        rss_mb=sum(_rss_mb(process) for process in _tree(server)),
        errors=said["errors"],
    )


def write_bodies(path: Path, document: str, name: str, variables: Sequence[dict[str, object]]) -> Path:
    """A file of request bodies, one a line."""
    asked = ({"operationName": name, "query": document, "variables": each} for each in variables)
    path.write_text("".join(json.dumps(each) + "\n" for each in asked), encoding="utf-8")
    return path


def _tree(head: int | None) -> list[int]:
    if head is None:
        return []
    children: dict[int, list[int]] = {}
    for process, fields in _processes():
        children.setdefault(int(fields[1]), []).append(process)
    found = [head]
    for process in found:
        found.extend(children.get(process, ()))
    return found


def _processes() -> Iterable[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            yield int(entry.name), fields


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: state, parent, …; none where the process has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def cpu_ms(head: int | None) -> float:
    """User and system time of a tree of processes, with that of its children that have ended; 0 without one."""
    total = 0
    for process in _tree(head):
        total += sum(int(ticks) for ticks in _stat(process)[11:15])
    return total * _TICK_MS


def _rss_mb(process: int) -> float:
    fields = _stat(process)
    return int(fields[21]) * _PAGE_MB if fields else 0.0
