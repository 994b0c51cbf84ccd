"""The audit log: who read whom. In: what was read, by whom. Out: rows, written by a thread at most a second later.

It holds numbers of customers and classes of fields, never a value that was read. Erasing a customer leaves the log as
it is: the number says nothing about a person any more, and who has read a person that asked to be forgotten is what
an operator may have to show. A subject of a token may name one of the staff; the log is theirs to expire.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

import structlog
from sqlalchemy import Connection, func, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError

from hub import clock
from hub.access.aside import aside
from hub.access.principal import Principal
from hub.access.refusal import AuditFull
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.kept import audit_log, customer_ledger

EVERY_S = 0.5
MOST_WAITING = 200_000  # entries and numbers of customers that wait to be written, about 10 MB
MOST_NAMED = 5_000  # numbers of customers in one row
MOST_ROWS = 500  # rows of one transaction
LONGEST_NAME = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """That somebody read a customer. `everybody`: by reading all customers that the role sees, as exports do."""

    at: int
    principal: str
    role: str
    operation: str
    root: str
    classes: tuple[str, ...]
    everybody: bool


class Audit:
    """Takes note of who read whom and writes it down beside the requests. May be used from any thread.

    What waits is bounded: where the database takes nothing for long, nothing personal is read either.
    """

    def __init__(self, store: Store, most_waiting: int = MOST_WAITING) -> None:
        self._store, self._most = store, most_waiting
        self._waiting: deque[tuple[dict[str, Any], int]] = deque()  # rows, each with its weight
        self._weight = 0
        self._failing = False
        self._lock = Lock()
        self._ended, self._filled = Event(), Event()
        self._writer: Thread | None = None

    def saw(
        self, principal: Principal, operation: str, root: str, customers: Sequence[int] | None, classes: Sequence[str]
    ) -> None:
        """Notes that a principal read these classes of these customers (customer_no; None: all that the role sees).

        Never blocks. Raises AuditFull where too much waits to be written: what cannot be logged is not to be read.
        """
        entry = {
            "at": clock.now(),
            "principal": principal.name,
            "role": principal.sight.role,
            "operation": operation[:LONGEST_NAME],
            "root": root[:LONGEST_NAME],
            "classes": " ".join(sorted(classes)),
        }
        rows = [({**entry, "customers": said}, weight) for said, weight in _lists(customers)]
        with self._lock:
            weight = sum(weight for _, weight in rows)
            if self._weight + weight > self._most:
                raise AuditFull("what is read cannot be logged at the moment, so it is not read; try again later")
            self._waiting.extend(rows)
            self._weight += weight
            if self._writer is None:
                self._writer = Thread(target=self._write, name="audit", daemon=True)
                self._writer.start()
        self._filled.set()

    def close(self) -> None:
        """Writes what waits and ends. What cannot be written now is lost, which the hub's log says."""
        self._ended.set()
        self._filled.set()
        if self._writer is not None:
            self._writer.join()
        if self._waiting:
            log.error("entries of the audit log are lost", entries=len(self._waiting))

    def _write(self) -> None:
        while not self._ended.is_set():
            self._filled.wait()
            self._filled.clear()
            self._ended.wait(EVERY_S)  # what comes meanwhile goes along
            while self._waiting and self._written() and not self._ended.is_set():
                continue
            if self._waiting:
                self._filled.set()
        while self._waiting and self._written():
            continue

    def _written(self) -> bool:
        """Writes the oldest entries. False where the database did not take them: then they wait on."""
        with self._lock:
            batch = [self._waiting[index] for index in range(min(MOST_ROWS, len(self._waiting)))]
        try:
            with aside(self._store) as connection:
                connection.execute(insert(audit_log), [row for row, _ in batch])
        except (StoreError, SQLAlchemyError) as error:
            if not self._failing:
                log.error("the audit log cannot be written; it is tried again", reason=type(error).__name__)
            self._failing = True
            return False
        self._failing = False
        with self._lock:
            for _, weight in batch:
                self._waiting.popleft()
                self._weight -= weight
        return True


def readings(connection: Connection, public_id: str, since: int) -> list[Reading] | None:
    """Who read the customer since an instant (µs), the newest first; None where no customer ever had the id.

    Reads of ids that have been merged into it count, and so do those of an erased customer.
    """
    numbers = _numbers(connection, public_id)
    if numbers is None:
        return None
    listed = func.replace(func.replace(audit_log.c.customers, "[", ","), "]", ",")
    named = [listed.contains(f",{number},", autoescape=True) for number in numbers]
    query = (
        select(audit_log, audit_log.c.customers.is_(None).label("everybody"))
        .where(audit_log.c.at >= since, or_(audit_log.c.customers.is_(None), *named))
        .order_by(audit_log.c.log_no.desc())
    )
    return [
        Reading(r.at, r.principal, r.role, r.operation, r.root, tuple(r.classes.split()), bool(r.everybody))
        for r in connection.execute(query)
    ]


def _numbers(connection: Connection, public_id: str) -> list[int] | None:
    ledger = customer_ledger.c
    row = connection.execute(
        select(ledger.customer_no, ledger.merged_into).where(ledger.public_id == public_id)
    ).one_or_none()
    if row is None:
        return None
    now = row.customer_no if row.merged_into is None else row.merged_into
    merged = select(ledger.customer_no).where(or_(ledger.customer_no == now, ledger.merged_into == now))
    return list(connection.execute(merged).scalars())


def _lists(customers: Sequence[int] | None) -> list[tuple[str | None, int]]:
    """The lists of numbers as JSON, none too long, each with its weight."""
    if customers is None:
        return [(None, 1)]
    parts = [customers[begin : begin + MOST_NAMED] for begin in range(0, max(1, len(customers)), MOST_NAMED)]
    return [(json.dumps(list(part), separators=(",", ":")), 1 + len(part)) for part in parts]
