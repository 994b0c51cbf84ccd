"""The command that serves. In: where to listen. Out: one process or several on a port, until they are told to end."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from hub.cli.frame import Database, command_settings, must_be_free, open_hub
from hub.cli.keep import syncing

MOST_WORKERS = 64


def serve(
    host: Annotated[
        str | None, typer.Option(help="Default HUB_HOST; beyond loopback only with a key or an issuer.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default HUB_PORT.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Processes that share the port.")] = 1,
    database: Database = None,
    sync: Annotated[bool, typer.Option("--sync", help="Keep the sources' schedules, in a process beside.")] = False,
) -> None:
    """Serve GraphQL (and GraphiQL) over what the last sync stored."""
    from hub.cli.serving import must_be_servable, serve_hub, serve_with  # what no other command has to wait for

    settings = command_settings(database)
    host, port = host or settings.host, port or settings.port
    with open_hub(settings) as hub:
        must_be_servable(hub, settings, host)  # what no worker could do is told once, here
        must_be_free(host, port)
        largest = hub.rulebook.access.max_body_bytes
        beside = syncing(settings.database_url) if sync else nullcontext()
        if workers == 1:
            with beside:
                serve_hub(hub, settings, host, port)
            return
    with beside:
        serve_with(workers, settings, host, port, largest)
