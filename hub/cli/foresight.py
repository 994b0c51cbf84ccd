"""What `hub remap --dry-run` shows. In: a Foresight. Out: tables of rows, dead letters and money, before and after."""

from __future__ import annotations

from hub import terminal
from hub.quality.foresee import Foreseen, Foresight
from mappings.converting.currencies import render

REASONS = 3  # of a stream's dead letters, the commonest


def show_foresight(found: Foresight) -> None:
    """Say what a remap would change, stream by stream, and whom that touches; or that it changes nothing."""
    if found.same:
        terminal.say(f"same mapping: {', '.join(found.same)}")
    if found.lost:
        terminal.say(
            f"mapped by nothing now, so that all they said goes and {len(found.lost):,} streams wait: "
            + ", ".join(found.lost)
        )
    if found.streams:
        _show_rows(found)
        _show_dead_letters(found)
        _show_money(found)
        terminal.say(
            f"{len(found.profiles):,} profiles would be resolved anew, and what happened to {len(found.customers):,} "
            "customers would change"
        )
    terminal.say("dry run: nothing was changed")


def _show_rows(found: Foresight) -> None:
    rows = []
    for one in found.streams:
        kept = f", {one.kept:,} kept as they are" if one.kept else ""
        for number, (entity, change) in enumerate(one.rows.items()):
            first = (f"{one.source}.{one.stream}", f"{one.records:,}{kept}") if number == 0 else ("", "")
            figures = (change.before, change.after, change.added, change.removed, change.changed)
            rows.append((*first, entity, *(f"{figure:,}" for figure in figures)))
    figures_ = ("records", "before", "after", "+ added", "- removed", "~ changed")
    terminal.show_table("Rows", ("stream", "records", "entity", *figures_[1:]), rows, figures_)


def _show_dead_letters(found: Foresight) -> None:
    rows = [
        (f"{one.source}.{one.stream}", f"{one.dead_before:,}", f"{one.dead_after:,}", _reasons(one))
        for one in found.streams
        if one.dead_before or one.dead_after
    ]
    if rows:
        terminal.show_table("Dead letters", ("stream", "before", "after", "then"), rows, ("before", "after"))


def _reasons(one: Foreseen) -> str:
    common = one.reasons.most_common(REASONS)
    said = [f"{count:,} at {path}: {reason}" for (path, reason), count in common]
    return "; ".join([*said, *(["…"] if len(one.reasons) > len(common) else [])])


def _show_money(found: Foresight) -> None:
    rows = []
    for one in found.streams:
        for (kind, currency), (before, after) in sorted(one.money.items()):
            amounts = (render(amount, currency) for amount in (before, after, after - before))
            rows.append((f"{one.source}.{one.stream}", kind, currency, *amounts))
    if rows:
        figures = ("before", "after", "difference")
        terminal.show_table("Money", ("stream", "kind", "currency", *figures), rows, figures)
