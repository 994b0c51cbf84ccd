"""What a person sees in the terminal: progress bars while a run goes on, tables after it. The one room of rich."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from unicodedata import category

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.tree import Tree

from hub import clock, status
from hub.check import Answered
from hub.explain.tree import Branch, Leaf
from hub.identity.steward.review import waiting_count
from hub.run import Hub, Report
from hub.status import AtStake, DeadLetterRow, DriftRow, MoneyRow, StreamRow
from hub.upkeep.schedule import next_pulls
from mappings.converting.currencies import render

WIDE = 160  # where nobody watches, nothing is cut to a window

console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)
errors = Console(stderr=True)


def complain(message: str) -> None:
    """One line to standard error."""
    errors.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True, highlight=False)


def say(line: str, marked: bool = False) -> None:
    """One plain line; `marked` makes it stand out where somebody watches."""
    console.print(plain(line), style="bold red" if marked else None, markup=False, highlight=False, soft_wrap=True)


def remark(line: str) -> None:
    """One plain line to standard error, where it stands in nobody's way."""
    errors.print(line, markup=False, highlight=False, soft_wrap=True)


def plain(words: str) -> str:
    """Text of a source without what would steer a terminal."""
    return "".join(f"\\x{ord(letter):02x}" if category(letter)[0] == "C" else letter for letter in words)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, str, int, int | None], None]]:
    """Bars, one a phase and one a stream; where nobody watches (no terminal) nothing is drawn."""
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.fields[phase]:<8}"),
        TextColumn("{task.description:<30}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:>9,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}
        counts: dict[TaskID, int] = {}

        def advance(phase: str, what: str, done: int, left: int | None) -> None:
            if (phase, what) not in tasks:
                tasks[phase, what] = bars.add_task(what, total=None, phase=phase)
            task = tasks[phase, what]
            counts[task] = counts.get(task, 0) + done
            bars.update(task, completed=counts[task], total=None if left is None else counts[task] + left)

        yield advance


def show_summary(hub: Hub, report: Report | None) -> None:
    """What the store holds, and what the run did that brought it there."""
    currency = hub.rulebook.company.reporting_currency
    with hub.store.read() as connection:
        now = clock.now()
        show_streams(status.streams(connection), {} if report else next_pulls(connection, hub, now), now)
        show_dead_letters(status.dead_letters(connection, 5))
        show_drift(status.drift(connection, 5))
        show_customers(status.counts(connection), waiting_count(connection))
        show_money(status.reconciliation(connection, hub.sources))
        show_unrated(status.unrated(connection, currency), currency)
        show_flags(status.flags(connection))
        show_at_stake(status.most_at_stake(connection, 5), currency)
    if report is not None:
        show_run(report)


def show_streams(rows: Sequence[StreamRow], pulls: Mapping[tuple[str, str], int], now: int) -> None:
    """Per stream: pulled, changed, unchanged, dead letters; and when it is pulled next, where that is given."""
    columns = ("source", "stream", "pulled", "changed", "unchanged", "stored", "dead letters", "status")
    table = _table("Streams", *columns, *(("next pull",) if pulls else ()))
    for r in rows:
        figures = (f"{n:,}" for n in (r.pulled, r.changed, r.unchanged, r.records))
        dead = f"[red]{r.dead_letters:,}[/]" if r.dead_letters else "0"
        ended = r.status if r.status == "OK" else f"[red]{r.status}[/]"
        at = pulls.get((r.source, r.stream))
        due = () if not pulls else ("",) if at is None else ("due",) if at <= now else (clock.show(at),)
        table.add_row(r.source, r.stream, *figures, dead, ended, *due)
    console.print(table)
    for error in dict.fromkeys(r.error for r in rows if r.error):
        console.print(f"[red]failed[/] {escape(error)}", soft_wrap=True, highlight=False)


def show_customers(counts: dict[str, int], waiting: int) -> None:
    """How many profiles became how many customers, and how many pairs a steward should look at."""
    known = counts["profiles"] - counts["anonymous"]
    pairs = f"; {waiting:,} pairs may be one customer: `hub review`" if waiting else ""
    console.print(
        f"\n[bold]Customers[/]  {counts['customers']:,} ({counts['persons']:,} persons, "
        f"{counts['organizations']:,} organizations) out of {known:,} profiles: "
        f"{known - counts['customers']:,} merged away; {counts['anonymous']:,} visitors are nobody yet{pairs}",
        highlight=False,
    )


def show_money(rows: Sequence[MoneyRow]) -> None:
    """Per stream and currency: what the source's records say beside what the graph holds."""
    words, figures = ("source", "stream", "kinds", ""), ("in the records", "in the graph", "difference")
    table = _table("Money beside its control", *words, *figures)
    for r in rows:
        held = r.in_graph + r.unassigned + r.erased
        amounts = (_figure(n, r.currency) for n in (r.landed, held))
        table.add_row(r.source, r.stream, ", ".join(r.kinds), r.currency, *amounts, _difference(r))
    console.print(table)


def show_unrated(counts: dict[str, int], reporting_currency: str) -> None:
    """Money that no converted figure holds; nothing where every entry has its rate."""
    for currency, count in counts.items():
        console.print(
            f"[red]no rate[/] {count:,} entries in {currency} are in no figure in {reporting_currency}: "
            f"add rates of {currency} for their days to rules/company.yml",
            highlight=False,
            soft_wrap=True,
        )


def show_dead_letters(rows: Sequence[DeadLetterRow]) -> None:
    """The latest records that could not be mapped; nothing where there are none."""
    if rows:
        table = _table("Latest dead letters", "source", "stream", "key", "path", "reason")
        for r in rows:
            table.add_row(r.source, r.stream, *(escape(plain(words)) for words in (r.key, r.path, r.reason)))
        console.print(table)


def show_drift(rows: Sequence[DriftRow]) -> None:
    """The latest changes of the records' shape; nothing where there are none."""
    if rows:
        changed = [
            (r.source, r.stream, r.path, "yes" if r.mapped else "no", _change(r), clock.show(r.at)) for r in rows
        ]
        show_table("Latest changes of shape", ("source", "stream", "path", "mapped", "change", "seen"), changed)


def _change(row: DriftRow) -> str:
    kinds = {"NEW": row.now, "VANISHED": row.was, "RETYPED": f"{row.was} → {row.now}"}
    return f"{row.change} {kinds[row.change] or ''}"


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], figures: Collection[str] = ()
) -> None:
    """A table of texts; the columns named in `figures` are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(plain(words)) for words in row))
    console.print(table)


def _difference(row: MoneyRow) -> str:
    colour = "green" if row.difference == 0 else "bold red"
    return f"[{colour}]{_figure(row.difference, row.currency)}[/]"


def _figure(amount: int, currency: str) -> str:
    whole, point, part = render(amount, currency).partition(".")
    return f"{int(whole):,}{point}{part}" if whole != "-0" else f"-0{point}{part}"


def show_flags(flags: dict[str, int]) -> None:
    """Open risk flags by severity."""
    listed = ", ".join(f"{count:,} {severity}" for severity, count in flags.items()) or "none"
    console.print(f"\n[bold]Risk flags[/]  {listed}", highlight=False)


def show_at_stake(rows: Sequence[AtStake], currency: str) -> None:
    """The customers with most at stake."""
    table = _table("Most at stake", "customer", "name", f"at stake, {currency}", "band", "why")
    for r in rows:
        name = escape(r.display_name or "")
        table.add_row(r.public_id, name, _figure(r.value_at_risk, currency), r.band, escape(r.message))
    console.print(table)


def show_run(report: Report) -> None:
    """What is to be known of single streams; then one line: how long each phase took and what it did."""
    for name, note in report.notes.items():
        console.print(f"[yellow]note[/] {escape(name)}: {escape(note)}", soft_wrap=True, highlight=False)
    phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.seconds.items())
    derived = report.counts.get("customers_derived", 0)
    raised, cleared = report.counts.get("flags_raised", 0), report.counts.get("flags_cleared", 0)
    deleted = report.counts.get("deleted", 0)
    gone = f"{deleted:,} records gone at their source, " if deleted else ""
    console.print(
        f"\n[dim]{report.requests:,} requests; {gone}{derived:,} customers derived, {raised:,} flags raised, "
        f"{cleared:,} cleared; {phases}[/]",
        highlight=False,
    )


def show_query(url: str, query: str, served: bool) -> None:
    """A request that works as it stands."""
    console.print(f"\n[bold]Ask it[/]  {'GraphiQL at ' + url if served else 'run `hub demo`, then'}", highlight=False)
    body = json.dumps({"query": query})
    console.print(f"curl -s {url} -H 'content-type: application/json' -d '{body}'", markup=False, soft_wrap=True)
    if served:
        console.print("\nCtrl-C ends it.", highlight=False)


def show_answered(source: str, rows: Sequence[Answered]) -> None:
    """Per stream: what its first page held, or why there was none."""
    table = _table(f"{source}, asked just now", "stream", "records", "with a key", "more", "seconds", "status")
    for r in rows:
        said = "[green]answers[/]" if r.error is None else "[red]does not answer[/]"
        keyed = f"{r.keyed}" if r.keyed == r.records else f"[red]{r.keyed}[/]"
        table.add_row(r.stream, f"{r.records}", keyed, "yes" if r.more else "no", f"{r.seconds:.2f}", said)
    console.print(table)
    for r in rows:
        for line in filter(None, (r.error, r.note)):
            console.print(escape(line), soft_wrap=True, highlight=False)


def show_tree(title: str, branches: Sequence[Branch]) -> None:
    """A title, branches below it, and leaves below each, which may bear leaves themselves."""
    tree = Tree(f"[bold]{escape(plain(title))}[/]")
    for branch, leaves in branches:
        _grow(tree.add(f"[bold]{escape(plain(branch))}[/]"), leaves)
    console.print(tree, highlight=False)


def _grow(limb: Tree, leaves: Sequence[Leaf]) -> None:
    for leaf in leaves:
        words, below = (leaf, ()) if isinstance(leaf, str) else leaf
        _grow(limb.add(escape(plain(words))), below)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    words = {"source", "stream", "kinds", "key", "path", "reason", "status", "customer", "name", "band", "why", ""}
    for column in columns:
        table.add_column(column, justify="left" if column in words else "right", overflow="fold")
    return table
