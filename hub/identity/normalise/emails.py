"""E-mail addresses for comparison. In: an address as mapped, and the rules. Out: one form for each inbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.identity.normalise.patterns import Patterns
from hub.identity.normalise.words import folded, shown
from mappings.identity import Identity, Provider

LONG = 4  # letters of a word that says what an inbox is for even where more follows


class _Inboxes(NamedTuple):
    """What a provider makes of the addresses in one of its domains."""

    domain: str
    ignores: dict[int, None]
    tag: str


class Emails:
    """The rules about addresses, ready to be asked."""

    def __init__(self, rules: Identity) -> None:
        self._plus_tags = rules.plus_tags
        self._inboxes = _inboxes(rules.mail_providers.values())
        self._parents = frozenset(d for p in rules.mail_providers.values() if p.subdomains for d in p.domains)
        self._mistyped = {wrong: right for right, wrongs in rules.mistyped_domains.items() for wrong in wrongs}
        folded_patterns = [pattern.casefold() for pattern in rules.junk.emails]
        self._junk_names = frozenset(p[:-2] for p in folded_patterns if p.endswith("@*") and "*" not in p[:-2])
        self._junk = Patterns(p for p in folded_patterns if p[:-2] not in self._junk_names or not p.endswith("@*"))
        self._roles = frozenset(folded(inbox) for inbox in rules.role_inboxes)

    def email(self, value: str) -> str | None:
        """The inbox that the address reaches: without tag, one domain of a provider's several. None for junk and for
        what is no address. A second time changes nothing.
        """
        name, at, domain = shown(value).strip().casefold().removeprefix("mailto:").rpartition("@")
        if not (at and name and domain):
            return None
        if not domain.isascii() or domain.endswith("."):
            domain = _plain_domain(domain)
        domain = self._mistyped.get(domain, domain)
        if self._plus_tags and "+" in name:
            name = name.partition("+")[0] or name
        inboxes = self._inboxes.get(domain)
        if inboxes is not None:
            domain = inboxes.domain
            name = (inboxes.tag and name.partition(inboxes.tag)[0]) or name
            name = (inboxes.ignores and name.translate(inboxes.ignores)) or name
        elif domain.count(".") > 1:
            name, domain = self._of_subdomain(name, domain)
        email = f"{name}@{domain}"
        return None if name in self._junk_names or self._junk.match(email) else email

    def _of_subdomain(self, name: str, domain: str) -> tuple[str, str]:
        user, _, parent = domain.partition(".")
        return (user, parent) if parent in self._parents else (name, domain)

    def role_inbox(self, email: str) -> bool:
        """Whether several people are meant to read this inbox; also of `info.berlin` and `sales-emea`."""
        name = email.partition("@")[0].partition("+")[0]
        if name in self._roles:
            return True
        plain = (name if name.isascii() else folded(name)).replace("-", ".").replace("_", ".")
        first, more, _ = plain.partition(".")
        # Short words before a dot are as often initials or names: it.schmidt, ar.khan.
        return plain in self._roles or (first in self._roles and (not more or len(first) >= LONG))


def _inboxes(providers: Iterable[Provider]) -> Mapping[str, _Inboxes]:
    return {
        domain: _Inboxes(said.domains[0] if said.one else domain, {ord(c): None for c in said.ignores}, said.tag)
        for said in providers
        for domain in said.domains
        if said.one or said.ignores or said.tag
    }


def _plain_domain(domain: str) -> str:
    """The domain as it goes over the wire: xn-- for letters outside the basic alphabet, no dot at its end."""
    domain = domain.rstrip(".")
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain
