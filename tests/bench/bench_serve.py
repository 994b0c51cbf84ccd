"""How fast serving is, beside what people would take instead: on one database, back to back, one server at a time.

In: sizes and who takes part. Out: a table of requests a second, latencies, CPU of server and database a request and
memory; the same as JSON. Run as `python -m tests.bench.bench_serve`. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from random import Random
from statistics import median

from rich.console import Console

from tests.bench.serve_contenders import CONTENDERS, HUB, Contender, serving
from tests.bench.serve_database import Database, Filler, databases
from tests.bench.serve_exports import exports
from tests.bench.serve_load import Measured, burst
from tests.bench.serve_questions import CONTRACT, QUESTIONS, Question, asked
from tests.bench.serve_tables import show_contenders, show_exports, show_growth

SIZES = (10_000, 100_000, 1_000_000)
Results = dict[str, dict[str, Measured]]  # by contender and question


def main() -> None:
    """Runs what is asked for and shows it."""
    arguments, console = _arguments(), Console(width=150)
    found: dict[str, object] = {}
    for kind in arguments.database.split(","):
        with databases(kind, console) as filler:
            for part in (part for part in PARTS if part in arguments.only):
                found[f"{kind}: {part}"] = PARTS[part](arguments, filler, console)
    arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    console.print(f"all figures: {arguments.json}")


def _contenders(arguments: argparse.Namespace, filler: Filler, console: Console) -> object:
    each = arguments.interactions // arguments.customers
    results = _compared(arguments, filler.filled(arguments.customers, each))
    show_contenders(console, f"{filler.kind}, {arguments.customers:,} customers", results)
    return _plain(results)


def _exports(arguments: argparse.Namespace, filler: Filler, console: Console) -> object:
    each = arguments.interactions // arguments.customers
    exported = exports(filler.filled(arguments.customers, each), arguments.rounds)
    show_exports(console, filler.kind, exported)
    return {name: asdict(one) for name, one in exported.items()}


def _growth(arguments: argparse.Namespace, filler: Filler, console: Console) -> object:
    each = arguments.interactions // arguments.customers
    grown = {size: _grown(arguments, filler.filled(size, each)) for size in arguments.sizes}
    show_growth(console, filler.kind, grown)
    return {str(size): _plain(results) for size, results in grown.items()}


PARTS = {"contenders": _contenders, "exports": _exports, "growth": _growth}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--interactions", type=int, default=2_000_000)
    parser.add_argument("--database", default="postgresql,sqlite", help="postgresql, sqlite or both, with a comma")
    parser.add_argument(
        "--only", type=lambda s: set(s.split(",")), default=set(PARTS), help="contenders, exports, growth"
    )
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--sizes", type=lambda s: [int(n) for n in s.split(",")], default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", type=Path, default=Path("bench-serve.json"))
    return parser.parse_args()


def _compared(arguments: argparse.Namespace, database: Database) -> Results:
    """Every contender and question; the median of the rounds."""
    names = arguments.contenders.split(",") if database.kind == "postgresql" else ["hub"]
    rounds: defaultdict[tuple[str, str], list[Measured]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for name in names:
            for question, measured in _measured(arguments, CONTENDERS[name], database, QUESTIONS):
                rounds[CONTENDERS[name].name, question].append(measured)
    if "hub" in names:
        for question, measured in _measured(arguments, HUB, database, CONTRACT):
            rounds[HUB.name, question].append(measured)
    results: Results = defaultdict(dict)
    for (name, question), many in rounds.items():
        results[name][question] = _median(many)
    return results


def _grown(arguments: argparse.Namespace, database: Database) -> Results:
    one = [question for question in QUESTIONS if question.name == "one"]
    return {HUB.name: dict(_measured(arguments, HUB, database, one))}


def _measured(
    arguments: argparse.Namespace, contender: Contender, database: Database, questions: Sequence[Question]
) -> Iterator[tuple[str, Measured]]:
    """One server's answers to each question under load, after a second of warming up."""
    with serving(contender, database.url) as (process, port):
        for question in questions:
            with asked(question, contender, database, port, Random(7)) as bodies:
                load = (port, bodies)
                burst(*load, 1, arguments.connections, process, database.process)
                yield question.name, burst(*load, arguments.seconds, arguments.connections, process, database.process)


def _median(many: Sequence[Measured]) -> Measured:
    middle = {field.name: median(getattr(each, field.name) for each in many) for field in fields(Measured)}
    return replace(many[0], **middle)


def _plain(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    return {name: {question: asdict(m) for question, m in answers.items()} for name, answers in results.items()}


if __name__ == "__main__":
    main()
