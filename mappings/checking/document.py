"""In: the text of one YAML file. Out: plain data with the line of every name in it, or a MappingError.

Stricter than YAML itself: duplicate names, tags, aliases and several documents are refused, and only true and false
are booleans (`no` is Norway).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 40
_WHOLE = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_FRACTION = re.compile(r"[-+]?\d+\.\d*([eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}

_REMEDIES = {  # by a part of what the parser says
    "mapping values are not allowed": "indent it as the names beside it, and put a text that holds `: ` in quotes",
    "did not find expected key": "indent it as the names beside it",
    "did not find expected '-'": "indent it as the items beside it",
    "did not find expected ','": 'close each bracket, and put what holds a bracket in quotes, as "${token}"',
    "cannot start any token": "put a text that begins so in quotes",
    "unexpected end of stream": "close the quote that is opened here",
}

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file, with its line (from 1)."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        what = "".join(letter if letter.isprintable() else " " for letter in self.what)
        return f"{self.file}:{self.line}: {what}"


class MappingError(Exception):
    """Mapping or rule files cannot be used; `problems` says all that is wrong, one line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.what)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Document:
    """A file's data, and the line on which each name or list item stands."""

    file: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)

    def problem(self, place: Place, what: str) -> Problem:
        """The problem at a place, or at the nearest place above it that has a line."""
        while place and place not in self.lines:
            place = place[:-1]
        return Problem(self.file, self.lines.get(place, 1), what)

    def at(self, place: Place) -> Any:
        """The data at a place; None where there is none."""
        value = self.data
        for step in place:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value


def read_document(path: Path) -> Document:
    """The document in a file. Raises MappingError where the file cannot be read or is not the YAML we accept."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise MappingError([Problem(str(path), 1, "the file is not UTF-8 text")]) from None
    except OSError as error:
        raise MappingError([Problem(str(path), 1, f"the file cannot be read: {error.strerror}")]) from None
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """The document in a text; `file` is the name for messages. Raises MappingError and nothing else."""
    document = Document(file)
    problems: list[Problem] = []
    try:
        events = iter(yaml.parse(text, Loader=_LOADER))
        document.data = _Reader(document, problems, events).document()
    except yaml.YAMLError as error:
        problems.append(_unread(error, text, file))
    except ValueError:  # characters that no YAML may hold
        problems.append(Problem(file, 1, "not YAML: characters that are not allowed"))
    if problems:
        raise MappingError(problems)
    return document


def hint(word: object, allowed: Iterable[str]) -> str:
    """`; did you mean x?` where one of the allowed words is close, in capitals or not; else an empty text."""
    known = {name.casefold(): name for name in allowed}
    close = difflib.get_close_matches(str(word).casefold(), list(known), 1, 0.6)
    return f"; did you mean `{known[close[0]]}`?" if close else ""


class _Reader:
    """Builds plain data out of the parser's events and notes the lines."""

    def __init__(self, document: Document, problems: list[Problem], events: Iterator[Any]) -> None:
        self._document, self._problems, self._events = document, problems, events

    def document(self) -> Any:
        """The data of the only document; None where the text is empty."""
        data, seen = None, False
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self._refuse(event, "a second document; one file holds one")
                seen = True
            elif isinstance(event, yaml.NodeEvent):
                value = self._node(event, ())
                data = data if isinstance(data, dict) else value
        return data

    def _node(self, event: Any, place: Place) -> Any:
        self._document.lines.setdefault(place, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, f"an alias `*{event.anchor}`; aliases are not allowed, write it out")
        if event.tag is not None:
            self._refuse(event, "a tag (`!…`); tags are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else _plain(event.value)
        if len(place) > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        return self._mapping(place) if isinstance(event, yaml.MappingStartEvent) else self._sequence(place)

    def _mapping(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(event, "a name has to be a word")
                self._node(event, (*place, "?"))
                self._node(next(self._events), (*place, "?"))
                continue
            if event.value in found:
                first = self._document.lines[*place, event.value]
                self._refuse(event, f"`{event.value}` is said twice (first on line {first})")
            self._document.lines.setdefault((*place, event.value), _line(event))
            found[event.value] = self._node(next(self._events), (*place, event.value))
        return found

    def _sequence(self, place: Place) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*place, len(found))))
        return found

    def _refuse(self, event: Any, what: str) -> None:
        self._problems.append(Problem(self._document.file, _line(event), what))


def _unread(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """What the parser stumbled over, and what most often lies behind it."""
    what = getattr(error, "problem", None) or "the text cannot be read"
    mark, began = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if "quoted scalar" in (getattr(error, "context", None) or "") and began is not None:
        mark = began  # a quote that is never closed is read to the file's end
    number = mark.line if mark is not None else 0
    lines = text.splitlines()
    remedy = "indent with blanks, a tab does not count" if "\t" in "".join(lines[number : number + 1]) else ""
    remedy = remedy or next((helps for part, helps in _REMEDIES.items() if part in what), "")
    return Problem(file, number + 1, f"not YAML: {what}{f'; {remedy}' if remedy else ''}")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
