"""The commands of stewards. In: a pair, a decision and why. Out: what waits, both sides, and who they are then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from hub import terminal
from hub.cli.frame import Database, command_settings, last_instant, open_hub, store_alone
from hub.identity.evidence.verdict import WHOLE
from hub.identity.steward import judgement
from hub.identity.steward.judgement import DECIDED_BY, JudgementError
from hub.identity.steward.review import Review, Side, pair_of, queue, review_of, sides, waiting_count
from hub.run import Hub
from hub.store.engine import Store
from hub.sync import follow

app = typer.Typer(help="Decide about pairs that may be one customer; without more words: list them.")

Pair = Annotated[str, typer.Argument(metavar="PAIR", help="As the list names it: lnk_11-12.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]
Source = Annotated[str | None, typer.Option("--source", help="Only pairs of which this source knows a side.")]
Decide = Callable[..., int]

LISTED = 20
SHOWN = 10  # of what one side says of one kind
KEYS = "j joins, s separates, Enter leaves it for later, q ends"
_SAID: Sequence[tuple[str, Callable[[Side], Sequence[str]]]] = (
    ("name", lambda side: side.names),
    ("birth date", lambda side: side.births),
    ("e-mail", lambda side: side.emails),
    ("phone", lambda side: side.phones),
    ("address", lambda side: side.addresses),
    ("id", lambda side: side.ids),
    ("customer", lambda side: (side.customer or "nobody yet",)),
    ("of the sources", lambda side: side.sources),
    ("profiles", lambda side: (f"{side.profiles:,}",)),
)


@app.callback(invoke_without_command=True)
def reviews(context: typer.Context) -> None:
    """List the pairs that wait where no other command is named."""
    if context.invoked_subcommand is None:
        list_reviews()


@app.command(name="list")
def list_reviews(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many pairs are listed.")] = LISTED,
    source: Source = None,
    database: Database = None,
) -> None:
    """List the pairs that wait for a decision, the likeliest first; one pair of any two customers."""
    with store_alone(command_settings(database)) as store, store.read() as connection:
        found, count = queue(connection, limit, source), waiting_count(connection, source)
    if not found:
        terminal.say("nothing waits for a decision")
        return
    columns = ("pair", "sure", "one", "the other", "why")
    rows = [(r.name, _sure(r), _short(r.left), _short(r.right), "; ".join(r.reasons)) for r in found]
    terminal.show_table("Pairs that may be one customer, the likeliest first", columns, rows, figures=("sure",))
    if count > len(found):
        terminal.say(f"… and {count - len(found):,} more; --limit shows them")


@app.command()
def show(pair: Pair, database: Database = None) -> None:
    """Show both sides of a pair, what the hub thinks of it, and why it did not join them."""
    with store_alone(command_settings(database)) as store, store.read() as connection:
        _show(review_of(connection, pair))


@app.command()
def join(pair: Pair, reason: Reason, database: Database = None) -> None:
    """Say that both sides are one customer, whatever the rules say; it holds until it is undone."""
    _decide(judgement.join, pair, reason, database)


@app.command()
def separate(pair: Pair, reason: Reason, database: Database = None) -> None:
    """Say that the sides are two customers, whatever joins them; one that was merged falls apart."""
    _decide(judgement.separate, pair, reason, database)


@app.command()
def undo(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="As join and separate name it: jdg_7.")],
    reason: Reason,
    database: Database = None,
) -> None:
    """Take a decision back; the rules decide again."""
    with open_hub(command_settings(database)) as hub:
        as_of = last_instant(hub)
        with hub.store.write() as connection:
            number = judgement.withdraw(connection, judgement.number_of(decision), reason=_said(reason), as_of=as_of)
        follow(hub, as_of)
        terminal.say(f"jdg_{number}: taken back; {_now(hub.store, number)}")


@app.command()
def walk(source: Source = None, database: Database = None) -> None:
    """Show pair by pair, the likeliest first, and ask what to do with each; every answer is followed at once."""
    with open_hub(command_settings(database)) as hub:
        passed: set[str] = set()
        reason = ""
        while pair := _next(hub.store, source, passed):
            passed.add(pair.name)
            _show(pair)
            key = typer.prompt(KEYS, default="", show_default=False).strip().lower()[:1]
            if key == "q":
                return
            if key in ("j", "s"):
                reason = typer.prompt("why", default=reason or None)
                terminal.say(_decided(hub, judgement.join if key == "j" else judgement.separate, pair.name, reason))
        terminal.say("nothing else waits for a decision")


def _next(store: Store, source: str | None, passed: set[str]) -> Review | None:
    with store.read() as connection:
        found = queue(connection, len(passed) + 1, source)
    return next((review for review in found if review.name not in passed), None)


def _decide(decide: Decide, pair: str, reason: str, database: str | None) -> None:
    with open_hub(command_settings(database)) as hub:
        terminal.say(_decided(hub, decide, pair, reason))


def _decided(hub: Hub, decide: Decide, pair: str, reason: str) -> str:
    as_of = last_instant(hub)
    with hub.store.write() as connection:
        number = decide(connection, *pair_of(pair), reason=_said(reason), decided_by=DECIDED_BY, as_of=as_of)
    follow(hub, as_of)
    return f"jdg_{number}: {_now(hub.store, number)}"


def _said(reason: str) -> str:
    if not (plain := reason.strip()):
        raise JudgementError("a decision needs a reason: --reason 'confirmed by telephone'")
    return plain


def _now(store: Store, number: int) -> str:
    """Who the two profiles of a decision are now."""
    with store.read() as connection:
        pair = judgement.pair_judged(connection, number)
        customers = [side.customer or "nobody" for side in sides(connection, pair).values()]
    return f"one customer, {customers[0]}" if len(set(customers)) == 1 else f"two customers, {' and '.join(customers)}"


def _sure(review: Review) -> str:
    return f"{review.score / WHOLE:.2f}"


def _short(side: Side) -> str:
    words = [*side.names[:1], *side.births[:1], *side.emails[:1], *side.phones[:1], side.place]
    return " · ".join(words) + (f" and {side.profiles - 1:,} more" if side.profiles > 1 else "")


def _few(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN:,} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


def _show(review: Review) -> None:
    title = f"{review.name}  {review.verdict}  {_sure(review)}  {review.rule}"
    rows = [
        (what, *(_few(said(side)) for side in (review.left, review.right)))
        for what, said in _SAID
        if said(review.left) or said(review.right)
    ]
    terminal.show_table(title, ("", review.left.place, review.right.place), rows)
    for reason in review.reasons:
        terminal.say(f"  {reason}")
