"""In: dotted paths and parsed JSON. Out: what a path leads to, or nothing: no shape of a record raises.

A number picks from a list, `*` takes all of it, `.` is the whole; `\\.` is a dot in a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

WHOLE = "."
UP = "parent."


def lists_of(each: str | Sequence[str] | None) -> tuple[str, ...]:
    """The paths of an `each`, outermost first; none where it is not said."""
    return () if each is None else (each,) if isinstance(each, str) else tuple(each)


@lru_cache(maxsize=1_024)
def steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path; none for the whole. A dot behind a backslash is part of a name."""
    if path == WHOLE:
        return ()
    if "\\" not in path:
        return tuple(path.split("."))
    return tuple(step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", path))


def walk(value: Any, steps: Sequence[str]) -> Any:
    """What the steps lead to; None where they lead nowhere; a list where there is a `*` among them."""
    for index, step in enumerate(steps):
        if step == "*":
            return every(value, steps[index + 1 :])
        value = pick(value, step)
        if value is None:
            return None
    return value


def pick(value: Any, step: str) -> Any:
    """One step into an object, or into a list by number (-1 is the last)."""
    if value.__class__ is dict:
        return value.get(step)
    if value.__class__ is list and step.removeprefix("-").isdecimal():
        place = int(step[:9])
        return value[place] if -len(value) <= place < len(value) else None
    return None


def every(value: Any, steps: Sequence[str]) -> list[Any] | None:
    """What the steps lead to from each item of a list, without nulls; None where the value is no list."""
    if value.__class__ is not list:
        return None
    found: list[Any] = []
    for item in value:
        inner = walk(item, steps)
        if inner.__class__ is list and "*" in steps:
            found += inner
        elif inner is not None:
            found.append(inner)
    return found


def without(value: Any, steps: Sequence[str]) -> Any:
    """The value without what the steps lead to; the given one is not changed."""
    if value.__class__ is list and steps[0] == "*" and len(steps) > 1:
        return [without(item, steps[1:]) for item in value]
    if value.__class__ is not dict or steps[0] not in value:
        return value
    if len(steps) == 1:
        return {name: inner for name, inner in value.items() if name != steps[0]}
    return {**value, steps[0]: without(value[steps[0]], steps[1:])}
