"""In: a command line. Out: the sandbox as a process of its own; one JSON line with addresses when ready."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve


def main() -> int:
    """Serve until SIGTERM or until standard input closes; 1 when a port is taken."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _leave)
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
        print(msgspec.json.encode(ready).decode(), flush=True)
        try:
            while sys.stdin.buffer.read(4096):
                continue
        except KeyboardInterrupt:
            return 0
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
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
