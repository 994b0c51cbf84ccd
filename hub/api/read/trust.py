"""`sources` and `reconciliation`. In: what the syncs kept, controls, money entries. Out: freshness, differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from hub import status
from hub.api.asked.selection import Selected
from hub.api.read.reader import Reader
from hub.api.read.shape import project
from hub.api.render import LIST_CAP, instant, money
from hub.store.kept import dead_letter, drift, landing, stream_run, stream_state

Stream = tuple[str, str]


def sources(reader: Reader, selected: Selected) -> Any:
    """`sources`: four statements, however many streams there are."""
    states = {(row.source, row.stream): row for row in reader.connection.execute(select(stream_state))}
    runs, letters, changes = _last_runs(reader), _dead_letters(reader), _drift(reader)
    return project(
        [
            {
                "name": name,
                "kind": source.system.kind,
                "streams": [
                    _stream(stream, states.get((name, stream)), runs.get((name, stream)), letters[name, stream])
                    | {"drift": changes[name, stream]}
                    for stream in source.system.streams
                ][:LIST_CAP],
            }
            for name, source in list(reader.house.sources.items())[:LIST_CAP]
        ],
        selected,
    )


def _stream(name: str, state: Row[Any] | None, run: dict[str, Any] | None, letters: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "recordCount": state.record_count if state else 0,
        "deadLetters": letters,
        "lastSync": run,
        "freshUntil": _instant(state.fresh_until) if state else None,
        "mappingVersion": state.mapping_version if state else None,
    }


def _instant(at: int | None) -> str | None:
    return None if at is None else instant(at)


def _last_runs(reader: Reader) -> dict[Stream, dict[str, Any]]:
    by_stream = [stream_run.c.source, stream_run.c.stream]
    age = func.row_number().over(partition_by=by_stream, order_by=stream_run.c.run_no.desc()).label("age")
    aged = select(stream_run, age).subquery("aged")
    return {
        (run.source, run.stream): {
            "startedAt": instant(run.started_at),
            "finishedAt": _instant(run.finished_at),
            "status": run.status,
            **{name: getattr(run, name) for name in ("pulled", "changed", "unchanged", "failed", "error")},
        }
        for run in reader.connection.execute(select(aged).where(aged.c.age == 1))
    }


def _dead_letters(reader: Reader) -> Mapping[Stream, dict[str, Any]]:
    by_stream = [dead_letter.c.source, dead_letter.c.stream]
    newest = [dead_letter.c.last_seen_at.desc(), dead_letter.c.landing_no.desc()]
    aged = select(
        dead_letter,
        func.row_number().over(partition_by=by_stream, order_by=newest).label("age"),
        func.count().over(partition_by=by_stream).label("size"),
    ).subquery("aged")
    query = (
        select(aged, landing.c.key)
        .join(landing, landing.c.landing_no == aged.c.landing_no)
        .where(aged.c.age <= LIST_CAP)
        .order_by(aged.c.age)
    )
    found: dict[Stream, dict[str, Any]] = defaultdict(lambda: {"count": 0, "latest": []})
    for row in reader.connection.execute(query):
        letters = found[row.source, row.stream]
        letters["count"] = row.size
        said = {"key": row.key, "path": row.path, "reason": row.reason, "at": instant(row.last_seen_at)}
        said |= {"firstSeen": instant(row.first_seen_at), "mappingVersion": row.mapping_version}
        letters["latest"].append(said)
    return found


def _drift(reader: Reader) -> Mapping[Stream, list[dict[str, Any]]]:
    c = drift.c
    age = func.row_number().over(partition_by=[c.source, c.stream], order_by=c.drift_no.desc()).label("age")
    aged = select(drift, age).subquery("aged")
    found: dict[Stream, list[dict[str, Any]]] = defaultdict(list)
    for row in reader.connection.execute(select(aged).where(aged.c.age <= LIST_CAP).order_by(aged.c.age)):
        said = {"path": row.path, "change": row.change, "was": row.was, "now": row.now, "mapped": row.mapped}
        found[row.source, row.stream].append(said | {"firstSeen": instant(row.at)})
    return found


def reconciliation(reader: Reader, selected: Selected) -> Any:
    """`reconciliation`: as the summary of a run shows it, each stream in its own currencies."""
    rows = status.reconciliation(reader.connection, reader.house.sources)
    shown = ("landed", "in_graph", "unassigned", "erased", "difference")
    return project([_line(row, shown) for row in rows], selected)


def _line(row: status.MoneyRow, shown: Sequence[str]) -> dict[str, Any]:
    amounts = {"inGraph" if name == "in_graph" else name: money(getattr(row, name), row.currency) for name in shown}
    named = {"source": row.source, "stream": row.stream, "kinds": list(row.kinds), "currency": row.currency}
    return named | amounts
