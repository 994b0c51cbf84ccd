"""What to ask of a stream. In: a source and a stream of its mapping, later positions and values. Out: each request.

Composed once a stream; a page only adds what differs: its position, the changes asked for, its parent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from connectors.asking.payload import Draft, compiled_tree, query, ready, rendered
from connectors.asking.placeholders import ABSENT, Text, Unfit, compiled, plain
from connectors.errors import Rejected
from connectors.http import Sending
from connectors.secrets import holds_secret, texts, variables
from mappings.fetching import PLACEHOLDER
from mappings.loader import Source
from mappings.spec import Auth, Pages, Stream

Said = Mapping[str, Any]  # name or place to a value, or to a Text
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """All that the requests of one stream have in common, settings filled in.

    `private` are the parameters that carry a credential: added to every URL, taken out of every URL that is kept.
    `always`, `first` and `then` go to places: of each request, of the very first, and of those from the second page on.
    `words` are the placeholders used, `check` the variables that hold the credentials.
    """

    place: str
    method: str
    origin: str = field(repr=False)
    url: str | Text = field(repr=False)
    params: Said = field(repr=False)
    private: Said = field(repr=False)
    headers: Said = field(repr=False)
    body: Any = field(repr=False)
    form: bool
    always: Said = field(repr=False)
    first: Said = field(repr=False)
    then: Said = field(repr=False)
    words: frozenset[str]
    check: str
    secrets: dict[str, str] = field(repr=False)

    def sending(self, values: Said, further: Iterable[Said] = (), following: str | None = None) -> Sending:
        """One request: the stream's own words, then `further` places one after the other, each over what was there.

        `following` is a page's URL that an answer named: its query stays as it was written, a body is sent again.
        Raises Rejected where a value cannot be put where it belongs.
        """
        try:
            draft = Draft(ready(self.params, values), ready(self.headers, values), self._body(values), self.form)
            for said in (self.always, *further):
                for place, value in ready(said, values).items():
                    draft.put(place, value)
            if following is None:
                path = self.url.path(values) if isinstance(self.url, Text) else self.url
                url = _with_query(path, {**draft.params, **ready(self.private, values)})
            else:
                url = following if not following.startswith("/") else self.origin + following
                url = _with_query(url, ready(self.private, values))
            return Sending(self.method, url, self._sent(draft.headers), draft.encoded())
        except Unfit as error:
            raise Rejected(self.place, str(error), "check the placeholders and places in the mapping") from None

    def kept(self, url: str, beside: str, private: Iterable[str] = ()) -> str:
        """A page's URL without credentials, fit for a cursor; all else stays as it was written.

        A path is on the host of `beside`; it stays a path where that is the stream's own.
        """
        if url.startswith("/") and origin(beside) != self.origin:
            url = origin(beside) + url
        url, _, asked = url.partition("?")
        hidden = {*self.private, *private}
        parts = [part for part in asked.split("&") if unquote_plus(part.partition("=")[0]) not in hidden]
        return f"{url}?{'&'.join(parts)}" if any(parts) else url

    def hide(self, text: Any) -> Any:
        """A text with each secret setting's value replaced by its name, fit for a cursor; `show` takes it back."""
        if isinstance(text, str):
            for name, value in self.secrets.items():
                text = text.replace(value, f"${{{name}}}")
        return text

    def show(self, text: Any) -> Any:
        """A kept text as it was before `hide`."""
        if isinstance(text, str):
            for name, value in reversed(self.secrets.items()):
                text = text.replace(f"${{{name}}}", value)
        return text

    def _body(self, values: Said) -> Any:
        if self.form:
            return ready(self.body, values)
        tree = rendered(self.body, values)
        return None if tree is ABSENT else tree

    def _sent(self, headers: Said) -> dict[str, str]:
        said = {name: plain(value, name) for name, value in headers.items()}
        for name, value in said.items():
            if not value.isascii() or not value.isprintable():
                raise Rejected(self.place, f"header {name} holds what no request can carry", f"check {self.check}")
        if self.body is not None and "content-type" not in map(str.lower, said):
            said["Content-Type"] = FORM if self.form else JSON
        return said


def compose(source: Source, name: str, stream: Stream, pages: Pages | None, auth: Auth | None) -> Request:
    """The request of one stream. Raises Unauthorized or MissingSettingError where a setting is missing."""
    http = source.system.http

    def whole(said: Any) -> Any:
        return compiled_tree(said, lambda text: compiled(text, source.fill))

    params, headers = {**http.params, **stream.params}, {**http.headers, **stream.headers}
    secret = [n for n, value in params.items() if any(holds_secret(source, text) for text in texts([value]))]
    first = (stream.since.first if stream.since else None) or {}
    always, then = (pages.size or {}, pages.then or {}) if pages else ({}, {})
    form = stream.body is not None and stream.body.form is not None
    body = None if stream.body is None else stream.body.form if form else stream.body.json_
    base = source.fill(stream.base_url or http.base_url).rstrip("/") + "/"
    path = compiled(stream.path.lstrip("/"), source.fill)
    said = [stream.path, params, headers, body, first, then]
    return Request(
        place=f"{source.name}.{name}",
        method=stream.method,
        origin=origin(base),
        url=Text((base, *path.parts)) if isinstance(path, Text) else base + path,
        params=whole({name: value for name, value in params.items() if name not in secret}),
        private=whole({name: params[name] for name in secret}),
        headers=whole(headers),
        body=whole(body),
        form=form,
        always=always,
        first=whole(first),
        then=whole(then),
        words=frozenset(word for text in texts(said) for word in PLACEHOLDER.findall(text)),
        check=variables(source, auth),
        secrets=_secrets(source),
    )


def origin(url: str) -> str:
    """Scheme, host and port of an absolute URL, as they are written."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}"


def _secrets(source: Source) -> dict[str, str]:
    names = [name for name, setting in source.system.settings.items() if setting.secret and source.settings.get(name)]
    return {name: source.settings[name] for name in sorted(names, key=lambda name: -len(source.settings[name]))}


def _with_query(url: str, params: Said) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query(params)}"
