"""In: blocks of data with remarks. Out: the YAML text of them, in the style of the shipped files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/$][A-Za-z0-9_./$*-]*( [A-Za-z0-9_./$*-]+)*|-?\d{1,9}")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
WIDTH = 110


@dataclass(frozen=True, slots=True)
class Guess:
    """A value that was guessed, and out of what."""

    value: Any
    why: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Lines for the reader, in the place of a value's name."""

    lines: tuple[str, ...]


def yaml_text(data: dict[Any, Any], depth: int = 0) -> str:
    """The data as block YAML, short inner blocks in one line. A Guess says so behind it; a Remark is a comment."""
    lines: list[str] = []
    for name, said in data.items():
        if isinstance(said, Remark):
            lines += [f"{'  ' * depth}# {line}" for line in said.lines]
        else:
            lines.append(_entry(name, said, depth))
    return "\n".join(lines) + "\n"


def _entry(name: str, said: Any, depth: int) -> str:
    value, why = (said.value, said.why) if isinstance(said, Guess) else (said, "")
    mark = f"  # guess: {why}" if why else ""
    head = f"{'  ' * depth}{_scalar(name)}:"
    if not isinstance(value, dict | list):
        return f"{head} {_scalar(value)}{mark}"
    flat = _flat(value) if depth else None
    if flat is not None and len(head) + len(flat) < WIDTH:
        return f"{head} {flat}{mark}"
    inner = yaml_text(value, depth + 1) if isinstance(value, dict) else _items(value, depth + 1)
    return f"{head}{mark}\n{inner.rstrip()}"


def _items(values: list[Any], depth: int) -> str:
    lines = []
    for value in values:
        flat = _flat(value)
        if flat is not None:
            lines.append(f"{'  ' * depth}- {flat}")
        else:
            inner = yaml_text(value, depth + 1)
            lines.append(f"{'  ' * depth}- {inner.lstrip()}".rstrip())
    return "\n".join(lines) + "\n"


def _flat(value: Any) -> str | None:
    """The value in one line; None where something within it is marked."""
    if isinstance(value, Guess | Remark):
        return None
    if isinstance(value, dict):
        parts = {name: _flat(inner) for name, inner in value.items()}
        if any(part is None for part in parts.values()):
            return None
        return "{" + ", ".join(f"{_scalar(name)}: {part}" for name, part in parts.items()) + "}"
    if isinstance(value, list):
        items = [_flat(inner) for inner in value]
        return None if any(item is None for item in items) else f"[{', '.join(str(item) for item in items)}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.isdigit():
        return value
    return json.dumps(value, ensure_ascii=False)
