"""In: requests to a Zendesk-shaped support system. Out: incremental exports by cursor and plain lists by page."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

import msgspec

from connectors.sandbox.company import Company
from connectors.sandbox.gate import Asked, Gate, RefusedError
from connectors.sandbox.shelf import Record, Shelf, whole
from connectors.sandbox.support import STREAMS

HOST = "https://hub-station.example"
LARGEST_EXPORT, LARGEST_PAGE = 1000, 100
EXPORTED = ("users", "tickets")
LIMITED = {"error": "APIRateLimitExceeded", "description": "Number of allowed API requests per minute exceeded"}
UNAVAILABLE = {"error": "ServiceUnavailable", "description": "The service is temporarily unavailable"}


class Support:
    """Both ways the vendor lists things: by time of change (`incremental/…/cursor`) and by id (`page[size]`)."""

    def __init__(self, company: Company, email: str, token: str) -> None:
        self._user, self._token = f"{email}/token", token
        self._by_change = {name: Shelf(company, "zendesk", name, _changed_at) for name in EXPORTED}
        self._by_id = {name: Shelf(company, "zendesk", name, lambda record: int(record["id"])) for name in STREAMS}

    def export(self, asked: Asked) -> bytes:
        """Records in order of change, from `start_time` or after `cursor`; a cursor comes with every answer."""
        stream = self._stream(asked, self._by_change)
        shelf = self._by_change[stream]
        size = min(_number(asked.get("per_page"), LARGEST_EXPORT), LARGEST_EXPORT)
        cursor = asked.get("cursor")
        if cursor is not None:
            at, key = _opened(cursor)
            start = shelf.first_after(at, key)
        elif asked.get("start_time") is not None:
            at, key = _number(asked.get("start_time"), 0), 0
            start = shelf.first_from(at)
        else:
            raise RefusedError(400, {"error": "StartTimeMissing", "description": "You must supply a start_time"})
        keys = shelf.keys(start, start + size)
        reached = shelf.entry(start + len(keys) - 1) if keys else (at, key)
        after = base64.b64encode("{}|{}".format(*reached).encode()).decode()
        tail = {
            "after_url": f"{HOST}{asked.path}?cursor={after}&per_page={size}",
            "before_url": None,
            "after_cursor": after,
            "before_cursor": None,
            "end_of_stream": start + size >= len(shelf),
        }
        return _body(stream, shelf.join(keys, whole), tail)

    def listing(self, asked: Asked) -> bytes:
        """Records in order of id, `page[size]` at a time after `page[after]`."""
        stream = self._stream(asked, self._by_id)
        shelf = self._by_id[stream]
        size = _number(asked.get("page[size]"), LARGEST_PAGE)
        if not 1 <= size <= LARGEST_PAGE:
            described = f"page[size] must be 1 to {LARGEST_PAGE}"
            raise RefusedError(400, {"error": "InvalidPaginationParameter", "description": described})
        after = asked.get("page[after]")
        start = shelf.first_after(_opened(after)[0]) if after is not None else 0
        keys = shelf.keys(start, start + size)
        more = start + size < len(shelf)
        last = base64.b64encode(f"{keys[-1]}|0".encode()).decode() if keys else None
        link = f"{HOST}{asked.path}?page[size]={size}&page[after]={last}" if more else None
        tail = {
            "meta": {"has_more": more, "after_cursor": last, "before_cursor": None},
            "links": {"next": link, "prev": None},
        }
        return _body(stream, shelf.join(keys, whole), tail)

    def comments(self, asked: Asked) -> bytes:
        """The comments of one ticket, at the vendor's own address."""
        self._check(asked)
        shelf = self._by_id["tickets"]
        key = asked.names["ticket"]
        if shelf.position(key) is None:
            raise RefusedError(404, {"error": "RecordNotFound", "description": "Not found"})
        listed = shelf.record(key)["comments"]
        return msgspec.json.encode({"comments": listed, "count": len(listed), "next_page": None})

    def _stream(self, asked: Asked, shelves: dict[str, Shelf]) -> str:
        self._check(asked)
        stream = asked.names["stream"]
        if stream not in shelves:
            raise RefusedError(404, {"error": "InvalidEndpoint", "description": "Not found"})
        return stream

    def _check(self, asked: Asked) -> None:
        if (asked.user, asked.password) != (self._user, self._token):
            raise RefusedError(401, {"error": "Couldn't authenticate you"})


def routes(gate: Gate, company: Company, email: str, token: str) -> list[Any]:
    """The routes of this app, with and without `.json`."""
    support = Support(company, email, token)
    found = []
    for ending in (".json", ""):
        found.append(gate.route(f"/api/v2/incremental/{{stream}}/cursor{ending}", support.export))
        found.append(gate.route(f"/api/v2/tickets/{{ticket:int}}/comments{ending}", support.comments))
        found.append(gate.route(f"/api/v2/{{stream}}{ending}", support.listing))
    return found


def _changed_at(record: Record) -> int:
    return int(datetime.fromisoformat(record["updated_at"]).timestamp())


def _opened(cursor: str) -> tuple[int, int]:
    try:
        stamp, _, key = base64.b64decode(cursor, validate=True).decode().partition("|")
        return int(stamp), int(key)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise RefusedError(400, {"error": "InvalidCursor", "description": "cursor is invalid"}) from None


def _number(text: str | None, usual: int) -> int:
    if text is None:
        return usual
    if not text.isdecimal():
        raise RefusedError(400, {"error": "InvalidValue", "description": f"{text} is not a number"})
    return int(text)


def _body(stream: str, records: bytes, tail: dict[str, Any]) -> bytes:
    return b'{"' + stream.encode() + b'":[' + records + b"]," + msgspec.json.encode(tail)[1:]
