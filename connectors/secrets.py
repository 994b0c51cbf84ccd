"""What must never show. In: a source's secret settings, tokens got at run time. Out: texts without them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

from mappings.loader import Source, variable
from mappings.spec import Auth

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
PART = 16  # a line of a key is a secret too, a shorter one is a word that stands elsewhere as well


class Secrets:
    """The secrets of one source while it is pulled: its settings, and what `learn` was told. Shows none in its repr."""

    def __init__(self, source: Source) -> None:
        settings = source.system.settings.items()
        said = [source.settings.get(name) or "" for name, setting in settings if setting.secret]
        self._all = _longest_first(form for value in said for form in _forms(value))
        self._learned: list[str] = []

    def __repr__(self) -> str:
        return "Secrets()"

    def learn(self, value: str) -> None:
        """From now on this value, got at run time, is hidden too."""
        forms = _forms(value)
        self._learned, self._all = _longest_first({*self._learned, *forms}), _longest_first({*self._all, *forms})

    def mask(self, text: str) -> str:
        """The text without any secret, should the system have repeated one; one line, 200 characters."""
        for form in self._all:
            text = text.replace(form, "***")
        return " ".join(text.split())[:200]

    def within(self, text: str) -> bool:
        """Whether the text holds a secret."""
        return any(form in text for form in self._all)

    def unlearned(self, query: str) -> str:
        """A URL's query without the parameters that hold what was learnt; all else stays as it was written."""
        return "&".join(part for part in query.split("&") if not any(form in part for form in self._learned))


def holds_secret(source: Source, text: object) -> bool:
    """Whether a text of the mapping is filled with a secret setting."""
    return any(_secret(source, name) for name in _placeholders([text]))


def variables(source: Source, auth: Auth | None) -> str:
    """The environment variables that hold the credentials of requests signed this way, for an error's remedy."""
    http = source.system.http
    shared = [text for text in (*http.headers.values(), *http.params.values()) if holds_secret(source, text)]
    return named(source, [*texts(auth), *shared])


def named(source: Source, said: Iterable[object]) -> str:
    """The environment variables that fill these texts of the mapping, for an error's remedy."""
    found = dict.fromkeys(variable(source.name, name) for name in _placeholders(said))
    return ", ".join(found) or "`auth` in the mapping"


def texts(value: Any) -> Iterator[str]:
    """Every text inside a block of the mapping, or inside JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from texts(dict(value))
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def _forms(value: str) -> set[str]:
    """The value as URLs, JSON texts and keys of several lines have it."""
    forms = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    return {form for form in forms if form} | {part for part in re.split(r"\s|\\n", value) if len(part) >= PART}


def _longest_first(forms: Iterable[str]) -> list[str]:
    return sorted(set(forms), key=len, reverse=True)


def _secret(source: Source, name: str) -> bool:
    setting = source.system.settings.get(name)
    return setting is not None and setting.secret


def _placeholders(said: Iterable[object]) -> list[str]:
    return [name for text in said if isinstance(text, str) for name in PLACEHOLDER.findall(text)]
