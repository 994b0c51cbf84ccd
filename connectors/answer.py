"""One answer taken apart. In: its bytes. Out: the records' own bytes with keys and marks, and what the pages say."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.errors import BadAnswer
from connectors.shape import Shape, pick
from mappings.conditions import condition
from mappings.model import KEY_LIMIT
from mappings.spec import ErrorBody, Pages, Stream

Getter = Callable[[str], Any]
LAST = "last."
# An escape in JSON text: a whole surrogate pair, half of one, or any other.
ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL)
NO, YES = (None, False, 0, "", "0", "false"), (True, "true")
WORDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was sent: its key as text (None where it has none) and its own JSON bytes."""

    key: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Slice:
    """One answer: its records, their changed-at marks, the value that leads on, and what it says of more to come.

    `total` counts all pages or all records, as the mapping says.
    """

    records: list[Record]
    marks: list[Any]
    value: Any = None
    more: bool | None = None
    total: int | None = None


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
        self._total = (pages.total_pages or pages.total) if pages else None
        self._value = (pages.next or pages.value) if pages else None
        self._last = _of_last(self._value)
        self._envelope = self._compile_envelope() if stream.records else None
        self._list = msgspec.json.Decoder(list[msgspec.Raw])
        self._checks = {path: condition(said) for path, said in error.when.items()} if error else {}

    def read(self, url: str, body: bytes) -> Slice:
        """The slice of an answer; BadAnswer where it is no JSON, says an error, or holds no list of records.

        Half a surrogate pair (an emoji cut in two) is no text that can be stored: it becomes U+FFFD.
        """
        body = body.removeprefix(BOM_UTF8)
        try:
            body.decode()  # slicing does not look into texts
            raws, get = self._open(body)
        except RecursionError:
            raise BadAnswer(self._place, f"an answer nested too deep from {url}", "check `records` and `get`") from None
        except msgspec.ValidationError:
            raise self._misfit(url, body) from None
        except ValueError:
            mended = _mended(body)
            if mended != body:
                return self.read(url, mended)
            raise self._no_json(url, body) from None
        if raws is None:
            raise self._misfit(url, body)
        if self._envelope is not None and self._is_error(get):
            raise self._said(url, get)
        records, marks = self._records(raws)
        return Slice(records, marks, self._value_of(get, records), self._says_more(get), self._total_of(get))

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
        paths = [p for p in (*self._more, self._total, self._value) if p and not p.startswith(LAST)]
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
            except msgspec.DecodeError:  # no object, or a key that is no text: it is landed all the same
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
        key = "/".join(map(str, parts))
        return key if len(key) <= KEY_LIMIT else None

    def _value_of(self, get: Getter, records: list[Record]) -> Any:
        if self._value is None or self._last is None:
            return get(self._value) if self._value else None
        shape, read = self._last
        try:
            return read(shape.decode(records[-1].payload)) if records else None
        except msgspec.DecodeError:
            return None

    def _says_more(self, get: Getter) -> bool | None:
        go_on, stop = self._more
        if go_on is not None:
            return get(go_on) not in NO
        return None if stop is None else get(stop) not in YES

    def _total_of(self, get: Getter) -> int | None:
        said = get(self._total) if self._total else None
        if said is None:
            return None
        if isinstance(said, bool) or not str(said).isdecimal():
            what = f"`{self._total}` holds no count"
            raise BadAnswer(self._place, what, "check `pages` in the mapping")
        return int(said)

    def _is_error(self, get: Getter) -> bool:
        return bool(self._checks) and all(check(get(path)) for path, check in self._checks.items())

    def _misfit(self, url: str, body: bytes) -> BadAnswer:
        try:
            whole = msgspec.json.decode(body)
        except ValueError:
            return self._no_json(url, body)

        def get(path: str) -> Any:
            return pick(whole, path.split("."))

        if self._is_error(get):
            return self._said(url, get)
        path = self._stream.records
        found = WORDS.get(type(get(path) if path else whole), "a number")
        what = f"no list of records {f'at `{path}`' if path else 'as the answer'} from {url}, but {found}"
        return BadAnswer(self._place, what, "check `records` in the mapping")

    def _said(self, url: str, get: Getter) -> BadAnswer:
        said = self._mask(str(get(self._error.message))) if self._error else ""
        again = self._error is not None and self._error.retry
        return BadAnswer(self._place, f"{url} answered with an error: {said}", again=again)

    def _no_json(self, url: str, body: bytes) -> BadAnswer:
        start = body[:200].lstrip().lower()
        kind = "an empty answer" if not start else "HTML" if start.startswith(b"<") else "something else"
        return BadAnswer(self._place, f"{kind} instead of JSON from {url}", "check the base URL and `get`")


def _of_last(path: str | None) -> tuple[Shape, Callable[[Any], Any]] | None:
    if path is None or not path.startswith(LAST):
        return None
    shape = Shape([path.removeprefix(LAST)])
    return shape, shape.reader(path.removeprefix(LAST))


def _mended(body: bytes) -> bytes:
    return ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], body)
