"""Words for comparison. In: text as people write it. Out: folded text, its words, and one spelling a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from anyascii import anyascii

REMEMBERED = 200_000  # words that a cache holds
REMEMBERED_WHOLE = 50_000  # whole names, addresses and phones, of which each takes more and fewer come again

T = TypeVar("T")
WORD = re.compile(r"[^\W_]+")

# Letters that neither Unicode decomposes nor spelling() treats as their transliteration.
_OURS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "a", "œ": "o", "ı": "i", "ŋ": "n", "’": "'"}
# Scripts whose letters stand for sounds that people write in the basic alphabet much as this says: Greek, Cyrillic,
# Armenian, Georgian, kana. Others (Arabic without vowels, Han, Hangul, with many readings) stay as they are.
_SOUNDS = ((0x370, 0x58F), (0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x1F00, 0x1FFF), (0x3040, 0x30FF))
_APOSTROPHES = {ord(sign): None for sign in "'’ʼ`´ʹʻ"}
_SPELLINGS = [
    (re.compile(pattern), to)
    for pattern, to in (
        ("^dj", "d"), ("sch|sh", "s"), ("(?<=.)ph", "f"), ("ck|c", "k"), ("(?<=.)h", ""), ("(?<=.)x", "ks"),
        ("[yj]", "i"), ("w", "v"), ("z", "s"), ("([aou])e", r"\1"), ("ou", "u"), (r"(.)\1+", r"\1"),
    )
]  # fmt: skip


class Remembered(dict[str, T]):
    """Text to what is made of it, made at the first asking; begins anew where it holds `most`."""

    def __init__(self, made: Callable[[str], T], most: int = REMEMBERED) -> None:
        super().__init__()
        self._made = made
        self._most = most

    def __missing__(self, text: str) -> T:
        if len(self) >= self._most:
            self.clear()
        self[text] = made = self._made(text)
        return made


class _Letters(dict[int, str]):
    """Code point to folded letter, found once a letter."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if unicodedata.category(sign) == "Cf":
            folded_sign = ""  # a soft hyphen, a blank of no width: copied along, and not seen
        elif any(first <= code <= last for first, last in _SOUNDS):
            folded_sign = anyascii(sign).lower().replace("'", "")
        else:
            parts = unicodedata.normalize("NFKD", sign)
            folded_sign = "".join(part for part in parts if not unicodedata.combining(part)).lower()
        self[code] = folded_sign
        return folded_sign


_LETTERS = _Letters({ord(sign): to for sign, to in _OURS.items()})


@lru_cache(maxsize=REMEMBERED)
def folded(text: str) -> str:
    """The text in lower case, without accents, each letter by its nearest of the basic alphabet where it has one."""
    if text.isascii():
        return text.lower()
    return text.casefold().replace("ου", "ou").replace("ού", "ou").translate(_LETTERS)


def shown(text: str) -> str:
    """The text without the signs that nobody sees: soft hyphens, blanks of no width."""
    return text if text.isascii() else "".join(sign for sign in text if unicodedata.category(sign) != "Cf")


def words(text: str) -> list[str]:
    """The folded words of a text; an apostrophe does not part a word (O'Brien)."""
    return WORD.findall(folded(text).translate(_APOSTROPHES))


@lru_cache(maxsize=REMEMBERED)
def spelling(word: str) -> str:
    """One spelling for a folded word that people spell in several ways: Mueller and Müller, Sarah and Sara, Sonja and
    Sonya. A second time changes nothing.
    """
    before = ""
    while word != before:
        before = word
        for pattern, to in _SPELLINGS:
            word = pattern.sub(to, word)
    return word


def spellings(texts: Iterable[str]) -> frozenset[str]:
    """The spellings of words as the rules list them."""
    return frozenset(spelling(word) for text in texts for word in words(text))
