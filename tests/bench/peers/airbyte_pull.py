"""airbyte-cdk's part of bench_pull: a declarative source read to its end; nothing is stored.

In: address, streams, threads. Out: one JSON line of figures. Runs in an environment that has airbyte-cdk.
"""

import json
import logging
import resource
import sys
from time import perf_counter, process_time

from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

address, streams, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
QUERY = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}
DATA = {"type": "DpathExtractor", "field_path": ["data"]}


def stream(name: str) -> dict:
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMA},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester", "url_base": address, "path": f"/{name}", "http_method": "GET",
                "error_handler": {"type": "DefaultErrorHandler", "max_retries": 0},
            },
            "record_selector": {"type": "RecordSelector", "extractor": DATA},
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": QUERY,
                "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response.meta.next }}",
                                        "stop_condition": "{{ not response.meta.next }}"},
            },
        },
    }  # fmt: skip


names = [f"s{number}" for number in range(streams)]
manifest = {
    "version": "6.0.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": names[:1]},
    "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": threads},
    "streams": [stream(name) for name in names],
}  # fmt: skip
catalog = ConfiguredAirbyteCatalog(
    streams=[
        ConfiguredAirbyteStream(
            stream=AirbyteStream(name=name, json_schema=SCHEMA, supported_sync_modes=[SyncMode.full_refresh]),
            sync_mode=SyncMode.full_refresh,
            destination_sync_mode=DestinationSyncMode.append,
        )
        for name in names
    ]
)
source = ConcurrentDeclarativeSource(catalog=catalog, config={}, state=None, source_config=manifest)
began, busy, records, error = perf_counter(), process_time(), 0, None
try:
    for message in source.read(logging.getLogger("bench"), {}, catalog, None):
        records += message.type == Type.RECORD
except Exception as failed:
    error = f"{type(failed).__name__}"
seconds, cpu = perf_counter() - began, process_time() - busy
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"records": records, "seconds": seconds, "cpu": cpu, "mb": peak, "errors": [error] if error else []}))
