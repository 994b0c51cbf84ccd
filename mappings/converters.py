"""In: one value of a source, not null. Out: the canonical value, None for an empty one; UnfitError where it is none.

Every converter takes the value and at most one thing more (a zone, a region, a lexicon), which the compiler binds.
CONVERTERS is the registry that mapping files name them by.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import phonenumbers

from mappings.converting.countries import country_code
from mappings.converting.instants import epoch_ms, epoch_s, epoch_us, eu_date, iso, iso_date, us_date
from mappings.converting.lexicon import intent
from mappings.converting.quantities import clock, currency, flag, months, number, ratio
from mappings.model import Type
from mappings.values import UnfitError, plain

TEXT_LIMIT = 4_000
_EMAIL = re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;:\"().]{2,}")
_TAG = re.compile(r"(<[^<>]*>)")
_UNSEEN = re.compile(r"</?(script|style)\b", re.IGNORECASE)


def text(value: Any) -> str | None:
    """Plain text without HTML, white space folded, at most 4,000 characters."""
    said = plain(value)
    if said is None:
        return None
    if "<" in said or "&" in said:
        said = html.unescape(_seen(said[: TEXT_LIMIT * 10]))
    return plain(" ".join(said.split())[:TEXT_LIMIT])


def _seen(markup: str) -> str:
    """What a reader sees: without tags, and without what stands in a script or a style."""
    shown: list[str] = []
    hidden: str | None = None
    for place, part in enumerate(_TAG.split(markup)):
        tag = _UNSEEN.match(part) if place % 2 else None
        if hidden is None and tag is not None and part[1] != "/":
            hidden = tag[1].lower()
        elif tag is not None and part[1] == "/" and tag[1].lower() == hidden:
            hidden = None
        elif hidden is None:
            shown.append(" " if place % 2 else part)
    return "".join(shown)


def lower(value: Any) -> str | None:
    """Text in lower case."""
    said = plain(value)
    return None if said is None else said.lower()


def upper(value: Any) -> str | None:
    """Text in upper case."""
    said = plain(value)
    return None if said is None else said.upper()


def given_name(value: Any) -> str | None:
    """The given name in a full name: `Ada Lovelace` and `Lovelace, Ada` give Ada; a single word gives nothing."""
    said = plain(value)
    family, comma, given = (said or "").partition(",")
    words = (given if comma else family).split()
    return words[0] if words and (comma or len(words) > 1) else None


def family_name(value: Any) -> str | None:
    """The family name in a full name: all but the first word, or what stands before the comma."""
    said = plain(value)
    family, comma, _ = (said or "").partition(",")
    words = family.split()
    return (" ".join(words) if comma else " ".join(words[1:])) or None


def url_path(value: Any) -> str | None:
    """The path of a URL, without host, query and fragment."""
    said = plain(value)
    try:
        return None if said is None else urlsplit(said).path or "/"
    except ValueError:
        raise UnfitError("a text that is no URL") from None


def email(value: Any) -> str | None:
    """A folded e-mail address; what is none (`n/a`) gives nothing."""
    said = plain(value)
    if said is None:
        return None
    said = said.removeprefix("mailto:").lower()
    return said if len(said) <= 254 and _EMAIL.fullmatch(said) else None


def handle(value: Any) -> str | None:
    """A name on a social network in lower case, without the @ before it."""
    said = plain(value)
    return None if said is None else said.lower().removeprefix("@") or None


@lru_cache(maxsize=65_536)
def _e164(value: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone(value: Any, region: str) -> str | None:
    """A phone number as E.164, a national one in `region`; what is none (`unknown`) gives nothing."""
    said = plain(value)
    return None if said is None else _e164(said[:60], region)


def country(value: Any) -> str | None:
    """ISO 3166-1 alpha-2 of a code or common name; an unknown one gives nothing."""
    said = plain(value)
    return None if said is None else country_code(said)


def language(value: Any) -> str | None:
    """ISO 639-1 of a locale (`de-AT`, `en_US`); the first of a list; what is none gives nothing."""
    if isinstance(value, list):
        value = value[0] if value else ""
    said = plain(value) if value is not None else None
    found = re.match(r"([A-Za-z]{2})(?![A-Za-z])", said or "")
    return found[1].lower() if found else None


@dataclass(frozen=True, slots=True)
class Converter:
    """A named conversion: what it yields, and what else it takes (zone, region, lexicon)."""

    call: Callable[..., Any]
    yields: Type
    takes: str | None = None

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return (self.call.__doc__ or "").strip()


CONVERTERS: dict[str, Converter] = {
    "epoch_s": Converter(epoch_s, Type.INSTANT),
    "epoch_ms": Converter(epoch_ms, Type.INSTANT),
    "epoch_us": Converter(epoch_us, Type.INSTANT),
    "iso": Converter(iso, Type.INSTANT, "zone"),
    "date": Converter(iso_date, Type.DATE),
    "us_date": Converter(us_date, Type.DATE),
    "eu_date": Converter(eu_date, Type.DATE),
    "email": Converter(email, Type.TEXT),
    "phone": Converter(phone, Type.TEXT, "region"),
    "handle": Converter(handle, Type.TEXT),
    "country": Converter(country, Type.TEXT),
    "language": Converter(language, Type.TEXT),
    "currency": Converter(currency, Type.CURRENCY),
    "bool": Converter(flag, Type.FLAG),
    "int": Converter(number, Type.NUMBER),
    "ratio": Converter(ratio, Type.RATIO),
    "months": Converter(months, Type.NUMBER),
    "clock": Converter(clock, Type.NUMBER),
    "lower": Converter(lower, Type.TEXT),
    "upper": Converter(upper, Type.TEXT),
    "strip": Converter(plain, Type.TEXT),
    "text": Converter(text, Type.TEXT),
    "given_name": Converter(given_name, Type.TEXT),
    "family_name": Converter(family_name, Type.TEXT),
    "url_path": Converter(url_path, Type.TEXT),
    "intent": Converter(intent, Type.CHOICE, "lexicon"),
}
