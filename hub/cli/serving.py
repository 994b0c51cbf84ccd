"""Serving. In: an open hub, or the environment of a worker. Out: an application that listens until told to end."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import ExitStack
from typing import Any

import uvicorn

from hub.cli.frame import command_settings, must_be_free, open_hub
from hub.cli.keep import end_with_parent
from hub.cli.protocol import PatientProtocol
from hub.run import Hub
from hub.server import Door, create_app, must_be_servable
from hub.settings import Settings

__all__ = ["application", "must_be_servable", "serve_hub", "serve_with", "server_options"]

CONNECTIONS = 2_000
"""Of one process; more are answered with 503."""
IDLE_S = 30
"""How long a connection on which nothing is asked stays open."""
STARTING_S = 60
"""How long a worker may not answer its parent, as while it starts on a busy machine, before it is replaced."""
ENDING_S = 10
"""How long what runs may take once the server is told to end."""


def serve_hub(hub: Hub, settings: Settings, host: str, port: int) -> None:
    """Serves an open hub until it is told to end. Raises SettingError where it may not or cannot listen there."""
    served = create_app(hub, settings, host)
    must_be_free(host, port)
    uvicorn.run(served, **server_options(host, port, hub.rulebook.access.max_body_bytes))


def serve_with(workers: int, settings: Settings, host: str, port: int, largest_message: int) -> None:
    """Serves by so many processes until told to end; each is new and opens everything itself."""
    os.environ |= {"HUB_DATABASE_URL": settings.database_url, "HUB_HOST": host}
    options = server_options(host, port, largest_message)
    uvicorn.run("hub.cli.serving:application", factory=True, workers=workers, **options)


def application() -> Door:
    """What one worker serves, by the environment alone; it ends when its parent has."""
    settings = command_settings(None)
    opened = ExitStack()
    hub = opened.enter_context(open_hub(settings))
    atexit.register(opened.close)
    threading.Thread(target=end_with_parent, daemon=True).start()
    return create_app(hub, settings, settings.host)


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
