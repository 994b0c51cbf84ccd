"""In: requests to a HubSpot-shaped CRM. Out: pages of objects with the properties asked for, ascending by id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from connectors.sandbox.company import Company
from connectors.sandbox.crm import STREAMS
from connectors.sandbox.gate import Asked, Gate, RefusedError
from connectors.sandbox.shelf import Shelf

LARGEST_PAGE, USUAL_PAGE = 100, 10
_USUAL = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}
LIMITED = {
    "status": "error",
    "message": "You have reached your secondly limit.",
    "errorType": "RATE_LIMIT",
    "policyName": "SECONDLY",
    "category": "RATE_LIMITS",
}
UNAVAILABLE = {"status": "error", "message": "Service unavailable.", "category": "SERVICE_UNAVAILABLE"}


def crm_answers(company: Company, token: str) -> Callable[[Asked], bytes]:
    """The answer to `GET /crm/v3/objects/{stream}`; wrong tokens, streams and limits are refused as the vendor does."""
    shelves = {name: Shelf(company, "hubspot", name, lambda record: int(record["id"])) for name in STREAMS}

    def answer(asked: Asked) -> bytes:
        if asked.bearer != token:
            raise _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or not valid.")
        stream = asked.names["stream"]
        if stream not in shelves:
            raise _error(404, "OBJECT_NOT_FOUND", f"Unable to infer object type from: {stream}")
        return _page(shelves[stream], stream, asked)

    return answer


def routes(gate: Gate, company: Company, token: str) -> list[Any]:
    """The routes of this app."""
    return [gate.route("/crm/v3/objects/{stream}", crm_answers(company, token))]


def _page(shelf: Shelf, stream: str, asked: Asked) -> bytes:
    limit = _number(asked, "limit", USUAL_PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise _error(400, "VALIDATION_ERROR", f"Invalid input: limit must be between 1 and {LARGEST_PAGE}, was {limit}")
    wanted = _names(asked, "properties")
    properties = (*wanted, "createdate", "hs_object_id") if wanted else _USUAL[stream]
    associations = _names(asked, "associations")
    start = shelf.first_after(_number(asked, "after", 0))
    keys = shelf.keys(start, start + limit)

    def shape(record: dict[str, Any]) -> dict[str, Any]:
        return _object(record, properties, associations)

    body = b'{"results":[' + shelf.join(keys, shape, (properties, associations)) + b"]"
    if start + limit < len(shelf):
        body += b',"paging":{"next":' + msgspec.json.encode(_next(asked, keys[-1])) + b"}"
        return body + b"}"
    return body + b"}"


def _object(record: dict[str, Any], properties: tuple[str, ...], associations: tuple[str, ...]) -> dict[str, Any]:
    held = record["properties"]
    shown = {**record, "properties": {name: held.get(name) for name in properties}}
    links = {name: links for name, links in shown.pop("associations", {}).items() if name in associations}
    return {**shown, "associations": links} if links else shown


def _next(asked: Asked, after: str) -> dict[str, str]:
    kept = [f"{name}={value}" for name, value in asked.pairs if name != "after"]
    return {"after": after, "link": f"https://api.crm.example{asked.path}?{'&'.join([*kept, f'after={after}'])}"}


def _names(asked: Asked, parameter: str) -> tuple[str, ...]:
    return tuple(name for value in asked.all(parameter) for name in value.split(",") if name)


def _number(asked: Asked, parameter: str, usual: int) -> int:
    text = asked.get(parameter)
    if text is None:
        return usual
    if not text.isdecimal():
        raise _error(400, "VALIDATION_ERROR", f"Invalid input: {parameter} must be a number")
    return int(text)


def _error(status: int, category: str, message: str) -> RefusedError:
    return RefusedError(status, {"status": "error", "message": message, "category": category})
