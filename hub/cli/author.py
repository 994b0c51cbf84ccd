"""The commands for those who write mappings: new, docs. In: words. Out: a file to fill in, a page to read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub import terminal
from hub.author import AuthorError, begin
from hub.cli.frame import command_settings, must_know
from hub.rules import load_rules
from mappings.drafting.template import KINDS
from mappings.loader import load_sources, load_system, variable
from mappings.reference import reference_page

OWN = "ours"


def new(
    kind: Annotated[str, typer.Argument(help=f"What the system is mainly for: {', '.join(KINDS)}.")],
    name: Annotated[str, typer.Argument(help="The system's name: lower case letters, digits and _.")],
    openapi: Annotated[Path | None, typer.Option(help="An OpenAPI 3 document to draft from, JSON or YAML.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help=f"Your folder of mappings; default the first of HUB_MAPPINGS, else {OWN}.")
    ] = None,
) -> None:
    """Begin a mapping file of your own: commented, valid as it stands, listed as a source."""
    if kind not in KINDS:
        raise AuthorError(f"{kind!r} is no kind of system; there are {', '.join(KINDS)}")
    known = command_settings(None).mappings
    into = folder or (known[0] if known else Path(OWN))
    written = begin(into, kind, name, openapi)
    for path in written:
        terminal.say(f"wrote {path}")
    terminal.say("")
    terminal.say("What comes next:")
    if into.resolve() not in [each.resolve() for each in known]:
        terminal.say(f"  export HUB_MAPPINGS={into}")
    terminal.say(f"  $EDITOR {written[0]}")
    secrets = [setting for setting, said in load_system(written[0]).settings.items() if said.secret]
    for command, why in (
        (f"hub check {name}", "is the file right?"),
        *((f"export {variable(name, secret)}=…", "of your account") for secret in secrets),
        (f"hub check --live {name}", "does the system let us in, does each stream answer?"),
        (f"hub check --sample 3 {name}", "what do records become?"),
        (f"hub sync {name}", "pull it all"),
    ):
        terminal.say(f"  {command:<34} # {why}")


def docs(source: Annotated[str, typer.Argument(help="A source of rules/company.yml.")]) -> None:
    """Print a source's reference page in Markdown: its streams, and where each field comes from."""
    settings = command_settings(None)
    known = load_sources(load_rules(settings.folders), settings.folders, os.environ)
    must_know(known, [source])
    sys.stdout.write(reference_page(known[source].system))
