"""OData over HTTP. In: GET /odata/…, who asks. Out: service document, $metadata, entity sets page by page, entities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hub.access.principal import Principal
from hub.access.sight import Sight
from hub.export.column import Column
from hub.export.door import Door, refused
from hub.export.odata.filter import parse_literal
from hub.export.odata.metadata import csdl_json, csdl_xml, service_document
from hub.export.odata.page import EntitySet, read_count, read_entity, read_page
from hub.export.odata.query import NotImplementedOption, Query, encode_last, parse_query
from hub.export.reading import chosen_columns
from hub.export.refusals import UnknownExport
from hub.export.views import VIEWS
from hub.run import Hub
from hub.store.engine import Store

USUAL_PAGE, LARGEST_PAGE = 5_000, 20_000
VERSION = {"OData-Version": "4.0", "Vary": "Accept, Authorization, Prefer, X-API-Key"}
_PATH = re.compile(r"(?P<view>\w+)(?:\((?P<key>.*)\))?(?P<count>/\$count)?", re.ASCII | re.DOTALL)
_PAGE = re.compile(r"\b(odata\.)?maxpagesize\s*=\s*\"?(\d{1,9})")


def odata_routes(hub: Hub, door: Door) -> list[BaseRoute]:
    """The routes of the service; every answer carries the version of OData that it speaks."""

    async def answer(request: Request, principal: Principal) -> Response:
        path = request.path_params["path"]
        if path in ("", "$metadata"):
            return _about(request, principal.sight, path)
        named = _PATH.fullmatch(path)
        if named is None or named["view"] not in VIEWS:
            return refused(UnknownExport(f"there is no {path!r}; {_base(request)} lists what there is"), 404)
        service = _Service(hub.store, request, principal, door, named["view"])
        try:
            with door.inside(principal):
                if named["key"] is not None:
                    return await run_in_threadpool(service.entity, named["key"])
                return await run_in_threadpool(service.count if named["count"] else service.rows)
        except NotImplementedOption as error:
            return refused(error, 501)

    async def slash(request: Request, principal: Principal) -> Response:
        return RedirectResponse(_base(request))

    return [Route("/odata", door(slash, VERSION)), Route("/odata/{path:path}", door(answer, VERSION))]


class _Service:
    """The answers about one entity set, for one request."""

    def __init__(self, store: Store, request: Request, principal: Principal, door: Door, view: str) -> None:
        self._store, self._request, self._principal, self._door = store, request, principal, door
        self._name, self._columns = view, chosen_columns(view, (), principal.sight)
        self._entities = EntitySet(VIEWS[view], self._columns, principal.sight)
        accepted = request.headers.get("accept", "").lower()
        self._exact = "ieee754compatible=true" in accepted
        self._context = f"{_base(request)}$metadata#{view}"

    def rows(self) -> Response:
        """A page of the entity set, and the way to the next one."""
        query = self._query("rows")
        prefers = _PAGE.search(self._request.headers.get("prefer", ""))
        size = USUAL_PAGE if prefers is None else max(1, min(int(prefers[2]), LARGEST_PAGE))
        with self._store.read() as connection:
            page = read_page(connection, self._entities, query, size, self._exact)
        said: dict[str, Any] = {"@odata.context": self._context_of(query)}
        if page.count is not None:
            said["@odata.count"] = str(page.count) if self._exact else page.count
        said["value"] = page.rows
        if page.last is not None:
            options = [(k, v) for k, v in self._request.query_params.multi_items() if k != "$skiptoken"]
            following = urlencode([*options, ("$skiptoken", encode_last(page.last))], quote_via=quote, safe="$,'()")
            said["@odata.nextLink"] = f"{_base(self._request)}{self._name}?{following}"
        applied = {} if prefers is None else {"Preference-Applied": f"{prefers[1] or ''}maxpagesize={size}"}
        return self._json(said, applied)

    def entity(self, key: str) -> Response:
        """One entity by its key: ('id') or (column='id')."""
        first = next(iter(self._columns))
        literal = parse_literal(key.removeprefix(f"{first}="))
        query = self._query("entity")
        row = None
        if isinstance(literal, str):
            with self._store.read() as connection:
                row = read_entity(connection, self._entities, literal, query.select, self._exact)
        if row is None:
            return refused(UnknownExport(f"no row of {self._name} has this {first}"), 404)
        return self._json({"@odata.context": f"{self._context_of(query)}/$entity", **row}, {})

    def count(self) -> Response:
        """How many entities the filter leaves, as plain text."""
        query = self._query("count")
        with self._store.read() as connection:
            return PlainTextResponse(str(read_count(connection, self._entities, query)))

    def _query(self, root: str) -> Query:
        known = {f"{self._name}.{name}": name for name in VIEWS[self._name].columns}
        closed = {name for place, name in known.items() if place in self._principal.sight.refused}
        query = parse_query(self._request.query_params.multi_items(), self._columns, closed)
        self._door.note(self._principal, f"odata {root}", self._name, query.columns)
        return query

    def _context_of(self, query: Query) -> str:
        chosen = "" if query.select == tuple(self._columns) else f"({','.join(query.select)})"
        return f"{self._context}{chosen}"

    def _json(self, said: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        kind = "application/json;odata.metadata=minimal;odata.streaming=false"
        kind += f";IEEE754Compatible={str(self._exact).lower()};charset=utf-8"
        return Response(msgspec.json.encode(said), headers=dict(headers), media_type=kind)


def _about(request: Request, sight: Sight, path: str) -> Response:
    sets: dict[str, Mapping[str, Column]] = {name: chosen_columns(name, (), sight) for name in VIEWS}
    if path == "":
        return JSONResponse(service_document(_base(request), sets))
    wanted = request.query_params.get("$format") or request.headers.get("accept", "")
    if "json" in wanted and "xml" not in wanted:
        return JSONResponse(csdl_json(sets))
    return Response(csdl_xml(sets), media_type="application/xml")


def _base(request: Request) -> str:
    return f"{request.base_url}odata/"
