"""Replies over HTTP. In: what a client accepts, and the bytes of an answer. Out: status, headers, packed bytes.

By the GraphQL over HTTP specification: `application/graphql-response+json` says by its status whether the operation
ran; `application/json` is 200 for every well-formed request.
"""

from __future__ import annotations

import zlib
from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
import zstandard

from hub.api.engine import Answer, refused
from hub.api.errors import ApiError

RESPONSE = b"application/graphql-response+json; charset=utf-8"
JSON = b"application/json; charset=utf-8"

PACKED_FROM = 1_024
"""Bytes: less is not worth packing."""
IN_A_THREAD_FROM = 512_000
"""Bytes that take longer to pack than others should wait."""
GZIP, ZSTD = 1, 1
"""Levels: higher ones cost twice the time for a tenth of the bytes."""
_GZIP_WINDOW = 31

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client takes: the type of a whole answer (None: not one), a stream of events, a page."""

    whole: bytes | None
    events: bool
    page: bool


_WHOLE = {
    "application/graphql-response+json": RESPONSE,
    "application/json": JSON,
    "application/*": JSON,
    "*/*": JSON,
}


@lru_cache(256)
def accepted(accept: bytes) -> Accepted:
    """What an Accept header takes; JSON where it is missing. The more specific type wins a tie."""
    weights = _weights(accept) or {"*/*": 1.0}
    ranked = [(weights[name], -place, kind) for place, (name, kind) in enumerate(_WHOLE.items()) if weights.get(name)]
    whole = max(ranked)[2] if ranked else None
    return Accepted(whole, bool(weights.get("text/event-stream")), bool(weights.get("text/html")))


@lru_cache(256)
def packing(accept_encoding: bytes) -> bytes | None:
    """How an answer may be packed; zstd costs a tenth of gzip's time."""
    weights = _weights(accept_encoding)
    return next((name.encode() for name in ("zstd", "gzip") if weights.get(name, weights.get("*", 0))), None)


def _weights(header: bytes) -> dict[str, float]:
    """The names of a list with their `q`, 1 where it has none or one that is no number."""
    weights = {}
    for part in header.decode("latin-1").lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if name:
            said = next((word[2:] for word in parameters if word.startswith("q=")), "1")
            weights[name] = float(said) if said.replace(".", "", 1).isdecimal() else 1.0
    return weights


async def reply_to(answer: Answer, kind: bytes, headers: Mapping[bytes, bytes], tagged: bool) -> Reply:
    """The reply with an answer; `tagged` gives it an ETag, and 304 where the client has it already."""
    status = 200 if answer.status == 400 and kind is JSON else answer.status
    body = answer.body
    said: Headers = [(b"content-type", kind), (b"vary", b"Accept, Accept-Encoding")]
    packed = packing(headers.get(b"accept-encoding", b"")) if len(body) > PACKED_FROM else None
    if tagged and status == 200 and not answer.errors:
        digest = blake2b(body, digest_size=16).hexdigest().encode()
        known = headers.get(b"if-none-match", b"")
        said.append((b"etag", b'"%s-%s"' % (digest, packed or b"plain")))
        if digest in known or known == b"*":
            return Reply(304, said[1:], b"")
    if packed:
        large = len(body) > IN_A_THREAD_FROM
        body = await to_thread(_packed, packed, body) if large else _packed(packed, body)
        said.append((b"content-encoding", packed))
    return Reply(status, said, body)


def _packed(how: bytes, body: bytes) -> bytes:
    if how == b"zstd":
        return zstandard.ZstdCompressor(level=ZSTD).compress(body)
    packer = zlib.compressobj(GZIP, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(body) + packer.flush()


def refusal(status: int, error: ApiError, kind: bytes = JSON, headers: Headers | None = None) -> Reply:
    """A refusal of a request, as GraphQL clients expect it, with the HTTP status that it deserves."""
    said = [(b"content-type", kind), *(headers or ())]
    if status == 401:
        said.append((b"www-authenticate", b"Bearer"))
    if "retryAfter" in (error.extensions or {}):
        said.append((b"retry-after", str((error.extensions or {})["retryAfter"]).encode()))
    return Reply(status, said, refused([error]).body)


def as_events(answer: Answer) -> bytes:
    """An answer as a server-sent event."""
    return b"event: next\r\ndata: %s\r\n\r\n" % answer.body


def errors_of(answer: Answer) -> list[Any]:
    """The errors that an answer holds."""
    said: dict[str, Any] = msgspec.json.decode(answer.body)
    return list(said["errors"])
