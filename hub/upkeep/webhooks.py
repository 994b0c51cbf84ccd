"""Webhooks. In: POST /webhooks/SOURCE/STREAM, or /webhooks/SOURCE about all of its streams. Out: what it says, landed,
and then 200; mapping happens behind it. The signature is the key. What is refused is logged without a word of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.signature import BadSecret, Notice, Unsigned
from connectors.webhook import Hook, Unreadable
from hub.run import Hub
from hub.store.errors import StoreError
from hub.upkeep.follower import Follower
from hub.upkeep.takings import Taken, Takings
from mappings.loader import MissingSettingError

LARGEST_BYTES = 1_000_000
BODY_S = 10
"""How long a body may take to arrive."""
AGAIN_S = 30
"""After how long a sender is asked to try again where the store takes nothing."""
SAID_EVERY_S = 60.0

log = structlog.get_logger(__name__)

Hooks = Mapping[tuple[str, str], Hook]


class Inlet:
    """Takes the notifications of all sources in one process."""

    def __init__(self, hub: Hub, public_url: str | None) -> None:
        self._hooks, self._public_url = _open_hooks(hub, public_url), (public_url or "").rstrip("/")
        self._largest = max(hub.rulebook.access.max_body_bytes, LARGEST_BYTES)
        self._follower, self._refusals = Follower(hub), _Refusals()
        self._takings = Takings(hub, self._follower.wake)

    def routes(self) -> list[BaseRoute]:
        """Where notifications are sent."""
        return [
            Route("/webhooks/{source}", self._endpoint, methods=["POST"]),
            Route("/webhooks/{source}/{stream}", self._endpoint, methods=["POST"]),
        ]

    async def close(self) -> None:
        """Ends the mapping behind, after the chunk at hand; what waits is mapped by the next sync."""
        await asyncio.to_thread(self._follower.close)

    async def _endpoint(self, request: Request) -> Response:
        source, stream = request.path_params["source"], request.path_params.get("stream")
        asked = {(source, name) for known, name in self._hooks if known == source and stream in (None, name)}
        place = f"{source}.{stream}" if stream else source
        try:
            if not asked:
                place = "unknown"  # whatever a stranger may call it
                raise _Refused(404, "there is no such webhook")
            notice = Notice(request.method, self._url(request), _headers(request), await self._body(request))
            await self._takings.land(self._taken({names: self._hooks[names] for names in asked}, notice))
        except _Refused as error:
            return self._refusals.answer(place, error.status, str(error))
        except Unsigned as error:
            return self._refusals.answer(place, 401, "the signature is missing or does not fit", str(error))
        except Unreadable as error:
            return self._refusals.answer(place, 400, str(error))
        except StoreError as error:
            return self._refusals.answer(place, 503, "not taken; send it again", str(error))
        return JSONResponse({"status": "ok"})

    def _taken(self, hooks: Hooks, notice: Notice) -> Sequence[Taken]:
        """What each stream makes of the notification. Raises Unsigned where no stream knows its sender, Unreadable
        where none of those that do can read it.
        """
        taken: list[Taken] = []
        refused: dict[type[Exception], Exception] = {}
        for names, hook in hooks.items():
            try:
                taken.append(Taken(names, hook, hook.read(notice, datetime.now(UTC))))
            except (Unsigned, Unreadable) as error:
                refused[type(error)] = error
        if not taken:
            raise refused.get(Unreadable) or refused[Unsigned]
        return [each for each in taken if each.told.says_something]

    def _url(self, request: Request) -> str:
        query = request.url.query
        return f"{self._public_url}{request.url.path}{f'?{query}' if query else ''}"

    async def _body(self, request: Request) -> bytes:
        """The body. What is too large is not read to its end, nor is what does not come."""
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_S):
                async for part in request.stream():
                    body += part
                    if max(len(body), int(request.headers.get("content-length", 0))) > self._largest:
                        raise _Refused(413, f"a notification has at most {self._largest} bytes")
        except (TimeoutError, ClientDisconnect):
            raise _Refused(408, "the notification did not arrive whole") from None
        return bytes(body)


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Refusals:
    """Counts what is refused, and logs each kind at once and then at most once a minute, however many there are."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._said: dict[tuple[str, str], float] = {}

    def answer(self, place: str, status: int, what: str, why: str | None = None) -> Response:
        """The answer, which says `what`; the log says why, where that is more than a stranger is to know."""
        kind = place, why or what
        self._counts[kind] += 1
        if monotonic() - self._said.get(kind, -SAID_EVERY_S) >= SAID_EVERY_S:
            self._said[kind] = monotonic()
            log.warning("a notification was refused", stream=place, because=kind[1], so_far=self._counts[kind])
        return JSONResponse({"error": what}, status, {"retry-after": str(AGAIN_S)} if status == 503 else None)


def _open_hooks(hub: Hub, public_url: str | None) -> Hooks:
    """The streams that can take notifications; those that cannot, and why, are told once."""
    hooks: dict[tuple[str, str], Hook] = {}
    for source, stream in hub.streams():
        if hub.sources[source].system.streams[stream].webhook is None:
            continue
        try:
            hook = Hook(hub.sources[source], stream)
        except (MissingSettingError, BadSecret) as error:
            log.warning("no webhook", stream=f"{source}.{stream}", because=str(error))
            continue
        if hook.seal.shut:  # nobody has given it a secret: it is not used
            continue
        if hook.needs_url and not public_url:
            log.warning("no webhook", stream=f"{source}.{stream}", because="its URL is signed: set HUB_PUBLIC_URL")
            continue
        hooks[source, stream] = hook
    return hooks


def _headers(request: Request) -> dict[str, str]:
    """Each header once; what came several times is one list."""
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
