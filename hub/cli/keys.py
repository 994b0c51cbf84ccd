"""The commands about API keys. In: a name and a role, or a prefix. Out: a key, shown once, or what is kept of it.

They need only the database (and `create` the roles), so that a key can be ended whatever else is wrong.
"""

from __future__ import annotations

from typing import Annotated

import typer

from hub import clock, terminal
from hub.access.aside import aside
from hub.access.keys import Key, all_keys, create_key, revoke_key, rotate_key
from hub.access.principal import SCOPES
from hub.access.roles import build_sights
from hub.cli.frame import Database, UnknownRole, UnknownScope, command_settings, store_alone
from hub.expression import hint
from hub.rules import load_rules
from hub.settings import Settings

app = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)

Prefix = Annotated[str, typer.Argument(help="The key's prefix, as `hub keys list` shows it.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How long the new key lives.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose or what for: a team, a tool.")],
    role: Annotated[str, typer.Option(help="A role of rules/access.yml.")],
    scope: Annotated[list[str] | None, typer.Option(help="graphql (where not said) or bi; may be repeated.")] = None,
    days: Days = 90,
    database: Database = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    settings = command_settings(database)
    _must_be_role(settings, role)
    scopes = _known_scopes(scope or [SCOPES[0]])
    with store_alone(settings) as store, aside(store) as connection:
        offered, key = create_key(connection, name, role, scopes, days, clock.now())
    _show_once(offered, key)


@app.command(name="list")
def list_keys(database: Database = None) -> None:
    """List every key ever made: prefix, name, role, scopes, expiry, last day of use. Secrets are kept nowhere."""
    with store_alone(command_settings(database)) as store, store.read() as connection:
        for key in all_keys(connection):
            used = f"last used {key.last_used}" if key.last_used else "never used"
            state = key.ended(clock.now()) or f"until {clock.show(key.expires_at)}"
            terminal.say(f"{key.prefix}  {key.name}  {key.role}  {' '.join(sorted(key.scopes))}  {state}, {used}")


@app.command()
def rotate(
    prefix: Prefix,
    hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old key lives on.")] = 24,
    days: Days = 90,
    database: Database = None,
) -> None:
    """Make a new key like an old one and print it, this once; the old one lives on for a while."""
    with store_alone(command_settings(database)) as store, aside(store) as connection:
        offered, key = rotate_key(connection, prefix, hours, days, clock.now())
    _show_once(offered, key)


@app.command()
def revoke(prefix: Prefix, database: Database = None) -> None:
    """End a key; every running server refuses it within 5 seconds."""
    with store_alone(command_settings(database)) as store, aside(store) as connection:
        key = revoke_key(connection, prefix, clock.now())
    terminal.say(f"{key.prefix}  {key.name}  {key.ended(clock.now())}")


def _must_be_role(settings: Settings, role: str) -> None:
    known = build_sights(load_rules(settings.folders))
    if role not in known:
        raise UnknownRole(f"no role {role!r} in rules/access.yml; there are {', '.join(known)}{hint(role, known)}")


def _known_scopes(scopes: list[str]) -> list[str]:
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownScope(f"no scope {scope!r}; choose of {', '.join(SCOPES)}")
    return scopes


def _show_once(offered: str, key: Key) -> None:
    """The key alone on standard output, for `KEY=$(hub keys create …)`; what belongs to it beside that."""
    terminal.say(offered)
    terminal.remark(f"key {key.prefix}, role {key.role}, until {clock.show(key.expires_at)}; it is not shown again")
