"""The commands that look and change nothing: check, explain, schema, status, audit. In: words. Out: text."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from connectors.auth import NoVault, Vault
from hub import clock, terminal
from hub.access.audit import readings
from hub.access.keys import DAY_US
from hub.check import check_sources, live_source, renews, sample_source
from hub.cli.frame import Database, Sources, command_settings, must_know, open_hub, store_alone
from hub.erasure.erase import UnknownCustomer
from hub.explain.page import check_picture, draw
from hub.explain.tree import explanation
from hub.rules import load_rules
from hub.settings import Settings
from hub.store.vault import open_vault
from mappings.loader import Source, load_sources, schema_json


def check(
    sources: Sources = None,
    live: Annotated[bool, typer.Option("--live", help="Ask each stream for a page; store nothing.")] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, max=100, help="Show so many records of each stream beside their entities.")
    ] = None,
) -> None:
    """Check mapping and rule files without network; with --live and --sample ask the systems as well."""
    settings = command_settings(None)
    rulebook = load_rules(settings.folders)
    known = load_sources(rulebook, settings.folders, os.environ)
    must_know(known, sources)
    for line in check_sources(rulebook, known, sources or list(known)):
        terminal.say(line)
    asked = [known[name] for name in sources or known] if live or sample else []
    with _vault(settings, asked) as vault:
        for source in asked if live else ():
            terminal.show_answered(source.name, list(live_source(source, vault)))
        for source in asked if sample else ():
            for title, branches in sample_source(source, vault, rulebook, sample or 1):
                terminal.show_tree(title, branches)


@contextmanager
def _vault(settings: Settings, asked: Sequence[Source]) -> Iterator[Vault]:
    """Where renewed credentials are kept; the database is opened only where some source renews one."""
    if not any(renews(source) for source in asked):
        yield NoVault()
        return
    with store_alone(settings) as store:
        yield open_vault(store, settings)


def explain(
    customer: Annotated[str, typer.Argument(help="Id, e-mail or phone.")],
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw who is who into this file instead: FILE.svg or FILE.html.")
    ] = None,
    database: Database = None,
) -> None:
    """Show why these profiles are one customer, where each value comes from, and what each figure is made of."""
    if picture is not None:
        check_picture(picture)
    with open_hub(command_settings(database)) as hub:
        if picture is None:
            terminal.show_tree(*explanation(hub.store, hub.rulebook, customer))
        else:
            draw(hub.store, hub.rulebook, customer, picture)
            terminal.say(f"drawn: {picture}")


def schema(
    mapping: Annotated[bool, typer.Option("--mapping", help="The JSON Schema of mapping files instead.")] = False,
) -> None:
    """Print the GraphQL schema, or the JSON Schema that editors check mapping files with."""
    from hub.api.schema import build_schema, sdl  # what no other command has to wait for

    sys.stdout.write(schema_json() if mapping else sdl(build_schema()))


def status(database: Database = None) -> None:
    """Show what the store holds: streams, customers, money beside its control, flags."""
    with open_hub(command_settings(database)) as hub:
        terminal.show_summary(hub, None)


def audit(
    customer: Annotated[str, typer.Argument(help="The customer's id, also of one that was erased.")],
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 90,
    database: Database = None,
) -> None:
    """Show who has read a customer through the API: when, in which role, and what kind of data."""
    with open_hub(command_settings(database)) as hub, hub.store.read() as connection:
        found = readings(connection, customer, clock.now() - days * DAY_US)
        if found is None:
            raise UnknownCustomer(f"no customer has the id {customer!r}")
        for one in found:
            what = f"{one.root} {', '.join(one.classes)}" + (" of every customer" if one.everybody else "")
            terminal.say(f"{clock.show(one.at)}  {one.principal}  {one.role}  {one.operation or 'unnamed'}: {what}")
