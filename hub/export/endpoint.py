"""BI over HTTP. In: GET /bi/VIEW.FORMAT and who asks. Out: the view's rows as a stream, and where to read on from."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from hub.access.audit import Audit
from hub.access.gate import Gate
from hub.access.principal import Principal
from hub.access.rate import Rates
from hub.access.sight import Sight
from hub.clock import InstantError
from hub.export.door import Door, refused
from hub.export.odata.endpoint import odata_routes
from hub.export.reading import Asked, begin_of
from hub.export.refusals import UnknownExport
from hub.export.stream import FORMATS, Export
from hub.export.views import VIEWS
from hub.run import Hub

PARAMETERS = ("columns", "updatedSince", "since", "limit")
GZIP, QUICK = 31, 3

log = structlog.get_logger(__name__)


def routes(hub: Hub, gate: Gate, audit: Audit, rates: Rates) -> list[BaseRoute]:
    """What BI tools read: /bi/ (what there is), /bi/VIEW.FORMAT, /odata/…; each only for keys of the scope bi."""
    door = Door(gate, audit, rates)

    async def read(request: Request, principal: Principal) -> Response:
        view, format_ = request.path_params["view"], request.path_params["format"]
        if view not in VIEWS or format_ not in FORMATS:
            what = f"choose /bi/VIEW.FORMAT of {', '.join(VIEWS)} and {', '.join(FORMATS)}"
            return refused(UnknownExport(f"there is no {view}.{format_}; {what}"), 404)
        asked = _asked(view, request, hub.rulebook.company.time_zone)
        with ExitStack() as held:
            held.enter_context(door.inside(principal))
            export = await run_in_threadpool(Export, hub.store, asked, format_, principal.sight)
            held.callback(export.close)
            door.note(principal, "export", view, export.reading.columns)
            return _Streamed(export, f"{view}.{format_}", _gzipped(request, export), held.pop_all())

    async def listed(request: Request, principal: Principal) -> Response:
        return JSONResponse({"views": [_described(name, principal.sight) for name in VIEWS], "formats": list(FORMATS)})

    return [
        Route("/bi/", door(listed)),
        Route("/bi/{view}.{format}", door(read)),
        *odata_routes(hub, door),
    ]


def _asked(view: str, request: Request, zone: str) -> Asked:
    said = request.query_params
    for name in said:
        if name not in PARAMETERS or len(said.getlist(name)) > 1:
            raise UnknownExport(f"parameter {name!r}: there are {', '.join(PARAMETERS)}, each at most once")
    limit = said.get("limit")
    if limit is not None and not (limit.isascii() and limit.isdigit() and len(limit) < 18):
        raise UnknownExport(f"limit: {limit!r} is no number of rows")
    try:
        instant = begin_of(said["updatedSince"], zone) if "updatedSince" in said else None
    except InstantError as error:
        raise UnknownExport(f"updatedSince: {error}") from None
    columns = tuple(said["columns"].split(",")) if said.get("columns") else ()
    return Asked(view, columns, said.get("since"), instant, None if limit is None else int(limit))


def _described(name: str, sight: Sight) -> dict[str, Any]:
    """A view as the role sees it."""
    columns = [
        {"name": column, "type": each.as_, "description": each.about, "masked": f"{name}.{column}" in sight.masked}
        for column, each in VIEWS[name].columns.items()
        if f"{name}.{column}" not in sight.refused
    ]
    return {"name": name, "description": VIEWS[name].about, "key": next(iter(VIEWS[name].columns)), "columns": columns}


def _gzipped(request: Request, export: Export) -> bool:
    accepted = [part.partition(";") for part in request.headers.get("accept-encoding", "").split(",")]
    wanted = any(name.strip() == "gzip" and weight.strip() not in ("q=0", "q=0.0") for name, _, weight in accepted)
    return export.format.is_text and wanted


class _Streamed(StreamingResponse):
    """An export on its way; however it ends, what it holds is given back."""

    def __init__(self, export: Export, name: str, gzipped: bool, held: ExitStack) -> None:
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Hub-Watermark": export.reading.watermark,
            "Hub-Complete": str(export.reading.complete).lower(),
            "Vary": "Accept-Encoding, Authorization, X-API-Key",
        }
        if gzipped:
            headers["Content-Encoding"] = "gzip"
        self._held = held
        pieces = _compressed(export) if gzipped else iter(export)
        super().__init__(_told(pieces, name), headers=headers, media_type=export.format.media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it; a HEAD has no body to wait for."""
        try:
            if scope["method"] == "HEAD":
                await Response(headers=dict(self.headers))(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._held.close)


async def _told(pieces: Iterator[bytes], name: str) -> AsyncIterator[bytes]:
    """The pieces, each made in a thread. One that fails ends the connection, so that nobody takes a part for all."""
    following: Callable[[], bytes | None] = lambda: next(pieces, None)  # noqa: E731
    try:
        while (piece := await run_in_threadpool(following)) is not None:
            yield piece
    except Exception as error:
        log.error("an export broke off", export=name, cause=type(error).__name__)
        raise


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(QUICK, wbits=GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
