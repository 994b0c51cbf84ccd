"""When to ask again. In: errors and Retry-After headers. Out: attempts with the wait between them."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import stamina

from connectors.errors import ConnectorError


def attempts(place: str, *, most: int | None, seconds: float) -> AsyncIterator[stamina.Attempt]:
    """Up to `most` attempts (None: any number) within about `seconds`, with the wait that the system asks for between
    them, else 0.2 s doubled, with jitter.

    Only errors that say `again` are tried again; a wait that would end after the time is not begun. The last error
    is raised as it is.
    """
    end = time.monotonic() + seconds

    def again(error: Exception) -> bool | float:
        if not isinstance(error, ConnectorError) or not error.again:
            return False
        if error.wait_s is None:
            return True
        return error.wait_s if time.monotonic() + error.wait_s <= end else False

    context = stamina.retry_context(
        on=again, attempts=most, timeout=seconds, wait_initial=0.2, wait_max=20.0, wait_jitter=0.3
    )
    return aiter(context.with_name(place, (), {}))


def http_date(text: str | None) -> datetime | None:
    """The instant of an HTTP date header, None where it is none."""
    if not text:
        return None
    try:
        said = parsedate_to_datetime(text)
    except ValueError:
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def wait_asked(retry_after: str | None, date: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait, given in seconds or as an HTTP date; None where it says nothing.

    A date is measured against the answer's own Date, so that the system's clock may differ from ours.
    """
    if not retry_after:
        return None
    if re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", retry_after):
        return float(retry_after)
    until = http_date(retry_after)
    if until is None:
        return None
    now = http_date(date) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())
