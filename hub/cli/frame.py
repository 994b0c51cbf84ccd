"""What every command shares. In: words and the environment. Out: settings, an open hub, an instant, an exit code."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import text

from connectors.errors import ConnectorError
from hub import clock
from hub.access.keys import KeyRefused
from hub.author import AuthorError
from hub.demo import DemoError
from hub.erasure.erase import UnknownCustomer
from hub.explain.find import NoSuchCustomer
from hub.explain.page import NoPicture
from hub.export.stream import UnknownExport
from hub.export.views import create_views, views_fit
from hub.identity.evidence.calibration import CalibrationError
from hub.identity.steward.judgement import JudgementError
from hub.identity.steward.label_file import LabelsError
from hub.logs import configure_logs
from hub.quality.letters import NoSuchLetter, UnknownPlace
from hub.rules import load_rules
from hub.run import Hub
from hub.settings import SettingError, Settings, read_settings
from hub.store.engine import Store, open_store
from hub.store.errors import StoreError
from hub.store.vault import open_vault
from mappings.drafting.openapi import NoOpenApiError
from mappings.loader import MappingError, MissingSettingError, load_sources

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3
EXIT_CODES = """Exit codes: 0 done · 1 failed, nothing useful was done · 2 the command's words are wrong ·
3 done in part: some stream failed, its error is shown, the others are whole."""


class UnknownSource(Exception):
    """A command names a source that rules/company.yml has not; the message lists those that it has."""


class UnknownRole(Exception):
    """A command names a role that rules/access.yml has not; the message lists those that it has."""


class UnknownScope(Exception):
    """A command names a scope that no key has; the message lists those that there are."""


REFUSALS = (
    StoreError,
    MappingError,
    SettingError,
    ConnectorError,
    MissingSettingError,
    DemoError,
    UnknownCustomer,
    NoSuchCustomer,
    NoSuchLetter,
    KeyRefused,
    AuthorError,
    NoOpenApiError,
    CalibrationError,
    JudgementError,
    LabelsError,
)
WRONG_WORDS = (NoPicture, UnknownSource, UnknownPlace, UnknownRole, UnknownScope, UnknownExport, clock.InstantError)

Database = Annotated[str | None, typer.Option("--database", help="Database URL; default HUB_DATABASE_URL.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="The instant or day that the rules call now.")]
Sources = Annotated[list[str] | None, typer.Argument(help="Names of sources; all where none is named.")]
Places = Annotated[
    list[str] | None, typer.Argument(help="Names of sources, or SOURCE.STREAM; all where none is named.")
]


def command_settings(database: str | None) -> Settings:
    """The settings, --database outranking the environment; the logs go where they say. Raises SettingError."""
    settings = read_settings(os.environ | ({"HUB_DATABASE_URL": database} if database else {}))
    configure_logs(settings)
    return settings


@contextmanager
def store_alone(settings: Settings) -> Iterator[Store]:
    """The settings' database without rules and mappings, so that it opens whatever is wrong with them."""
    store = open_store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_hub(settings: Settings, environ: Mapping[str, str] = os.environ, migrate: bool | None = None) -> Iterator[Hub]:
    """A hub over the settings' database, its BI views made to fit. Raises MappingError, StoreError."""
    rulebook = load_rules(settings.folders)
    sources = load_sources(rulebook, settings.folders, environ)
    store = open_store(settings.database_url, migrate)
    try:
        _refresh_views(store, rulebook.company.reporting_currency)
        yield Hub(store, rulebook, sources, vault=open_vault(store, settings))
    finally:
        store.close()


def instant(hub: Hub, words: str | None, default: int) -> int:
    """What --as-of says in µs, the default where it says nothing. Raises InstantError."""
    return default if words is None else clock.parse(words, hub.rulebook.company.time_zone)


def last_instant(hub: Hub) -> int:
    """The as_of of the last run in µs; the clock's now where there was none."""
    with hub.store.read() as connection:
        last = connection.execute(text("SELECT as_of FROM sync_run ORDER BY run_no DESC LIMIT 1")).scalar()
    return clock.now() if last is None else int(last)


def must_know_places(hub: Hub, places: list[str] | None) -> None:
    """Raises UnknownSource for what is neither a source nor a stream (`source.stream`) of one."""
    streams = {f"{source}.{stream}" for source, stream in hub.streams()}
    for place in places or ():
        source, dot, _ = place.partition(".")
        if dot and source in hub.sources and place not in streams:
            listed = ", ".join(hub.sources[source].system.streams)
            raise UnknownSource(f"no stream {place!r}; {source} has {listed}")
    must_know(hub.sources, [place for place in places or () if place not in streams])


def must_know(known: Collection[str], sources: list[str] | None) -> None:
    """Raises UnknownSource for a name that rules/company.yml has not."""
    for name in sources or ():
        if name not in known:
            raise UnknownSource(f"no source {name!r} in rules/company.yml; there are {', '.join(known)}")


@contextmanager
def told_by_signals(tell: Callable[[], None]) -> Iterator[None]:
    """While the block lasts, the first SIGTERM or SIGINT only calls `tell`; another one ends the process at once."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def first(number: int, _frame: object) -> None:
        for each in usual:
            signal.signal(each, signal.SIG_DFL)
        tell()

    for number in usual:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def must_be_free(host: str, port: int) -> None:
    """Raises SettingError where nothing can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            what = f"{host}:{port} cannot be listened on ({error.strerror})"
            raise SettingError(f"{what}; name another with --port, or check HUB_HOST") from None


def _refresh_views(store: Store, reporting_currency: str) -> None:
    with store.read() as connection:
        if views_fit(connection, reporting_currency):
            return
    with store.write() as connection:
        create_views(connection, reporting_currency)
