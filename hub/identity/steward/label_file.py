"""A file of labels. In: a CSV, line by line. Out: which profiles are one, as pairs or as people.

A row is a pair (left, right, same) or a profile and its person (profile, person); a profile is written as
source/stream/key. Other columns do not count.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, select

from hub.identity.steward.labels import Labels, PairLabels, PersonLabels
from hub.store.bulk import among
from hub.store.kept import profile_ledger

PAIR, PERSON = ("left", "right", "same"), ("profile", "person")
_YES, _NO = ("1", "yes", "true", "y"), ("0", "no", "false", "n")
_BATCH = 5_000  # rows whose profiles are looked up together
_LONGEST = 100_000  # bytes of a line
_MARK = b"\xef\xbb\xbf"  # how some programs begin a file in UTF-8
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WANTED = "left,right,same or profile,person"

Row = tuple[int, list[str]]  # the line and the columns wanted


class LabelsError(Exception):
    """A file of labels that cannot be used; the message says at which line, why, and what would work."""


def read_labels(connection: Connection, path: Path) -> Labels:
    """The labels of a file. Raises LabelsError for the first line that cannot be used."""
    try:
        with path.open("rb") as file:
            lines = _Lines(path, iter(lambda: file.readline(_LONGEST), b""))
            header, rows = _rows(lines)
            return (_read_pairs if header == PAIR else _read_people)(connection, lines, rows)
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror})") from None


class _Lines:
    """The text of a file, line by line; knows where it stands."""

    def __init__(self, path: Path, raw: Iterator[bytes]) -> None:
        self._path, self._raw, self._line = path, raw, 0

    def __iter__(self) -> Iterator[str]:
        for raw in self._raw:
            self._line += 1
            if self._line == 1:
                if raw.startswith(_UTF16):
                    raise self.wrong(1, "is UTF-16; save the file as CSV UTF-8")
                raw = raw.removeprefix(_MARK)
            if len(raw) == _LONGEST:
                raise self.wrong(self._line, f"is longer than {_LONGEST:,} bytes; a row holds a few words")
            try:
                yield raw.decode()
            except UnicodeDecodeError:
                raise self.wrong(self._line, "is no UTF-8; save the file as CSV UTF-8") from None

    def wrong(self, line: int, what: str) -> LabelsError:
        """The error of a line."""
        return LabelsError(f"{self._path}:{line}: {what}")


def _rows(lines: _Lines) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Which columns there are, and each row's; blank lines are passed over."""
    texts = iter(lines)
    first = next(texts, "")
    if not first.strip():
        raise lines.wrong(1, f"is empty; the first line names the columns: {_WANTED}")
    for comma in (",", ";", "\t"):
        names = [name.strip().casefold() for name in next(csv.reader([first], delimiter=comma))]
        for header in (PAIR, PERSON):
            if all(names.count(name) == 1 for name in header):
                return header, _picked(lines, texts, comma, names, header)
    raise lines.wrong(1, f"has the columns {first.strip()[:80]!r}; {_WANTED} are needed, once each")


def _picked(
    lines: _Lines, texts: Iterator[str], comma: str, names: list[str], header: tuple[str, ...]
) -> Iterator[Row]:
    places = [names.index(name) for name in header]
    reader = csv.reader(texts, delimiter=comma, strict=True)
    try:
        for row in reader:
            line = reader.line_num + 1
            if not any(map(str.strip, row)):
                continue
            if len(row) != len(names):
                raise lines.wrong(line, f"has {len(row)} columns, the first line names {len(names)}")
            yield line, [row[place].strip() for place in places]
    except csv.Error as error:
        raise lines.wrong(reader.line_num + 1, f"is no CSV ({error}); quotes stand in pairs") from None


def _read_pairs(connection: Connection, lines: _Lines, rows: Iterator[Row]) -> PairLabels:
    pairs: dict[tuple[int, int], bool] = {}
    said_at: dict[tuple[int, int], int] = {}
    while batch := list(islice(rows, _BATCH)):
        known = _known(connection, lines, [(line, place) for line, said in batch for place in said[:2]])
        for line, (left, right, said) in batch:
            a, b = sorted((known[left], known[right]))
            if a == b:
                raise lines.wrong(line, f"{left} stands on both sides; name two profiles")
            same = _same(lines, line, said)
            if pairs.setdefault((a, b), same) is not same:
                raise lines.wrong(line, f"says the contrary of line {said_at[a, b]} about {left} and {right}; keep one")
            said_at.setdefault((a, b), line)
    if not pairs:
        raise lines.wrong(2, "holds no pair; add rows: source/stream/key,source/stream/key,yes")
    return PairLabels(pairs)


def _same(lines: _Lines, line: int, said: str) -> bool:
    word = said.casefold()
    if word not in (*_YES, *_NO):
        raise lines.wrong(line, f"same is {said[:40]!r}; write 1 or 0, or yes or no")
    return word in _YES


def _read_people(connection: Connection, lines: _Lines, rows: Iterator[Row]) -> PersonLabels:
    people: dict[str, int] = {}
    person: dict[int, int] = {}
    said_at: dict[int, int] = {}
    while batch := list(islice(rows, _BATCH)):
        known = _known(connection, lines, [(line, said[0]) for line, said in batch])
        for line, (place, who) in batch:
            if not who:
                raise lines.wrong(line, f"names no person for {place}; take the line out where nobody knows")
            number, one = known[place], people.setdefault(who, len(people))
            if person.setdefault(number, one) != one:
                raise lines.wrong(line, f"says another person of {place} than line {said_at[number]}; keep one")
            said_at.setdefault(number, line)
    if len(person) < 2:
        raise lines.wrong(2, "holds less than two profiles; add rows: source/stream/key,person")
    return PersonLabels(person)


def _known(connection: Connection, lines: _Lines, named: list[tuple[int, str]]) -> dict[str, int]:
    """The number of each profile named."""
    wanted: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for line, place in named:
        source, _, rest = place.partition("/")
        stream, _, key = rest.partition("/")
        if not (source and stream and key) or "\0" in place:
            raise lines.wrong(line, f"{place[:80]!r} is no profile; write it as source/stream/key")
        wanted[source, stream][key] = place
    own = profile_ledger.c
    numbers: dict[str, int] = {}
    for (source, stream), keys in wanted.items():
        found = select(own.key, own.profile_no).where(own.source == source, own.stream == stream)
        for key, number in connection.execute(found.where(among(connection, own.key, list(keys)))):
            numbers[keys[key]] = number
    for line, place in named:
        if place not in numbers:
            raise lines.wrong(line, f"the hub has no profile {place}; sync its source, or take the line out")
    return numbers
