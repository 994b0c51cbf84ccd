"""Sounds. In: a word as portraits spell it. Out: a short code, mostly the same where a letter or two are wrong."""

from __future__ import annotations

from functools import lru_cache

from hub.identity.normalise.words import REMEMBERED

_LENGTH = 4
# Consonants that are mistaken for each other have one class, others and vowels have none.
_CLASSES = str.maketrans(
    dict.fromkeys("aeiouhyvw", "")
    | dict.fromkeys("bfp", "1")
    | dict.fromkeys("cgjkqsxz", "2")
    | dict.fromkeys("dt", "3")
    | {"l": "4", "m": "5", "n": "5", "r": "6"}
)


@lru_cache(maxsize=REMEMBERED)
def sound(word: str) -> str:
    """The first letter and the classes of the next consonants, at most four in all: Soundex (Russell 1918)."""
    coded = word[:1] + word[1:].translate(_CLASSES)
    return "".join(letter for letter, before in zip(coded, f" {coded}", strict=False) if letter != before)[:_LENGTH]
