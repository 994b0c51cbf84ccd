"""What search and sorting look a customer up by. In: names, e-mails, phones, or what somebody typed. Out: tokens.

SQLite folds ASCII only, so folding is done in Python, the same for what is stored and for what is asked.
"""

from __future__ import annotations

import re

from hub.identity.normalise import folded

LONGEST_TOKEN = 64
_WORD = re.compile(r"[^\W_]+")


def sort_key(name: str) -> str:
    """The form by which names are sorted: folded, white space narrowed."""
    return " ".join(folded(name).split())


def words(value: str) -> frozenset[str]:
    """The folded words of a name or of a search text: letters and digits, cut at 64 signs."""
    return frozenset(word[:LONGEST_TOKEN] for word in _WORD.findall(folded(value)))


def email_tokens(address: str) -> frozenset[str]:
    """The folded address and the words before its @; a domain says too little to search by."""
    plain = folded(address.strip())
    return words(plain.rpartition("@")[0]) | {plain[:LONGEST_TOKEN]}


def phone_tokens(phone: str) -> frozenset[str]:
    """The digits of a phone number without leading zeros, so that +49 151 and 0049 151 agree."""
    digits = "".join(sign for sign in phone if sign in "0123456789").lstrip("0")
    return frozenset({digits[:LONGEST_TOKEN]} if digits else ())
