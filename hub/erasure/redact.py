"""Redaction. In: profiles, and records that speak of others as well. Out: the records without what is theirs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hub.erasure.named import contacts, own_addresses
from hub.store import kept
from hub.store.bulk import among
from hub.store.landing import digest
from hub.store.mapped import FACTS, MAPPED

TOLD = ("text", "summary", "subject")  # what one person said stands in the facts of others that the record names
FREE_TEXT = ("text", "summary", "subject", "display_name", "given_name", "family_name", "raw", "value", "birth_date")


def redact(connection: Connection, profiles: Sequence[int], shared: Sequence[int]) -> int:
    """Take these profiles' values and texts out of payloads that name others as well; how many payloads."""
    landing = kept.landing
    rows = connection.execute(
        select(landing.c.landing_no, landing.c.payload).where(landing.c.landing_no.in_(shared))
    ).all()
    for landing_no, payload in rows:
        personal = _values(connection, profiles, landing_no)
        if payload:  # else its retention is over, and only its rows say something
            clean = _clean(bytes(payload), personal)
            connection.execute(
                update(landing)
                .where(landing.c.landing_no == landing_no)
                .values(payload=clean, raw_hash=digest(clean), content_hash=digest(clean))
            )
        _clear(connection, landing_no, personal)
    return len(rows)


def _clean(payload: bytes, personal: Collection[str]) -> bytes:
    try:
        return json.dumps(_without(json.loads(payload), personal), ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # a dead letter that nobody could read
        return b"null"


def _clear(connection: Connection, landing_no: int, personal: Collection[str]) -> None:
    """Takes the texts out of the record's facts about others, as mapping what is left of the record would."""
    for table in FACTS.values():
        for column in (table.c[name] for name in TOLD if name in table.c):
            these = (table.c.landing_no == landing_no, among(connection, column, personal))
            connection.execute(update(table).where(*these).values({column: None}))


def _values(connection: Connection, profiles: Sequence[int], landing_no: int) -> set[str]:
    """What the record may hold of these profiles: their addresses and, where facts of theirs say so, all the rest."""
    found: set[str] = own_addresses(connection, profiles)
    for table in MAPPED.values():
        columns = [table.c[name] for name in FREE_TEXT if name in table.c]
        if columns:
            rows: Iterable[Row[Any]] = connection.execute(
                select(*columns).where(table.c.landing_no == landing_no, table.c.profile_no.in_(profiles))
            )
            told = list(rows)
            found |= {value for row in told for value in row if value}
            found |= contacts(connection, profiles) if told else set()
    return found


def _without(value: Any, personal: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(item, personal) for name, item in value.items()}
    if isinstance(value, list):
        return [_without(item, personal) for item in value]
    return None if isinstance(value, str) and value in personal else value
