"""The commands. In: words and the environment. Out: tables, files, a server; an exit code that scripts can trust.

Each command reads what it needs, calls one function of the hub, and shows the answer.
"""

from __future__ import annotations

import sys

import typer

from hub import terminal
from hub.cli import author, calibrate, evaluate, export, keys, letters, review, run, serve, show
from hub.cli.frame import DONE, EXIT_CODES, FAILED, PARTLY, REFUSALS, USAGE, WRONG_WORDS

__all__ = ["DONE", "FAILED", "PARTLY", "USAGE", "app", "main"]

app = typer.Typer(
    name="hub",
    help="One customer graph from many systems: YAML mappings in, GraphQL out.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run.demo)
app.command()(run.sync)
app.command()(serve.serve)
app.command()(author.new)
app.command()(show.check)
app.command()(author.docs)
app.command()(show.explain)
app.command()(export.export)
app.command()(run.remap)
app.add_typer(letters.app, name="dead-letters")
app.add_typer(review.app, name="review")
evaluate.app.command(name="calibrate")(calibrate.calibrate_judgement)
app.add_typer(evaluate.app, name="identity")
app.command()(run.erase)
app.command()(show.schema)
app.command()(run.migrate)
app.command()(show.status)
app.add_typer(keys.app, name="keys")
app.command()(show.audit)


def main() -> None:
    """Run a command; what the hub refuses is one line and an exit code, never a traceback."""
    try:
        app()
    except (*REFUSALS, *WRONG_WORDS) as refusal:
        terminal.complain(str(refusal))
        sys.exit(USAGE if isinstance(refusal, WRONG_WORDS) else FAILED)
