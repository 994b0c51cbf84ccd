"""In: a command line. Out: the sandbox as a process of its own; one JSON line with addresses when ready."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve


def main() -> int:
    """Serve until SIGTERM, Ctrl-C or the end of standard input; 1 when a port is taken."""
    arguments = _arguments()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, _leave)
    try:
        return _run(arguments)
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


def _run(arguments: argparse.Namespace) -> int:
    company = generate(arguments.customers, arguments.seed)
    if arguments.truth is not None:
        company.write(arguments.truth)
    try:
        faults = arguments.faults == "some"
        running = serve(company, faults=faults, latency_ms=arguments.latency_ms, ports=arguments.ports)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    with running:
        ready = {"base_urls": running.base_urls, "tokens": running.tokens, "environment": running.environment()}
        os.write(sys.stdout.fileno(), msgspec.json.encode(ready) + b"\n")  # unbuffered: nothing is left to fail at exit
        while sys.stdin.buffer.read(4096):
            continue
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    for told in (signal.SIGTERM, signal.SIGINT):  # once is enough: Ctrl-C and a parent's SIGTERM come together
        signal.signal(told, signal.SIG_IGN)
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description=__doc__)
    parser.add_argument("--customers", type=int, default=1000, help="people to invent")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--ports", type=_ports, help="four: CRM,billing,support,web (default: free ones)")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait before each answer")
    parser.add_argument("--faults", choices=("none", "some"), default="some", help="some: now and then a 429 or a 503")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write the truth there as JSON")
    return parser.parse_args()


def _ports(text: str) -> list[int]:
    ports = [int(port) for port in text.split(",")]
    if len(ports) != 4:
        raise argparse.ArgumentTypeError(f"four ports are needed, {len(ports)} given")
    return ports


if __name__ == "__main__":
    sys.exit(main())
