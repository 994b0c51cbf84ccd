"""How well and how fast the hub knows who is who, beside Splink and the naive join, on the same records.

In: which data sets, how many profiles of the messy estate, or any CSV file with the true person in a column. Out: a
table a data set, and bench-identity.json with the same figures. Thresholds are those of the shipped rules; nothing is
trained on labels and nothing is asserted. Programs run one after the other, each in a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from time import perf_counter

from rich.console import Console

from tests.bench.identity.datasets import any_file, dupehell, febrl, rldata
from tests.bench.identity.estate import estate
from tests.bench.identity.evidence import connected
from tests.bench.identity.join_naive import same_contact
from tests.bench.identity.measure import quality
from tests.bench.identity.organizations import organizations
from tests.bench.identity.picture import curve
from tests.bench.identity.record import Record, write_records
from tests.bench.identity.tables import NOTES, Figures, show, show_wrong

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "customer-hub-tests" / "peers"
WANTED = {
    "splink": ["splink>=5,<6"],
    "goldenmatch": ["goldenmatch>=3.22,<4"],
    "dupehell": ["dupehell>=0.5.5,<0.6", "pyarrow>=22"],
}
console = Console(width=150)


@dataclass(frozen=True)
class Data:
    """A data set, and the settings that Splink runs it with: those of its example for it, or written for it here."""

    name: str
    records: Callable[[], list[Record]]
    splink: tuple[tuple[str, str], ...] = (("Splink 5", "people"),)


def main() -> None:
    if "--scale" in sys.argv:
        command = [sys.executable, "-m", "tests.bench.bench_identity_scale"]
        further = [word for word in sys.argv[1:] if word != "--scale"]
        raise SystemExit(subprocess.run([*command, *further], check=False).returncode)
    said = _arguments()
    results: list[Figures] = []
    with tempfile.TemporaryDirectory() as folder:
        for data in _wanted(said, Path(folder)):
            results += _measure(data, said, Path(folder))
    console.print(NOTES)
    said.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    if said.picture:
        said.picture.write_text(_picture(results), encoding="utf-8")
    console.print(f"{said.json} has these figures")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        action="append",
        help="febrl3, febrl4, rldata, estate, organizations; dupehell, only when rules are done",
    )
    parser.add_argument("--profiles", type=int, nargs="*", default=[10_000], help="sizes of the messy estate")
    parser.add_argument("--large", action="store_true", help="the estate at 10,000, 100,000 and 1,000,000")
    parser.add_argument("--seed", type=int, default=5, help="of the messy estate: another one is another estate")
    parser.add_argument("--without", action="append", default=[], help="contenders to leave out: splink, naive, hub")
    parser.add_argument("--further", action="append", default=[], choices=["goldenmatch"], help="slower contenders")
    parser.add_argument("--peers", type=Path, default=CACHE, help="where environments and data sets are kept")
    parser.add_argument("--file", type=Path, help="a CSV file instead of these data sets")
    parser.add_argument("--map", default="", help="its columns: given=first_name,family=last_name,id:ssn=ssn")
    parser.add_argument("--truth", default="entity", help="its column that says who the person truly is")
    parser.add_argument("--source", default="file", help="its column that says the source, or a name for all")
    parser.add_argument("--wrong", type=int, default=0, help="so many pairs that the hub got wrong are printed")
    parser.add_argument("--json", type=Path, default=Path("bench-identity.json"))
    parser.add_argument("--picture", type=Path, help="an SVG file: seconds by profiles of the estates")
    parser.add_argument("--scale", action="store_true", help="time instead: bench_identity_scale with the other words")
    return parser.parse_args()


def _wanted(said: argparse.Namespace, folder: Path) -> Iterator[Data]:
    if said.file:
        columns = dict(pair.split("=", 1) for pair in said.map.split(",") if pair)
        yield Data(said.file.name, lambda: list(any_file(said.file, columns, said.truth, said.source)))
        return
    sizes = [10_000, 100_000, 1_000_000] if said.large else said.profiles
    for name in said.only or ("febrl3", "febrl4", "rldata", "estate", "organizations"):
        yield from _data(name, said, folder, sizes)


def _data(name: str, said: argparse.Namespace, folder: Path, sizes: Sequence[int]) -> Iterator[Data]:
    wheels = said.peers / "datasets"
    match name:
        case "febrl3" | "febrl4":
            for with_id in (True, False):
                title = f"FEBRL{name[-1]}, {'with' if with_id else 'without'} soc_sec_id"
                splink = (("Splink 5, its example", name), ("Splink 5, all columns", "febrl_all"))
                yield Data(title, partial(febrl, name[-1], wheels, with_id), splink)
        case "rldata":
            for records in ("500", "10000"):
                yield Data(f"RLdata{records}", partial(rldata, records, wheels))
        case "estate":
            for size in sizes:
                title = f"messy estate, {size:,} profiles, seed {said.seed}"
                yield Data(title, partial(estate, size, said.seed))
        case "organizations":
            yield Data("organizations, 5,000 profiles", partial(organizations, 5_000, said.seed), splink=())
        case "dupehell":
            python = _environment(said.peers / "dupehell", WANTED["dupehell"])
            for domain, difficulty in product(("crm", "kyc"), ("medium", "hell")):
                made = partial(dupehell, domain, difficulty, 10_000, python, folder)
                yield Data(f"dupehell, {domain}, {difficulty}", made)
        case _:
            raise SystemExit(f"no data set {name}: febrl3, febrl4, rldata, estate, organizations or dupehell")


def _measure(data: Data, said: argparse.Namespace, folder: Path) -> list[Figures]:
    records = data.records()
    file = folder / "records.csv"
    write_records(file, records)
    truth = {record.place: record.entity for record in records}
    evidence = connected(records)
    runs: list[tuple[str, Figures, dict[str, str]]] = []
    for name, run in _contenders(data, said, folder, file, records):
        figures, groups = run()
        runs.append((name, figures, groups))
    told = [(name, figures, quality(truth, evidence, groups)) for name, figures, groups in runs if groups]
    show(console, data.name, len(records), told)
    for name, figures, groups in runs:
        if not groups:
            console.print(f"  {name}: {figures['failed']}")
        elif name == "hub" and said.wrong:
            show_wrong(console, records, truth, evidence, groups, said.wrong)
    return [{"data": data.name, "records": len(records), "contender": n, **f, **asdict(q)} for n, f, q in told]


def _picture(results: Sequence[Figures]) -> str:
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for told in results:
        if told["data"].startswith("messy estate"):
            lines[told["contender"]].append((told["records"], told["seconds"]))
    return curve("From records to customers, messy estate", lines)


# who runs ------------------------------------------------------------------------------------------------------------
Run = Callable[[], tuple[Figures, dict[str, str]]]


def _contenders(
    data: Data, said: argparse.Namespace, folder: Path, file: Path, records: Sequence[Record]
) -> Iterator[tuple[str, Run]]:
    def program(command: Callable[[Path], list[str]]) -> Run:
        def run() -> tuple[Figures, dict[str, str]]:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                return _figures(command(Path(place)), Path(place) / "groups.csv")

        return run

    def naive() -> tuple[Figures, dict[str, str]]:
        began = perf_counter()
        groups = same_contact(records)
        return {"seconds": perf_counter() - began, "mb": None}, groups

    hub = [sys.executable, "-m", "tests.bench.identity.join_hub", str(file)]
    if "hub" not in said.without:
        yield "hub", program(lambda place: _with_groups([*hub, f"sqlite:///{place / 'hub.db'}"], place))
        yield (
            "hub, calibrated",
            program(lambda place: _with_groups([*hub, f"sqlite:///{place / 'hub.db'}", "calibrated"], place)),
        )
    if "splink" not in said.without:
        python = _environment(said.peers / "splink", WANTED["splink"])
        for name, settings in data.splink:
            splink = [str(python), str(HERE / "peers" / "splink_join.py"), str(file), settings]
            yield name, program(partial(_with_groups, splink))
    for name in said.further:
        python = _environment(said.peers / name, WANTED[name])
        peer = [str(python), str(HERE / "peers" / f"{name}_join.py"), str(file)]
        yield name, program(partial(_with_groups, peer))
    if "naive" not in said.without:
        yield "same e-mail or phone", naive


def _with_groups(command: list[str], place: Path) -> list[str]:
    return [*command, str(place / "groups.csv")]


def _figures(command: list[str], groups: Path) -> tuple[Figures, dict[str, str]]:
    """What a program printed and the partition it wrote; an empty one and the end of what it said where it failed."""
    # Our folders are the hub's modules, not the peers'.
    root = {"PYTHONPATH": str(HERE.parents[1])} if command[0] == sys.executable else {}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | root)
    told = [line for line in done.stdout.splitlines() if line.startswith('{"records"')]
    if not told:
        return {"failed": done.stderr.strip()[-600:]}, {}
    with groups.open(newline="", encoding="utf-8") as file:
        rows = ((row[0], row[1]) for row in csv.reader(file))
        return json.loads(told[-1]), dict(rows)


def _environment(folder: Path, wanted: list[str]) -> Path:
    """The interpreter of an environment with a peer in it, made where it is missing."""
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        console.print(f"installing {wanted[0]} into {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True, stderr=subprocess.DEVNULL)
        (folder / "whole").touch()
    return python


if __name__ == "__main__":
    main()
