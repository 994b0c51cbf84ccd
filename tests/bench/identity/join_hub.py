"""The hub's part of bench_identity: profiles as the mapping writes them, resolved batch by batch.

In: a neutral file, a database URL, perhaps the word `calibrated`, a file for the partition. Out: that file (place,
group), and one JSON line. `calibrated`: what `hub identity calibrate --write` learns without labels is kept, and
everybody is resolved again.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select

from hub.identity.resolve import resolve
from hub.identity.steward.calibrate import calibrate, keep
from hub.store.engine import Store, open_store
from hub.store.kept import profile_ledger
from mappings.loader import load_rulebook, shipped
from tests.bench.identity.filling import AS_OF, fill
from tests.bench.identity.record import read_records


def main() -> None:
    file, url, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[-1])
    store = open_store(url, migrate=True)
    began = perf_counter()
    sources = fill(store, list(read_records(file)))
    filled = perf_counter()
    profiles = resolve_all(store, sources)
    if "calibrated" in sys.argv:
        learn(store)
        resolve_all(store, sources)
    seconds = perf_counter() - filled
    with out.open("w", newline="", encoding="utf-8") as written:
        csv.writer(written).writerows(partition(store))
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"records": profiles, "seconds": seconds, "fill": filled - began, "mb": peak}))


def resolve_all(store: Store, sources: Sequence[str]) -> int:
    """Resolves until nothing is pending, each batch persisted for itself; returns how many profiles there were."""
    rulebook = load_rulebook([shipped()])
    while True:
        with store.write() as connection:
            if not resolve(connection, rulebook, sources, AS_OF).profiles:
                break
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(profile_ledger)) or 0


def learn(store: Store) -> None:
    """Keeps what the resolved records say of their own errors. Exits where there is too little to learn from."""
    with store.write() as connection:
        found = calibrate(connection, load_rulebook([shipped()]))
        if found is None:
            raise SystemExit("too little to learn from: as without")
        keep(connection, found)


def partition(store: Store) -> list[tuple[str, str]]:
    """(place, group) of every profile; one that is nobody's yet is a group of its own."""
    own = profile_ledger.c
    with store.read() as connection:
        rows = connection.execute(select(own.source, own.key, own.customer_no, own.profile_no)).all()
    return [
        (f"{source}/{key}", str(customer) if customer else f"alone {number}") for source, key, customer, number in rows
    ]


if __name__ == "__main__":
    main()
