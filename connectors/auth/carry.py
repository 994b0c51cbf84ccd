"""How a request carries a credential. In: a request and a value for a place. Out: the request with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from connectors.errors import Rejected
from connectors.http import Sending

Credential = str | int | float
Carry = Callable[[Sending, Credential], Sending]

FORM = "application/x-www-form-urlencoded"


def carrier(source: str, place: str, prefix: str = "") -> Carry:
    """The function that puts a credential at a place of a request: `header.X`, `body.a.0.b` or a query parameter."""
    kind, _, name = place.partition(".")

    def carry(sending: Sending, value: Credential) -> Sending:
        said = f"{prefix}{value}" if prefix else value
        if kind == "header" and name:
            return with_header(sending, name, str(said))
        if kind == "body" and name:
            return replace(sending, body=_with_member(source, sending, name, said))
        return with_param(sending, place, str(said))

    return carry


def with_header(sending: Sending, name: str, value: str) -> Sending:
    """The request with this header in place of any of the same name."""
    others = {n: v for n, v in sending.headers.items() if n.lower() != name.lower()}
    return replace(sending, headers=others | {name: value})


def with_param(sending: Sending, name: str, value: str) -> Sending:
    """The request with this query parameter behind the others."""
    mark = "&" if "?" in sending.url else "?"
    return replace(sending, url=f"{sending.url}{mark}{urlencode({name: value}, quote_via=quote)}")


def with_cookie(sending: Sending, name: str, value: str) -> Sending:
    """The request with this cookie behind those that it has."""
    had = next((v for n, v in sending.headers.items() if n.lower() == "cookie"), "")
    return with_header(sending, "Cookie", f"{had}; {name}={value}" if had else f"{name}={value}")


def put(tree: Any, path: str, value: Any) -> bool:
    """Puts a value at a dotted path of JSON, objects on the way made; False where a step leads into no object or list.

    A number replaces an item of a list, or stands behind the last one.
    """
    step, _, further = path.partition(".")
    if isinstance(tree, list):
        if not step.isdecimal() or int(step) > len(tree):
            return False
        if int(step) == len(tree):
            tree.append({})
        return _set(tree, int(step), further, value)
    return isinstance(tree, dict) and _set(tree, step, further, value)


def _set(tree: Any, step: Any, further: str, value: Any) -> bool:
    if not further:
        tree[step] = value
        return True
    if isinstance(tree, dict):
        tree.setdefault(step, {})
    return put(tree[step], further, value)


def _with_member(source: str, sending: Sending, path: str, value: Credential) -> bytes:
    kind = next((v for n, v in sending.headers.items() if n.lower() == "content-type"), "")
    if kind.startswith(FORM):
        field = urlencode({path: value}).encode()
        return sending.body + b"&" + field if sending.body else field
    tree = json.loads(sending.body) if sending.body else {}
    if not put(tree, path, value):
        what = f"the request's body has no place `body.{path}` for the credential"
        raise Rejected(source, what, "check `send` under `auth` and the stream's `body`")
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
