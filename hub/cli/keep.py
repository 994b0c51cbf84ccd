"""Syncing that goes on. In: a database, names of sources. Out: runs until told to end, here or in a process beside."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from time import monotonic

import structlog

from hub import clock, terminal
from hub.cli.frame import FAILED, REFUSALS, command_settings, must_know, open_hub, told_by_signals
from hub.run import Report
from hub.upkeep.loop import Ending, Loop

AGAIN_S, LATEST_S = 1.0, 60.0
"""How soon syncing begins again when its process died, and how late where it dies each time."""
LOOK_S = 0.5
ENDING_S = 10
"""How long the page at hand may take once the server ends."""

_FIGURES = {
    "pulled": "pulled",
    "changed": "changed",
    "dead_letters": "dead letters",
    "customers_derived": "customers derived",
    "flags_raised": "flags raised",
    "flags_cleared": "cleared",
}

log = structlog.get_logger(__name__)


def keep_synced(database: str | None, sources: Collection[str] = ()) -> None:
    """Keeps the sources' schedules, one line a run, until SIGTERM or SIGINT; a second one of them ends it at once."""
    ending = Ending()
    with open_hub(command_settings(database)) as hub, told_by_signals(ending.tell):
        must_know(hub.sources, list(sources))
        Loop(hub, sources, ending, _say_run).run()


def _say_run(sources: Collection[str], report: Report, errors: Mapping[str, str]) -> None:
    figures = ", ".join(f"{report.counts.get(name, 0):,} {words}" for name, words in _FIGURES.items())
    terminal.say(f"{clock.show(clock.now())} {', '.join(sources) or 'a new day'}: {figures}")
    for error in dict.fromkeys(errors.values()):
        terminal.complain(error)


@contextmanager
def syncing(database_url: str) -> Iterator[None]:
    """One process that keeps the sources' schedules while the block lasts; where it dies, another begins."""
    ended = threading.Event()
    keeper = threading.Thread(target=_keep_syncing, args=(database_url, ended))
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def _keep_syncing(database_url: str, ended: threading.Event) -> None:
    pause = AGAIN_S
    while not ended.is_set():
        # Spawned, for a fork would share the server's connections; daemonic, so that no way out leaves it behind.
        process = get_context("spawn").Process(target=sync_for_ever, args=(database_url,), daemon=True)
        began = monotonic()
        process.start()
        while process.is_alive() and not ended.wait(LOOK_S):
            pass
        if ended.is_set():
            process.terminate()
            process.join(ENDING_S)
            process.kill()
            return
        pause = AGAIN_S if monotonic() - began > LATEST_S else min(2 * pause, LATEST_S)
        log.error("syncing ended and begins again", exit_code=process.exitcode, in_s=pause)
        ended.wait(pause)


def sync_for_ever(database_url: str) -> None:
    """What the process beside a server does, until it is told to end or its parent has."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        keep_synced(database_url)
    except REFUSALS as refusal:
        terminal.complain(str(refusal))
        sys.exit(FAILED)


def end_with_parent() -> None:
    """Returns once the parent of this process is gone, and has told this process to end."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
