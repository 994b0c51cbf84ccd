"""Requests signed by what the settings say. In: a source and its `auth`. Out: signers that wait for nothing."""

from __future__ import annotations

from base64 import b64encode

from connectors.auth.carry import Carry
from connectors.errors import Unauthorized
from connectors.http import Sending
from connectors.secrets import Secrets, variables
from mappings.loader import Source
from mappings.signing import Auth


class Fixed:
    """Signs every request with one credential, or none; nothing can be renewed."""

    def __init__(self, check: str, carry: Carry | None = None, value: str = "", private: str | None = None) -> None:
        self._carry, self._value = carry, value
        self.private = frozenset({private} if private else ())
        self.check = check

    async def sign(self, sending: Sending) -> Sending:
        """The request with the credential."""
        return self._carry(sending, self._value) if self._carry else sending

    async def refused(self, signed: Sending) -> bool:
        """False: there is no other credential."""
        return False


def basic_pair(user: str, password: str, secrets: Secrets) -> str:
    """User and password as Authorization: Basic has them (RFC 7617, in UTF-8), hidden from now on."""
    pair = b64encode(f"{user}:{password}".encode()).decode()
    secrets.learn(pair)
    return pair


def credential(source: Source, auth: Auth, text: str) -> str:
    """The text filled with settings; Unauthorized, naming the variables, where no request can carry it."""
    value = source.fill(text)
    if not value or not value.isascii() or not value.isprintable() or value != value.strip():
        wrong = "is empty" if not value else "holds a blank, a line break or a letter that no request can carry"
        raise Unauthorized(source.name, f"the credential {wrong}", f"check {variables(source, auth)}")
    return value
