"""What search and sorting look a customer up by. In: names, e-mails, phones, or what somebody typed. Out: tokens.

SQLite folds ASCII only, so folding is done in Python, the same for what is stored and for what is asked.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from hub.identity.normalise.words import folded
from mappings.converting.countries import CALLING_CODES

LONGEST_TOKEN = 64
_WORD = re.compile(r"[^\W_]+")
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def sort_key(name: str) -> str:
    """The form by which names are sorted: folded, white space narrowed."""
    return " ".join(folded(name).split())


def words(value: str) -> frozenset[str]:
    """The folded words of a name or of a search text: letters and digits, cut at 64 signs."""
    return frozenset(word[:LONGEST_TOKEN] for word in _WORD.findall(folded(value)))


def name_tokens(value: str) -> frozenset[str]:
    """The words of a name in both spellings: Müller is found as muller and as mueller."""
    return words(value) | words(spelt_out(value))


def spelt_out(value: str) -> str:
    """The text with umlauts as two letters, as they are written where a keyboard has none."""
    return normalize("NFC", value).casefold().translate(_SPELT_OUT)


def email_tokens(address: str) -> frozenset[str]:
    """The folded address and the words before its @; a domain says too little to search by."""
    plain = folded(address.strip())
    return words(plain.rpartition("@")[0]) | {plain[:LONGEST_TOKEN]}


def spellings(text: str) -> list[frozenset[str]]:
    """Each word of a search text in the spellings that a name may have it in."""
    return [words(word) | words(spelt_out(word)) for word in _WORD.findall(normalize("NFC", text))]


def phone_digits(phone: str) -> str:
    """The digits of a phone number without leading zeros, so that +49 151, +49 (0) 151 and 0049 151 agree."""
    return "".join(sign for sign in phone.replace("(0)", "") if sign in "0123456789").lstrip("0")[:LONGEST_TOKEN]


def phone_tokens(phone: str) -> frozenset[str]:
    """What a stored number is found by: its digits, and those behind the country's code, for who dials 0151."""
    digits = phone_digits(phone)
    sizes = [size for size in (1, 2, 3) if int(digits[:size] or 0) in CALLING_CODES]
    behind = {digits[size:] for size in sizes} if phone.startswith("+") else set()
    return frozenset({digits, *behind} - {""})
