"""singer-sdk's part of bench_pull: a tap that writes its messages to nowhere.

In: address, streams. Out: one JSON line of figures on the error stream. Runs in an environment that has singer-sdk.
"""

import json
import os
import resource
import sys
from time import perf_counter, process_time

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BasePageNumberPaginator

address, streams = sys.argv[1], int(sys.argv[2])
COUNT = 0
TEXTS = ("id", "first_name", "last_name", "email", "phone", "country", "city")
MORE = ("created_at", "updated_at", "status", "note")
SCHEMA = th.PropertiesList(
    *(th.Property(name, th.StringType) for name in (*TEXTS, *MORE)),
    th.Property("score", th.IntegerType),
    th.Property("tags", th.ArrayType(th.StringType)),
).to_dict()


class Pages(BasePageNumberPaginator):
    def has_more(self, response):
        meta = response.json()["meta"]
        return meta["page"] < meta["pages"]


class Records(RESTStream):
    url_base = address
    records_jsonpath = "$.data[*]"
    primary_keys = ("id",)
    schema = SCHEMA

    def get_new_paginator(self):
        return Pages(1)

    def get_url_params(self, context, next_page_token):
        return {"page": next_page_token or 1}

    def post_process(self, row, context=None):
        global COUNT
        COUNT += 1
        return row

    def backoff_max_tries(self):
        return 1


class Bench(Tap):
    name = "tap-bench"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [type(f"S{n}", (Records,), {"name": f"s{n}", "path": f"/s{n}"})(tap=self) for n in range(streams)]


os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
began, busy, error = perf_counter(), process_time(), None
try:
    Bench(config={}).sync_all()
except Exception as failed:
    error = type(failed).__name__
seconds, cpu = perf_counter() - began, process_time() - busy
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(
    json.dumps({"records": COUNT, "seconds": seconds, "cpu": cpu, "mb": peak, "errors": [error] if error else []}),
    file=sys.stderr,
)
