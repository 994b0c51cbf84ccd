"""How far a reader has come. In: the store, and the watermark of the last reading. Out: which customers changed since.

A watermark is opaque to readers. It holds numbers that only grow, never a value of a customer.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, text

from hub.export.refusals import BadWatermark

VERSION = 1

_NOW = """
SELECT (SELECT COALESCE(MAX(run_no), 0) FROM sync_run WHERE status <> 'RUNNING') AS run,
       (SELECT COALESCE(MAX(outbox_no), 0) FROM outbox) AS outbox,
       (SELECT COALESCE(MAX(log_no), 0) FROM identity_log) AS log,
       (SELECT COUNT(*) + COUNT(withdrawn_at) FROM judgement) AS decisions,
       (SELECT COALESCE(MAX(as_of), 0) FROM sync_run) AS as_of,
       CASE WHEN EXISTS (SELECT 1 FROM customer WHERE dirty = TRUE)
              OR EXISTS (SELECT 1 FROM profile_ledger WHERE pending = TRUE)
              OR EXISTS (SELECT 1 FROM unresolved) THEN 1 ELSE 0 END AS unsettled
"""
# Whoever the rows of nobody are, they change when a record does, a mapping does, or one of them becomes somebody.
_NOBODYS = """
SELECT COUNT(*), CAST(SUM(i.fact_no % 1000000007) AS TEXT), CAST(SUM(r.changed_at % 1000000007) AS TEXT),
       (SELECT MAX(run_no) FROM stream_run WHERE changed > 0)
FROM interaction i LEFT JOIN landing r ON r.landing_no = i.landing_no
WHERE i.customer_no IS NULL
"""
_MAPPINGS = "SELECT source, stream, mapping_version FROM stream_state ORDER BY source, stream"
_FLOOR = """
SELECT MIN(happened) FROM (
  SELECT as_of AS happened FROM sync_run WHERE run_no > :run
  UNION ALL SELECT "at" FROM outbox WHERE outbox_no > :outbox
  UNION ALL SELECT "at" FROM identity_log WHERE log_no > :log
  UNION ALL SELECT CAST(:as_of AS BIGINT) WHERE :open
) AS since
"""
_LATER = '"at" >= :floor'
_CHANGED = """
WITH named (customer_no) AS (
  SELECT customer_no FROM customer WHERE derived_as_of >= :floor
  UNION SELECT customer_no FROM outbox WHERE customer_no IS NOT NULL AND {told}
  UNION SELECT customer_no FROM identity_log WHERE {logged}
)
SELECT customer_no FROM named
UNION SELECT customer_no FROM customer_ledger WHERE merged_into IN (SELECT customer_no FROM named)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the store has come: the newest finished run, the ends of its logs, whether something was under way."""

    run: int
    outbox: int
    log: int
    decisions: int
    as_of: int
    unsettled: int
    nobodys: str = ""


@dataclass(frozen=True, slots=True)
class Watermark:
    """A reading of `view` by `role` that began when the store was at `mark`.

    `after` is where it stopped, None at its end. What it reads are the changes since `base` or since the instant
    `updated_since` (µs); where both are None, every row.
    """

    view: str
    role: str
    mark: Mark
    base: Mark | None = None
    updated_since: int | None = None
    after: int | None = None

    @property
    def changes(self) -> bool:
        """Whether only changes are read."""
        return self.base is not None or self.updated_since is not None


def encode(watermark: Watermark) -> str:
    """The watermark as a reader gets it: letters, digits, - and _."""
    said = json.dumps([VERSION, asdict(watermark)], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def decode(token: str, view: str, role: str) -> Watermark:
    """The watermark that `encode` gave. Raises BadWatermark where it is none, or another view's or role's."""
    try:
        version, said = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        if version != VERSION:
            raise BadWatermark("since: another version of the hub gave this watermark; read everything once")
        watermark = Watermark(**(said | {"mark": _mark(said["mark"]), "base": _mark(said["base"])}))
        numbers = (watermark.updated_since, watermark.after)
        whole = all(number is None or type(number) is int for number in numbers)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, BadWatermark):
            raise
        whole = False
    if not whole or watermark.mark is None:
        raise BadWatermark("since: is no watermark; send the one of the last answer, unchanged")
    if (watermark.view, watermark.role) != (view, role):
        whose = f"{watermark.view} as {watermark.role}"
        raise BadWatermark(f"since: this watermark is of {whose}, not of {view} as {role}; read everything once")
    return watermark


def _mark(said: Any) -> Any:
    if said is None:
        return None
    mark = Mark(**said)
    if any(type(number) is not int for name, number in asdict(mark).items() if name != "nobodys"):
        raise ValueError
    return mark


def mark_now(connection: Connection, nobodys: bool) -> Mark:
    """How far the store is; with `nobodys` also which rows without a customer it has."""
    numbers = connection.execute(text(_NOW)).mappings().one()
    return Mark(**numbers, nobodys=_nobodys(connection) if nobodys else "")


def _nobodys(connection: Connection) -> str:
    said = [tuple(row) for statement in (_NOBODYS, _MAPPINGS) for row in connection.execute(text(statement))]
    return blake2b(repr(said).encode(), digest_size=8).hexdigest()


def changed_since(connection: Connection, watermark: Watermark) -> list[int]:
    """The customers whose rows may differ from what they were at `base` or `updated_since`, in order of their numbers.

    Every customer that changed is there, merged, erased and vanished ones too; one that did not may be. Raises
    BadWatermark where the store was never as far as the watermark says.
    """
    base = watermark.base
    if base is None:
        since = {"floor": watermark.updated_since}
        return list(connection.execute(text(_CHANGED.format(told=_LATER, logged=_LATER)), since).scalars())
    now = mark_now(connection, nobodys=False)
    if base.run > now.run or base.outbox > now.outbox or base.log > now.log:
        raise BadWatermark("since: this database was never so far (is it a restored backup?); read everything once")
    ends = {"outbox": base.outbox, "log": base.log}
    begun = {"run": base.run, "as_of": base.as_of, "open": bool(base.unsettled) or base.decisions != now.decisions}
    floor = connection.execute(text(_FLOOR), ends | begun).scalar()
    if floor is None:
        return []
    further = _CHANGED.format(told="outbox_no > :outbox", logged="log_no > :log")
    return list(connection.execute(text(further), ends | {"floor": floor}).scalars())
