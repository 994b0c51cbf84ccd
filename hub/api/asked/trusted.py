"""Trusted documents. In: manifests and folders that the operator names. Out: texts by the ids that clients send.

A manifest is what relay-compiler and graphql-codegen write, `{id: text}`, or Apollo's list of operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from hub.settings import SettingError


def trusted_documents(places: Iterable[Path]) -> dict[str, str]:
    """The documents of manifests (*.json) and folders of *.graphql files; the shipped examples where none is named.

    Raises SettingError where a file cannot be read, is no manifest, or gives an id to two texts.
    """
    found: dict[str, str] = {}
    for place, identifier, text in _named(places):
        if found.setdefault(identifier, text) != text:
            raise SettingError(f"HUB_DOCUMENTS: {place}: the id {identifier!r} stands for another document already")
    return found


def _named(places: Iterable[Path]) -> Iterator[tuple[Path, str, str]]:
    named = list(places) or [Path(str(files("hub.api").joinpath("examples")))]
    for place in named:
        if place.is_dir():
            texts = [(path, _read(path)) for path in sorted(place.rglob("*.graphql"))]
            yield from ((path, sha256(text.encode()).hexdigest(), text) for path, text in texts)
        else:
            yield from ((place, identifier, text) for identifier, text in _manifest(place))


def _manifest(place: Path) -> Iterable[tuple[str, str]]:
    try:
        said: Any = msgspec.json.decode(_read(place))
    except msgspec.DecodeError as error:
        raise SettingError(f"HUB_DOCUMENTS: {place} is no JSON ({error})") from None
    listed = said.get("operations") if isinstance(said, dict) else None
    pairs = [_apollo(operation) for operation in listed] if isinstance(listed, list) else _pairs(said)
    if not all(isinstance(identifier, str) and isinstance(text, str) for identifier, text in pairs):
        raise SettingError(f"HUB_DOCUMENTS: {place} is no manifest; it must map ids to texts of documents")
    return pairs


def _pairs(said: Any) -> list[tuple[Any, Any]]:
    return list(said.items()) if isinstance(said, dict) else [(None, None)]


def _apollo(operation: Any) -> tuple[Any, Any]:
    return (operation.get("id"), operation.get("body")) if isinstance(operation, dict) else (None, None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingError(f"HUB_DOCUMENTS: {path} cannot be read ({reason})") from None
