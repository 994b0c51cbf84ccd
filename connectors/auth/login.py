"""A call that opens a session. In: a source's `login`. Out: a function that logs in and gets the token or cookie."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from connectors.answers.shape import pick
from connectors.auth.carry import FORM, Credential
from connectors.auth.session import Fetch, Token, not_given
from connectors.auth.token_address import written
from connectors.errors import ConnectorError, Unauthorized
from connectors.http import Answer, Client, Sending
from connectors.secrets import named, texts
from mappings.duration import duration
from mappings.loader import Source
from mappings.paths import steps_of
from mappings.signing import Login

HEADER = "header."
REFUSALS = (400, 401, 403, 422)


def by_login(source: Source, said: Login, client: Client) -> Fetch:
    """Tokens, or values of a cookie, that a login yields; Unauthorized, naming the variables, where it does not."""
    url = f"{source.fill(source.system.http.base_url).rstrip('/')}/{source.fill(said.post).lstrip('/')}"
    lasts_s = duration(said.lifetime).total_seconds() if said.lifetime else None
    check = named(source, texts(said))

    async def fetch() -> Token:
        answer = await client.send(source.name, _sending(source, said, url), redirects=0)
        told = _decoded(answer.body)
        value = None if answer.status >= 400 else _yielded(said, answer, told)
        if value is None:
            raise _refusal(source, said, answer, client.secrets.mask(_message(source, told)), check)
        return Token(value, lasts_s)

    return fetch


def _sending(source: Source, said: Login, url: str) -> Sending:
    headers = {name: source.fill(value) for name, value in source.system.http.headers.items()}
    if said.form is not None:
        form = {name: written(source, value) for name, value in said.form.items() if value is not None}
        return Sending("POST", url, headers | {"Content-Type": FORM}, urlencode(form).encode())
    if said.json_ is None:
        return Sending("POST", url, headers)
    body = json.dumps(_filled(source, said.json_)).encode()
    return Sending("POST", url, headers | {"Content-Type": "application/json"}, body)


def _filled(source: Source, value: Any) -> Any:
    if isinstance(value, str):
        return source.fill(value)
    if isinstance(value, dict):
        return {name: _filled(source, item) for name, item in value.items()}
    return [_filled(source, item) for item in value] if isinstance(value, list) else value


def _yielded(said: Login, answer: Answer, told: Any) -> Credential | None:
    """The credential, None where there is none: some systems say a wrong password as `false`, null or an empty text."""
    if said.cookie is not None:
        return answer.cookies.get(said.cookie) or None
    path = said.token or ""
    in_header = path.startswith(HEADER)
    value = answer.headers.get(path.removeprefix(HEADER)) if in_header else pick(told, steps_of(path))
    return value if isinstance(value, str | int | float) and value is not True and value else None


def _refusal(source: Source, said: Login, answer: Answer, message: str, check: str) -> ConnectorError:
    if answer.status >= 400 and answer.status not in REFUSALS:
        return not_given(source.name, answer, message, check, "post")
    sought = f"cookie `{said.cookie}`" if said.cookie else f"token at `{said.token}`"
    tail = f" ({message})" if message else ""
    what = f"{answer.status} from {answer.url}: the login brought no {sought}{tail}"
    return Unauthorized(source.name, what, f"check {check}")


def _message(source: Source, told: Any) -> str:
    """What the system says went wrong, by the mapping's `error`."""
    said = source.system.http.error
    blocks = said if isinstance(said, list) else [said] if said else []
    found = (pick(told, steps_of(block.message)) for block in blocks if block.message)
    return next((str(message) for message in found if message), "")


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
