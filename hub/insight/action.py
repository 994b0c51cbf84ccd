"""What to do about a flag, when, and whether it may be done. In: the open flags of the batch, consent and contacts.

Out: for each customer and channel why an action must not be taken, and for each flag the window in working hours.
The window begins when the flag was raised, so that it does not move with every derivation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from hub.expression import duration
from hub.insight.metrics import lower_due
from mappings.rulebook import Consent

OPENS, CLOSES = time(8), time(18)  # working hours, Monday to Friday, in the company's time zone
WORKING_DAYS = 5
REACHED_BY = {"EMAIL": ("EMAIL", "e-mail address"), "PHONE": ("PHONE", "phone number")}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FLAGGED = """
flagged AS (
    SELECT DISTINCT b.customer_no FROM batch b JOIN flag_log g ON g.customer_no = b.customer_no
    WHERE g.cleared_at IS NULL
)
"""
_DECISIONS = f"""
WITH {_FLAGGED}, decided AS (
    SELECT f.customer_no, c.channel, c.granted,
        ROW_NUMBER() OVER (PARTITION BY f.customer_no, c.channel ORDER BY c.at DESC, c.fact_no DESC) AS age
    FROM flagged f JOIN consent c ON c.customer_no = f.customer_no
    WHERE c.purpose = :purpose AND c.at <= :as_of
)
SELECT customer_no, channel, granted FROM decided WHERE age = 1
"""  # noqa: S608  (constants of this module)
_REACHABLE = f"""
WITH {_FLAGGED}, whose AS (
    SELECT customer_no, customer_no AS person_no FROM flagged
    UNION SELECT f.customer_no, m.person_no FROM flagged f JOIN member m ON m.organization_no = f.customer_no
)
SELECT DISTINCT w.customer_no, c.type
FROM whose w JOIN profile_ledger l ON l.customer_no = w.person_no JOIN contact_point c ON c.profile_no = l.profile_no
WHERE c.type IN ('EMAIL', 'PHONE')
"""  # noqa: S608
_LATER = """
SELECT b.customer_no, MIN(c.at) FROM batch b JOIN consent c ON c.customer_no = b.customer_no
WHERE c.at > :as_of GROUP BY b.customer_no
"""


@dataclass(frozen=True, slots=True)
class Contactability:
    """What is known about contacting the flagged customers of the batch for one purpose."""

    consent: Consent
    decided: dict[tuple[int, str], bool]
    reachable: frozenset[tuple[int, str]]

    def allowed(self, customer_no: int, channel: str) -> bool | None:
        """Whether consent allows the channel: the customer's latest decision, else the company's default, else null."""
        return self.decided.get((customer_no, channel), self.consent.default.get(channel))

    def blocked_by(self, customer_no: int, channel: str) -> str | None:
        """Why the customer must not or cannot be contacted on the channel; null where nothing stands against it."""
        allowed = self.allowed(customer_no, channel)
        if allowed is None:
            return f"It is not known whether {channel} may be used for {self.consent.purpose}."
        if not allowed:
            by = "The customer" if (customer_no, channel) in self.decided else "The company's default"
            return f"{by} does not allow {channel} for {self.consent.purpose}."
        type_, words = REACHED_BY.get(channel, ("", ""))
        return f"No {words} is on record." if type_ and (customer_no, type_) not in self.reachable else None


def contactability(connection: Connection, consent: Consent, as_of: int) -> Contactability:
    """Consent at `as_of` and contact points of the batch's customers with open flags; lowers due_at to later consent.

    An organization is reached through its people as well.
    """
    decided = connection.execute(text(_DECISIONS), {"purpose": consent.purpose, "as_of": as_of})
    found = {(row.customer_no, row.channel): bool(row.granted) for row in decided}
    lower_due(connection, _LATER, 1, as_of)
    reachable = frozenset((row.customer_no, row.type) for row in connection.execute(text(_REACHABLE)))
    return Contactability(consent, found, reachable)


@lru_cache(maxsize=4096)
def window(raised_at: int, within: str, time_zone: str) -> tuple[int, int]:
    """First and last instant (µs) for an action: from the next working hour on, for `within`.

    Days are working days at the same local time (a week has five), across changes of the clock; hours are elapsed
    ones, and a window that would close outside working hours closes at the next opening. Raises ExpressionError.
    """
    span, unit, zone = duration(within, "risk.yml: within"), within[-1], ZoneInfo(time_zone)
    opens = _working((_EPOCH + timedelta(microseconds=raised_at)).astimezone(zone))
    if unit in "dw":
        count = int(within[:-1]) * (WORKING_DAYS if unit == "w" else 1)
        return _microseconds(opens), _microseconds(_later(opens, count))
    closes = _working((opens.astimezone(UTC) + timedelta(microseconds=span)).astimezone(zone))
    return _microseconds(opens), _microseconds(closes)


def _working(at: datetime) -> datetime:
    """The instant itself inside working hours, else the next opening."""
    if at.weekday() < WORKING_DAYS and OPENS <= at.time() < CLOSES:
        return at
    day = at if at.weekday() < WORKING_DAYS and at.time() < OPENS else _later(at, 1)
    return datetime.combine(day.date(), OPENS, at.tzinfo)


def _later(at: datetime, days: int) -> datetime:
    """The same local time that many working days on."""
    for _ in range(days):
        at += timedelta(days=1)
        while at.weekday() >= WORKING_DAYS:
            at += timedelta(days=1)
    return at


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
