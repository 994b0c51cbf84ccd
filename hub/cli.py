"""The commands. In: words and the environment. Out: tables, files, a server; an exit code that scripts can trust.

Each command reads what it needs, calls one function of the hub, and shows the answer.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from sqlalchemy import text

from connectors.errors import ConnectorError
from hub import clock, terminal
from hub.api.schema import build_schema, sdl
from hub.check import check_sources, sample_source
from hub.demo import DEMO_AS_OF, DEMO_DATABASE, READY_QUERY, DemoError, same_company, sandbox
from hub.erase import UnknownCustomer
from hub.erase import erase as erase_customer
from hub.explain import NoSuchCustomer, explanation
from hub.export.stream import UnknownExport
from hub.export.stream import export as export_view
from hub.export.views import create_views, views_fit
from hub.logs import configure_logs
from hub.rules import load_rules
from hub.run import Hub, Progress, Report
from hub.server import create_app
from hub.settings import SettingError, Settings, read_settings
from hub.store.engine import Store, open_store
from hub.store.errors import StoreError
from hub.sync import follow
from hub.sync import remap as remap_all
from hub.sync import sync as sync_all
from mappings.loader import MappingError, MissingSettingError, load_sources, schema_json

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3
EXIT_CODES = """Exit codes: 0 done · 1 failed, nothing useful was done · 2 the command's words are wrong ·
3 done in part: some stream failed, its error is shown, the others are whole."""
REFUSALS = (
    StoreError,
    MappingError,
    SettingError,
    ConnectorError,
    MissingSettingError,
    DemoError,
    UnknownCustomer,
    NoSuchCustomer,
)


class UnknownSource(Exception):
    """A command names a source that rules/company.yml has not; the message lists those that it has."""


WRONG_WORDS = (UnknownSource, UnknownExport, clock.InstantError)

app = typer.Typer(
    name="hub",
    help="One customer graph from many systems: YAML mappings in, GraphQL out.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Database = Annotated[str | None, typer.Option("--database", help="Database URL; default HUB_DATABASE_URL.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="The instant or day that the rules call now.")]
Sources = Annotated[list[str] | None, typer.Argument(help="Names of sources; all where none is named.")]


def main() -> None:
    """Run a command; what the hub refuses is one line and an exit code, never a traceback."""
    try:
        app()
    except (*REFUSALS, *WRONG_WORDS) as refusal:
        terminal.complain(str(refusal))
        sys.exit(USAGE if isinstance(refusal, WRONG_WORDS) else FAILED)


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=10, max=100_000, help="People the sandbox company knows.")] = 1000,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where GraphQL is served.")] = 8000,
    database: Annotated[str, typer.Option(help="Database URL.")] = DEMO_DATABASE,
    as_of: AsOf = None,
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary; serve nothing.")] = False,
) -> None:
    """Start an invented company's four systems, sync them, show what came out, and serve it."""
    settings = _settings(database)
    if not once:
        _must_be_free(settings.host, port)
    with sandbox(customers) as environment, _open(settings, environment, migrate=True) as hub:
        with hub.store.write() as connection:
            same_company(connection, customers)
        report = _synced(hub, _instant(hub, as_of, DEMO_AS_OF))
        terminal.show_summary(hub, report)
        terminal.show_query(f"http://{settings.host}:{port}/graphql", READY_QUERY, served=not once)
        if once or report.status == "FAILED":
            raise typer.Exit(_code(report))
        _serve(hub, settings, settings.host, port)


@app.command()
def sync(sources: Sources = None, database: Database = None, as_of: AsOf = None) -> None:
    """Pull what changed, land it, and bring the customer graph up to date."""
    with _open(_settings(database)) as hub:
        _must_know(hub.sources, sources)
        report = _synced(hub, _instant(hub, as_of, clock.now()), sources or ())
        terminal.show_summary(hub, report)
        raise typer.Exit(_code(report))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Default HUB_HOST; beyond loopback only with HUB_API_KEY.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default HUB_PORT.")] = None,
    database: Database = None,
) -> None:
    """Serve GraphQL (and GraphiQL) over what the last sync stored."""
    settings = _settings(database)
    with _open(settings) as hub:
        _serve(hub, settings, host or settings.host, port or settings.port)


@app.command()
def check(
    sources: Sources = None,
    sample: Annotated[int | None, typer.Option(min=1, max=100, help="Pull this many records a stream.")] = None,
) -> None:
    """Check mapping and rule files without network; with --sample show records beside their entities."""
    settings = _settings(None)
    rulebook = load_rules(settings.folders)
    known = load_sources(rulebook, settings.folders, os.environ)
    _must_know(known, sources)
    for line in check_sources(rulebook, known, sources or list(known)):
        terminal.say(line)
    for name in sources or list(known) if sample else ():
        for title, branches in sample_source(known[name], rulebook, sample or 1):
            terminal.show_tree(title, branches)


@app.command()
def explain(customer: Annotated[str, typer.Argument(help="Id, e-mail or phone.")], database: Database = None) -> None:
    """Show why these profiles are one customer, where each value comes from, and what each figure is made of."""
    with _open(_settings(database)) as hub:
        terminal.show_tree(*explanation(hub.store, hub.rulebook, customer))


@app.command()
def export(
    view: Annotated[str, typer.Argument(help="bi_customers, bi_money, bi_interactions …")],
    format_: Annotated[str, typer.Option("--format", help="csv or ndjson.")] = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output where absent.")] = None,
    database: Database = None,
) -> None:
    """Stream a BI view as CSV or NDJSON."""
    with _open(_settings(database)) as hub:
        chunks = export_view(hub.store, view, format_)
        try:
            opened = output.open("w", encoding="utf-8", newline="") if output else nullcontext(sys.stdout)
        except OSError as error:
            raise SettingError(f"--output {output}: cannot be written ({error.strerror})") from None
        with opened as file:
            file.writelines(chunks)


@app.command()
def remap(database: Database = None, as_of: AsOf = None) -> None:
    """Map everything landed anew and derive it again, without network; as of the last run unless said otherwise."""
    with _open(_settings(database)) as hub:
        with terminal.progress_bars() as progress:
            report = remap_all(_with(hub, progress), _instant(hub, as_of, _last_instant(hub)))
        terminal.show_summary(hub, report)
        raise typer.Exit(_code(report))


@app.command()
def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    database: Database = None,
    as_of: AsOf = None,
) -> None:
    """Forget a customer everywhere, for good, and print the certificate."""
    with _open(_settings(database)) as hub:
        instant = _instant(hub, as_of, _last_instant(hub))
        erasure = erase_customer(hub.store, customer, dry_run, instant)
        if not dry_run:
            follow(hub, instant)
        for table, count in erasure.rows:
            terminal.say(f"{count:>8,} {table}")
        terminal.say(erasure.certificate or "dry run: nothing was erased")


@app.command()
def schema(
    mapping: Annotated[bool, typer.Option("--mapping", help="The JSON Schema of mapping files instead.")] = False,
) -> None:
    """Print the GraphQL schema, or the JSON Schema that editors check mapping files with."""
    sys.stdout.write(schema_json() if mapping else sdl(build_schema(load_rules(read_settings().folders).access)))


@app.command()
def migrate(database: Database = None) -> None:
    """Bring the database's schema and BI views to this version's (SQLite does so by itself)."""
    with _open(_settings(database), migrate=True) as hub:
        terminal.say(f"{hub.store.place}: up to date")


@app.command(name="status")
def show_status(database: Database = None) -> None:
    """Show what the store holds: streams, customers, money beside its control, flags."""
    with _open(_settings(database)) as hub:
        terminal.show_summary(hub, None)


# what the commands share ---------------------------------------------------------------------------------------------
def _settings(database: str | None) -> Settings:
    settings = read_settings(os.environ | ({"HUB_DATABASE_URL": database} if database else {}))
    configure_logs(settings)
    return settings


@contextmanager
def _open(settings: Settings, environ: Mapping[str, str] = os.environ, migrate: bool | None = None) -> Iterator[Hub]:
    rulebook = load_rules(settings.folders)
    sources = load_sources(rulebook, settings.folders, environ)
    store = open_store(settings.database_url, migrate)
    try:
        _refresh_views(store, rulebook.company.reporting_currency)
        yield Hub(store, rulebook, sources)
    finally:
        store.close()


def _refresh_views(store: Store, reporting_currency: str) -> None:
    with store.read() as connection:
        if views_fit(connection, reporting_currency):
            return
    with store.write() as connection:
        create_views(connection, reporting_currency)


def _with(hub: Hub, progress: Progress) -> Hub:
    return Hub(hub.store, hub.rulebook, hub.sources, progress)


def _synced(hub: Hub, as_of: int, only: list[str] | tuple[()] = ()) -> Report:
    with terminal.progress_bars() as progress:
        return sync_all(_with(hub, progress), as_of, only)


def _instant(hub: Hub, words: str | None, default: int) -> int:
    return default if words is None else clock.parse(words, hub.rulebook.company.time_zone)


def _last_instant(hub: Hub) -> int:
    with hub.store.read() as connection:
        last = connection.execute(text("SELECT as_of FROM sync_run ORDER BY run_no DESC LIMIT 1")).scalar()
    return clock.now() if last is None else int(last)


def _must_know(known: Collection[str], sources: list[str] | None) -> None:
    for name in sources or ():
        if name not in known:
            raise UnknownSource(f"no source {name!r} in rules/company.yml; there are {', '.join(known)}")


def _must_be_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            what = f"{host}:{port} cannot be listened on ({error.strerror})"
            raise SettingError(f"{what}; name another with --port, or check HUB_HOST") from None


def _serve(hub: Hub, settings: Settings, host: str, port: int) -> None:
    served = create_app(hub, settings, host)
    _must_be_free(host, port)
    uvicorn.run(served, host=host, port=port, log_level="warning", server_header=False)


def _code(report: Report) -> int:
    return {"OK": DONE, "PARTIAL": PARTLY, "FAILED": FAILED}[report.status]


if __name__ == "__main__":
    main()
