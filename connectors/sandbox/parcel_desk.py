"""A help desk that no mapping file knows, for the guide that connects one: its API, and the document of its API.

In: a port. Out: a server on loopback until Ctrl-C: people and their requests, by pages, with the messages of a request
under a path of its own; /openapi.json says what a vendor's documentation would.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "desk-key-of-the-guide"
LARGEST_PAGE = 25
PORT = 8765
DAY = 86_400
BEGAN = 1_767_225_600  # 2026-01-01
GIVEN = ("Ada", "Ben", "Cleo", "Dario", "Elin", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Leo", "Mia", "Noah")
FAMILY = ("Ahrens", "Brandt", "Costa", "Demir", "Eklund", "Farkas", "Gruber", "Hansen", "Ivers", "Jansen", "Koch")
STATES = ("new", "waiting", "done", "done")
TOPICS = ("The parcel has not arrived", "A part is missing", "Please cancel my order", "Where is my invoice?")

Record = dict[str, Any]


def people() -> list[Record]:
    """Sixty people, the oldest change first."""
    return [
        {
            "uid": f"p{number:03}",
            "firstName": GIVEN[number % len(GIVEN)],
            "lastName": FAMILY[number % len(FAMILY)],
            "contact": {
                "mail": f"{GIVEN[number % len(GIVEN)]}.{number}@post.example".lower(),
                "tel": f"030 2345{number:04}",
            },
            "countryCode": "DE",
            "changed": BEGAN + number * DAY,
        }
        for number in range(60)
    ]


def requests() -> list[Record]:
    """Ninety requests of theirs, of which three stand in a state that the documentation does not name."""
    return [
        {
            "no": 1000 + number,
            "person": {"uid": f"p{number * 7 % 60:03}"},
            "topic": TOPICS[number % len(TOPICS)],
            "state": "escalated" if number in (17, 44, 71) else STATES[number % len(STATES)],
            "opened": BEGAN + number * DAY,
            "closed": BEGAN + (number + 2) * DAY if number % len(STATES) >= 2 else None,
            "changed": BEGAN + (number + 2) * DAY,
        }
        for number in range(90)
    ]


def messages(number: int) -> list[Record]:
    """What was written in a request: what they asked, and what the desk answered."""
    told = requests()[number - 1000]
    asked = {"id": f"{number}-1", "from": "customer", "at": told["opened"], "words": f"{told['topic']}. Can you help?"}
    answer = {"id": f"{number}-2", "from": "desk", "at": told["opened"] + 7200, "words": "We are looking into it."}
    return [asked, answer]


def application(address: str) -> Starlette:
    """The help desk at this address."""

    async def listed(request: Request) -> Response:
        refused = _refused(request)
        if refused is not None:
            return refused
        records = people() if request.url.path.endswith("people") else requests()
        since = int(request.query_params.get("changedSince", 0))
        return _page(request, [record for record in records if record["changed"] >= since])

    async def below(request: Request) -> Response:
        number = int(request.path_params["no"])
        known = 1000 <= number < 1000 + len(requests())
        missing = None if known else JSONResponse({"fault": f"no request {number}"}, 404)
        return _refused(request) or missing or JSONResponse({"messages": messages(number)})

    async def document(request: Request) -> Response:
        return JSONResponse(DOCUMENT | {"servers": [{"url": f"{address}/v1"}]})

    return Starlette(
        routes=[
            Route("/openapi.json", document),
            Route("/v1/people", listed),
            Route("/v1/requests", listed),
            Route("/v1/requests/{no:int}/messages", below),
        ]
    )


def _refused(request: Request) -> Response | None:
    if request.headers.get("X-Desk-Key") == KEY:
        return None
    return JSONResponse({"fault": "the header X-Desk-Key is missing or wrong"}, 401)


def _page(request: Request, records: list[Record]) -> Response:
    """A page of at most 25 records, however many are asked for."""
    size = min(int(request.query_params.get("pageSize", LARGEST_PAGE)), LARGEST_PAGE)
    page = int(request.query_params.get("page", 1))
    shown = records[(page - 1) * size : page * size]
    return JSONResponse({"items": shown, "meta": {"page": page, "totalPages": -(-len(records) // size)}})


def _text(**said: Any) -> Record:
    return {"type": "string", **said}


def _object(**properties: Any) -> Record:
    return {"type": "object", "properties": properties}


def _answer(schema: Record) -> Record:
    return {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}


def _paged(name: str) -> Record:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    return _answer(_object(items=items, meta=_object(page={"type": "integer"}, totalPages={"type": "integer"})))


_SECONDS = {"type": "integer", "description": "Seconds since 1970."}
_ASKED = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("page", "pageSize", "changedSince")]
DOCUMENT: Record = {
    "openapi": "3.0.3",
    "info": {"title": "Parcel Desk", "version": "1"},
    "security": [{"key": []}],
    "paths": {
        "/people": {"get": {"summary": "People", "parameters": _ASKED, "responses": _paged("Person")}},
        "/requests": {"get": {"summary": "Their requests", "parameters": _ASKED, "responses": _paged("Request")}},
        "/requests/{no}/messages": {
            "get": {
                "summary": "What was written in a request",
                "parameters": [{"name": "no", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": _answer(
                    _object(messages={"type": "array", "items": {"$ref": "#/components/schemas/Message"}})
                ),
            }
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Desk-Key"}},
        "schemas": {
            "Person": _object(
                uid=_text(), firstName=_text(), lastName=_text(), contact=_object(mail=_text(), tel=_text()),
                countryCode=_text(), changed=_SECONDS,
            ),
            "Request": _object(
                no={"type": "integer"}, person=_object(uid=_text()), topic=_text(),
                state=_text(enum=["new", "waiting", "done"]), opened=_SECONDS, closed=_SECONDS, changed=_SECONDS,
            ),
            "Message": _object(
                id=_text(), **{"from": _text(enum=["customer", "desk"])}, at=_SECONDS, words=_text(),
            ),
        },
    },
}  # fmt: skip


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox.parcel_desk", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    port = parser.parse_args().port
    address = f"http://127.0.0.1:{port}"
    print(f"Parcel Desk at {address}, its document at {address}/openapi.json, key {KEY}", flush=True)
    uvicorn.run(application(address), host="127.0.0.1", port=port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
