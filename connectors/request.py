"""What to ask of a stream. In: a source and a stream of its mapping. Out: the URL and headers of each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus, urlencode

from connectors.auth import Signature, holds_secret, variables
from connectors.errors import Rejected
from mappings.loader import Source
from mappings.spec import Pages, Scalar, Stream


@dataclass(frozen=True, slots=True)
class Request:
    """All that the requests of one stream have in common, settings filled in.

    `private` are the parameters that carry a credential: added to every URL, taken out of every URL that is kept.
    """

    place: str
    url: str
    params: dict[str, str] = field(repr=False)
    private: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    check: str

    def first(self, further: Mapping[str, object]) -> str:
        """The URL of a page that is asked for by parameters; `further` ones replace the stream's own."""
        return _with_query(self.url, {**self.params, **_written(further), **self.private})

    def following(self, path: str) -> str:
        """The URL of a page that an answer named, signed again."""
        return _with_query(path, self.private)

    def kept(self, path: str) -> str:
        """A URL's path and query without credentials, fit for a cursor; all else stays as it was written."""
        path, _, query = path.partition("?")
        parts = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in self.private]
        return f"{path}?{'&'.join(parts)}" if any(parts) else path


def compose(source: Source, name: str, stream: Stream, pages: Pages | None, signature: Signature) -> Request:
    """The request of one stream; Rejected where a header cannot be sent."""
    http = source.system.http
    place = f"{source.name}.{name}"
    said = {**http.params, **stream.params, **((pages.size or {}) if pages else {})}
    private = {n: v for n, v in said.items() if holds_secret(source, v)}
    headers = {n: source.fill(v) for n, v in {**http.headers, **stream.headers}.items()} | signature.headers
    for header, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise Rejected(place, f"header {header} holds what no request can carry", f"check {variables(source)}")
    return Request(
        place=place,
        url=f"{source.fill(http.base_url).rstrip('/')}/{source.fill(stream.get).lstrip('/')}",
        params=_filled(source, {n: v for n, v in said.items() if n not in private}),
        private=_filled(source, private) | signature.params,
        headers=headers,
        check=variables(source),
    )


def _filled(source: Source, params: Mapping[str, Scalar]) -> dict[str, str]:
    return _written({n: source.fill(v) if isinstance(v, str) else v for n, v in params.items()})


def _written(params: Mapping[str, object]) -> dict[str, str]:
    return {n: str(v).lower() if isinstance(v, bool) else str(v) for n, v in params.items() if v is not None}


def _with_query(url: str, params: Mapping[str, str]) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params, quote_via=quote)}"
