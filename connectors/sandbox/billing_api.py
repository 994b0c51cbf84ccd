"""In: requests to a Stripe-shaped billing system. Out: lists of objects, newest first, by `starting_after`."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.billing import STREAMS
from connectors.sandbox.company import Company
from connectors.sandbox.gate import Asked, Gate, RefusedError
from connectors.sandbox.shelf import Record, Shelf

LARGEST_PAGE, USUAL_PAGE = 100, 10
_KNOWN = frozenset({"limit", "starting_after", "created", "expand", "status", "customer"})
_EXPANDABLE = {"charges": "data.balance_transaction", "refunds": "data.charge"}
LIMITED = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."}}
UNAVAILABLE = {"error": {"type": "api_error", "code": None, "message": "Service unavailable."}}


class Billing:
    """The list endpoints. Without `status=all` cancelled subscriptions are left out, as the vendor does."""

    def __init__(self, company: Company, key: str) -> None:
        self._key, self._company = key, company
        self._shelves = {name: Shelf(company, "stripe", name, _created) for name in STREAMS}

    def answer(self, asked: Asked) -> bytes:
        """A page of the list, or a refusal in the vendor's words."""
        if self._key not in (asked.bearer, asked.user):
            raise _error(401, "Invalid API Key provided.", None)
        stream = asked.names["stream"]
        if stream not in self._shelves:
            raise _error(404, f"Unrecognized request URL (GET: {asked.path}).", None)
        unknown = asked.unknown(_KNOWN)
        if unknown:
            raise _error(400, f"Received unknown parameter: {unknown[0]}", "parameter_unknown")
        return self._page(stream, asked)

    def _page(self, stream: str, asked: Asked) -> bytes:
        shelf = self._shelves[stream]
        limit = _number(asked, "limit", USUAL_PAGE)
        if not 1 <= limit <= LARGEST_PAGE:
            raise _error(400, f"This value must be between 1 and {LARGEST_PAGE}.", "parameter_invalid_integer")
        low, high = _window(shelf, asked)
        high = min(high, self._start(shelf, stream, asked))
        keys, more = _newest(shelf, low, high, limit, asked, stream)
        expanded = self._expanded(stream, asked)
        body = shelf.join(keys, lambda record: self._shape(stream, record, expanded), expanded)
        has_more = b"true" if more else b"false"
        tail = b'],"has_more":' + has_more + b',"url":"/v1/' + stream.encode() + b'"}'
        return b'{"object":"list","data":[' + body + tail

    def _start(self, shelf: Shelf, stream: str, asked: Asked) -> int:
        after = asked.get("starting_after")
        if after is None:
            return len(shelf)
        position = shelf.position(after)
        if position is None:
            raise _error(400, f"No such {stream[:-1]}: '{after}'", "resource_missing")
        return position

    def _expanded(self, stream: str, asked: Asked) -> bool:
        wanted = asked.all("expand")
        for path in wanted:
            if path != _EXPANDABLE.get(stream):
                raise _error(400, f"This property cannot be expanded ({path}).", None)
        return bool(wanted)

    def _shape(self, stream: str, record: Record, expanded: bool) -> Record:
        if stream == "charges" and not expanded:
            transaction = record["balance_transaction"]
            known_by = transaction["id"] if isinstance(transaction, dict) else transaction
            return {**record, "balance_transaction": known_by}
        if stream == "refunds" and expanded:
            charge = self._company.get("stripe", "charges", record["charge"])
            return {**record, "charge": self._shape("charges", charge, False)}
        return record


def routes(gate: Gate, company: Company, key: str) -> list[Any]:
    """The routes of this app."""
    return [gate.route("/v1/{stream}", Billing(company, key).answer)]


def _created(record: Record) -> int:
    return int(record["created"])


def _window(shelf: Shelf, asked: Asked) -> tuple[int, int]:
    low, high = 0, len(shelf)
    for bound in ("gte", "gt", "lte", "lt"):
        if asked.get(f"created[{bound}]") is None:
            continue
        at = _number(asked, f"created[{bound}]", 0)
        place = shelf.first_from(at) if bound in ("gte", "lt") else shelf.first_after(at)
        low, high = (max(low, place), high) if bound.startswith("g") else (low, min(high, place))
    return low, high


def _newest(shelf: Shelf, low: int, high: int, limit: int, asked: Asked, stream: str) -> tuple[list[str], bool]:
    """Up to `limit` ids from `high` down to `low` that pass the filters, and whether more are left."""
    status, customer = asked.get("status"), asked.get("customer")
    if stream != "subscriptions" and status is None and customer is None:
        return shelf.keys(max(low, high - limit), high)[::-1], high - limit > low
    passed = [key for key in reversed(shelf.keys(low, high)) if _passes(shelf.record(key), stream, status, customer)]
    return passed[:limit], len(passed) > limit


def _passes(record: Record, stream: str, status: str | None, customer: str | None) -> bool:
    if customer is not None and record.get("customer") != customer:
        return False
    if status is None:
        return stream != "subscriptions" or record["status"] != "canceled"
    return status == "all" or record.get("status") == status


def _number(asked: Asked, parameter: str, usual: int) -> int:
    text = asked.get(parameter)
    if text is None:
        return usual
    if not text.isdecimal():
        raise _error(400, f"Invalid integer: {text}", "parameter_invalid_integer")
    return int(text)


def _error(status: int, message: str, code: str | None) -> RefusedError:
    return RefusedError(status, {"error": {"type": "invalid_request_error", "message": message, "code": code}})
