"""What tells organizations apart by law or by name of the net. In: identifiers, countries and e-mails as stated.
Out: VAT and register numbers as `country:number`, and the domains that are an organization's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from hub.identity.normalise.words import REMEMBERED, folded
from mappings.identity import Identity

VAT, REGISTER, COURT, TAX, LEI, DUNS = "vat", "register", "court", "tax", "lei", "duns"
LEI_LENGTH, DUNS_LENGTH = 20, 9  # ISO 17442; Dun & Bradstreet
SHORTEST_COUNT = 8  # digits in a row, 12345678, from which a number is taken for a placeholder
SHORTEST, LONGEST = 5, 30  # digits, and all signs, of a number that tells organizations apart

# How VAT numbers read behind the country's letters (Directive 2006/112/EC, article 215; CH, GB and NO: own law).
_VAT = {
    "AT": r"U\d{8}", "BE": r"[01]?\d{9}", "BG": r"\d{9,10}", "CH": r"E\d{9}", "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}", "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}", "FR": r"[A-Z0-9]{2}\d{9}", "GB": r"\d{9}(?:\d{3})?|(?:GD|HA)\d{3}", "GR": r"\d{9}",
    "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9]\d{5}[A-Z]{1,2}", "IT": r"\d{11}", "LT": r"\d{9}(?:\d{3})?",
    "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}(?:B\d{2})?", "NO": r"\d{9}", "PL": r"\d{10}",
    "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{10}(?:01)?", "SI": r"\d{8}", "SK": r"\d{10}",
}  # fmt: skip
_OTHER_LETTERS = {"EL": "GR", "XI": "GB"}
_SUFFIX = re.compile(r"(?:MWST|TVA|IVA|HR|MVA)$")
# Where the VAT number holds the number of the register, or only its beginning says who it is.
_REGISTER_IN_VAT = {
    "BE": slice(0, 10), "CH": slice(1, 10), "DK": slice(0, 8), "FI": slice(0, 8), "FR": slice(-9, None),
    "NO": slice(0, 9), "SE": slice(0, 10),
}  # fmt: skip
_KEPT = {"GB": 9, "NL": 9, "SE": 10}
_REGISTER_LENGTH = {"BE": 10, "DK": 8, "FI": 8, "FR": 9, "GB": 8, "NL": 8, "NO": 9, "SE": 10}
_COURT = re.compile(r"(HRA|HRB|GNR|PR|VR)0*(\d+)([A-Z]{0,2})$")


class Registers:
    """The company's words for such numbers and domains, ready for use; remembers what it read."""

    def __init__(self, rules: Identity) -> None:
        self._kinds = {folded(s): kind for kind, systems in rules.registrations.systems.items() for s in systems}
        self._countries = {folded(s): code for code, systems in rules.registrations.countries.items() for s in systems}
        domains = rules.organization_domains
        self._stated = frozenset(folded(system) for system in domains.stated)
        self._suffixes = frozenset(domains.suffixes)
        self._nobodys = frozenset(domains.shared) | frozenset(rules.freemail) | frozenset(rules.disposable)
        self._domains: dict[str, str | None] = {}

    def is_id(self, system: str) -> bool:
        """Whether an identifier of this system is the id of a record somewhere, not of a register, and no domain."""
        return folded(system) not in self._kinds and not self.is_domain(system)

    def is_domain(self, system: str) -> bool:
        """Whether identifiers of this system are domains or websites."""
        return folded(system) in self._stated

    def registrations(
        self, identifiers: Iterable[tuple[str, str]], countries: Collection[str]
    ) -> tuple[tuple[str, str], ...]:
        """(kind, `country:number`), sorted; numbers that nobody can have are left out."""
        found: set[tuple[str, str]] = set()
        for system, value in identifiers:
            plain = folded(system)
            if kind := self._kinds.get(plain):
                own = self._countries.get(plain)
                found.update(registrations_of(kind, value, (own,) if own else countries))
        return tuple(sorted(found))

    def domains(self, emails: Iterable[str], identifiers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """An organization's own domains, of its addresses (in comparison form) and of those it states, sorted."""
        hosts = [email.rpartition("@")[2] for email in emails]
        hosts += [value for system, value in identifiers if self.is_domain(system)]
        return tuple(sorted({domain for host in hosts if (domain := self._domain(host))}))

    def _domain(self, host: str) -> str | None:
        if host not in self._domains:
            if len(self._domains) >= REMEMBERED:
                self._domains.clear()
            self._domains[host] = self._registered(host)
        return self._domains[host]

    def _registered(self, said: str) -> str | None:
        """The domain that was registered, without host names; None where it is nobody's own."""
        host = re.sub(r"^[a-z]+://", "", said.strip().casefold())
        host = re.split(r"[/?#:\s]", host.rpartition("@")[2], maxsplit=1)[0].strip(".")
        labels = host.split(".")
        if len(labels) < 2 or not all(labels) or labels[-1].isdigit():
            return None
        taken = 3 if ".".join(labels[-2:]) in self._suffixes else 2
        domain = ".".join(labels[-taken:])
        nobodys = len(labels) < taken or domain in self._nobodys or host in self._nobodys
        return None if nobodys else domain


def registrations_of(kind: str, value: str, countries: Collection[str]) -> Iterable[tuple[str, str]]:
    """What one stated number says; nothing for a placeholder."""
    text = "".join(c for c in value.upper() if c.isalnum())
    if _placeholder(text):
        return ()
    if kind == VAT:
        return _vat(text, countries)
    if kind == REGISTER:
        return _register(text, countries)
    if kind == LEI:
        return ((LEI, f":{text}"),) if len(text) == LEI_LENGTH else ()
    if kind == DUNS:
        return ((DUNS, f":{text.zfill(DUNS_LENGTH)}"),) if text.isdigit() and len(text) <= DUNS_LENGTH else ()
    return ((TAX, f"{_only(countries)}:{text}"),)


def country_of(number: str) -> str:
    """The country that a number is of; empty where nobody said it, and where it holds everywhere."""
    return number.partition(":")[0]


def _placeholder(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())
    counted = len(digits) >= SHORTEST_COUNT and (digits in "01234567890" or digits in "9876543210")
    return len(digits) < SHORTEST or len(set(digits)) == 1 or counted or len(text) > LONGEST


def _vat(text: str, countries: Collection[str]) -> Iterable[tuple[str, str]]:
    text = _SUFFIX.sub("", text)
    letters = _OTHER_LETTERS.get(text[:2], text[:2])
    pattern = _VAT.get(letters)
    if pattern and re.fullmatch(pattern, text[2:]):
        return _with_register(letters, text[2:])
    fitting = [code for code in countries if code in _VAT and re.fullmatch(_VAT[code], text)]
    if len(fitting) == 1:
        return _with_register(fitting[0], text)
    country = _only(countries)
    return ((VAT, f"{country}:{text.removeprefix(country)}"),)


def _with_register(country: str, number: str) -> Iterable[tuple[str, str]]:
    if country == "BE":
        number = number.zfill(10)
    yield VAT, f"{country}:{number[: _KEPT.get(country)]}"
    if country in _REGISTER_IN_VAT:
        yield REGISTER, f"{country}:{number[_REGISTER_IN_VAT[country]]}"


def _register(text: str, countries: Collection[str]) -> Iterable[tuple[str, str]]:
    country = _only(countries)
    court = _COURT.search(text)
    if court:  # counted by each court anew
        return ((COURT, f"DE:{court[1]}{court[2]}{court[3]}"),)
    text = text.removeprefix(country)
    if country == "CH":
        text = text.removeprefix("CHE").removeprefix("E")
    if country == "FR" and len(text) == 14:
        text = text[:9]  # the number of the company, without that of the site
    if text.isdigit() and country in _REGISTER_LENGTH:
        text = text.zfill(_REGISTER_LENGTH[country])
    return ((REGISTER, f"{country}:{text}"),)


def _only(countries: Collection[str]) -> str:
    return next(iter(countries)) if len(countries) == 1 else ""
