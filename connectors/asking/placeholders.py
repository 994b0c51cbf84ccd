"""Texts of a request that hold placeholders. In: a text of the mapping, its settings, later the values. Out: the text.

A value goes into a text as it is where it is a plain word; anything else only between quotes there, escaped; else the
text is refused: what a record says never becomes part of a query language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mappings.fetching import PLACEHOLDER

OWN = ("since", "until")  # times that the mapping itself says how to write
_PLAIN = re.compile(r"[\w.:+-]*")
_QUOTED = re.compile(r"(?P<escaped>\\.)|[\"'`]", re.DOTALL)
_UP = (".", "..")


class Unfit(Exception):
    """A value that cannot stand where a placeholder wants it, in words that end an error message."""


class Absent:
    """The only value of this class says: there is nothing to put here yet, leave it out."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder in a text, and the quote that it stands in."""

    name: str
    quoted_by: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with at least one placeholder; the parts between them are filled with settings already."""

    parts: tuple[str | Slot, ...]

    def value(self, values: Mapping[str, Any]) -> Any:
        """The text with its values; the value as it is where the text is one placeholder; ABSENT where one is missing.

        Raises Unfit where a value cannot stand in a text.
        """
        if len(self.parts) == 1 and isinstance(self.parts[0], Slot):
            found = values.get(self.parts[0].name)
            return ABSENT if found is None or found == "" else found
        return self._joined(values, _safe)

    def path(self, values: Mapping[str, Any]) -> str:
        """The text as part of a URL's path, values quoted. Raises Unfit where one is missing or leads elsewhere."""
        joined = self._joined(values, _quoted)
        if joined is ABSENT:
            missing = next(slot.name for slot in self._slots() if values.get(slot.name) in (None, ""))
            raise Unfit(f"{{{missing}}} has no value for the path")
        return str(joined)

    def names(self) -> Iterator[str]:
        """The placeholders' names."""
        return (slot.name for slot in self._slots())

    def _slots(self) -> Iterator[Slot]:
        return (part for part in self.parts if isinstance(part, Slot))

    def _joined(self, values: Mapping[str, Any], put: Callable[[Slot, str], str]) -> Any:
        done = []
        for part in self.parts:
            if isinstance(part, str):
                done.append(part)
                continue
            found = values.get(part.name)
            if found is None or found == "":
                return ABSENT
            done.append(put(part, plain(found, part.name)))
        return "".join(done)


def compiled(text: str, fill: Callable[[str], str]) -> str | Text:
    """The text with its settings filled in: as it is, or a Text where it holds placeholders (a setting's are none)."""
    parts: list[str | Slot] = []
    end, open_by = 0, None
    for found in PLACEHOLDER.finditer(text):
        before = text[end : found.start()]
        open_by = _open(before, open_by)
        parts += [fill(before)] if before else []
        parts.append(Slot(found[1], open_by))
        end = found.end()
    if not parts:
        return fill(text)
    return Text((*parts, fill(text[end:])) if text[end:] else tuple(parts))


def plain(value: Any, name: str) -> str:
    """A value as text. Raises Unfit for an object or a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Unfit(f"{{{name}}} is no text or number")


def _open(text: str, quote_mark: str | None) -> str | None:
    for found in _QUOTED.finditer(text):
        if found["escaped"]:
            continue
        if quote_mark is None:
            quote_mark = found[0]
        elif quote_mark == found[0]:
            quote_mark = None
    return quote_mark


def _safe(slot: Slot, text: str) -> str:
    if not text.isprintable():
        raise Unfit(f"{{{slot.name}}} holds a line break or a control character")
    if slot.quoted_by is not None:
        return text.replace("\\", "\\\\").replace(slot.quoted_by, f"\\{slot.quoted_by}")
    if slot.name in OWN or _PLAIN.fullmatch(text):
        return text
    raise Unfit(f"{{{slot.name}}} is no plain word; write it between quotes in the mapping")


def _quoted(slot: Slot, text: str) -> str:
    if text in _UP:
        raise Unfit(f"{{{slot.name}}} would lead out of the path")
    return quote(text, safe="")
