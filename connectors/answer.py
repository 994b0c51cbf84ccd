"""One answer taken apart. In: its bytes. Out: the records' own bytes with keys and marks, and what the pages say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.errors import BadAnswer
from connectors.shape import Shape, pick
from mappings.spec import ErrorBody, Pages, Stream, Test, When

Getter = Callable[[str], Any]
LAST = "last."
NO, YES = (None, False, 0, "", "0", "false"), (True, "true")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was sent: its key as text (None where it has none) and its own JSON bytes."""

    key: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Slice:
    """One answer: its records, their changed-at marks, the value that leads on, and whether more is said to come."""

    records: list[Record]
    marks: list[Any]
    value: Any = None
    more: bool | None = None


class Reader:
    """Takes the answers of one stream apart, decoding only what is needed (compiled once, used for every page)."""

    def __init__(
        self, place: str, stream: Stream, pages: Pages | None, error: ErrorBody | None, mask: Callable[[str], str]
    ) -> None:
        self._place, self._stream, self._error, self._mask = place, stream, error, mask
        keys = [stream.key] if isinstance(stream.key, str) else stream.key
        mark = stream.since.field if stream.since else None
        self._head = Shape([*keys, *([mark] if mark else [])])
        self._keys = [self._head.reader(key) for key in keys]
        self._mark = self._head.reader(mark) if mark else None
        self._more = (pages.while_, pages.until) if pages else (None, None)
        self._value = (pages.next or pages.value) if pages else None
        self._envelope = self._compile_envelope() if stream.records else None
        self._list = msgspec.json.Decoder(list[msgspec.Raw])

    def read(self, url: str, body: bytes) -> Slice:
        """The slice of an answer; BadAnswer where it is no JSON, says an error, or holds no list of records."""
        try:
            body.decode()
            raws, get = self._open(body)
        except msgspec.ValidationError:
            raise self._misfit(url, msgspec.json.decode(body)) from None
        except ValueError:
            raise self._no_json(url, body) from None
        if raws is None:
            raise self._misfit(url, msgspec.json.decode(body))
        if self._error is not None and self._envelope is not None and holds(self._error.when, get):
            raise self._said(url, get, self._error)
        records, marks = self._records(raws)
        return Slice(records, marks, self._value_of(get, records), self._says_more(get))

    def said(self, body: bytes) -> str:
        """What the system itself says went wrong, by the mapping's `error`; empty where it says nothing."""
        if self._error is None:
            return ""
        try:
            whole = msgspec.json.decode(body)
        except ValueError:
            return ""
        return self._mask(str(pick(whole, self._error.message.split(".")) or ""))

    def _compile_envelope(self) -> tuple[Shape, dict[str, Callable[[Any], Any]]]:
        paths = [p for p in (*self._more, self._value) if p and not p.startswith(LAST)]
        if self._error is not None:
            paths += [*self._error.when, self._error.message]
        shape = Shape(paths, raw_list=self._stream.records)
        return shape, {path: shape.reader(path) for path in (*paths, self._stream.records or "")}

    def _open(self, body: bytes) -> tuple[list[msgspec.Raw] | None, Getter]:
        if self._envelope is None:
            return self._list.decode(body), lambda path: None
        shape, readers = self._envelope
        decoded = shape.decode(body)
        return readers[self._stream.records or ""](decoded), lambda path: readers[path](decoded)

    def _records(self, raws: list[msgspec.Raw]) -> tuple[list[Record], list[Any]]:
        records, marks = [], []
        decode, mark = self._head.decode, self._mark
        for raw in raws:
            try:
                head = decode(raw)
            except msgspec.ValidationError:  # not an object: it is landed all the same
                records.append(Record(None, bytes(raw)))
                continue
            records.append(Record(self._key(head), bytes(raw)))
            if mark is not None:
                marks.append(mark(head))
        return records, marks

    def _key(self, head: Any) -> str | None:
        parts = [read(head) for read in self._keys]
        if any(isinstance(part, bool) or not isinstance(part, str | int) or part == "" for part in parts):
            return None
        return "/".join(map(str, parts))

    def _value_of(self, get: Getter, records: list[Record]) -> Any:
        path = self._value
        if path is None:
            return None
        if not path.startswith(LAST):
            return get(path)
        return pick(msgspec.json.decode(records[-1].payload), path.split(".")[1:]) if records else None

    def _says_more(self, get: Getter) -> bool | None:
        go_on, stop = self._more
        if go_on is not None:
            return get(go_on) not in NO
        return None if stop is None else get(stop) not in YES

    def _misfit(self, url: str, whole: Any) -> BadAnswer:
        def get(path: str) -> Any:
            return pick(whole, path.split("."))

        if self._error is not None and holds(self._error.when, get):
            return self._said(url, get, self._error)
        path = self._stream.records
        found = type(get(path) if path else whole).__name__.replace("NoneType", "nothing")
        where = f"at `{path}`" if path else "as the answer"
        return BadAnswer(
            self._place, f"no list of records {where} from {url}, but {found}", "check `records` in the mapping"
        )

    def _said(self, url: str, get: Getter, error: ErrorBody) -> BadAnswer:
        said = self._mask(str(get(error.message)))
        return BadAnswer(self._place, f"{url} answered with an error: {said}", again=error.retry)

    def _no_json(self, url: str, body: bytes) -> BadAnswer:
        start = body[:200].lstrip().lower()
        kind = "an empty answer" if not start else "HTML" if start.startswith(b"<") else "something else"
        return BadAnswer(self._place, f"{kind} instead of JSON from {url}", "check the base URL and `get`")


def holds(when: When, get: Getter) -> bool:
    """Whether all conditions hold for the values that `get` finds at their paths."""
    return all(_holds(wanted, get(path)) for path, wanted in when.items())


def _holds(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Test):
        return _passes(wanted, value)
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _passes(test: Test, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    checks: dict[str, Callable[[Any], bool]] = {
        "is_not": lambda no: value not in (no if isinstance(no, list) else [no]),
        "exists": lambda yes: (value not in (None, "")) == yes,
        "at_least": lambda low: number and value >= low,
        "at_most": lambda high: number and value <= high,
        "contains": lambda part: isinstance(value, str | list) and part in value,
    }
    return all(checks[name](getattr(test, name)) for name in test.model_fields_set)
