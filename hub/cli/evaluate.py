"""`hub identity evaluate`. In: a file of labels. Out: how good the partition is, what it got wrong, what a score means.

Nothing is written but the file that is asked for.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from hub import terminal
from hub.cli.frame import Database, command_settings, store_alone
from hub.identity.evidence.verdict import WHOLE
from hub.identity.steward.evaluate import Evaluation, Trial, Wrong, evaluate, with_judgements
from hub.identity.steward.label_file import LabelsError, read_labels
from hub.identity.steward.labels import Counts
from hub.identity.steward.review import Side, sides
from hub.rules import load_rules

app = typer.Typer(help="How good the hub's judgement of who is who is.", no_args_is_help=True)

FEW = 100  # labelled pairs of either kind: less are a hint at most
_TOGETHER = 500  # pairs whose sides are read together
_COLUMNS = ("left", "right", "same", "joined", "verdict", "rule", "score", "reasons")


@app.callback()
def identity() -> None:
    """Its commands change nobody's customer; what `calibrate` keeps is followed by the next run."""


@app.command(name="evaluate")
def evaluate_labels(
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="A CSV: left,right,same or profile,person.")],
    wrong: Annotated[int, typer.Option("--wrong", min=0, help="How many wrong pairs of either kind are shown.")] = 10,
    out: Annotated[Path | None, typer.Option("--csv", help="A file to write all wrong pairs to.")] = None,
    database: Database = None,
) -> None:
    """Hold what people know about who is who beside what the hub has made of it; profiles are source/stream/key."""
    if out is not None and out.resolve() == labels.resolve():
        raise typer.BadParameter("is the file of labels; name another", param_hint="--csv")
    settings = command_settings(database)
    threshold = round(load_rules(settings.folders).identity.thresholds.join * WHOLE)
    with store_alone(settings) as store, store.read() as connection:
        found = evaluate(connection, read_labels(connection, labels), threshold)
        _show_counts(found)
        for same, title in ((False, "Joined, and two by the labels"), (True, "One by the labels, and not joined")):
            _show_wrong(title, _wrong(connection, found, same, wrong))
        _show_bins(found)
        _show_trials(found)
        if out is not None:
            written = _write(out, chain.from_iterable(_wrong(connection, found, same) for same in (False, True)))
            terminal.say(f"{written:,} wrong pairs written to {out}")


def _show_counts(found: Evaluation) -> None:
    counts = found.counts
    rows = [
        ("labelled pairs", f"{sum(counts):,}", f"{len(found.labels.profiles):,} profiles"),
        ("joined, and one", f"{counts.joined:,}", ""),
        ("joined, and two", f"{counts.wrongly:,}", ""),
        ("one, and not joined", f"{counts.missed:,}", f"{found.unseen:,} have nothing in common that the hub looks at"),
        ("precision", _ratio(counts.precision), "of what is joined, how much is one"),
        ("recall", _ratio(counts.recall), "of what is one, how much is joined"),
        ("F1", _ratio(counts.f1), ""),
    ]
    terminal.show_table("The labels beside the customers", ("", "figure", "note"), rows, figures=("figure",))
    if found.pending:
        terminal.say(f"{found.pending:,} profiles wait to be resolved: `hub sync` first, and what is said may change")


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _wrong(
    connection: Connection, found: Evaluation, same: bool, limit: int | None = None
) -> Iterator[tuple[Wrong, Side, Side]]:
    """The wrong pairs of one kind with both sides, some at a time, however many they are."""
    pairs = islice(found.labels.wrong(found.groups, same), limit)
    while batch := list(islice(pairs, _TOGETHER)):
        known = sides(connection, set(chain.from_iterable(batch)))
        for each in with_judgements(connection, batch, same):
            yield each, known[each.left], known[each.right]


def _show_wrong(title: str, rows: Iterable[tuple[Wrong, Side, Side]]) -> None:
    lines = [(_words(left), _words(right), _judged(each)) for each, left, right in rows]
    if lines:
        terminal.show_table(title, ("one", "the other", "what the hub thinks"), lines)


def _words(side: Side) -> str:
    return " · ".join((side.place, *side.names[:1], *side.births[:1], *side.emails[:2], *side.phones[:1]))


def _judged(each: Wrong) -> str:
    if each.verdict is None or each.score is None:
        return "they share nothing that it looks at" if each.same else "nothing: others join them"
    return f"{each.verdict} {each.rule} {each.score / WHOLE:.3f}: {'; '.join(json.loads(each.reasons or '[]'))}"


def _show_bins(found: Evaluation) -> None:
    rows = [(f"{b.least / WHOLE:g} or more", f"{b.pairs:,}", f"{b.said:.3f}", f"{b.found:.3f}") for b in found.bins]
    if rows:
        columns = ("score", "labelled pairs", "said", "so it was")
        terminal.show_table("What a score means: the chance said, and found", columns, rows, figures=columns[1:])


def _show_trials(found: Evaluation) -> None:
    rows = [_trial(trial, found) for trial in found.trials]
    columns = ("thresholds.join", "precision", "recall", "F1", "")
    terminal.show_table("What another threshold would join, by and large", columns, rows, figures=columns[:4])
    if found.suggested == found.now:
        terminal.say(f"thresholds.join {found.now / WHOLE:g} in rules/identity.yml is as good as any other here")
    else:
        terminal.say(f"rules/identity.yml, for the best F1 here: thresholds: {{join: {found.suggested / WHOLE:g}}}")
    if min(_same(found.counts), sum(found.counts) - _same(found.counts)) < FEW:
        terminal.say(f"the labels have less than {FEW} pairs that are one, or that are two: take it for a hint")


def _same(counts: Counts) -> int:
    return counts.joined + counts.missed


def _trial(trial: Trial, found: Evaluation) -> Sequence[str]:
    notes = {found.now: "now", found.suggested: "best"} | ({found.now: "now, and best"} if _stays(found) else {})
    rates = (trial.counts.precision, trial.counts.recall, trial.counts.f1)
    return (f"{trial.threshold / WHOLE:g}", *map(_ratio, rates), notes.get(trial.threshold, ""))


def _stays(found: Evaluation) -> bool:
    return found.suggested == found.now


def _write(path: Path, rows: Iterable[tuple[Wrong, Side, Side]]) -> int:
    """Writes the wrong pairs so that the file can be corrected and read as labels again; how many there are."""
    count = 0
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for each, left, right in rows:
                count += 1
                said = (int(each.same), int(not each.same), each.verdict, each.rule)
                score = None if each.score is None else each.score / WHOLE
                reasons = "; ".join(json.loads(each.reasons or "[]"))
                writer.writerow((left.place, right.place, *said, score, reasons))
    except OSError as error:
        raise LabelsError(f"{path}: cannot be written ({error.strerror})") from None
    return count
