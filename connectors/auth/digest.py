"""Requests signed with a shared secret. In: a source's `hmac`. Out: a signer over each request as it is sent."""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.auth.carry import with_header
from connectors.auth.fixed import credential
from connectors.http import Client, Sending
from connectors.secrets import variables
from mappings.loader import Source
from mappings.signing import Auth, Hmac

PART = re.compile(r"(?<!\$)\{(method|url|path|query|body|timestamp|nonce)\}")


class Digest:
    """Signs each request over what is sent: method, URL letter by letter, body, time and a random word."""

    def __init__(self, source: Source, auth: Auth, said: Hmac, client: Client) -> None:
        self._source, self._said, self._client = source.name, said, client
        self._secret = credential(source, auth, said.secret).encode()
        self._fixed = {name: credential(source, auth, value) for name, value in said.key.items()}
        # Odd parts are names; what fills a setting is never taken for one.
        parts = PART.split(said.signed.replace("\\n", "\n"))
        self._parts = [part if odd % 2 else source.fill(part) for odd, part in enumerate(parts)]
        self.check, self.private = variables(source, auth), frozenset[str]()

    async def sign(self, sending: Sending) -> Sending:
        """The request with its signature, made now."""
        said, now, nonce = self._said, datetime.now(UTC), secrets.token_hex(16)
        stamp = _stamp(now, said.timestamp_as)
        found = self._words(sending, stamp, nonce)
        signed = b"".join(found[part] if odd % 2 else part.encode() for odd, part in enumerate(self._parts))
        mac = hmac.digest(self._secret, signed, said.algorithm)
        text = mac.hex() if said.encoding == "hex" else b64encode(mac).decode()
        headers = {said.header: f"{said.prefix}{text}", **self._fixed}
        headers |= {name: value for name, value in ((said.timestamp, stamp), (said.nonce, nonce)) if name}
        for name, value in headers.items():
            sending = with_header(sending, name, value)
        return sending

    async def refused(self, signed: Sending) -> bool:
        """False: there is no other secret."""
        return False

    def _words(self, sending: Sending, stamp: str, nonce: str) -> Mapping[str, bytes]:
        url = self._client.written(self._source, sending.url)
        _, _, path, query, _ = urlsplit(url)
        texts = {
            "method": sending.method,
            "url": url,
            "path": path or "/",
            "query": query,
            "timestamp": stamp,
            "nonce": nonce,
        }
        return {name: text.encode() for name, text in texts.items()} | {"body": sending.body or b""}


def _stamp(now: datetime, way: str) -> str:
    if way == "iso":
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(now.timestamp() * (1000 if way == "epoch_ms" else 1)))
