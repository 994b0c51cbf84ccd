"""Comparison forms. In: names, e-mails and phones as mapped, and the company's rules. Out: forms that agree where a
reader would say that the originals do. Nothing here is shown or stored as anybody's value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from mappings.rulebook import Identity

REMEMBERED = 200_000  # values that a cache holds

# What Unicode does not decompose; two-letter transliterations (ue, oe, ae) are undone below, so ü, ue and u agree.
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "a", "œ": "o", "ı": "i", "ŋ": "n", "’": "'"}
)
_SPELLINGS = [
    (re.compile(pattern), to)
    for pattern, to in (
        ("([aou])e", r"\1"), ("ph", "f"), ("ck|c", "k"), ("(?<=.)h", ""), ("y", "i"), ("w", "v"), ("z", "s"),
        (r"(.)\1+", r"\1"),
    )
]  # fmt: skip
_WORD = re.compile(r"[^\W_]+")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")


class Name(NamedTuple):
    """A person's name for comparison. `loose`: a single word of which nobody knows whether it is given or family."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    generation: str | None = None
    loose: bool = False


class Title(NamedTuple):
    """An organization's name for comparison: its words without legal forms, and these."""

    words: tuple[str, ...]
    forms: tuple[str, ...]


@lru_cache(maxsize=REMEMBERED)
def folded(text: str) -> str:
    """The text in lower case, without accents, each letter by its nearest of the basic alphabet."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(c for c in letters if not unicodedata.combining(c))


@lru_cache(maxsize=REMEMBERED)
def spelling(word: str) -> str:
    """One spelling for a folded word that people spell in several ways: Mueller and Müller, Sarah and Sara."""
    for pattern, to in _SPELLINGS:
        word = pattern.sub(to, word)
    return word


def spellings(words: Iterable[str]) -> frozenset[str]:
    """The spellings of words as the rules list them."""
    return frozenset(spelling(part) for word in words for part in _WORD.findall(folded(word)))


class Forms:
    """The company's rules, ready for comparison; caches by value, so that a name is taken apart once."""

    def __init__(self, rules: Identity) -> None:
        self._plus_tags = rules.plus_tags
        self.similarity = rules.name_similarity
        self._junk_emails = _matcher(rules.junk.emails)
        self._junk_phones = _matcher(rules.junk.phones)
        self._junk_names = _matcher([folded(name) for name in rules.junk.names])
        self.junk_births = frozenset(rules.junk.birth_dates)
        self._roles = frozenset(folded(inbox) for inbox in rules.role_inboxes)
        self._freemail = frozenset(rules.freemail)
        self._titles = frozenset(folded(title) for title in rules.titles)
        self._particles = frozenset(folded(particle) for particle in rules.particles)
        self._legal = frozenset(folded(form) for form in rules.legal_forms)
        self._generations = {folded(w): name for name, words in rules.generations.items() for w in words}
        self.formal = _formal_names(rules.nicknames)
        self._names: dict[tuple[str | None, str | None, str | None], Name | None] = {}

    def email(self, value: str) -> str | None:
        """The address for comparison, without plus tag; None for junk and for what is no address."""
        local, at, domain = value.strip().casefold().rpartition("@")
        if not (at and local and domain) or self.junk_email(value):
            return None
        tagged = local.split("+", 1)[0] if self._plus_tags else local
        return f"{tagged or local}@{domain}"

    def junk_email(self, value: str) -> bool:
        """Whether the address identifies nobody."""
        return bool(self._junk_emails.match(value.strip().casefold()))

    def role_inbox(self, value: str) -> bool:
        """Whether several people are meant to read this inbox."""
        return folded(value.partition("@")[0].split("+", 1)[0]) in self._roles

    def own_domain(self, value: str) -> str | None:
        """The domain of an address where it says for whom somebody works; None for freemail and junk."""
        email = self.email(value)
        domain = email.rpartition("@")[2] if email else None
        return None if domain in self._freemail else domain

    def domain(self, value: str) -> str | None:
        """A domain as an organization states it, without scheme, www and path; None for freemail."""
        host = re.sub(r"^[a-z]+://", "", value.strip().casefold()).split("/")[0].split(":")[0].removeprefix("www.")
        return host if "." in host and host not in self._freemail else None

    def phone(self, value: str) -> str | None:
        """The number for comparison; None for junk: too short, one digit over and over, or listed."""
        digits = "".join(c for c in value if c.isdigit())
        if len(digits) < 7 or len(set(digits[-7:])) == 1 or self.junk_phone(value):
            return None
        return f"+{digits}" if value.lstrip().startswith("+") else digits

    def junk_phone(self, value: str) -> bool:
        """Whether the number is one that people type to get past a form."""
        return bool(self._junk_phones.match(value.strip().casefold()))

    def junk_name(self, value: str) -> bool:
        """Whether the name names nobody: a listed word, punctuation, digits or an e-mail address."""
        plain = folded(value).strip()
        return "@" in plain or not any(c.isalpha() for c in plain) or bool(self._junk_names.match(plain))

    def name(self, given: str | None, family: str | None, display: str | None) -> Name | None:
        """A person's name; None where nobody is named. The display name counts where both parts are missing."""
        key = (given, family, display)
        if key not in self._names:
            if len(self._names) >= REMEMBERED:
                self._names.clear()
            self._names[key] = self._name(given, family, display)
        return self._names[key]

    def _name(self, given: str | None, family: str | None, display: str | None) -> Name | None:
        if given and family and self.junk_name(f"{given} {family}"):
            return None
        given, family = (None if part and self.junk_name(part) else part for part in (given, family))
        if not given and not family:
            return self._whole_name(display)
        generation = self._generation(self._words(f"{given or ''} {family or ''}"))
        name = Name(self._given_words(given or ""), self._family_words(family or ""), generation)
        return name if name.given or name.family else None

    def _whole_name(self, display: str | None) -> Name | None:
        """A name in one field: `Anna Maria Müller`, `Müller, Anna`, or one word alone."""
        if not display or self.junk_name(display) or folded(display).strip() in self._roles:
            return None
        last, comma, first = display.partition(",")
        if comma and self._given_words(first):
            return Name(self._given_words(first), self._family_words(last), self._generation(self._words(display)))
        words = self._words(display)
        plain = [w for w in words if w not in self._titles and w not in self._generations]
        if not plain or any(c.isdigit() for w in plain for c in w):
            return None
        if len(plain) == 1:
            titled = len(words) > 1 and any(w in self._titles for w in words)
            word = (spelling(plain[0]),)
            return Name((), word, self._generation(words)) if titled else Name(word, (), None, loose=True)
        cut = next((i for i, w in enumerate(plain[1:], 1) if w in self._particles), len(plain) - 1)
        return Name(
            tuple(spelling(w) for w in plain[:cut]), self._family_words(" ".join(plain[cut:])), self._generation(words)
        )

    def title(self, name: str | None) -> Title | None:
        """An organization's name; None where there is none."""
        if not name or self.junk_name(name):
            return None
        words = _WORD.findall(folded(_INITIALS.sub(lambda m: m[0].replace(".", ""), name.replace("&", " "))))
        kept = tuple(spelling(w) for w in words if w not in self._legal)
        return Title(kept, tuple(sorted(w for w in words if w in self._legal))) if kept else None

    def _words(self, text: str) -> list[str]:
        return _WORD.findall(folded(text))

    def _given_words(self, text: str) -> tuple[str, ...]:
        dropped = self._titles | self._generations.keys()
        return tuple(spelling(w) for w in self._words(text) if w not in dropped)

    def _family_words(self, text: str) -> tuple[str, ...]:
        words = [w for w in self._words(text) if w not in self._titles and w not in self._generations]
        return tuple(spelling(w) for w in words if w not in self._particles) or tuple(spelling(w) for w in words)

    def _generation(self, words: Iterable[str]) -> str | None:
        return next((self._generations[w] for w in words if w in self._generations), None)


def _matcher(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern.casefold()) for pattern in patterns) or "(?!)")


def _formal_names(nicknames: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    """Each word to the names that it may stand for, itself among them; all spelled one way."""
    stands_for: dict[str, set[str]] = {}
    for formal, pets in nicknames.items():
        for one in spellings([formal]):
            for word in {one, *spellings(pets)}:
                stands_for.setdefault(word, {word}).add(one)
    return {word: frozenset(names) for word, names in stands_for.items()}
