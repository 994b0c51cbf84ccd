"""The address where OAuth 2 gives tokens. In: the parameters of a grant. Out: what it granted, or why not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from connectors.auth.carry import FORM
from connectors.auth.fixed import basic_pair
from connectors.auth.session import Token, not_given
from connectors.errors import BadAnswer, ConnectorError, Rejected, Unauthorized
from connectors.http import Answer, Client, Sending
from connectors.secrets import named, texts
from mappings.block import Scalar
from mappings.loader import Source
from mappings.signing import Jwt, OAuth2

# RFC 6749, 5.2: what is wrong where one of these is said, by the names of the mapping's fields.
WRONG = {
    "invalid_client": ("client_id", "client_secret"),
    "unauthorized_client": ("client_id", "subject", "scope"),
    "invalid_grant": ("refresh_token", "issuer", "subject", "key", "audience"),
    "invalid_scope": ("scope",),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token address gave."""

    token: Token
    refresh_token: str | None = field(repr=False)


class TokenAddress:
    """Asks for tokens. It is asked by POST and never followed elsewhere: what it is told lets in."""

    def __init__(self, source: Source, said: OAuth2 | Jwt, client: Client) -> None:
        self._source, self._said, self._client = source, said, client
        url = source.fill(said.token_url)
        self.url = f"{source.fill(source.system.http.base_url).rstrip('/')}{url}" if url.startswith("/") else url

    async def ask(self, params: Mapping[str, str]) -> Grant:
        """A token for this grant; Unauthorized, naming the variables to check, where it is refused."""
        answer = await self._client.send(self._source.name, self._sending(params), redirects=0)
        told = _object(answer.body)
        if answer.status >= 300 or "error" in told:
            raise self._refusal(answer, told)
        token, fresh = told.get("access_token"), told.get("refresh_token")
        if not isinstance(token, str) or not token:
            raise BadAnswer(self._source.name, f"no access_token in the answer of {answer.url}", "check `token_url`")
        lasting = Token(token, _seconds(told.get("expires_in")))
        return Grant(lasting, fresh if isinstance(fresh, str) and fresh else None)

    def _sending(self, params: Mapping[str, str]) -> Sending:
        said, fill = self._said, self._source.fill
        form, headers = dict(params), {"Content-Type": FORM}
        form |= {name: written(self._source, value) for name, value in said.params.items() if value is not None}
        if isinstance(said, OAuth2):
            if said.scope is not None:
                form["scope"] = fill(said.scope)
            client = {"client_id": fill(said.client_id)}
            if said.client_secret is not None:
                client["client_secret"] = fill(said.client_secret)
            if said.client == "basic" and said.client_secret is not None:
                # RFC 6749, 2.3.1: both are written as in a form before they are paired.
                user, password = map(quote_plus, client.values())
                headers["Authorization"] = f"Basic {basic_pair(user, password, self._client.secrets)}"
            else:
                form |= client
        return Sending("POST", self.url, headers, urlencode(form).encode())

    def _refusal(self, answer: Answer, told: Mapping[str, Any]) -> ConnectorError:
        place, error = self._source.name, str(told.get("error") or "")
        description = told.get("error_description") or told.get("message") or ""
        said = self._client.secrets.mask(": ".join(filter(None, (error, str(description)))))
        if 300 <= answer.status < 400:
            return Rejected(
                place, f"{answer.status} from {answer.url}: a redirect instead of a token", "check `token_url`"
            )
        if answer.status in (404, 429) or answer.status >= 500 or (answer.status >= 400 and not error):
            return not_given(place, answer, said, self._check(error), "token_url")
        what = f"no token from {answer.url} ({said})"
        return Unauthorized(place, what, f"{self._remedy(error)}{self._check(error)}")

    def _remedy(self, error: str) -> str:
        renews = isinstance(self._said, OAuth2) and self._said.refresh_token is not None
        return "allow the hub anew at the system and set " if renews and error == "invalid_grant" else "check "

    def _check(self, error: str) -> str:
        fields = [getattr(self._said, name, None) for name in WRONG.get(error, ())]
        return named(self._source, fields if any(texts(fields)) else texts(self._said))


def written(source: Source, value: Scalar) -> str:
    """A value of the mapping as a form has it, settings filled in."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return source.fill(value) if isinstance(value, str) else str(value)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(said: Any) -> float | None:
    try:
        return None if said is None or isinstance(said, bool) else max(0.0, float(said))
    except (TypeError, ValueError):
        return None
