"""What goes wrong when names, addresses and dates are typed, heard or scanned. In: a text and chance. Out: a text.

The kinds of errors are those that studies of keyed data name (Damerau 1964; Pollock & Zamora 1984): four in five are
one letter too many, too few, wrong or swapped with the next; the rest are heard or read wrongly.
"""

from __future__ import annotations

from random import Random
from unicodedata import combining, normalize

_ROWS = ("qwertzuiop", "asdfghjkl", "yxcvbnm")
_NEXT = {letter: row[max(0, at - 1) : at] + row[at + 1 : at + 2] for row in _ROWS for at, letter in enumerate(row)}
_HEARD = (
    ("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "ck"), ("th", "t"), ("t", "th"), ("y", "i"), ("i", "y"), ("ei", "ai"),
    ("ai", "ei"), ("ei", "ey"), ("tt", "t"), ("ss", "s"), ("ff", "f"), ("nn", "n"), ("ll", "l"), ("mm", "m"),
    ("c", "k"), ("z", "s"), ("ie", "i"), ("ai", "ay"), ("v", "f"), ("w", "v"), ("ou", "u"), ("ee", "ea"), ("dt", "t"),
)  # fmt: skip
_READ = (("l", "1"), ("o", "0"), ("rn", "m"), ("m", "rn"), ("i", "l"), ("e", "c"), ("cl", "d"), ("h", "b"), ("u", "v"))
_DIGITS_READ = {"1": "7", "7": "1", "0": "8", "8": "0", "5": "6", "6": "5", "3": "8"}
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "o", "ł": "l"}
)


def mistyped(text: str, chance: Random) -> str:
    """The text with one keying error. One of fewer than three letters stays as it is."""
    if len(text) < 3:
        return text
    at, kind = chance.randrange(len(text)), chance.random()
    if kind < 0.3:
        return text[:at] + text[at + 1 :]
    if kind < 0.5:
        return text[:at] + text[at] + text[at:]
    if kind < 0.7 and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    near = _NEXT.get(text[at].lower(), "")
    return text[:at] + chance.choice(near) + text[at + 1 :] if near else text[:at] + text[at + 1 :]


def misheard(text: str, chance: Random) -> str:
    """The text as somebody spells it who only heard it."""
    return _exchanged(text, _HEARD, chance)


def misread(text: str, chance: Random) -> str:
    """The text as a scanner reads it."""
    return _exchanged(text, _READ, chance)


def _exchanged(text: str, table: tuple[tuple[str, str], ...], chance: Random) -> str:
    fits = [(old, new) for old, new in table if text.find(old, 1) > 0]
    if not fits:
        return mistyped(text, chance)
    old, new = chance.choice(fits)
    at = text.find(old, 1)
    return text[:at] + new + text[at + len(old) :]


def slipped(text: str, chance: Random) -> str:
    """The text with an error of any kind, now and then with two."""
    kind = chance.random()
    wrong = mistyped(text, chance) if kind < 0.7 else misheard(text, chance) if kind < 0.93 else misread(text, chance)
    return mistyped(wrong, chance) if chance.random() < 0.08 else wrong


def plain(text: str) -> str:
    """Without accents, umlauts as two letters."""
    return _bare(text.translate(_UMLAUTS))


def bare(text: str) -> str:
    """Without accents and without the dots of umlauts."""
    return _bare(text.replace("ß", "s").replace("ł", "l"))


def _bare(text: str) -> str:
    if text.isascii():
        return text
    return "".join(letter for letter in normalize("NFD", text) if not combining(letter))


def wrong_date(day: str, chance: Random) -> str:
    """An ISO day with day and month swapped where that is a day, with a digit wrong, or a year off."""
    year, month, date = day.split("-")
    kind = chance.random()
    if kind < 0.4 and int(date) <= 12:
        return f"{year}-{date}-{month}"
    if kind < 0.7:
        return f"{year}-{month}-{min(28, max(1, int(date) + chance.choice((-10, -1, 1, 10)))):02}"
    if kind < 0.85:
        return f"{int(year) + chance.choice((-10, -1, 1, 10))}-{month}-{date}"
    return f"{year[:2]}{year[3]}{year[2]}-{month}-{date}"


def wrong_number(digits: str, chance: Random) -> str:
    """A number with one of its later digits wrong or two swapped."""
    at = chance.randrange(len(digits) // 2, len(digits) - 1)
    if chance.random() < 0.4:
        return digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    return digits[:at] + _DIGITS_READ.get(digits[at], "4") + digits[at + 1 :]
