"""How requests are signed. In: a source's `auth` and settings. Out: the headers and parameters that carry it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from connectors.errors import Unauthorized
from mappings.loader import Source, variable
from mappings.spec import Auth

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Signature:
    """What signs a request: nothing of it shows in a repr."""

    headers: dict[str, str] = field(repr=False)
    params: dict[str, str] = field(repr=False)


def sign(source: Source) -> Signature:
    """The signature of every request of this source; Unauthorized where a setting is missing or cannot be sent."""
    if source.missing:
        raise Unauthorized(source.name, "a setting is missing", f"set {', '.join(source.missing)}")
    auth = source.system.http.auth
    if auth is None:
        return Signature({}, {})
    if auth.bearer is not None:
        return Signature({"Authorization": f"Bearer {_credential(source, auth.bearer)}"}, {})
    if auth.basic is not None:
        pair = f"{source.fill(auth.basic.user)}:{source.fill(auth.basic.password)}"
        return Signature({"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {})
    return _api_key(source, auth)


def variables(source: Source) -> str:
    """The environment variables that hold the credentials, for an error's remedy."""
    http = source.system.http
    names = _placeholders(_texts(http.auth))
    names += [n for n in _placeholders([*http.headers.values(), *http.params.values()]) if _secret(source, n)]
    said = dict.fromkeys(variable(source.name, name) for name in names)
    return ", ".join(said) or "`auth` in the mapping"


def holds_secret(source: Source, text: object) -> bool:
    """Whether a text of the mapping is filled with a secret setting."""
    return any(_secret(source, name) for name in _placeholders([text]))


def mask(source: Source, text: str) -> str:
    """The text without any secret of the source, should the system have repeated one; one line, 200 characters."""
    values = [source.settings.get(n) for n, setting in source.system.settings.items() if setting.secret]
    for value in sorted(filter(None, values), key=len, reverse=True):
        text = text.replace(value, "***").replace(quote(value, safe=""), "***")
    return " ".join(text.split())[:200]


def _api_key(source: Source, auth: Auth) -> Signature:
    key = auth.api_key
    if key is None:
        return Signature({}, {})
    value = _credential(source, key.value)
    return Signature({key.header: value}, {}) if key.header else Signature({}, {key.query or "": value})


def _credential(source: Source, text: str) -> str:
    value = source.fill(text)
    if not value or not value.isascii() or not value.isprintable() or value != value.strip():
        wrong = "is empty" if not value else "holds a blank, a line break or a letter that no request can carry"
        raise Unauthorized(source.name, f"the credential {wrong}", f"check {variables(source)}")
    return value


def _secret(source: Source, name: str) -> bool:
    setting = source.system.settings.get(name)
    return setting is not None and setting.secret


def _texts(auth: Auth | None) -> list[str]:
    if auth is None:
        return []
    if auth.basic is not None:
        return [auth.basic.user, auth.basic.password]
    return [auth.bearer if auth.bearer is not None else auth.api_key.value if auth.api_key else ""]


def _placeholders(texts: Iterable[object]) -> list[str]:
    return [name for text in texts if isinstance(text, str) for name in PLACEHOLDER.findall(text)]
