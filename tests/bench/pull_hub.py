"""The hub's part of bench_pull. In: the server's address, streams, a database. Out: one JSON line of figures.

A process of its own, so that its memory and processor time are its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from hub.intake.arrivals import pull_and_land
from hub.intake.mapping import map_landed
from hub.run import Hub, Report
from hub.store.engine import open_store
from hub.store.read import start_run
from mappings.loader import Settings, Source, load_rulebook, load_system, shipped

AS_OF = 1_780_000_000_000_000
STREAM = """
  s{0}:
    get: /s{0}
    records: data
    key: id
    profile:
      kind: PERSON
      given_name: first_name
      family_name: last_name
      emails: [email]
      phones: [phone]
      country: country
      created_at: created_at
      updated_at: updated_at
      attributes: {{city: city, status: status, score: score}}
"""
HEAD = """
system: bench
kind: crm
about: What is pulled.
http:
  base_url: {0}
  pages: {{page: page, total_pages: meta.pages}}
streams:
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--database", required=True)
    parser.add_argument("--map", action="store_true")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yml"
        path.write_text(HEAD.format(said.address) + "".join(STREAM.format(n) for n in range(said.streams)))
        source = Source("bench", load_system(path), Settings({}))
    store = open_store(said.database, migrate=True)
    hub = Hub(store, load_rulebook([shipped()]), {"bench": source})
    with store.write() as connection:
        report = Report(start_run(connection, "sync", AS_OF), AS_OF)
    began, busy = perf_counter(), process_time()
    pull_and_land(hub, report)
    pulled = perf_counter() - began
    if said.map:
        map_landed(hub, report, guarded=True)
    seconds, cpu = perf_counter() - began, process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    records = report.counts.get("pulled", 0)
    store.close()
    print(json.dumps({"records": records, "seconds": seconds, "pulled_s": pulled, "cpu": cpu, "mb": peak,
                      "requests": report.requests, "errors": list(report.errors.values())}))  # fmt: skip


if __name__ == "__main__":
    main()
