"""The network: the only import of httpx. In: a request to the source's own hosts. Out: the bytes that it answers."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, TypeVar

import httpx

from connectors.address import LOOPBACK, PORTS, Hosts, Origin, forbidden, list_hosts
from connectors.errors import BadAnswer, ConnectorError, Refused, Rejected, Unauthorized, Unavailable
from connectors.retry import http_date, wait_asked
from connectors.secrets import Secrets
from mappings.loader import Source

T = TypeVar("T")

REDIRECTS = 3
TURNS_TO_GET = (301, 302, 303)  # what these make of a POST differs from system to system
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "customer-hub"}
BARE = frozenset({"accept", "accept-language", "content-type"})  # what a host that is no base URL's is told

# httpx logs each URL with its query, httpcore the headers of answers: both may hold a token.
logging.getLogger("httpx").addFilter(lambda record: False)
logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Sending:
    """A request as it is to be sent; nothing of it shows in a repr.

    `url` is absolute, or a path and query on the base URL's host. `turn` counts the credentials of who signed it.
    """

    method: str = field(repr=False)
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    turn: int = field(default=0, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system answered: `url` comes without its query, `date` and `wait_s` from its headers where they say so.

    `headers` has lower-case names and finds them in any case; `cookies` are those that the answer sets.
    """

    url: str
    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    date: datetime | None = None
    wait_s: float | None = None
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


class Client:
    """Connections to the hosts of one source, kept alive and shared by its streams.

    Sends nothing to a host that is neither a base URL's nor listed, whatever a page or a redirect says; credentials go
    to the hosts of base URLs and of listed token addresses only. `sent` counts requests, `secrets` hides them.
    """

    def __init__(self, source: Source, *, largest_bytes: int | None = None) -> None:
        if source.missing:
            raise Unauthorized(source.name, "a setting is missing", f"set {', '.join(source.missing)}")
        spec = source.system.http
        self.secrets, self.sent = Secrets(source), 0
        self._base, self._hosts = _base(source.name, source.fill(spec.base_url)), _hosts(source)
        self._timeout_s, self._largest = spec.timeout_s, largest_bytes or spec.largest_mb << 20
        self._unbroken: set[asyncio.Task[Any]] = set()
        self._http = httpx.AsyncClient(
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a session belongs to who logged in
            timeout=httpx.Timeout(spec.timeout_s),
            limits=httpx.Limits(max_connections=spec.concurrency + 1, max_keepalive_connections=spec.concurrency + 1),
            trust_env=self._base.host not in LOOPBACK,  # a proxy of the environment cannot reach our loopback
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._unbroken, return_exceptions=True)
        await self._http.aclose()

    def unbroken(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """The work as a task that is finished before the client closes, though all who wait for it were cancelled."""
        task = asyncio.create_task(work)
        self._unbroken.add(task)
        task.add_done_callback(self._unbroken.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def own(self, place: str, url: str, beside: str) -> str:
        """The path and query of a URL, relative to `beside` or not; the whole of it where it is on another known host.

        What was given for this session only, as a token in its query, is taken out. Refused where it is on any other.
        """
        asked = self._target(place, beside)
        target = asked.join(_parsed(place, url)).copy_with(fragment=None)
        self._check(place, target)
        said = target.query.decode()
        if (query := self.secrets.unlearned(said)) != said:
            target = target.copy_with(query=query.encode() or None)
        return target.raw_path.decode() if _origin(target) == _origin(asked) else str(target)

    def written(self, place: str, url: str) -> str:
        """The absolute URL, letter by letter as it is sent."""
        return str(self._target(place, url).copy_with(fragment=None))

    async def send(self, place: str, sending: Sending, *, redirects: int = REDIRECTS) -> Answer:
        """The answer, whatever its status; so many redirects are followed, none of a POST that would become a GET.

        Raises Refused before anything is sent elsewhere, Unavailable where no answer comes, BadAnswer where it is too
        large or its compression is broken.
        """
        target = self._target(place, sending.url)
        if not self._hosts.trusts(_origin(target)):
            target, sending = self._bare(place, target, sending)
        for left in range(redirects, -1, -1):
            self._check(place, target)
            answer, location = await self._guarded(place, target, sending)
            if location is None or not redirects:
                return answer
            if left:
                target, sending = self._redirected(place, answer, target, location, sending)
        raise BadAnswer(place, f"more than {redirects} redirects from {answer.url}", "check the base URL")

    def _redirected(
        self, place: str, answer: Answer, target: httpx.URL, location: str, sending: Sending
    ) -> tuple[httpx.URL, Sending]:
        following = target.join(_parsed(place, location)).copy_with(fragment=None)
        self._check(place, following)
        if answer.status in TURNS_TO_GET and sending.method not in ("GET", "HEAD"):
            what = f"{answer.status} from {answer.url}: a redirect that would make a GET of a {sending.method}"
            raise Rejected(place, what, f"check the base URL and the path: it leads to {self._shown(following)}")
        if _origin(following) == _origin(target):
            return following, sending
        return self._bare(place, following, sending)

    def _bare(self, place: str, target: httpx.URL, sending: Sending) -> tuple[httpx.URL, Sending]:
        """The request without anything that lets in: another host learns no credential."""
        self._check(place, target)
        if sending.body is not None:
            what = f"a body would go to {self._shown(target)}, away from {self._shown(self._base)}"
            raise Refused(place, what, "say the address as the stream's `base_url`")
        params = [(n, v) for n, v in target.params.multi_items() if not self.secrets.within(v)]
        if len(params) < len(target.params.multi_items()):
            target = target.copy_with(params=params)
        headers = {n: v for n, v in sending.headers.items() if n.lower() in BARE and not self.secrets.within(v)}
        return target, replace(sending, headers=headers)

    def _target(self, place: str, url: str) -> httpx.URL:
        # A path is set, not joined: joined, //host/ would be another host.
        return self._base.copy_with(raw_path=url.encode()) if url.startswith("/") else _parsed(place, url)

    def _check(self, place: str, url: httpx.URL) -> None:
        if forbidden(url.host):
            raise Refused(place, f"{self._shown(url)} is this machine's own address", "name the system's address")
        if not self._hosts.knows(_origin(url)) or url.userinfo:
            what = f"a next page or redirect leads to {self._shown(url)}, away from {self._shown(self._base)}"
            raise Refused(place, what, "check the base URL, or list the host under `hosts`")

    async def _guarded(self, place: str, url: httpx.URL, sending: Sending) -> tuple[Answer, str | None]:
        try:
            # httpx limits each read; a system that trickles would still take for ever.
            async with asyncio.timeout(10 * self._timeout_s):
                return await self._send(place, url, sending)
        except (httpx.TimeoutException, TimeoutError):
            what = f"no answer from {self._shown(url)} within {self._timeout_s:g} s"
            raise Unavailable(place, what, "raise `timeout_s` or run again later", again=True) from None
        except httpx.DecodingError:
            raise BadAnswer(place, f"broken compression from {self._shown(url)}", again=True) from None
        except httpx.TransportError as error:
            raise self._unreachable(place, url, error) from None

    async def _send(self, place: str, url: httpx.URL, sending: Sending) -> tuple[Answer, str | None]:
        self.sent += 1
        request = self._http.stream(
            sending.method,
            url,
            headers=sending.headers,
            content=sending.body,
            extensions={"trace": partial(self._met, place, url)},
        )
        async with request as response:
            body = await self._body(place, url, response)
        said = response.headers
        wait_s = wait_asked(said.get("Retry-After"), said.get("Date"))
        cookies = _cookies(said.get_list("set-cookie"))
        answer = Answer(
            self._shown(url), response.status_code, body, said, http_date(said.get("Date")), wait_s, cookies
        )
        return answer, said["Location"] if response.has_redirect_location else None

    async def _met(self, place: str, url: httpx.URL, event: str, info: dict[str, Any]) -> None:
        # Looked at once connected, before a byte is sent: a name may lead anywhere, and elsewhere the next time.
        if event.endswith("connect_tcp.complete"):
            stream = info["return_value"]
            if forbidden(str(stream.get_extra_info("server_addr")[0])):
                await stream.aclose()
                raise Refused(place, f"{self._shown(url)} leads to this machine's own address", "check the base URL")

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
        return self.secrets.mask(f"{url.scheme}://{url.host}{port}{url.path}")

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


def _hosts(source: Source) -> Hosts:
    return list_hosts(source, lambda url: _origin(_base(source.name, url)))


def _base(place: str, url: str) -> httpx.URL:
    base = _parsed(place, url)
    if base.scheme not in PORTS or not base.host or base.userinfo:
        raise Rejected(place, "the base URL is not of the form https://host/path", "put credentials under `auth`")
    return base


def _parsed(place: str, url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise Rejected(place, "a URL cannot be read", "check the base URL, `get` and `next`") from None


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port or PORTS.get(url.scheme)


def _cookies(said: list[str]) -> dict[str, str]:
    pairs = (cookie.partition(";")[0].partition("=") for cookie in said)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
