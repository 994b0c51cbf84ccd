"""Organizations' names. In: a name as a source shows it. Out: titles, which agree where a reader would say that the
names do: without legal forms, fillers and punctuation, each word spelled one way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate

from hub.identity.normalise.portrait import Title
from hub.identity.normalise.words import REMEMBERED, WORD, folded, spelling
from mappings.converting.countries import country_code
from mappings.identity import Identity

LONGEST_FORM = 7  # words of a legal form
TOGETHER = 3  # common words that tell as much as a rare one: Smith, Jones & Brown
SHORTEST_COUNTRY = 4  # letters below which a country's name is taken for a word, but for the well-known ones
_SHORT_COUNTRIES = frozenset(("uk", "usa", "uae"))
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_TOP_LEVEL = re.compile(r"(?<=\w\w)\.(?:com|net|org|info|biz|io|ai|app|shop|co\.uk|de|at|ch|fr|nl|it|es|pl|eu)(?!\w)")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_UMLAUT = re.compile("([aou])e")
_APOSTROPHES = re.compile(r"['`´’]")


class Titling:
    """The company's rules for organizations' names, ready for use; remembers names, so that one is read once."""

    def __init__(self, rules: Identity) -> None:
        words = rules.organization_words
        self._fillers = frozenset(folded(word) for word in words.fillers)
        self._full = {
            spelled: spelling(folded(full))
            for full, shorts in words.abbreviations.items()
            for short in (full, *shorts)
            for spelled in (spelling(word) for word in WORD.findall(folded(short)))
        }
        self._forms = {
            _joined(self._plain(way)): form for form, ways in rules.legal_forms.items() for way in (form, *ways)
        }
        self._ends_only = frozenset(words.ends_only)
        self._leading = frozenset(words.leading_forms)
        self._common = frozenset(
            spelled for word in words.common for spelled in self.full(self._spelled(self._plain(word)))
        )
        self._junk = re.compile("|".join(translate(folded(word)) for word in words.junk) or "(?!)")
        self._also, self._ends = _phrases(words.also), _phrases(words.ends)
        self._known: dict[str, tuple[Title, ...]] = {}

    def titles(self, name: str) -> tuple[Title, ...]:
        """What the name calls an organization, each once: several where it says `doing business as`; none for junk."""
        if name not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[name] = tuple(dict.fromkeys(self._titles(name)))
        return self._known[name]

    def full(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words of a title, short and sister forms written out: Intl is International."""
        return tuple(self._full.get(word, word) for word in words)

    def telling(self, title: Title) -> int:
        """How many words of the title tell it from namesakes: those that are no trade, place or common name, or one
        where three and more of these stand together.
        """
        common = (w in self._common or w.startswith("=") or w.isdigit() for w in self.full(title.words))
        telling = len(title.words) - sum(common)
        return telling or int(len(title.words) >= TOGETHER)

    def _titles(self, name: str) -> Iterable[Title]:
        text = _TOP_LEVEL.sub(" ", folded(name))
        for part in self._also.split(text):
            part = self._ends.split(part)[0]
            for bracketed in _BRACKETS.findall(part):
                title = self._title(bracketed)
                if title and title.forms:  # the legal name beside the usual one
                    part = part.replace(f"({bracketed})", " ")
                    yield title
            if title := self._title(part):
                yield title

    def _title(self, text: str) -> Title | None:
        if self._junk.match(" ".join(text.split()).strip(" .,-")):
            return None
        kept, forms = self._without_form(self._plain(text))
        spelled = self._spelled(kept)
        return Title(spelled, forms) if len(spelled) > 1 or any(not word.isdigit() for word in spelled) else None

    def _plain(self, text: str) -> list[str]:
        """The words without fillers; letters with dots between them are one, and so is what an apostrophe divides."""
        text = _INITIALS.sub(lambda found: found[0].replace(".", ""), _APOSTROPHES.sub("", folded(text)))
        words: list[str] = WORD.findall(text)
        return [word for word in words if word not in self._fillers] or words

    def _without_form(self, words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
        """The words without the legal form: at the end, before the rest, or before a place or a branch."""
        for ends in range(len(words), 1, -1):
            for begins in range(max(1, ends - LONGEST_FORM), ends):
                form = self._forms.get(_joined(words[begins:ends]))
                if form and (ends == len(words) or form not in self._ends_only):
                    return [*words[:begins], *words[ends:]], (form,)
            if ends == len(words):
                for length in range(min(LONGEST_FORM, ends - 1), 0, -1):
                    form = self._forms.get(_joined(words[:length]))
                    if form in self._leading:
                        return list(words[length:]), (form,)
        return list(words), ()

    def _spelled(self, words: Sequence[str]) -> tuple[str, ...]:
        """Each word in one spelling, Fund II as Fund 2; a country in any language as `=DE`."""
        found = []
        at = 0
        while at < len(words):
            two = country_code(" ".join(words[at : at + 2])) if at + 1 < len(words) else None
            code = two or _country(words[at])
            found.append(f"={code}" if code else _ROMAN.get(words[at] if at else "") or spelling(words[at]))
            at += 2 if two else 1
        return tuple(found)


def _joined(words: Sequence[str]) -> str:
    """Words of a legal form as one, ä and ae alike."""
    return _UMLAUT.sub(r"\1", "".join(words))


def form_family(form: str) -> str:
    """What a legal form of several words is: that of `gmbh kg` is kg."""
    return form.rpartition(" ")[2]


def _country(word: str) -> str | None:
    return country_code(word) if len(word) >= SHORTEST_COUNTRY or word in _SHORT_COUNTRIES else None


def _phrases(phrases: Iterable[str]) -> re.Pattern[str]:
    found = "|".join(re.escape(folded(phrase)) for phrase in sorted(phrases, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{found})(?!\w)" if found else "(?!)")
