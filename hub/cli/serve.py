"""The command that serves. In: where to listen. Out: one process or several on a port, until they are told to end."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from contextlib import ExitStack
from multiprocessing import parent_process
from typing import Annotated, Any

import typer
import uvicorn

from hub.cli.frame import Database, command_settings, must_be_free, open_hub
from hub.cli.protocol import PatientProtocol
from hub.run import Hub
from hub.server import Door, create_app, must_be_servable
from hub.settings import Settings

MOST_WORKERS = 64
CONNECTIONS = 2_000
"""Of one process; more are answered with 503."""
IDLE_S = 30
"""How long a connection on which nothing is asked stays open."""
STARTING_S = 60
"""How long a worker may not answer its parent, as while it starts on a busy machine, before it is replaced."""
ENDING_S = 10
"""How long what runs may take once the server is told to end."""


def serve(
    host: Annotated[
        str | None, typer.Option(help="Default HUB_HOST; beyond loopback only with a key or an issuer.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default HUB_PORT.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Processes that share the port.")] = 1,
    database: Database = None,
) -> None:
    """Serve GraphQL (and GraphiQL) over what the last sync stored."""
    settings = command_settings(database)
    host, port = host or settings.host, port or settings.port
    with open_hub(settings) as hub:
        if workers == 1:
            serve_hub(hub, settings, host, port)
            return
        must_be_servable(hub, settings, host)  # what no worker could do is told once, here
        must_be_free(host, port)
        largest = hub.rulebook.access.max_body_bytes
    # A worker is a new process and opens everything itself.
    os.environ |= {"HUB_DATABASE_URL": settings.database_url, "HUB_HOST": host}
    uvicorn.run("hub.cli.serve:application", factory=True, workers=workers, **server_options(host, port, largest))


def serve_hub(hub: Hub, settings: Settings, host: str, port: int) -> None:
    """Serves an open hub until it is told to end. Raises SettingError where it may not or cannot listen there."""
    served = create_app(hub, settings, host)
    must_be_free(host, port)
    uvicorn.run(served, **server_options(host, port, hub.rulebook.access.max_body_bytes))


def application() -> Door:
    """What one worker serves, by the environment alone; it ends when its parent has."""
    settings = command_settings(None)
    opened = ExitStack()
    hub = opened.enter_context(open_hub(settings))
    atexit.register(opened.close)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return create_app(hub, settings, settings.host)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def server_options(host: str, port: int, largest_message: int) -> dict[str, Any]:
    """How the server listens: patient, but not for ever, with everybody. The largest message is in bytes."""
    return {
        "host": host,
        "port": port,
        "http": PatientProtocol,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "limit_concurrency": CONNECTIONS,
        "timeout_keep_alive": IDLE_S,
        "timeout_graceful_shutdown": ENDING_S,
        "timeout_worker_healthcheck": STARTING_S,
        "ws_max_size": largest_message,
        "ws_per_message_deflate": False,
    }
