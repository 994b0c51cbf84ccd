"""Requests signed by a token that lasts for a while. In: how to get one. Out: a signer that gets and renews it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from connectors.auth.carry import Carry, Credential
from connectors.errors import BadAnswer, ConnectorError, NotFound, Rejected, of_status
from connectors.http import Answer, Client, Sending

EARLY_S = 60.0  # a token is renewed this long before it ends, so that none ends on its way
YOUNG_S = 5.0  # a token that is refused so soon after a refusal brought it was not what was wrong
NEVER = float("-inf")
SECRET = 8  # a shorter token is a user's number, which stands in many texts


@dataclass(frozen=True, slots=True)
class Token:
    """What lets requests in; `lasts_s` is None where only a refusal ends it."""

    value: Credential = field(repr=False)
    lasts_s: float | None = None


Fetch = Callable[[], Coroutine[Any, Any, Token]]


class Session:
    """Signs with one token for all streams: got when first needed, renewed before its end and when it is refused.

    Of many requests that need a new token one gets it and the others wait. A credential that is refused for good is
    not tried again: systems lock accounts.
    """

    def __init__(
        self, source: str, client: Client, fetch: Fetch, carry: Carry, check: str, private: frozenset[str] = frozenset()
    ) -> None:
        self._source, self._client, self._fetch, self._carry = source, client, fetch, carry
        self.check, self.private = check, private
        self._token = Token("")
        self._turn = 0
        self._ends, self._young_until = NEVER, NEVER
        self._renewal: asyncio.Task[None] | None = None
        self._wrong: ConnectorError | None = None

    async def sign(self, sending: Sending) -> Sending:
        """The request with a token that is good. Raises ConnectorError where there is none to be got."""
        if monotonic() >= self._ends:
            await self._renewed()
        return replace(self._carry(sending, self._token.value), turn=self._turn)

    async def refused(self, signed: Sending) -> bool:
        """Whether there is a newer token than the one that this request was refused with; got, where it was the last.

        Raises ConnectorError where there is none to be got.
        """
        if signed.turn == self._turn:
            if monotonic() < self._young_until:
                return False
            await self._renewed()
            self._young_until = monotonic() + YOUNG_S
        return True

    async def _renewed(self) -> None:
        if self._wrong is not None:
            raise self._wrong.with_traceback(None)
        if self._renewal is None or self._renewal.done():
            self._renewal = self._client.unbroken(self._renew())
        await asyncio.shield(self._renewal)

    async def _renew(self) -> None:
        began = monotonic()
        try:
            token = await self._fetch()
            text = _sendable(self._source, token.value)
        except ConnectorError as error:
            self._wrong = None if error.again else error
            raise
        if len(text) >= SECRET:
            self._client.secrets.learn(text)
        self._token, self._turn = token, self._turn + 1
        lasts = float("inf") if token.lasts_s is None else token.lasts_s
        self._ends = began + lasts - min(EARLY_S, lasts / 2)


def not_given(source: str, answer: Answer, said: str, check: str, field: str) -> ConnectorError:
    """What the status of a token's or a login's own address means, `field` being where the mapping names it.

    It is none that could be taken for a list's end or a position that the system forgot: those have a status.
    """
    error = of_status(source, answer.url, answer.status, said, check, answer.wait_s)
    if isinstance(error, NotFound):
        what = f"{answer.status} from {answer.url}: nobody lets in there"
        return Rejected(source, what, f"check `{field}` under `auth` and the base URL")
    error.status = None
    return error


def _sendable(source: str, value: Credential) -> str:
    text = str(value)
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        raise BadAnswer(source, "the system gave a token that no request can carry", "check `auth` in the mapping")
    return text
