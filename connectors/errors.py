"""What can go wrong while pulling. In: the place, what happened, the remedy. Out: exceptions that say it in one line.

ConnectorError
├── Unauthorized   401, 403, an error body that means it, or a credential that no request can carry: names the variables
├── NotFound       404: the path is wrong, or the object is gone
├── Rejected       any other 4xx, or a request that cannot be made from the mapping and its settings
├── RateLimited    429: too many requests; asked again after the wait that the system names
├── Unavailable    down, cut off, timed out, 408, 5xx, or an error body that may pass
├── BadAnswer      no JSON, no list of records, an error with status 200, a list that does not move on, too large
└── Refused        the way leads to another host; nothing was sent there

Catch ConnectorError to go on with the other streams; the others only where the remedy differs.
"""

from __future__ import annotations

RETRIED_STATUS = frozenset(
    {408, 429, 502, 503, 504, 520, 521, 522, 523, 524}
)  # from 520 on: a proxy without its origin


class ConnectorError(Exception):
    """A pull that failed, as `place: what; remedy`. Never holds a secret, a query string or a payload.

    `again` says whether asking again may help, `wait_s` how many seconds the system asks to wait first, `status` what
    the answer's status was (401 where its body says as much), None where there was no answer.
    """

    def __init__(
        self,
        place: str,
        what: str,
        remedy: str = "",
        *,
        again: bool = False,
        wait_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(f"{place}: {what}; {remedy}" if remedy else f"{place}: {what}")
        self.place = place
        self.again = again
        self.wait_s = wait_s
        self.status = status


class Unauthorized(ConnectorError):
    """The system does not let us in."""


class NotFound(ConnectorError):
    """There is nothing at this path."""


class Rejected(ConnectorError):
    """The request itself is wrong."""


class RateLimited(ConnectorError):
    """Too many requests."""


class Unavailable(ConnectorError):
    """The system does not answer."""


class BadAnswer(ConnectorError):
    """The answer cannot be used."""


class Refused(ConnectorError):
    """The request would leave the source's own host."""


def of_status(place: str, url: str, status: int, said: str, check: str, wait_s: float | None) -> ConnectorError:
    """The error that a status of 300 or more means.

    `url` comes without its query, `said` is the system's own word (may be empty), `check` names the variables that
    hold the credentials.
    """
    head, tail = f"{status} from {url}", f" ({said})" if said else ""
    again = status in RETRIED_STATUS
    if status in (401, 403):
        word = "the credentials were refused" if status == 401 else "the credentials do not allow this"
        return Unauthorized(place, f"{head}: {word}{tail}", f"check {check}", status=status)
    if status in (404, 410):
        what = f"{head}: nothing is there{tail}"
        return NotFound(place, what, "check the stream's path in the mapping and the base URL", status=status)
    if status == 429:
        what = f"{head}: too many requests{'' if wait_s is None else f', wait {wait_s:.0f} s'}{tail}"
        return RateLimited(place, what, "lower `rate` in the mapping", again=True, wait_s=wait_s, status=status)
    if status >= 500 or again:
        what, wait_s = f"{head}: the system failed{tail}", wait_s if again else None
        return Unavailable(place, what, "run again later", again=again, wait_s=wait_s, status=status)
    what = f"{head}: the request was not accepted{tail}"
    return Rejected(place, what, "check `params`, `body` and `pages` in the mapping", status=status)
