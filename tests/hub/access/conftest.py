"""A few customers, written by hand: who is known to which source, and who has granted what and taken it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog
from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table, insert
from structlog.testing import LogCapture

from hub.access import audit, token
from hub.store import derived, kept
from hub.store.engine import Store
from hub.store.mapped import MAPPED


def put(connection: Connection, table: Table, **values: Any) -> None:
    """A row; columns that must hold something and are not named hold what is empty of their kind."""
    empty: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.name in values:
            continue
        if isinstance(column.type, Boolean):
            empty[column.name] = False
        elif isinstance(column.type, BigInteger | Integer):
            empty[column.name] = 0
        else:
            empty[column.name] = b"" if isinstance(column.type, LargeBinary) else ""
    connection.execute(insert(table), {**empty, **values})


CARDS: Sequence[dict[str, Any]] = (
    {"customer_no": 1, "country": "DE", "risk_band": "HIGH", "risk_points": 60, "kind": "PERSON"},
    {"customer_no": 2, "country": "AT", "risk_band": "LOW", "kind": "PERSON", "stage": "LIVING"},
    {"customer_no": 3, "country": "it's", "risk_band": "LOW", "kind": "ORGANIZATION"},
    {"customer_no": 4, "country": None, "risk_band": "LOW", "kind": "PERSON"},
    {"customer_no": 5, "country": "a:b%c", "risk_band": "LOW", "kind": "PERSON"},
)
KNOWN = ((1, "hubspot"), (1, "stripe"), (2, "stripe"), (4, "zendesk"))
# Customer, channel, purpose, granted, when. 1 granted; 2 took it back; 3 took one channel of two back; 4 granted
# something else; 5 took it back and granted it again at the same instant, in a later record.
CONSENTS = (
    (1, "EMAIL", "marketing", True, 10),
    (2, "EMAIL", "marketing", True, 10),
    (2, "EMAIL", "marketing", False, 20),
    (3, "EMAIL", "marketing", True, 10),
    (3, "PHONE", "marketing", True, 10),
    (3, "PHONE", "marketing", False, 11),
    (4, "EMAIL", "service", True, 10),
    (5, "EMAIL", "marketing", False, 10),
    (5, "EMAIL", "marketing", True, 10),
)


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogCapture]:
    """What the room logs, whatever a command has configured before; and nothing of it stays configured."""
    capture = LogCapture()
    for room in (audit, token):
        monkeypatch.setattr(room, "log", structlog.wrap_logger(structlog.PrintLogger(), processors=[capture]))
    yield capture
    structlog.reset_defaults()


@pytest.fixture
def people(store: Store) -> Store:
    """A store with five customers, on both databases."""
    with store.write() as connection:
        for card in CARDS:
            number = card["customer_no"]
            put(connection, derived.customer_card, public_id=f"cus_{number}", **card)
            put(connection, kept.customer_ledger, customer_no=number, public_id=f"cus_{number}")
        for number, (customer, source) in enumerate(KNOWN, start=1):
            known = {"source": source, "stream": "s", "key": str(number)}
            put(connection, kept.profile_ledger, profile_no=number, customer_no=customer, **known)
        for number, (customer, channel, purpose, granted, at) in enumerate(CONSENTS, start=1):
            said: dict[str, Any] = {
                "channel": channel,
                "purpose": purpose,
                "granted": granted,
                "at": at,
                "source": "hubspot",
            }
            put(connection, MAPPED["consent"], fact_no=number, customer_no=customer, **said)
    return store
