"""Parameters, headers and body of one request. In: trees that may hold placeholders, places. Out: bytes to be sent.

A place is `name` (a query parameter), `header.Name`, or `body.a.0.b` (a member of a JSON body, a field of a form).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from connectors.asking.placeholders import ABSENT, Text, Unfit, plain
from connectors.auth.carry import put

HEADER, BODY = "header.", "body."


@dataclass(frozen=True, slots=True)
class Draft:
    """A request in the making: query parameters, headers, and the body as JSON or as fields of a form."""

    params: dict[str, Any]
    headers: dict[str, Any]
    body: Any
    form: bool

    def put(self, place: str, value: Any) -> None:
        """Put the value at its place, over what is there. Raises Unfit where there is no such place."""
        if place.startswith(HEADER):
            name = place.removeprefix(HEADER)
            for other in [other for other in self.headers if other.lower() == name.lower()]:
                del self.headers[other]
            self.headers[name] = value
        elif not place.startswith(BODY):
            self.params[place] = value
        elif self.form:
            self.body[place.removeprefix(BODY)] = value
        elif not put(self.body, place.removeprefix(BODY), value):
            raise Unfit(f"`{place}` leads nowhere in the body")

    def encoded(self) -> bytes | None:
        """The body's bytes, None where there is none. Raises Unfit where a form's field holds more than a text."""
        if self.body is None:
            return None
        return query(self.body).encode() if self.form else msgspec.json.encode(self.body)


def query(params: Mapping[str, Any]) -> str:
    """Parameters as a URL or a form has them; a list repeats its name. Raises Unfit for what is no text or number."""
    said = {n: [plain(item, n) for item in v] if isinstance(v, list) else plain(v, n) for n, v in params.items()}
    return urlencode(said, doseq=True, quote_via=quote)


def compiled_tree(said: Any, text: Callable[[str], Any]) -> Any:
    """A tree of JSON with each of its texts compiled; names stay as they are."""
    if isinstance(said, str):
        return text(said)
    if isinstance(said, dict):
        return {name: compiled_tree(inner, text) for name, inner in said.items()}
    return [compiled_tree(item, text) for item in said] if isinstance(said, list) else said


def ready(said: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Names to values with their placeholders filled; left out where a value is missing or null."""
    found = {name: _value(value, values) for name, value in said.items()}
    return {name: value for name, value in found.items() if value is not None and value is not ABSENT}


def rendered(node: Any, values: Mapping[str, Any], within_item: bool = False) -> Any:
    """A tree of JSON with its placeholders filled.

    Where a value is missing, what it belongs to is left out whole: the item of the list that it is in (a condition such
    as {field: at, above: "{since}"}), the list itself where the text is one of its items (["at", ">", "{since}"]), else
    the member of the object.
    """
    if isinstance(node, Text):
        return node.value(values)
    if isinstance(node, dict):
        members = {name: rendered(inner, values, within_item) for name, inner in node.items()}
        if within_item and ABSENT in members.values():
            return ABSENT
        return {name: value for name, value in members.items() if value is not ABSENT}
    if not isinstance(node, list):
        return node
    items = [rendered(item, values, True) for item in node]
    if any(item is ABSENT and isinstance(said, Text) for item, said in zip(items, node, strict=True)):
        return ABSENT
    return [item for item in items if item is not ABSENT]


def _value(said: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(said, list):
        return [item for item in (_value(item, values) for item in said) if item is not None and item is not ABSENT]
    return said.value(values) if isinstance(said, Text) else said
