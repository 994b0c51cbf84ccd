"""Who may read BI over HTTP. In: a request. Out: the principal it is from, or a refusal as JSON.

BI tools that know no bearer tokens send the key as the password of HTTP Basic; the user's name does not matter.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.access.audit import Audit
from hub.access.classes import classes_of
from hub.access.gate import Gate
from hub.access.principal import Principal
from hub.access.rate import Rates
from hub.access.refusal import AccessError, OutOfScope, TooMany, Unauthenticated
from hub.export.refusals import BadWatermark, ForbiddenColumn, MissingExtra, UnknownExport
from hub.store.errors import StoreError

MOST_AT_ONCE = 6  # each holds a connection for as long as its reader takes
SOON_S = 5
_CODES: dict[type[Exception], tuple[int, str]] = {
    Unauthenticated: (401, "UNAUTHENTICATED"),
    OutOfScope: (403, "FORBIDDEN"),
    TooMany: (429, "TOO_MANY_REQUESTS"),
    AccessError: (503, "UNAVAILABLE"),
    StoreError: (503, "UNAVAILABLE"),
    ForbiddenColumn: (403, "FORBIDDEN"),
    BadWatermark: (400, "BAD_WATERMARK"),
    MissingExtra: (501, "MISSING_EXTRA"),
    UnknownExport: (400, "BAD_REQUEST"),
}

Handler = Callable[[Request, Principal], Awaitable[Response]]
log = structlog.get_logger(__name__)


class Door:
    """Lets readers in, counts those who are inside, and notes what they read."""

    def __init__(self, gate: Gate, audit: Audit, rates: Rates) -> None:
        self._gate, self._audit, self._rates = gate, audit, rates
        self._inside = 0

    def __call__(
        self, handler: Handler, headers: Mapping[str, str] | None = None
    ) -> Callable[..., Awaitable[Response]]:
        """An endpoint that answers who is let in; every answer, a refusal too, has these headers."""

        async def endpoint(request: Request) -> Response:
            try:
                principal = await self._gate.admit(_with_key(request.headers), "bi")
                self._rates.take(principal)
                response = await handler(request, principal)
            except (AccessError, StoreError, UnknownExport) as error:
                response = refused(error)
            response.headers.update(headers or {})
            return response

        return endpoint

    @contextmanager
    def inside(self, principal: Principal) -> Iterator[None]:
        """A place for a reading. Raises TooMany where all are taken, or the principal has as many as it may."""
        if self._inside >= MOST_AT_ONCE:
            limit = f"{MOST_AT_ONCE} at once"
            raise TooMany(f"{limit} are read already, come back in {SOON_S} s", SOON_S, limit)
        with self._rates.running(principal):
            self._inside += 1
            try:
                yield
            finally:
                self._inside -= 1

    def note(self, principal: Principal, operation: str, view: str, columns: Iterable[str]) -> None:
        """Logs that these columns of a view are read; what the role does not see is not read. Raises AuditFull."""
        read = {f"{view}.{name}" for name in columns} - principal.sight.masked
        if classes := classes_of(sorted(read)):
            self._audit.saw(principal, operation, view, None, classes)


def refused(error: Exception, status: int | None = None) -> JSONResponse:
    """The refusal as BI tools and OData expect it: `{"error": {"code", "message"}}` in one line."""
    usual, code = next(found for kind, found in _CODES.items() if isinstance(error, kind))
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Basic realm="customer hub", charset="UTF-8"'
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return JSONResponse({"error": {"code": code, "message": str(error)}}, status or usual, headers)


def _with_key(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers as the gate reads them: the password of HTTP Basic becomes the key."""
    scheme, _, said = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return headers
    try:
        _, _, password = base64.b64decode(said.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthenticated("Authorization: Basic … is no user and password in base64") from None
    return {"x-api-key": password}
