"""Shows what was measured. In: results by contender and question, the hub's first. Out: tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tests.bench.serve_exports import VIEW, Exported
from tests.bench.serve_load import Measured
from tests.bench.serve_questions import CONTRACT, QUESTIONS

_COLUMNS = ("req/s", "× hub", "p50 ms", "p99 ms", "server CPU ms", "database CPU ms", "both ÷ hub", "bytes", "RSS MB")


def show_contenders(console: Console, title: str, results: Mapping[str, Mapping[str, Measured]]) -> None:
    """A table a question, a line a contender; ratios are to the hub."""
    table = Table(title=f"{title}; 1 server process, medians", title_justify="left")
    for column in ("question", "who", *_COLUMNS):
        table.add_column(column, justify="left" if column in ("question", "who") else "right")
    for question in (*QUESTIONS, *CONTRACT):
        answers = {name: measured[question.name] for name, measured in results.items() if question.name in measured}
        hub = answers.get("hub")
        for place, (name, measured) in enumerate(answers.items()):
            table.add_row(question.about if place == 0 else "", name, *_cells(measured, hub))
        table.add_section()
    console.print(table)


def show_growth(console: Console, kind: str, grown: Mapping[int, Mapping[str, Mapping[str, Measured]]]) -> None:
    """One customer by the number of customers: the time must not grow."""
    table = Table(title=f"{kind}: one customer with 20 interactions, by size", title_justify="left")
    for column in ("customers", *_COLUMNS):
        table.add_column(column, justify="right")
    for size, results in grown.items():
        table.add_row(f"{size:,}", *_cells(results["hub"]["one"], results["hub"]["one"]))
    console.print(table)


def show_exports(console: Console, kind: str, exported: Mapping[str, Exported]) -> None:
    """A line a way out of the database."""
    table = Table(title=f"{kind}: {VIEW}, all rows", title_justify="left")
    columns = ("way", "rows/s", "seconds", "client CPU s", "database CPU s", "peak RSS MB", "file MB")
    for column in columns:
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, one in exported.items():
        said = (one.seconds, one.client_cpu_s, one.database_cpu_s, one.rss_mb, one.file_mb)
        table.add_row(name, f"{one.rows_s:,.0f}", *(f"{figure:,.1f}" for figure in said))
    console.print(table)


def _cells(measured: Measured, hub: Measured | None) -> list[str]:
    cpu = measured.server_cpu_ms + measured.database_cpu_ms
    return [
        f"{measured.requests_s:,.0f}" + (f" ({measured.errors} errors)" if measured.errors else ""),
        f"{measured.requests_s / hub.requests_s:.2f}" if hub else "",
        f"{measured.p50_ms:.2f}",
        f"{measured.p99_ms:.2f}",
        f"{measured.server_cpu_ms:.2f}",
        f"{measured.database_cpu_ms:.2f}",
        f"{cpu / (hub.server_cpu_ms + hub.database_cpu_ms):.2f}" if hub else "",
        f"{measured.bytes_each:,.0f}",
        f"{measured.rss_mb:.0f}",
    ]
