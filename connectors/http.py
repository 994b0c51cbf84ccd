"""The network: the only import of httpx. In: a URL below the source's own origin. Out: the bytes that it answers."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import TracebackType

import httpx

from connectors.auth import mask
from connectors.errors import BadAnswer, ConnectorError, Refused, Rejected, Unavailable
from connectors.retry import http_date, wait_asked
from mappings.loader import Source

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PORTS = {"http": 80, "https": 443}
REDIRECTS = 3
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "customer-hub"}

# httpx logs each URL with its query, httpcore the headers of answers: both may hold a token.
logging.getLogger("httpx").addFilter(lambda record: False)
logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system answered: `url` comes without its query, `date` and `wait_s` from its headers where they say so."""

    url: str
    status: int
    body: bytes = field(repr=False)
    date: datetime | None
    wait_s: float | None


class Client:
    """Connections to one origin, kept alive and shared by the streams of a source.

    Sends nothing to another scheme, host or port, whatever a page or a redirect says. `sent` counts requests.
    """

    def __init__(self, source: Source, *, largest_bytes: int) -> None:
        spec = source.system.http
        self._base, self._mask = _parsed(source.name, source.fill(spec.base_url)), partial(mask, source)
        if self._base.scheme not in PORTS or not self._base.host or self._base.userinfo:
            raise Rejected(
                source.name, "the base URL is not of the form https://host/path", "put credentials under `auth`"
            )
        self._timeout_s, self._largest = spec.timeout_s, largest_bytes
        self._http = httpx.AsyncClient(
            headers=HEADERS,
            timeout=httpx.Timeout(spec.timeout_s),
            limits=httpx.Limits(max_connections=spec.concurrency, max_keepalive_connections=spec.concurrency),
            trust_env=self._base.host not in LOOPBACK,  # a proxy of the environment cannot reach our loopback
        )
        self.sent = 0

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    def own(self, place: str, url: str, beside: str) -> str:
        """The path and query of a URL that may be relative to `beside`; Refused where it leads to another origin."""
        return self._within(place, self._target(place, beside).join(_parsed(place, url))).raw_path.decode()

    async def get(self, place: str, url: str, headers: dict[str, str]) -> Answer:
        """The answer to a GET, whatever its status, redirects within the origin followed (three at most).

        Raises Refused before anything is sent elsewhere, Unavailable where no answer comes, BadAnswer where it is too
        large or its compression is broken.
        """
        target = self._target(place, url)
        for _ in range(REDIRECTS + 1):
            answer, location = await self._guarded(place, self._within(place, target), headers)
            if location is None:
                return answer
            target = target.join(_parsed(place, location))
        raise BadAnswer(place, f"more than {REDIRECTS} redirects from {answer.url}", "check the base URL")

    def _target(self, place: str, url: str) -> httpx.URL:
        # A path is set, not joined: joined, //host/ would be another host.
        return self._base.copy_with(raw_path=url.encode()) if url.startswith("/") else _parsed(place, url)

    def _within(self, place: str, url: httpx.URL) -> httpx.URL:
        if _origin(url) != _origin(self._base) or url.userinfo:
            what = f"a next page or redirect leads to {self._shown(url)}, away from {self._shown(self._base)}"
            raise Refused(place, what, "check the base URL")
        return url

    async def _guarded(self, place: str, url: httpx.URL, headers: dict[str, str]) -> tuple[Answer, str | None]:
        try:
            # httpx limits each read; a system that trickles would still take for ever.
            async with asyncio.timeout(10 * self._timeout_s):
                return await self._send(place, url, headers)
        except (httpx.TimeoutException, TimeoutError):
            what = f"no answer from {self._shown(url)} within {self._timeout_s:g} s"
            raise Unavailable(place, what, "raise `timeout_s` or run again later", again=True) from None
        except httpx.DecodingError:
            raise BadAnswer(place, f"broken compression from {self._shown(url)}", again=True) from None
        except httpx.TransportError as error:
            raise self._unreachable(place, url, error) from None

    async def _send(self, place: str, url: httpx.URL, headers: dict[str, str]) -> tuple[Answer, str | None]:
        self.sent += 1
        async with self._http.stream("GET", url, headers=headers) as response:
            body = await self._body(place, url, response)
        said = response.headers
        wait_s = wait_asked(said.get("Retry-After"), said.get("Date"))
        answer = Answer(self._shown(url), response.status_code, body, http_date(said.get("Date")), wait_s)
        return answer, said.get("Location") if response.is_redirect else None

    async def _body(self, place: str, url: httpx.URL, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._largest:
                what = f"more than {self._largest:,} bytes from {self._shown(url)}"
                raise BadAnswer(place, what, "ask for smaller pages with `size`")
            chunks.append(chunk)
        return b"".join(chunks)

    def _shown(self, url: httpx.URL) -> str:
        port = f":{url.port}" if url.port else ""
        return self._mask(f"{url.scheme}://{url.host}{port}{url.path}")

    def _unreachable(self, place: str, url: httpx.URL, error: Exception) -> ConnectorError:
        if _untrusted(error):
            what = f"the certificate of {self._shown(url)} cannot be verified"
            return Unavailable(place, what, "check the base URL and the machine's certificates")
        what = f"{self._shown(url)} cannot be reached ({type(error).__name__})"
        return Unavailable(place, what, "check the base URL and that the system is up", again=True)


async def fetch(place: str, url: str, *, timeout_s: float, largest_bytes: int) -> bytes:
    """The body of a 200 answer to one GET of a public document; no redirect is followed, nothing secret is sent.

    Only https, or http to this machine. Raises Rejected, Unavailable or BadAnswer.
    """
    target = _parsed(place, url)
    local = target.host in LOOPBACK
    if target.scheme != "https" and not (target.scheme == "http" and local):
        raise Rejected(place, f"{target.scheme}://{target.host} is not safe", "use https://")
    shown = f"{target.scheme}://{target.host}{target.path}"
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(headers=HEADERS, timeout=timeout_s, trust_env=not local) as client,
            client.stream("GET", target) as response,
        ):
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > largest_bytes:
                    raise BadAnswer(place, f"more than {largest_bytes:,} bytes from {shown}")
    except (httpx.HTTPError, TimeoutError) as error:
        raise Unavailable(place, f"no answer from {shown} ({type(error).__name__})", "check the URL") from None
    if response.status_code != 200:
        raise Unavailable(place, f"{response.status_code} from {shown}", "check the URL")
    return body


def _parsed(place: str, url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise Rejected(place, "a URL cannot be read", "check the base URL, `get` and `next`") from None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or PORTS.get(url.scheme)


def _untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
