"""goldenmatch's part of bench_identity: its zero-configuration run over a plain table of people.

In: a neutral file, a file for the partition. Out: that file (place, group), and one JSON line of figures. Runs in an
environment that has goldenmatch.
"""

import csv
import json
import resource
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import goldenmatch

file, out = sys.argv[1:3]
ONE = {
    "first_name": "given", "last_name": "family", "date_of_birth": "birth", "street": "street", "postcode": "postcode",
    "city": "city", "email": "emails", "phone": "phones",
}  # fmt: skip
with open(file, newline="", encoding="utf-8") as read:
    records = list(csv.DictReader(read))
for record in records:
    first, _, last = record["display"].partition(" ")
    record["given"], record["family"] = record["given"] or first, record["family"] or last
    record["national_id"] = record["ids"].partition("soc_sec_id=")[2]
columns = [name for name, field in ONE.items() if any(record[field] for record in records)]
with_id = any(record["national_id"] for record in records)
with tempfile.TemporaryDirectory() as folder:
    table = Path(folder) / "people.csv"
    with table.open("w", newline="", encoding="utf-8") as written:
        writer = csv.writer(written)
        writer.writerow([*columns, *(["national_id"] if with_id else [])])
        for record in records:
            told = [record[ONE[name]].partition("|")[0] for name in columns]
            writer.writerow([*told, *([record["national_id"]] if with_id else [])])
    began = perf_counter()
    found = goldenmatch.dedupe(str(table))
    seconds = perf_counter() - began
group = {row: number for number, cluster in found.clusters.items() for row in cluster["members"]}
with open(out, "w", newline="", encoding="utf-8") as written:
    for row, record in enumerate(records):
        csv.writer(written).writerow((f"{record['source']}/{record['key']}", group.get(row, f"alone {row}")))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"records": len(records), "seconds": seconds, "mb": peak}))
