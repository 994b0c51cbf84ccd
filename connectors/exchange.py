"""One request and its answer. In: what a stream asks for. Out: the answer taken apart, or the error that it means.

Signed, paced and asked for again where that may help; shared by the streams of a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from connectors.answers.answer import Reader, Slice
from connectors.asking.incremental import Changes
from connectors.asking.paginate import Way
from connectors.asking.request import Request
from connectors.auth import Signer
from connectors.errors import RateLimited, Unauthorized
from connectors.http import Answer, Client, Sending
from connectors.limits import Limits
from connectors.retry import attempts


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one stream before its first page: compiled once, used for every page and every parent.

    `size` is how many records a page is asked for, None where that is not asked.
    """

    name: str
    request: Request
    reader: Reader
    signer: Signer
    way: Way
    changes: Changes | None
    size: int | None


class Exchange:
    """Sends the requests of one source. `notes` holds by stream what its user should know."""

    def __init__(self, client: Client, limits: Limits, *, attempts: int | None, retry_for_s: float) -> None:
        self._client, self._limits, self._attempts, self._retry_for_s = client, limits, attempts, retry_for_s
        self._ahead = timedelta(0)
        self.notes: dict[str, str] = {}

    async def ask(self, line: Line, sending: Sending, put: bytes = b"") -> tuple[Slice, datetime | None]:
        """The answer, and the system's own time when it was asked, None where it tells none; `put` goes into records.

        Raises ConnectorError.
        """
        async for attempt in attempts(line.request.place, most=self._attempts, seconds=self._retry_for_s):
            with attempt:
                return await self._once(line, sending, put)
        raise AssertionError("attempts end by returning or raising")

    def own(self, line: Line, url: str, beside: str) -> str:
        """A next page's URL as `Client.own` has it, without credentials."""
        own = self._client.own(line.request.place, url, beside)
        return line.request.kept(own, beside, line.signer.private)

    def note(self, stream: str, text: str) -> None:
        """Something that the user should know of a stream; said once."""
        said = self.notes.get(stream)
        if said is None or text not in said.split("; "):
            self.notes[stream] = text if said is None else f"{said}; {text}"

    def now(self) -> datetime:
        """The time by the system's own clock as its last answer told it, else by ours."""
        return datetime.now(UTC) + self._ahead

    async def _once(self, line: Line, sending: Sending, put: bytes) -> tuple[Slice, datetime | None]:
        signed, answer, asked = await self._send(line, sending)
        try:
            return line.reader.read(answer, put), asked
        except RateLimited as error:
            if error.wait_s is not None and error.wait_s <= self._retry_for_s:
                self._limits.hold(error.wait_s)
            raise
        except Unauthorized as error:
            if error.status != 401 or not await line.signer.refused(signed):
                raise
        _, answer, asked = await self._send(line, sending)
        return line.reader.read(answer, put), asked

    async def _send(self, line: Line, sending: Sending) -> tuple[Sending, Answer, datetime | None]:
        async with self._limits.gate(sending.url):
            signed = await line.signer.sign(sending)
            began_s = monotonic()
            answer = await self._client.send(line.request.place, signed)
        self._limits.told(answer.headers)
        if answer.date is None:
            return signed, answer, None
        self._ahead = answer.date - datetime.now(UTC)
        # What changes while a slow answer is made may be missing in it, and dated before its Date.
        return signed, answer, answer.date - timedelta(seconds=monotonic() - began_s)
