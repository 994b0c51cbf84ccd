"""The commands about dead letters. In: a stream, a key. Out: what is wrong with which records; how many have healed.

`list` and `show` need only the database, so that they work while a mapping file is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from hub import terminal
from hub.cli.frame import (
    DONE,
    PARTLY,
    AsOf,
    Database,
    command_settings,
    instant,
    last_instant,
    open_hub,
    store_alone,
)
from hub.clock import show as shown_at
from hub.quality.letters import Letter, Opened, Pile, letters, opened, piles
from hub.sync import retry as retry_letters

app = typer.Typer(help="List, show and retry the records that cannot be mapped.", no_args_is_help=True)

Place = Annotated[str | None, typer.Argument(metavar="[SOURCE[.STREAM]]", help="All where none is named.")]
WORST = 10  # piles that are shown where nobody asks for all


@app.command(name="list")
def list_letters(
    place: Place = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only those whose reason or path holds this.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many records are listed.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="List every record and every reason.")] = False,
    database: Database = None,
) -> None:
    """List the records that cannot be mapped: counted by reason, and the latest of them one by one."""
    with store_alone(command_settings(database)) as store, store.read() as connection:
        heaps = piles(connection, place, reason)
        found = letters(connection, place, reason, sum(heap.count for heap in heaps) if everything else limit)
    if not heaps:
        terminal.say("no dead letters")
        return
    _show_piles(heaps, everything)
    _show_letters(found, sum(heap.count for heap in heaps))


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="SOURCE.STREAM", help="Where the record comes from.")],
    key: Annotated[str, typer.Argument(help="The record's key, as the list shows it.")],
    database: Database = None,
) -> None:
    """Show one of them: the record with the place marked, the reason, and what it said before it failed."""
    with store_alone(command_settings(database)) as store, store.read() as connection:
        found = opened(connection, place, key)
    _show_opened(found)


@app.command()
def retry(place: Place = None, database: Database = None, as_of: AsOf = None) -> None:
    """Map them again now, without network, and say how many have healed."""
    with open_hub(command_settings(database)) as hub:
        with terminal.progress_bars() as progress:
            tried, dead = retry_letters(replace(hub, progress=progress), instant(hub, as_of, last_instant(hub)), place)
        terminal.say(f"{tried:,} tried again: {tried - dead:,} healed, {dead:,} still cannot be mapped")
        raise typer.Exit(PARTLY if dead else DONE)


def _show_piles(heaps: Sequence[Pile], everything: bool) -> None:
    shown = heaps if everything else heaps[:WORST]
    terminal.show_table(
        "What is wrong",
        ("source", "stream", "path", "reason", "records", "first seen", "last seen"),
        [
            (h.source, h.stream, h.path, h.reason, f"{h.count:,}", shown_at(h.first_seen_at), shown_at(h.last_seen_at))
            for h in shown
        ],
        figures=("records",),
    )
    if len(heaps) > len(shown):
        terminal.say(f"… and {len(heaps) - len(shown):,} more reasons; --all shows them")


def _show_letters(found: Sequence[Letter], count: int) -> None:
    terminal.show_table(
        "Dead letters, the latest first",
        ("record of", "key", "path", "reason", "mapping", "first seen", "last seen"),
        [
            (
                f"{one.source}.{one.stream}",
                one.key,
                one.path,
                one.reason,
                one.mapping_version[:8],
                shown_at(one.first_seen_at),
                shown_at(one.last_seen_at),
            )
            for one in found
        ],
    )
    if count > len(found):
        terminal.say(f"… and {count - len(found):,} more; --limit or --all shows them")


def _show_opened(found: Opened) -> None:
    letter = found.letter
    terminal.say(f"{letter.source}.{letter.stream} {letter.key}")
    terminal.say(f"  {letter.path}: {letter.reason}")
    terminal.say(
        f"  mapping {letter.mapping_version[:8]}, first seen {shown_at(letter.first_seen_at)}, "
        f"last seen {shown_at(letter.last_seen_at)}"
    )
    terminal.say("")
    for line, marked in found.record:
        terminal.say(f"{'▶' if marked else ' '} {line}", marked)
    terminal.say("")
    if found.said:
        terminal.show_tree("what it said before, and still says, marked stale", found.said)
    else:
        terminal.say("it said nothing before: no version of it was ever mapped")
