"""What an answer says beside its records. In: paths and error bodies of a mapping. Out: readers of body and headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from connectors.answers.shape import Shape, pick
from mappings.conditions import Condition, conditions, hold
from mappings.paths import steps_of
from mappings.spec import ErrorBody

Getter = Callable[[str], Any]
HEADER = "header."
LAST = "last."


class Refusals:
    """The error bodies that a mapping knows, in its order."""

    def __init__(self, said: ErrorBody | list[ErrorBody] | None) -> None:
        errors = [] if said is None else said if isinstance(said, list) else [said]
        self._known: list[tuple[ErrorBody, tuple[Condition, ...]]] = [
            (error, conditions(error.when)) for error in errors
        ]

    def __bool__(self) -> bool:
        return bool(self._known)

    @property
    def paths(self) -> list[str]:
        """All paths that the error bodies look at."""
        told = [error.message for error, _ in self._known]
        for path, _, said in (check for _, checks in self._known for check in checks):
            told += [path, getattr(said, "same_as", None), getattr(said, "other_than", None)]
        return [path for path in told if path is not None]

    def met(self, get: Getter) -> ErrorBody | None:
        """The first error body of which every condition holds."""
        for error, checks in self._known:
            if hold(checks, get):
                return error
        return None

    def message(self, get: Getter) -> str:
        """What the answer says went wrong, where any of the error bodies knows where to look; else empty."""
        said = (get(error.message) for error, _ in self._known if error.message is not None)
        return next((str(text) for text in said if text not in (None, "")), "")


class Envelope:
    """Slices what is at one path of a JSON answer as `leaf` (a list of Raw, a map of Raw, or Raw) and reads the named
    values beside it, in one pass that builds nothing else."""

    def __init__(self, records: str | None, paths: Iterable[str], leaf: Any) -> None:
        self._records = records or ""
        beside = [path for path in paths if not path.startswith((HEADER, LAST))]
        # An object has nothing at a numbered path: such a path looks into errors that come as a list.
        named = [path for path in beside if not path.split(".")[0].isdecimal()] if records is not None else beside
        self._shape = None if records is None else Shape(named, records, leaf)
        self._bare = msgspec.json.Decoder(leaf)
        # Of a bare list only numbered paths can lead anywhere: the others do not cost a second decoding.
        self._whole = any(leaf != list[msgspec.Raw] or steps_of(path)[0].isdecimal() for path in beside)
        self._readers = {path: self._shape.reader(path) for path in (*named, self._records)} if self._shape else {}

    def open(self, body: bytes, headers: Mapping[str, str]) -> tuple[Any, Getter]:
        """The records' bytes (None where nothing is at their path) and a reader of what stands beside them.

        Raises msgspec.ValidationError where something else is there, other ValueErrors where the body is no JSON.
        """
        if self._shape is None:
            return self._bare.decode(body), reading(msgspec.json.decode(body) if self._whole else None, headers)
        decoded, readers = self._shape.decode(body), self._readers

        def get(path: str) -> Any:
            if path.startswith(HEADER):
                return _header(headers, path)
            return readers[path](decoded) if path in readers else None

        return readers[self._records](decoded), get


def reading(whole: Any, headers: Mapping[str, str]) -> Getter:
    """A reader of paths into a decoded answer, and of `header.Name`."""

    def get(path: str) -> Any:
        return _header(headers, path) if path.startswith(HEADER) else pick(whole, steps_of(path))

    return get


def _header(headers: Mapping[str, str], path: str) -> str | None:
    return headers.get(path.removeprefix(HEADER).lower())
