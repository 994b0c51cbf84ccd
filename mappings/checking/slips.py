"""In: a System. Out: what is well formed and still a slip: texts that some other tool would have understood.

Sent as they stand, they would fail far from here, or bring nothing without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mappings.checking.document import Place
from mappings.checking.reaching import texts
from mappings.fetching import PLACEHOLDER, ErrorBody, Pages
from mappings.paths import steps_of
from mappings.spec import Stream, System

Found = Iterator[tuple[Place, str]]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILLED = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_BRACED = re.compile(r"\{[^{}]*\}")
_LONE = re.compile(r"\{\{?\s*[\w.]+\s*\}?\}")
_ADDRESS = re.compile(r"https://[^/]|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)|\$\{")
_PICKED = re.compile(r"\w\[(\d+|\*)?\](\.|$)")
_LETS_IN = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"})
_WORDS = "{since}, {until}, {parent.…}, {last.…}, and ${…} for a setting"


def slips(system: System) -> Found:
    """Every such place of the file, with what to write in its stead."""
    for name in system.settings:
        if not _NAME.fullmatch(name):
            yield ("settings", name), f"`{name}` is no setting's name: letters, digits and _"
    for place, text in texts(system, ()):
        if text.count("${") != len(_FILLED.findall(text)):
            yield place, "a `${` that no setting's name and `}` follow"
    yield from _address(system.http.base_url, ("http", "base_url"))
    yield from _headers(system.http.headers, ("http", "headers"))
    yield from _lone(system.http.params, ("http", "params"))
    yield from _errors(system.http.error, ("http", "error"))
    if system.http.pages is not None:
        yield from _pages(system.http.pages, ("http", "pages"))
    for name, stream in system.streams.items():
        yield from _stream(stream, ("streams", name))


def _stream(stream: Stream, at: Place) -> Found:
    if stream.base_url is not None:
        yield from _address(stream.base_url, (*at, "base_url"))
    verb = "get" if stream.get is not None else "post"
    for braced in _BRACED.findall(PLACEHOLDER.sub("", _FILLED.sub("", stream.path))):
        yield (*at, verb), f"`{braced}` is no placeholder; there are {_WORDS}"
    yield from _headers(stream.headers, (*at, "headers"))
    yield from _lone(stream.params, (*at, "params"))
    yield from _lone(stream.headers, (*at, "headers"))
    if stream.body is not None:
        yield from _lone(stream.body, (*at, "body"))
        if isinstance(stream.body.json_, str) and stream.body.json_.lstrip()[:1] in ("{", "["):
            yield (*at, "body", "json"), "JSON within a text would be sent as a text; write it as it is, without quotes"
    if stream.pages is not None:
        yield from _pages(stream.pages, (*at, "pages"))
    yield from _errors(stream.error, (*at, "error"))
    keys = [stream.key] if isinstance(stream.key, str) else stream.key
    since = stream.since.field if stream.since else None
    yield from _paths({"records": stream.records, "columns": stream.columns}, at)
    if stream.format != "csv":  # whose columns may have any name
        yield from _paths({"key": keys, "since": since}, at)


def _address(url: str, at: Place) -> Found:
    if not _ADDRESS.match(url):
        yield at, f"`{url}` is no address that is safe to ask; write it as https://host/path"


def _headers(headers: dict[str, str], at: Place) -> Found:
    for name, text in headers.items():
        if name.lower() in _LETS_IN and not _FILLED.search(text):
            yield (*at, name), "a secret is written out; declare a setting and say ${setting}"


def _lone(said: Any, at: Place) -> Found:
    for place, text in texts(said, ()):
        if _LONE.fullmatch(text) and not PLACEHOLDER.fullmatch(text):
            yield (*at, *place), f"`{text}` is no placeholder; there are {_WORDS}"


def _pages(pages: Pages, at: Place) -> Found:
    said = ("next", "value", "total_pages", "total", "keyset")
    named = {name: getattr(pages, name) for name in said} | {"while": pages.while_, "until": pages.until}
    yield from _paths(named, at)


def _errors(said: ErrorBody | list[ErrorBody] | None, at: Place) -> Found:
    for index, error in enumerate(said if isinstance(said, list) else [said] if said else []):
        place = (*at, index) if isinstance(said, list) else at
        yield from _paths({"message": error.message, "when": list(error.when)}, place)


def _paths(said: dict[str, str | list[str] | None], at: Place) -> Found:
    for name, value in said.items():
        for path in [value] if isinstance(value, str) else value or []:
            if path.startswith("$") and path[1:2] in ("", ".", "["):
                yield (*at, name), f"`{path}` is no path: it begins at the answer itself, without `$`"
            elif _PICKED.search(path):
                yield (*at, name), f"`{path}` is no path: a number picks from a list, as items.0"
            elif "*" in steps_of(path):
                yield (*at, name), f"`{path}` is no path here: one value is wanted, and `*` are many"
            elif not all(steps_of(path)):
                yield (*at, name), f"`{path}` is no path: names with single dots between them"
