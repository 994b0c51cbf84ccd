"""Retention. In: how long the company keeps what was sent. Out: landing rows without their payload, once that is over.

What such a record means stays, also where the mapping changes: it is mapped as it was. Dead letters, records that wait
and parents that are still to be asked about keep their payload.
"""

from __future__ import annotations

import json
from datetime import timedelta

import structlog
from sqlalchemy import Connection, delete, func, insert, select, update

from hub.run import Hub, Report
from hub.store.bulk import among
from hub.store.kept import hub_meta, landing, parent_due
from hub.store.read import mapping_version
from mappings.duration import duration

log = structlog.get_logger(__name__)

RECORDS_A_CHUNK = 5_000
DAY_US = 86_400_000_000
_MAPPED = 1


def retain(hub: Hub, report: Report) -> None:
    """Empty the payloads of mapped records that have not changed for as long as they are kept, chunk by chunk.

    Looked for once a day of the run's instants, and whenever the company keeps them for another time.
    """
    company = hub.rulebook.company
    for source in hub.sources:
        kept_for = company.sources[source].retention or company.retention
        if kept_for is not None:
            _retain_source(hub, report, source, kept_for)


def _retain_source(hub: Hub, report: Report, source: str, kept_for: str) -> None:
    before = report.as_of - duration(kept_for) // timedelta(microseconds=1)
    looked = json.dumps([kept_for, report.as_of // DAY_US])
    with hub.store.read() as connection:
        if connection.execute(select(hub_meta.c.value).where(hub_meta.c.name == _name(source))).scalar() == looked:
            return
    after: int | None = 0
    while after is not None:
        with hub.store.write() as connection:
            numbers = _over(connection, source, before, after)
            these = among(connection, landing.c.landing_no, numbers)
            connection.execute(update(landing).where(these).values(payload=b""))
            if len(numbers) < RECORDS_A_CHUNK:
                connection.execute(delete(hub_meta).where(hub_meta.c.name == _name(source)))
                connection.execute(insert(hub_meta).values(name=_name(source), value=looked))
        report.add(payloads_emptied=len(numbers))
        after = numbers[-1] if len(numbers) == RECORDS_A_CHUNK else None


def _name(source: str) -> str:
    return f"retention.{source}"


def _over(connection: Connection, source: str, before: int, after: int) -> list[int]:
    asked_about = select(parent_due.c.parent_no).where(parent_due.c.source == source)
    rows = connection.execute(
        select(landing.c.landing_no)
        .where(landing.c.landing_no > after, landing.c.source == source, landing.c.state == _MAPPED)
        .where(landing.c.changed_at < before, func.length(landing.c.payload) > 0)
        .where(landing.c.landing_no.not_in(asked_about))
        .order_by(landing.c.landing_no)
        .limit(RECORDS_A_CHUNK)
    )
    return list(rows.scalars())


def note_left_behind(connection: Connection, report: Report, source: str, stream: str, version: str) -> None:
    """Say how many records another mapping than `version` leaves as they are, since they are kept no longer."""
    held = mapping_version(connection, source, stream)
    left = bare_count(connection, source, stream) if held not in (None, version) else 0
    if left:
        line = f"{left:,} records stay as they were mapped before: the retention of what was sent is over"
        report.notes[f"{source}.{stream}"] = line
        log.warning("records stay as they were mapped before", source=source, stream=stream, records=left)


def bare_count(connection: Connection, source: str, stream: str) -> int:
    """How many of the stream's records stay as they were mapped, since their payload is kept no longer."""
    these = (landing.c.source == source, landing.c.stream == stream, landing.c.deleted_at.is_(None))
    bare = select(func.count()).where(*these, func.length(landing.c.payload) == 0)
    return int(connection.execute(bare).scalar_one())
