"""The command that exports. In: a view, a format, what is new since when. Out: rows, to a file or standard output."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from hub.cli.frame import Database, command_settings, open_hub
from hub.export.reading import Asked, begin_of
from hub.export.stream import Export
from hub.settings import SettingError

Columns = Annotated[str | None, typer.Option("--columns", help="Names separated by commas; all where absent.")]
Since = Annotated[str | None, typer.Option("--since", help="A watermark: what changed since then.")]
UpdatedSince = Annotated[str | None, typer.Option("--updated-since", help="An instant: what changed since then.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after this many rows; the watermark goes on.")]
Mark = Annotated[Path | None, typer.Option("--watermark", help="A file for the watermark to read on from.")]


def export(
    view: Annotated[str, typer.Argument(help="bi_customers, bi_money, bi_interactions …")],
    format_: Annotated[str, typer.Option("--format", help="csv, ndjson, parquet or arrow.")] = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output where absent.")] = None,
    columns: Columns = None,
    since: Since = None,
    updated_since: UpdatedSince = None,
    limit: Limit = None,
    watermark: Mark = None,
    database: Database = None,
) -> None:
    """Stream a BI view as CSV, NDJSON, Parquet or Arrow: all of it, or what changed."""
    with open_hub(command_settings(database)) as hub:
        instant = None if updated_since is None else begin_of(updated_since, hub.rulebook.company.time_zone)
        named = tuple(columns.split(",")) if columns else ()
        asked = Asked(view, named, since, instant, limit)
        with Export(hub.store, asked, format_) as exported:
            with _opened(output) as file:
                file.writelines(exported)
                file.flush()
            if watermark is not None:
                with _opened(watermark, "--watermark") as file:
                    file.write(f"{exported.reading.watermark}\n".encode())


def _opened(path: Path | None, option: str = "--output") -> AbstractContextManager[BinaryIO]:
    if path is None:
        return nullcontext(sys.stdout.buffer)
    try:
        return path.open("wb")
    except OSError as error:
        raise SettingError(f"{option} {path}: cannot be written ({error.strerror})") from None
