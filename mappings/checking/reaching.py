"""In: a System. Out: what is wrong in how it is fetched, beyond what pydantic knows: settings, places, placeholders.

Also: a credential is always a secret setting, and one stream that leans on another has to find it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel

from mappings.checking.document import Place, hint
from mappings.fetching import PLACEHOLDER, Pages, Since
from mappings.notices import Signature, Webhook
from mappings.signing import Auth
from mappings.spec import Stream, System

Found = Iterator[tuple[Place, str]]
WRITTEN = ("iso", "date", "epoch_s", "epoch_ms", "epoch_us")
SETTING = re.compile(r"\$\{([^}]*)\}?")
_HOST = re.compile(r"[a-z0-9.*-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
_SAID = ("about", "description", "docs")  # prose, in which no setting is filled


def wrong_fetching(system: System) -> Found:
    """Every place of the file that says something about fetching that cannot be done, with what is wrong there."""
    yield from _settings(system)
    yield from _auth(system, system.http.auth, ("http", "auth"))
    if system.http.signature is not None:
        yield from _signature(system, system.http.signature, ("http", "signature"))
    for index, host in enumerate(system.http.hosts):
        if not _HOST.fullmatch(host) and "${" not in host:
            yield ("http", "hosts", index), f"`{host}` is no host; write a name as files.example.com, without https://"
    for path in system.http.rates:
        if not path.startswith("/"):
            yield ("http", "rates", path), f"`{path}` is no path; it begins with /"
    for name, stream in system.streams.items():
        yield from _stream(system, name, stream, ("streams", name))


def _stream(system: System, name: str, stream: Stream, at: Place) -> Found:
    verb = "get" if stream.get is not None else "post"
    if "://" in stream.path:
        yield (
            (*at, verb),
            "a path below the base URL is wanted; an address of its own goes into the stream's `base_url`",
        )
    yield from _auth(system, stream.auth, (*at, "auth"))
    pages = stream.pages if "pages" in stream.model_fields_set else system.http.pages
    if pages is not None:
        yield from _pages(stream, pages, (*at, "pages") if stream.pages is not None else ("http", "pages"))
    yield from _placeholders(stream, at)
    if stream.since is not None:
        yield from _since(stream, stream.since, (*at, "since"))
    yield from _leaning(system, name, stream, at)
    if stream.csv is not None and not _is_codec(stream.csv.encoding):
        yield (*at, "csv", "encoding"), f"`{stream.csv.encoding}` is no encoding; write utf-8, latin-1, cp1252"
    if stream.webhook is not None:
        yield from _notices(system, stream.webhook, (*at, "webhook"))
        if stream.webhook.record is not None and (stream.parent or stream.map_key or stream.columns):
            lacks = "parent" if stream.parent else "map_key" if stream.map_key else "columns"
            what = (
                f"a record in a notification has not what `{lacks}` gives: say `record: null`, to pull the stream soon"
            )
            yield (*at, "webhook", "record"), what


# settings and secrets ------------------------------------------------------------------------------------------------
def _settings(system: System) -> Found:
    for place, text in texts(system, ()):
        for setting in SETTING.findall(text):
            if setting not in system.settings:
                allowed = ", ".join(system.settings) or "none"
                what = f"the setting `{setting}` is not declared; declared: {allowed}{hint(setting, system.settings)}"
                yield place, what


def texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text of a block with its place, prose left out."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, BaseModel):
        for name, about in type(value).model_fields.items():
            if name not in _SAID:
                yield from texts(getattr(value, name), (*place, about.alias or name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*place, index))


def _auth(system: System, auth: Auth | None, at: Place) -> Found:
    if auth is None:
        return
    credentials: list[tuple[Place, str | None]] = [
        ((*at, "bearer"), auth.bearer),
        ((*at, "basic", "password"), _password(system, auth)),
        ((*at, "api_key", "value"), auth.api_key.value if auth.api_key else None),
        ((*at, "oauth2", "client_secret"), auth.oauth2.client_secret if auth.oauth2 else None),
        ((*at, "oauth2", "refresh_token"), auth.oauth2.refresh_token if auth.oauth2 else None),
        ((*at, "jwt", "key"), auth.jwt.key if auth.jwt else None),
        ((*at, "hmac", "secret"), auth.hmac.secret if auth.hmac else None),
    ]
    for place, text in credentials:
        if text:
            yield from _credential(system, text, place)
    if auth.login is not None and not _names_secret(system, auth.login):
        yield (*at, "login"), "a login sends no secret; declare one with `secret: true` and say ${setting} in its body"


def _notices(system: System, webhook: Webhook, at: Place) -> Found:
    if webhook.signature is not None:
        yield from _signature(system, webhook.signature, (*at, "signature"))
    elif system.http.signature is None:
        yield at, "nothing says how these are signed: say `signature` here, or in `http` for all streams"


def _password(system: System, auth: Auth) -> str | None:
    """The password, where the pair holds no secret yet: beside a key as user, a word of no meaning is wanted."""
    return None if auth.basic is None or _names_secret(system, auth.basic) else auth.basic.password


def _signature(system: System, signature: Signature, at: Place) -> Found:
    yield from _credential(system, signature.secret, (*at, "secret"))


def _credential(system: System, text: str, place: Place) -> Found:
    named = SETTING.findall(text)
    if not named:
        yield place, "a secret is written out; declare a setting and say ${setting}"
    elif not any(name not in system.settings or system.settings[name].secret for name in named):
        yield place, f"the setting `{named[0]}` carries a credential and is not declared `secret: true`"


def _names_secret(system: System, block: BaseModel) -> bool:
    named = [name for _, text in texts(block, ()) for name in SETTING.findall(text)]
    return any(system.settings[name].secret for name in named if name in system.settings)


# places and placeholders ---------------------------------------------------------------------------------------------
def _pages(stream: Stream, pages: Pages, at: Place) -> Found:
    for name in ("page", "offset", "cursor", "after"):
        said = getattr(pages, name)
        if said is not None:
            yield from _place(stream, said, (*at, name))
    for said in pages.size or {}:
        yield from _place(stream, said, (*at, "size", said))
    for said in pages.then or {}:
        yield from _place(stream, said, (*at, "then", said))
    if pages.keyset is not None:
        asked = {w[5:] for text in (pages.then or {}).values() for w in _words(text) if w.startswith("last.")}
        for path in sorted(asked - set(pages.keyset)):
            yield (*at, "then"), f"`last.{path}` is none of what the list is sorted by: {', '.join(pages.keyset)}"


def _place(stream: Stream, place: str, at: Place) -> Found:
    if place in ("", "header.", "body.") or PLACEHOLDER.search(place):
        yield at, "a place is a parameter's name, `header.Name` or `body.path`"
    elif place.startswith("body.") and stream.body is None:
        yield at, f"`{place}` goes into a body, and the stream sends none: say `post` and `body`"


def _placeholders(stream: Stream, at: Place) -> Found:
    parts = {part: getattr(stream, part) for part in ("get", "post", "params", "headers", "body")}
    for part, said in parts.items():
        for place, text in texts(said, (*at, part)):
            for word in _words(text):
                if word in ("since", "until") and stream.since is None:
                    yield place, f"{{{word}}} is known where the stream says `since`"
                elif word.startswith("parent.") and stream.parent is None:
                    yield place, f"{{{word}}} is known where the stream says `parent`"
                elif word.startswith("last."):
                    yield place, f"{{{word}}} is known from the second page on: say it in `pages: then`"


def _words(text: Any) -> list[str]:
    return PLACEHOLDER.findall(text) if isinstance(text, str) else []


def _since(stream: Stream, since: Since, at: Place) -> Found:
    asked = [word for part in ("get", "post", "params", "headers", "body")
             for _, text in texts(getattr(stream, part), ()) for word in _words(text)]  # fmt: skip
    if not since.keep_cursor and not since.newest_first and since.param is None and "since" not in asked:
        yield at, "nothing asks for changes: say `param`, {since} in a text of the request, or `newest_first`"
    if since.step is not None and since.until is None and "until" not in asked:
        yield (*at, "step"), "a window needs an end: say `until`, or {until} in a text of the request"
    for name in ("param", "until"):
        if getattr(since, name) is not None:
            yield from _place(stream, getattr(since, name), (*at, name))
    for said in since.first or {}:
        yield from _place(stream, said, (*at, "first", said))
    if since.as_ not in WRITTEN and not _is_pattern(since.as_):
        yield (*at, "as"), f"`{since.as_}` is neither {', '.join(WRITTEN)} nor a pattern as %d.%m.%Y %H:%M"
    if since.zone is not None and since.zone not in available_timezones():
        yield (*at, "zone"), f"`{since.zone}` is no time zone{hint(since.zone, available_timezones())}"
    if since.from_ is not None and not _is_iso(since.from_):
        yield (*at, "from"), f"`{since.from_}` is no date; write 2015-01-01 or 2015-01-01T00:00:00Z"


# streams that lean on others -----------------------------------------------------------------------------------------
def _leaning(system: System, name: str, stream: Stream, at: Place) -> Found:
    for part, other in (("parent", stream.parent.stream if stream.parent else None), ("deletes", stream.deletes)):
        if other is not None and other not in system.streams:
            what = f"`{other}` is no stream here: {', '.join(system.streams)}{hint(other, system.streams)}"
            yield (*at, part), what
        elif other == name:
            yield (*at, part), f"a stream cannot be its own {'parent' if part == 'parent' else 'list of the deleted'}"
    if stream.parent is not None and _circles(system, name):
        yield (*at, "parent"), "the parents go in a circle"
    if stream.deleted is not None and stream.deleted.absent:
        if stream.since is not None and not stream.since.newest_first:
            yield (*at, "deleted", "absent"), "only a full reading can miss a record: `absent` goes without `since`"
        if stream.parent is not None or (stream.since is not None and stream.since.newest_first):
            yield (*at, "deleted", "absent"), "only a full reading can miss a record: this stream is never read whole"


def _circles(system: System, name: str) -> bool:
    seen = {name}
    parent = system.streams[name].parent
    while parent is not None and parent.stream in system.streams:
        if parent.stream in seen:
            return parent.stream != name or len(seen) > 1
        seen.add(parent.stream)
        parent = system.streams[parent.stream].parent
    return False


def _is_codec(name: str) -> bool:
    try:
        return "a".encode(name) != b""
    except (LookupError, ValueError):
        return False


def _is_pattern(text: str) -> bool:
    if "%" not in text:
        return False
    try:
        moment = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
        return datetime.strptime(moment.strftime(text), text) is not None
    except (ValueError, re.error, IndexError, KeyError):
        return False


def _is_iso(text: str) -> bool:
    try:
        return datetime.fromisoformat(text) is not None
    except ValueError:
        return False
