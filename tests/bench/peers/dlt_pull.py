"""dlt's part of bench_pull: its REST source into a database or into Parquet files.

In: address, streams, destination (sqlite:///…, postgresql://… or a folder), a working folder. Out: one JSON line.
Runs in an environment that has dlt with sqlalchemy, postgres and parquet.
"""

import json
import resource
import sys
from time import perf_counter, process_time

import dlt
from dlt.sources.rest_api import rest_api_source

address, streams, where, working = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
if where.startswith("sqlite"):
    destination, further = dlt.destinations.sqlalchemy(where), {}
elif where.startswith("postgres"):
    destination, further = dlt.destinations.postgres(where), {}
else:
    destination, further = dlt.destinations.filesystem(where), {"loader_file_format": "parquet"}
names = [f"s{number}" for number in range(streams)]
PAGES = {"type": "page_number", "base_page": 1, "total_path": "meta.pages"}
source = rest_api_source(
    {
        "client": {"base_url": address, "paginator": PAGES},
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge" if "://" in where else "replace"},
        "resources": [{"name": name, "endpoint": {"path": name, "data_selector": "data"}} for name in names],
    }
)
dataset = "main" if where.startswith("sqlite") else "bench"
pipeline = dlt.pipeline("bench", pipelines_dir=working, destination=destination, dataset_name=dataset)
began, busy, error = perf_counter(), process_time(), None
try:
    pipeline.run(source, **further)
except Exception as failed:
    error = type(failed).__name__
seconds, cpu = perf_counter() - began, process_time() - busy
records = 0
if error is None:
    counted = pipeline.last_trace.last_normalize_info.row_counts
    records = sum(count for name, count in counted.items() if name in names)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"records": records, "seconds": seconds, "cpu": cpu, "mb": peak, "errors": [error] if error else []}))
