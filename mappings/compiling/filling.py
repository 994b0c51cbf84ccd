"""Settings in what a mapping means. In: a stream and its source. Out: the stream, settings filled in."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from mappings.loader import MissingSettingError, Source
from mappings.spec import Stream, Value

_PLACES = ("const", "default")


class Filled(str):
    """A text that was made of a setting: nobody has checked yet that it fits where it stands."""

    __slots__ = ()


def filled(stream: Stream, source: Source) -> Stream:
    """The stream with `${setting}` filled in in `const` and `default`; nothing stands there where it is missing."""
    said: Stream = _filled(stream, source)
    return said


def _filled(said: Any, source: Source) -> Any:
    if isinstance(said, list):
        items = [_filled(inner, source) for inner in said]
        return said if all(a is b for a, b in zip(items, said, strict=True)) else items
    if isinstance(said, dict):
        found = {name: _filled(inner, source) for name, inner in said.items()}
        return said if all(found[name] is said[name] for name in said) else found
    if not isinstance(said, BaseModel):
        return said
    update: dict[str, Any] = {}
    for name in said.model_fields_set:
        inner = getattr(said, name)
        own = isinstance(said, Value) and name in _PLACES and isinstance(inner, str) and "${" in inner
        made: Any = _of_setting(inner, source) if own else _filled(inner, source)
        if made is not inner:
            update[name] = made
    return said.model_copy(update=update) if update else said


def _of_setting(text: str, source: Source) -> Filled | None:
    try:
        return Filled(source.fill(text))
    except MissingSettingError:
        return None
