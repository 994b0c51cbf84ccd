"""In: the intents of rules/risk.yml and a text. Out: what the text wants, or nothing.

A phrase matches at word boundaries, letters folded; `*` at the end of a word stands for any letters more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mappings.values import plain

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True, eq=False, slots=True)
class Lexicon:
    """Intents, those that outrank others first, and by language the phrases of each and of all together."""

    ranks: tuple[str, ...]
    phrases: Mapping[str, Mapping[str, re.Pattern[str]]]
    any_phrase: Mapping[str, re.Pattern[str]]


def read_lexicon(intents: Mapping[str, Mapping[str, list[str]]]) -> Lexicon:
    """The lexicon of intent → language → phrases; the order of the intents is their rank."""
    by_language: dict[str, dict[str, re.Pattern[str]]] = {}
    everything: dict[str, list[str]] = {}
    for name, languages in intents.items():
        for language, phrases in languages.items():
            patterns = [_pattern(phrase) for phrase in phrases if fold(phrase)]
            if patterns:
                by_language.setdefault(language, {})[name] = re.compile(_any_of(patterns))
                everything.setdefault(language, []).extend(patterns)
    together = {language: re.compile(_any_of(patterns)) for language, patterns in everything.items()}
    return Lexicon(tuple(intents), by_language, together)


def intent(value: Any, lexicon: Lexicon, language: str | None) -> str | None:
    """What a text wants, by the lexicon in rules/risk.yml: CANCEL, REFUND and so on.

    A language that the lexicon lacks gives nothing; where the language is unknown, every language's phrases count.
    """
    said = plain(value)
    return None if said is None else _read(said[:4_000], lexicon, language)


@lru_cache(maxsize=4_096)
def _read(said: str, lexicon: Lexicon, language: str | None) -> str | None:
    folded = fold(said)
    languages = lexicon.phrases if language is None else [code for code in [language] if code in lexicon.phrases]
    spoken = [lexicon.phrases[code] for code in languages if lexicon.any_phrase[code].search(folded)]
    return next((n for n in lexicon.ranks for found in spoken if n in found and found[n].search(folded)), None)


def fold(said: str) -> str:
    """Lower case without accents; ä, ö, ü as ae, oe, ue, so that both spellings meet."""
    composed = unicodedata.normalize("NFC", said).casefold().translate(_GERMAN)
    bare = "".join(c for c in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(c))
    return " ".join(bare.replace("’", "'").split())


def _pattern(phrase: str) -> str:
    words = [re.escape(word).replace(r"\*", r"\w*") for word in fold(phrase).split()]
    return r"\s".join(words)


def _any_of(patterns: list[str]) -> str:
    return rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)"
