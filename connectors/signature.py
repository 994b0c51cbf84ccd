"""Who sent a notification. In: a request as it came, the secrets shared with its sender. Out: nothing, or Unsigned."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.asking.incremental import instant
from mappings.duration import duration
from mappings.notices import Signature

MOST_SIGNATURES = 20
"""In one header; those behind are not looked at."""
LONGEST_TIME = 40

_PART = re.compile(r"\{(method|url|body|timestamp|id)\}")
_APART = re.compile(r"[\s,]+")


class Unsigned(Exception):
    """No proof of the sender; the message says what is missing, in words that hold nothing of the request."""


class BadSecret(ValueError):
    """The secret is not written as the mapping says; the message does not show it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A request as it came in: header names in lower case, the URL as its sender wrote it, whole."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Seal:
    """Checks the signatures of one stream's notifications; several secrets, separated by commas, while they change."""

    def __init__(self, said: Signature, secrets: str) -> None:
        """Raises BadSecret."""
        self._said = said
        self._secrets = [_secret(said, text.strip()) for text in secrets.split(",") if text.strip()]
        self._tolerance = duration(said.tolerance)
        self._timed = said.timestamp is not None or "timestamp" in (said.parts or {})

    @property
    def shut(self) -> bool:
        """Whether there is no secret, so that nobody can sign."""
        return not self._secrets

    def check(self, notice: Notice, now: datetime) -> None:
        """Raises Unsigned where no signature fits any secret, or the signed time is further from `now` than allowed."""
        header = notice.headers.get(self._said.header.lower())
        if header is None:
            raise Unsigned("no signature")
        named = self._named(header) if self._said.parts else {}
        values = {
            "method": notice.method.upper().encode(),
            "url": notice.url.encode(),
            "body": notice.body,
            "timestamp": self._timestamp(notice, named, now).encode(),
            "id": self._id(notice).encode(),
        }
        message = b"".join(
            values[part] if index % 2 else part.encode() for index, part in enumerate(_PART.split(self._said.signed))
        )
        if not self._fits(message, named.get(self._said.parts["signature"], ()) if self._said.parts else [header]):
            raise Unsigned("the signature does not fit")

    def _named(self, header: str) -> dict[str, list[str]]:
        """A header of name=value, a name as often as it comes."""
        found: dict[str, list[str]] = {}
        for pair in header.split(","):
            name, _, value = pair.partition("=")
            found.setdefault(name.strip(), []).append(value.strip())
        return found

    def _timestamp(self, notice: Notice, named: Mapping[str, list[str]], now: datetime) -> str:
        """The time of sending as it was written; empty where none is told. What is too old may be a replay."""
        if not self._timed:
            return ""
        if self._said.timestamp is not None:
            text = notice.headers.get(self._said.timestamp.lower(), "").strip()
        else:
            text = next(iter(named.get((self._said.parts or {})["timestamp"], ())), "")
        sent = moment(text)
        if sent is None:
            raise Unsigned("no time of sending")
        if abs(now - sent) > self._tolerance:
            raise Unsigned("the time of sending is too far off")
        return text

    def _id(self, notice: Notice) -> str:
        if self._said.id is None:
            return ""
        return notice.headers.get(self._said.id.lower(), "").strip()

    def _fits(self, message: bytes, signatures: Iterable[str]) -> bool:
        """Whether any signature is any secret's, in a time that does not tell how near it came."""
        offered = [signature for text in signatures for signature in self._offered(text)][:MOST_SIGNATURES]
        fits = False
        for secret in self._secrets:
            digest = hmac.digest(secret, message, self._said.algorithm)
            proper = digest.hex().encode() if self._said.encoding == "hex" else b64encode(digest)
            for signature in offered:
                fits |= hmac.compare_digest(proper, signature)
        return fits

    def _offered(self, text: str) -> Iterable[bytes]:
        """The signatures in a text that separates several by blanks, or by commas where the prefix holds none."""
        prefix = self._said.prefix
        for word in text.split() if "," in prefix else _APART.split(text):
            if word.startswith(prefix):
                signature = word.removeprefix(prefix)
                yield (signature.lower() if self._said.encoding == "hex" else signature).encode("utf-8", "replace")


def moment(value: Any) -> datetime | None:
    """The instant that a value out of a request means, in UTC where it names no zone; None where it is none."""
    if isinstance(value, str) and len(value) > LONGEST_TIME:
        return None
    found = instant(value)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _secret(said: Signature, text: str) -> bytes:
    written = text.removeprefix(said.secret_prefix)
    try:
        match said.secret_encoding:
            case None:
                return text.encode()
            case "hex":
                return bytes.fromhex(written)
            case "base64":
                return b64decode(written, validate=True)
    except ValueError:
        raise BadSecret(f"a secret is not written in {said.secret_encoding}") from None
