"""Files of labels: every spelling that is clear is read, and every other is one error with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.identity.steward.label_file import LabelsError, read_labels
from hub.identity.steward.labels import Counts, Labels, PairLabels, PersonLabels
from hub.store.bulk import insert_rows
from hub.store.engine import Store
from hub.store.kept import profile_ledger

KEYS = ("1", "2", "a/b", "ü 3", "4")  # profile numbers 1 to 5


@pytest.fixture
def known(store: Store) -> Store:
    """A store that knows crm/contacts/KEY."""
    with store.write() as connection:
        rows = [("crm", "contacts", key, False) for key in KEYS]
        insert_rows(connection, profile_ledger, ("source", "stream", "key", "pending"), rows)
    return store


def read(store: Store, tmp_path: Path, content: bytes) -> Labels:
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    with store.read() as connection:
        return read_labels(connection, file)


PAIRS = {(1, 2): True, (1, 3): False}
PEOPLE = {1: 0, 2: 0, 3: 1}
CLEAR: dict[str, tuple[bytes, Labels]] = {
    "plain": (
        b"left,right,same\ncrm/contacts/1,crm/contacts/2,1\ncrm/contacts/a/b,crm/contacts/1,0\n",
        PairLabels(PAIRS),
    ),
    "byte order mark": (
        b"\xef\xbb\xbfleft,right,same\ncrm/contacts/1,crm/contacts/2,1\ncrm/contacts/1,crm/contacts/a/b,0",
        PairLabels(PAIRS),
    ),
    "semicolons and Windows lines": (
        b"Left;Right;Same\r\ncrm/contacts/1;crm/contacts/2;YES\r\ncrm/contacts/1;crm/contacts/a/b;No\r\n",
        PairLabels(PAIRS),
    ),
    "tabs, blanks, more columns": (
        b"by\tleft\tright\tsame\n\t crm/contacts/1 \tcrm/contacts/2\ttrue\n\n\n"
        b"me\tcrm/contacts/1\tcrm/contacts/a/b\tfalse\n",
        PairLabels(PAIRS),
    ),
    "quotes": (
        'left,right,same\n"crm/contacts/ü 3","crm/contacts/1","y"\n'.encode(),
        PairLabels({(1, 4): True}),
    ),
    "said twice": (
        b"left,right,same\ncrm/contacts/1,crm/contacts/2,1\ncrm/contacts/2,crm/contacts/1,yes\n",
        PairLabels({(1, 2): True}),
    ),
    "people": (
        b"profile,person\ncrm/contacts/1,ann\ncrm/contacts/2,ann\ncrm/contacts/a/b,bob\ncrm/contacts/1,ann\n",
        PersonLabels(PEOPLE),
    ),
}


@pytest.mark.parametrize(("content", "wanted"), CLEAR.values(), ids=CLEAR)
def test_what_is_clear_is_read(known: Store, tmp_path: Path, content: bytes, wanted: Labels) -> None:
    assert read(known, tmp_path, content) == wanted


ONE = b"crm/contacts/1"
WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ":1: is empty"),
    "header alone": (b"left,right,same\n", ":2: holds no pair"),
    "a column is missing": (b"left,right\n", r":1: has the columns 'left,right'; left,right,same or profile,person"),
    "a column stands twice": (b"left,left,right,same\n", ":1: has the columns"),
    "no header": (ONE + b",crm/contacts/2,1\n", ":1: has the columns"),
    "UTF-16": ("left,right,same\n".encode("utf-16"), ":1: is UTF-16; save the file as CSV UTF-8"),
    "Latin-1": (
        b"left,right,same\n" + ONE + b",crm/contacts/2,1\n" + ONE + b",crm/contacts/\xfc,1\n",
        ":3: is no UTF-8",
    ),
    "a row is short": (b"left,right,same\n\n" + ONE + b",crm/contacts/2\n", ":3: has 2 columns"),
    "a row is long": (b"profile,person\n" + ONE + b",ann,more\n", ":2: has 3 columns"),
    "no place": (
        b"left,right,same\ncrm/1,crm/contacts/2,1\n",
        ":2: 'crm/1' is no profile; write it as source/stream/key",
    ),
    "NUL": (b"left,right,same\ncrm/contacts/\0,crm/contacts/2,1\n", ":2: "),
    "unknown": (b"left,right,same\n" + ONE + b",crm/contacts/9,1\n", ":2: the hub has no profile crm/contacts/9"),
    "harm": (b"profile,person\ncrm/contacts/x' OR 1=1 --,ann\n", ":2: the hub has no profile"),
    "itself": (b"left,right,same\n" + ONE + b"," + ONE + b",1\n", ":2: .* stands on both sides"),
    "maybe": (b"left,right,same\n" + ONE + b",crm/contacts/2,maybe\n", ":2: same is 'maybe'; write 1 or 0"),
    "the contrary": (
        b"left,right,same\n" + ONE + b",crm/contacts/2,1\ncrm/contacts/2," + ONE + b",0\n",
        ":3: says the contrary of line 2",
    ),
    "another person": (
        b"profile,person\n" + ONE + b",ann\ncrm/contacts/2,ann\n" + ONE + b",bob\n",
        ":4: says another person of crm/contacts/1 than line 2",
    ),
    "no person": (b"profile,person\n" + ONE + b",\n", ":2: names no person for crm/contacts/1"),
    "one profile": (b"profile,person\n" + ONE + b",ann\n", ":2: holds less than two profiles"),
    "open quote": (b'left,right,same\n"crm/contacts/1,crm/contacts/2,1\n', ": is no CSV"),
    "endless line": (b"left,right,same\n" + b"x" * 200_000, ":2: is longer than 100,000 bytes"),
}


@pytest.mark.parametrize(("content", "words"), WRONG.values(), ids=WRONG)
def test_what_is_not_clear_is_one_error_with_its_line(known: Store, tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(LabelsError, match=words) as said:
        read(known, tmp_path, content)
    assert str(said.value).startswith(str(tmp_path / "labels.csv"))
    assert "\n" not in str(said.value)


def test_a_file_that_is_not_there_is_said(known: Store, tmp_path: Path) -> None:
    with known.read() as connection, pytest.raises(LabelsError, match="cannot be read"):
        read_labels(connection, tmp_path / "none.csv")


def test_many_rows_are_looked_up_together(known: Store, tmp_path: Path) -> None:
    rows = [b"crm/contacts/%s,crm/contacts/%s,%d" % (KEYS[0].encode(), KEYS[1].encode(), 1)] * 12_000
    assert read(known, tmp_path, b"\n".join([b"left,right,same", *rows])) == PairLabels({(1, 2): True})


GROUPS = {1: 10, 2: 10, 3: 10, 4: 40, 5: 50}
SAID = {1: 0, 2: 0, 3: 1, 4: 1, 5: 2}


def test_people_count_as_all_their_pairs_do() -> None:
    people = PersonLabels(SAID)
    pairs = PairLabels({(a, b): SAID[a] == SAID[b] for a in SAID for b in SAID if a < b})
    assert people.counts(GROUPS) == pairs.counts(GROUPS) == Counts(1, 2, 1, 6)
    for same in (True, False):
        assert sorted(people.wrong(GROUPS, same)) == sorted(pairs.wrong(GROUPS, same))
    assert list(people.wrong(GROUPS, True)) == [(3, 4)]


def test_shares_of_nothing_are_unknown() -> None:
    assert (Counts(0, 0, 0, 5).precision, Counts(0, 0, 0, 5).recall, Counts(0, 0, 0, 5).f1) == (None, None, None)
    assert (Counts(3, 1, 1, 0).precision, Counts(3, 1, 1, 0).recall, Counts(3, 1, 1, 0).f1) == (0.75, 0.75, 0.75)
