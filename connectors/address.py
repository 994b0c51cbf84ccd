"""Which hosts may be reached. In: a source's base URLs, listed hosts, token addresses. Out: known, trusted, refused.

A machine's link-local addresses, among them those where clouds give out the machine's own credentials, answer whoever
is on the machine. Private networks are allowed: companies have systems there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from mappings.loader import Source
from mappings.spec import Auth

Origin = tuple[str, str, int | None]  # scheme, host, port

PORTS = {"http": 80, "https": 443}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
# Metadata services of clouds outside 169.254.0.0/16.
SERVICES = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"))
)
TRANSLATED = IPv6Network("64:ff9b::/96")  # an IPv4 address behind NAT64, RFC 6052


@dataclass(frozen=True, slots=True)
class Hosts:
    """The origins of one source: those that credentials may go to, and those beside them that may be asked."""

    trusted: frozenset[Origin]
    listed: frozenset[Origin]

    def knows(self, origin: Origin) -> bool:
        """Whether anything may be sent there."""
        return origin in self.trusted or origin in self.listed

    def trusts(self, origin: Origin) -> bool:
        """Whether credentials may be sent there."""
        return origin in self.trusted


def list_hosts(source: Source, origin: Callable[[str], Origin]) -> Hosts:
    """The hosts of a source: base URLs are trusted, so are addresses of tokens where their host is listed.

    A listed host is asked by https only, one on this machine also by http.
    """
    http, streams = source.system.http, source.system.streams.values()
    said = [http.base_url, *(stream.base_url for stream in streams if stream.base_url)]
    bases = {origin(source.fill(url)) for url in said}
    listed = {found for host in http.hosts for found in _origins(source.fill(host), origin)}
    tokens = {origin(source.fill(url)) for auth in (http.auth, *(s.auth for s in streams)) for url in _token_urls(auth)}
    return Hosts(frozenset(bases | tokens & listed), frozenset(listed))


def _origins(host: str, origin: Callable[[str], Origin]) -> Iterator[Origin]:
    yield (safe := origin(f"https://{host}"))
    if safe[1] in LOOPBACK:
        yield origin(f"http://{host}")


def _token_urls(auth: Auth | None) -> Iterator[str]:
    for way in (auth.oauth2, auth.jwt) if auth else ():
        if way is not None and not way.token_url.startswith("/"):
            yield way.token_url


def forbidden(host: str) -> bool:
    """Whether this is a link-local or metadata address, in any notation that holds an IPv4 one, or a name of it."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return name in NAMES
    return any(found.is_link_local or found in SERVICES for found in (address, *_within(address)))


def _within(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    held = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in TRANSLATED or int(address) >> 32 == 0:
        held.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [found for found in held if found is not None]
