"""What every way in shares. In: what a client sends, and its headers. Out: who asks, and for which document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hub.access.gate import Gate
from hub.access.principal import Principal
from hub.access.rate import Rates
from hub.api.asked.documents import Document, Documents
from hub.api.engine import Engine
from hub.api.errors import ApiError

_CREDENTIALS = ((b"authorization", "authorization"), (b"x-api-key", "x-api-key"))
_IN_JSON = ("variables", "extensions")


class Asked(msgspec.Struct, rename="camel"):
    """One operation as a client sends it; what else the client says is not looked at."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None

    @property
    def digest(self) -> str | None:
        """The hash of an automatic persisted query. Raises ApiError BAD_QUERY where it is none."""
        persisted = (self.extensions or {}).get("persistedQuery")
        if persisted is None:
            return None
        said = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
        if not isinstance(said, str):
            raise ApiError("BAD_QUERY", "extensions.persistedQuery: needs version 1 and sha256Hash")
        return said


_decoder = msgspec.json.Decoder(Asked)


def asked_in(body: bytes) -> Asked:
    """What a JSON body asks. Raises ApiError BAD_QUERY where it is no JSON object of one operation."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _not_asked(error, body.lstrip()[:1] == b"[") from None


def asked_by_address(query_string: bytes) -> Asked:
    """What the parameters of an address ask. Raises ApiError BAD_QUERY."""
    try:
        said: dict[str, Any] = dict(parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict"))
        for name in _IN_JSON:
            if name in said:
                said[name] = msgspec.json.decode(said[name] or "null")
        return msgspec.convert(said, Asked)
    except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError) as error:
        raise _not_asked(error, batch=False) from None


def asked_by_message(payload: Any) -> Asked:
    """What the payload of a WebSocket's message asks. Raises ApiError BAD_QUERY."""
    try:
        return msgspec.convert(payload, Asked)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _not_asked(error, batch=isinstance(payload, list)) from None


def _not_asked(error: Exception, batch: bool) -> ApiError:
    if batch:
        return ApiError("BAD_QUERY", "batches are not answered; send one operation a request")
    if isinstance(error, msgspec.ValidationError):  # says types and places, no values
        return ApiError("BAD_QUERY", f"the request is none of GraphQL: {error}")
    return ApiError("BAD_QUERY", "the request is no JSON in UTF-8")


@dataclass(frozen=True)
class Desk:
    """Where operations are taken in."""

    engine: Engine
    documents: Documents
    gate: Gate
    rates: Rates
    production: bool = False

    async def admit(self, headers: Mapping[bytes, bytes]) -> Principal:
        """Who sends these headers (names in lower case). Raises AccessError."""
        said = {name: headers[key].decode("latin-1") for key, name in _CREDENTIALS if key in headers}
        return await self.gate.admit(said)

    def document(self, asked: Asked) -> Document:
        """The document that is asked for; one that is not known by its id has that as its problem. Raises ApiError."""
        if asked.document_id is None and asked.extensions is None:
            if not asked.query:
                raise ApiError("BAD_QUERY", "the request has no query; send query or documentId")
            return self.documents.get(asked.query)
        return self._persisted(asked)

    def _persisted(self, asked: Asked) -> Document:
        digest = asked.digest
        identifier = asked.document_id or digest
        if identifier is None:
            return self.document(Asked(asked.query))
        found = self.documents.find(identifier)
        if found is not None:
            return found
        if asked.query and digest:
            return self.documents.register(digest, asked.query)
        return Document("", identifier, problems=(ApiError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"),))
