"""Phone numbers and devices for comparison. In: values as mapped, and the rules. Out: forms that are equal where the
line or the device is, None for junk.
"""

from __future__ import annotations

import re

from hub.identity.normalise.patterns import Patterns
from hub.identity.normalise.words import REMEMBERED_WHOLE, Remembered
from mappings.converters import phone as e164
from mappings.identity import Identity

SHORTEST = 7  # digits of a number that somebody far away can call
_EXTENSION = re.compile(r"[;,]?\s*(?:ext(?:ension)?|x|durchwahl|dw|poste|#)\.?[\s=:]*\d{1,6}\s*$", re.IGNORECASE)


class Phones:
    """The rules about numbers; remembers what it was asked."""

    def __init__(self, rules: Identity, region: str) -> None:
        self._region = region
        self._junk = Patterns(rules.junk.phones)
        self._international = Remembered(self._compared, REMEMBERED_WHOLE)
        self._countries: dict[str, Remembered[str | None]] = {}

    def phone(self, value: str, country: str = "") -> str | None:
        """The number as E.164, a national one in `country` or else in the company's; without its extension. What
        cannot be read keeps its digits; None for junk: too short, one digit over and over, or listed.
        """
        if value[:1] == "+" and value[1:].isdecimal():
            return self._international[value]
        if country not in self._countries:
            self._countries[country] = Remembered(
                lambda said: self._compared(self._read(said.strip(), country)), REMEMBERED_WHOLE
            )
        return self._countries[country][value]

    def _compared(self, number: str) -> str | None:
        digits = number.lstrip("+")
        if len(digits) < SHORTEST or digits[-SHORTEST:] == digits[-1] * SHORTEST or self._junk.match(digits):
            return None
        return number

    def _read(self, value: str, country: str) -> str:
        value = _EXTENSION.sub("", value)
        read = e164(value, country or self._region) if country or self._region else None
        if read is None and country and country != self._region:
            read = e164(value, self._region)
        if read is not None:
            return read
        digits = "".join(c for c in value if c.isdecimal())
        return f"+{digits}" if value.startswith("+") else digits


class Devices:
    """The rules about ids of devices and cookies."""

    def __init__(self, rules: Identity) -> None:
        self._junk = Patterns(value.casefold() for value in rules.junk.devices)

    def device(self, value: str) -> str | None:
        """The id without blanks around it; None for junk: nothing but zeros, or listed."""
        value = value.strip()
        return None if not value.strip("0-.: ") or self._junk.match(value.casefold()) else value
