"""The commands that write: demo, sync, remap, erase, migrate. In: words. Out: what the run did, and its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from hub import clock, terminal
from hub.cli.foresight import show_foresight
from hub.cli.frame import (
    DONE,
    FAILED,
    PARTLY,
    AsOf,
    Database,
    Places,
    command_settings,
    instant,
    last_instant,
    must_be_free,
    must_know_places,
    open_hub,
)
from hub.cli.keep import keep_synced
from hub.demo import DEMO_AS_OF, DEMO_DATABASE, READY_QUERY, same_company, sandbox
from hub.erasure.erase import erase as erase_customer
from hub.quality.foresee import foresee
from hub.run import Hub, Progress, Report
from hub.sync import follow
from hub.sync import remap as remap_all
from hub.sync import sync as sync_all


def demo(
    customers: Annotated[int, typer.Option(min=10, max=100_000, help="People the sandbox company knows.")] = 1000,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where GraphQL is served.")] = 8000,
    database: Annotated[str, typer.Option(help="Database URL.")] = DEMO_DATABASE,
    as_of: AsOf = None,
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary; serve nothing.")] = False,
) -> None:
    """Start an invented company's four systems, sync them, show what came out, and serve it."""
    settings = command_settings(database)
    if not once:
        must_be_free(settings.host, port)
    with sandbox(customers) as environment, open_hub(settings, environment, migrate=True) as hub:
        with hub.store.write() as connection:
            same_company(connection, customers)
        report = _synced(hub, instant(hub, as_of, DEMO_AS_OF))
        terminal.show_summary(hub, report)
        terminal.show_query(f"http://{settings.host}:{port}/graphql", READY_QUERY, served=not once)
        if once or report.status == "FAILED":
            raise typer.Exit(_code(report))
        from hub.cli.serving import serve_hub  # what no other command has to wait for

        serve_hub(hub, settings, settings.host, port)


def sync(
    sources: Places = None,
    database: Database = None,
    as_of: AsOf = None,
    loop: Annotated[bool, typer.Option("--loop", help="Go on for ever, each source as often as it says.")] = False,
) -> None:
    """Pull what changed, land it, and bring the customer graph up to date."""
    if loop and as_of is not None:
        raise typer.BadParameter("goes without --loop, whose now is the clock's", param_hint="--as-of")
    if loop:
        keep_synced(database, sources or ())
        return
    with open_hub(command_settings(database)) as hub:
        must_know_places(hub, sources)
        report = _synced(hub, instant(hub, as_of, clock.now()), sources or ())
        terminal.show_summary(hub, report)
        raise typer.Exit(_code(report))


def remap(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what another mapping would change.")] = False,
    database: Database = None,
    as_of: AsOf = None,
) -> None:
    """Map everything landed anew and derive it again, without network; as of the last run unless said otherwise."""
    with open_hub(command_settings(database)) as hub:
        if dry_run:
            with terminal.progress_bars() as progress:
                found = foresee(_with(hub, progress))
            show_foresight(found)
            return
        with terminal.progress_bars() as progress:
            report = remap_all(_with(hub, progress), instant(hub, as_of, last_instant(hub)))
        terminal.show_summary(hub, report)
        raise typer.Exit(_code(report))


def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    database: Database = None,
    as_of: AsOf = None,
) -> None:
    """Forget a customer everywhere, for good, and print the certificate."""
    with open_hub(command_settings(database)) as hub:
        at = instant(hub, as_of, last_instant(hub))
        erasure = erase_customer(hub.store, customer, dry_run, at)
        if not dry_run:
            follow(hub, at)
        for table, count in erasure.rows:
            terminal.say(f"{count:>8,} {table}")
        terminal.say(erasure.certificate or "dry run: nothing was erased")


def migrate(database: Database = None) -> None:
    """Bring the database's schema and BI views to this version's (SQLite does so by itself)."""
    with open_hub(command_settings(database), migrate=True) as hub:
        terminal.say(f"{hub.store.place}: up to date")


def _with(hub: Hub, progress: Progress) -> Hub:
    return replace(hub, progress=progress)


def _synced(hub: Hub, as_of: int, only: list[str] | tuple[()] = ()) -> Report:
    with terminal.progress_bars() as progress:
        return sync_all(_with(hub, progress), as_of, only)


def _code(report: Report) -> int:
    return {"OK": DONE, "PARTIAL": PARTLY, "FAILED": FAILED}[report.status]
