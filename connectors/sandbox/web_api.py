"""In: requests to a Matomo-shaped web analytics system. Out: bare lists of visits; what went wrong comes as a 200."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.sandbox.company import Company
from connectors.sandbox.gate import Asked, Gate, RefusedError
from connectors.sandbox.shelf import Record, Shelf, whole
from connectors.sandbox.web import SITES

USUAL_PAGE = 100
_NEEDED = {"Live.getLastVisitsDetails": ("idSite",), "SitesManager.getAllSites": ()}
LIMITED = {"result": "error", "message": "Too many requests."}
UNAVAILABLE = {"result": "error", "message": "The service is temporarily unavailable."}


class Web:
    """The one address; `method` says what is asked. A wrong token is a 401, every other error a 200 with a message."""

    def __init__(self, company: Company, token: str) -> None:
        self._token = token
        self._visits = Shelf(company, "matomo", "visits", lambda record: int(record["lastActionTimestamp"]))

    def answer(self, asked: Asked) -> bytes:
        """The list asked for, or the vendor's error."""
        method = asked.get("method") or ""
        shown = asked.get("token_auth")
        if shown is None and asked.bearer is None:
            raise _error("You can't access this resource as it requires 'view' access for the website id = 1.", 401)
        if self._token not in (shown, asked.bearer):
            raise _error("Unable to authenticate with the provided token. It is either invalid or expired.", 401)
        if method not in _NEEDED:
            module, _, name = method.partition(".")
            raise _error(
                f"The method '{name}' does not exist or is not available in the module "
                f"'\\Piwik\\Plugins\\{module}\\API'."
            )
        for parameter in _NEEDED[method]:
            if not asked.get(parameter):
                raise _error(f"Please specify a value for '{parameter}'.")
        return msgspec.json.encode(SITES) if method == "SitesManager.getAllSites" else self._page(asked)

    def _page(self, asked: Asked) -> bytes:
        low, high = self._window(asked)
        if not {"1", "all"} & set((asked.get("idSite") or "").split(",")):
            site = asked.get("idSite")
            raise _error(f"An unexpected website was found in the request: website id was set to '{site}' .")
        limit, offset = _number(asked, "filter_limit", USUAL_PAGE), max(_number(asked, "filter_offset", 0), 0)
        count = high - low if limit < 0 else limit
        if (asked.get("filter_sort_order") or "").lower() == "asc":
            keys = self._visits.keys(low + offset, min(low + offset + count, high))
        else:
            keys = self._visits.keys(max(high - offset - count, low), high - offset)[::-1]
        slim = asked.get("doNotFetchActions") == "1"
        return b"[" + self._visits.join(keys, _without_actions if slim else whole, slim) + b"]"

    def _window(self, asked: Asked) -> tuple[int, int]:
        low, high = 0, len(self._visits)
        period, dates = asked.get("period"), asked.get("date")
        if period and dates:
            first, last = _days(period, dates)
            low, high = self._visits.first_from(first), self._visits.first_from(last)
        after = _number(asked, "minTimestamp", 0)
        return (max(low, self._visits.first_after(after)), high) if after else (low, high)


def routes(gate: Gate, company: Company, token: str) -> list[Any]:
    """The routes of this app."""
    answer = Web(company, token).answer
    return [gate.route(path, answer, ("GET", "POST")) for path in ("/index.php", "/")]


def _days(period: str, dates: str) -> tuple[int, int]:
    if period not in ("day", "range"):
        raise _error(f"The period '{period}' is not supported. Try any of the following instead: day, range")
    first, _, last = dates.partition(",")
    try:
        start = datetime.strptime(first, "%Y-%m-%d").replace(tzinfo=UTC)
        end = datetime.strptime(last or first, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise _error(f"Date format must be: YYYY-MM-DD. The date '{dates}' is not valid.") from None
    return int(start.timestamp()), int((end + timedelta(days=1)).timestamp())


def _without_actions(record: Record) -> Record:
    return {**record, "actionDetails": []}


def _number(asked: Asked, parameter: str, usual: int) -> int:
    text = asked.get(parameter)
    if not text:
        return usual
    try:
        return int(text)
    except ValueError:
        raise _error(f"The parameter '{parameter}' isn't a number.") from None


def _error(message: str, status: int = 200) -> RefusedError:
    return RefusedError(status, {"result": "error", "message": message})
