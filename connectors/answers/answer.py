"""One answer taken apart. In: its status, headers and bytes. Out: the records' own bytes with keys and marks, and what
the pages say; or the error that it means."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.answers.envelope import LAST, Envelope, Getter, Refusals, reading
from connectors.answers.formats import Unreadable, csv_rows, first_object, mended, ndjson, plain, table_rows
from connectors.answers.records import Heads, Record, keyed, members, with_members
from connectors.answers.shape import Shape
from connectors.errors import BadAnswer, ConnectorError, Unauthorized, Unavailable, of_status
from connectors.http import Answer
from mappings.spec import Csv, ErrorBody, Pages, Stream

__all__ = ["Reader", "Record", "Slice"]

NO, YES = (None, False, 0, "", "0", "false"), (True, 1, "1", "true")
WORDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
FORMATS = {"json": "JSON", "ndjson": "one JSON object a line", "csv": "CSV"}


@dataclass(frozen=True, slots=True)
class Slice:
    """One answer: its records, their changed-at marks, the value that leads on, and what it says of more to come.

    `total` counts all pages or all records, as the mapping says. `ended`: the system says that there is nothing here.
    """

    records: list[Record]
    marks: list[Any]
    value: Any = None
    more: bool | None = None
    total: int | None = None
    ended: bool = False


class Reader:
    """Takes the answers of one stream apart, decoding only what is needed (compiled once, used for every page).

    `check` names where the credentials stand, for a remedy; `mask` takes secrets out of what a system says;
    `largest_bytes` bounds what a compressed answer unfolds to.
    """

    def __init__(
        self,
        place: str,
        stream: Stream,
        pages: Pages | None,
        errors: ErrorBody | list[ErrorBody] | None,
        mask: Callable[[str], str],
        *,
        check: str = "`auth` in the mapping",
        largest_bytes: int = 64 << 20,
    ) -> None:
        self._place, self._stream, self._mask, self._check, self._largest = place, stream, mask, check, largest_bytes
        self._refusals, self._heads = Refusals(errors), Heads(stream)
        self._more = (pages.while_, pages.until) if pages else (None, None)
        self._total = (pages.total_pages or pages.total) if pages else None
        self._value = ("header.Link" if pages.link else pages.next or pages.value) if pages else None
        self._last = _of_last(self._value)
        self._at = None if stream.records == "." else stream.records
        self._paths = [p for p in (*self._more, self._total, self._value, stream.columns, *self._refusals.paths) if p]
        leaf = list[msgspec.Raw] if stream.map_key is None else dict[str, msgspec.Raw]
        self._envelope = Envelope(self._at, self._paths, leaf)
        self._single = Envelope(self._at, self._paths, msgspec.Raw)

    def read(self, answer: Answer, put: bytes = b"") -> Slice:
        """The slice of an answer, or the error that its status, its body or the mapping's `error` means.

        BadAnswer where it cannot be read or holds no list of records (one object with a key is a list of one), or says
        an error; Unavailable where that may pass; Unauthorized; by status as `of_status` has it. `put` are JSON
        members for each record, which may make its key. Half a surrogate pair is no text that can be stored: it becomes
        U+FFFD.
        """
        if answer.status == 204:
            return Slice([], [])
        try:
            body = plain(answer.body, self._largest)
        except Unreadable as error:
            if answer.status >= 300:
                raise self._of_status(answer, "") from None
            raise BadAnswer(self._place, f"{error} from {answer.url}", "ask for smaller pages with `size`") from None
        if answer.status >= 300:
            return self._refused(answer, body)
        return self._json(answer, body, put) if self._stream.format == "json" else self._listed(answer, body, put)

    def _refused(self, answer: Answer, body: bytes) -> Slice:
        try:
            get = reading(msgspec.json.decode(body), answer.headers)
        except (ValueError, RecursionError):
            get = reading(None, answer.headers)
        error = self._refusals.met(get)
        if error is None or error.means == "error":
            raise self._of_status(answer, self._mask(self._refusals.message(get)))
        return self._meant(answer, error, get)

    def _of_status(self, answer: Answer, said: str) -> ConnectorError:
        return of_status(self._place, answer.url, answer.status, said, self._check, answer.wait_s)

    def _meant(self, answer: Answer, error: ErrorBody, get: Getter) -> Slice:
        if error.means == "end":
            return Slice([], [], ended=True)
        told = "" if error.message is None else get(error.message)
        said = self._mask("" if told is None else str(told))
        what = f"{answer.url} answered with an error{f': {said}' if said else ''}"
        if error.means == "unauthorized":
            raise Unauthorized(self._place, what, f"check {self._check}", status=401)
        if error.means == "retry":
            raise Unavailable(
                self._place, what, "run again later", again=True, wait_s=answer.wait_s, status=answer.status
            )
        raise BadAnswer(self._place, what, status=answer.status)

    def _json(self, answer: Answer, body: bytes, put: bytes) -> Slice:
        body = body.removeprefix(BOM_UTF8)
        try:
            body.decode()  # slicing does not look into texts
            raws, get = self._envelope.open(body, answer.headers)
        except RecursionError:
            raise self._too_deep(answer) from None
        except msgspec.ValidationError:
            return self._misfit(answer, body, put)
        except ValueError:
            whole = mended(body)
            if whole != body:
                return self._json(answer, whole, put)
            raise self._unreadable(answer, body) from None
        if raws is None:
            return self._misfit(answer, body, put)
        if (error := self._refusals.met(get)) is not None:
            return self._meant(answer, error, get)
        if self._stream.columns is not None:
            raws = self._named(answer, raws, get(self._stream.columns))
        return self._sliced(raws if self._stream.map_key is None else self._keyed(raws), get, put)

    def _named(self, answer: Answer, raws: Iterable[msgspec.Raw], names: Any) -> list[bytes]:
        try:
            return table_rows(raws, names)
        except Unreadable as error:
            raise BadAnswer(self._place, f"{error}, from {answer.url}", "check `columns` in the mapping") from None

    def _keyed(self, raws: Mapping[str, msgspec.Raw]) -> list[bytes]:
        name = self._stream.map_key or ""
        return [keyed(bytes(raw), members({name: key})) for key, raw in raws.items()]

    def _listed(self, answer: Answer, body: bytes, put: bytes) -> Slice:
        start, get = body[:64].removeprefix(BOM_UTF8).lstrip(), reading(None, answer.headers)
        if self._refusals and start.startswith(b"{"):
            get = reading(first_object(body), answer.headers)
            if (error := self._refusals.met(get)) is not None:
                return self._meant(answer, error, get)
        if start.startswith(b"<"):
            raise self._unreadable(answer, body)
        try:
            raws = ndjson(body) if self._stream.format == "ndjson" else csv_rows(body, self._stream.csv or Csv())
        except Unreadable as error:
            raise BadAnswer(self._place, f"{error}, from {answer.url}", "check `format` in the mapping") from None
        return self._sliced(raws, get, put)

    def _sliced(self, raws: Iterable[bytes | msgspec.Raw], get: Getter, put: bytes) -> Slice:
        records, marks = self._heads.read_all(raws if not put else (with_members(bytes(raw), put) for raw in raws))
        return Slice(records, marks, self._value_of(get, records), self._says_more(get), self._total_of(get))

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
            return _folded(get(go_on)) not in NO
        return None if stop is None else _folded(get(stop)) not in YES

    def _total_of(self, get: Getter) -> int | None:
        said = get(self._total) if self._total else None
        if said is None:
            return None
        if isinstance(said, bool) or not str(said).strip().isdecimal():
            what = f"`{self._total}` holds no count"
            raise BadAnswer(self._place, what, "check `pages` in the mapping")
        return int(said)

    def _misfit(self, answer: Answer, body: bytes, put: bytes) -> Slice:
        """What an answer without the list means: an error, an empty map as PHP writes it, one record, or nonsense."""
        try:
            get = reading(whole := msgspec.json.decode(body), answer.headers)
        except RecursionError:
            raise self._too_deep(answer) from None
        except ValueError:
            raise self._unreadable(answer, body) from None
        if (error := self._refusals.met(get)) is not None:
            return self._meant(answer, error, get)
        found = get(self._at) if self._at else whole
        if self._stream.map_key is not None and found == []:
            return self._sliced([], get, put)
        if isinstance(found, dict) and self._stream.map_key is None:
            slice_ = self._sliced([self._single.open(body, answer.headers)[0]], get, put)
            if slice_.records[0].key is not None:
                return slice_
        wanted = "list of records" if self._stream.map_key is None else "map of records"
        where = f"at `{self._at}`" if self._at else "as the answer"
        what = f"no {wanted} {where} from {answer.url}, but {WORDS.get(type(found), 'a number')}"
        raise BadAnswer(self._place, what, "check `records` in the mapping")

    def _too_deep(self, answer: Answer) -> BadAnswer:
        what = f"an answer nested too deep from {answer.url}"
        return BadAnswer(self._place, what, "check `records` and the stream's path")

    def _unreadable(self, answer: Answer, body: bytes) -> BadAnswer:
        start = body[:200].removeprefix(BOM_UTF8).lstrip().lower()
        kind = "an empty answer" if not start else "HTML" if start.startswith(b"<") else "something else"
        what = f"{kind} instead of {FORMATS[self._stream.format]} from {answer.url}"
        return BadAnswer(self._place, what, "check the base URL and the stream's path")


def _folded(said: Any) -> Any:
    return said.strip().lower() if isinstance(said, str) else said if isinstance(said, int | float) else bool(said)


def _of_last(path: str | None) -> tuple[Shape, Callable[[Any], Any]] | None:
    if path is None or not path.startswith(LAST):
        return None
    shape = Shape([path.removeprefix(LAST)])
    return shape, shape.reader(path.removeprefix(LAST))
