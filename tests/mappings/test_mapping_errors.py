"""What can be wrong in a mapping file: each is refused when loading, with its line, what is allowed, what was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.checking.document import MappingError, parse_document
from mappings.loader import load_system

GOOD = """\
system: thing
kind: crm
about: A thing.
settings:
  token: {secret: true}
http:
  base_url: "https://thing.example"
  auth: {bearer: "${token}"}
streams:
  people:
    get: /people
    key: id
    profile:
      kind: PERSON
      emails: [email]
  bills:
    get: /bills
    key: id
    belongs_to: {stream: people, key: person}
    reconcile: {amount: {path: total, minor: currency}, currency: currency}
    invoice:
      status: {path: status, table: {open: OPEN, paid: PAID}}
      issued_at: {path: created, convert: epoch_s}
      amount: {path: total, minor: currency}
      currency: currency
    money_entry:
      kind: REVENUE
      at: {path: created, convert: epoch_s}
      amount: {path: total, minor: currency}
      currency: currency
    interaction:
      type: bill.issued
      at: {path: created, convert: epoch_s}
      channel: BILLING
      lane: BRAND
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "thing.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(MappingError) as refused:
        load_system(path)
    return [str(problem).removeprefix(f"{path}:") for problem in refused.value.problems]


AMOUNT = "amount: {path: total, minor: currency}\n      currency: currency\n    money"
WRONG = [
    ("unknown name", "kind: crm", "kind: crm\nabuot: x", "3: `abuot` is unknown here", "did you mean `about`?"),
    (
        "unknown stream part",
        "    get: /bills",
        "    get: /bills\n    volatil: []",
        "18: `volatil` is unknown",
        "volatile",
    ),
    ("no duration", "    get: /bills", "    get: /bills\n    fresh: soon", "18: `soon` is no duration", "24h, 7d"),
    ("no rate", "  auth:", "  rate: fast\n  auth:", "8: `fast` is no rate", "80/s, 600/m"),
    ("unknown entity", "    invoice:", "    invoise:", "21: `invoise` is unknown here", "did you mean `invoice`?"),
    ("unknown field", "issued_at:", "isued_at:", "23: `isued_at` is unknown here", "did you mean `issued_at`?"),
    ("unknown profile part", "emails:", "mails:", "15: `mails` is unknown here", "did you mean `emails`?"),
    ("unknown part of a value", "minor: currency}, cur", "miner: currency}, cur", "20: `miner` is unknown", "minor"),
    ("unknown part of http", "  auth:", "  auht:", "8: `auht` is unknown here", "did you mean `auth`?"),
    ("unknown kind of system", "kind: crm", "kind: cmr", "2: `cmr` is none of crm, billing", "did you mean `crm`?"),
    (
        "unknown converter",
        "convert: epoch_s}\n      amount",
        "convert: epoch}\n      amount",
        "23: `epoch` is no con",
        "epoch_s",
    ),
    (
        "wrong kind of converter",
        "issued_at: {path: created, convert: epoch_s}",
        "issued_at: {path: created, convert: email}",
        "23: `email` yields a text, and `issued_at` is an instant",
        "allowed: epoch_s",
    ),
    ("table target", "paid: PAID", "paid: PAYED", "22: `PAYED` is none of OPEN, PAID", "did you mean `PAID`?"),
    (
        "bare word of a choice",
        "channel: BILLING",
        "channel: BILING",
        "34: `BILING` is none of WEB",
        "did you mean `BILLING`?",
    ),
    ("path for a choice", "lane: BRAND", "lane: actor", "35: `actor` is none of CUSTOMER, BRAND", "{path: …}"),
    (
        "unknown stream",
        "{stream: people,",
        "{stream: poeple,",
        "19: `poeple` is no stream here",
        "did you mean `people`?",
    ),
    ("stream without profiles", "{stream: people,", "{stream: bills,", "19: the stream `bills` has no profiles", ""),
    ("setting not declared", "${token}", "${tokn}", "8: the setting `tokn` is not declared", "did you mean `token`?"),
    ("secret written out", "${token}", "s3cret", "8: a secret is written out", "declare a setting"),
    (
        "missing canonical field",
        "      issued_at: {path: created, convert: epoch_s}\n",
        "",
        "21: `issued_at` is missing: When it was issued.",
        "",
    ),
    ("missing part of a stream", "    get: /bills\n", "", "16: say exactly one of get, post", ""),
    (
        "amount without a unit",
        AMOUNT,
        AMOUNT.replace("{path: total, minor: currency}", "total"),
        "24: an amount says `minor` or `major`",
        "",
    ),
    (
        "unit without an amount",
        "{path: status, table",
        "{path: status, minor: currency, table",
        "22: `minor`, `major`",
        "for amounts",
    ),
    (
        "nobody to belong to",
        "    belongs_to: {stream: people, key: person}\n",
        "",
        "20: whose it is: say `profile`",
        "belongs_to",
    ),
    (
        "two origins",
        "{path: status, table",
        "{path: status, const: OPEN, table",
        "22: say exactly one of path, jmespath, const",
        "",
    ),
    ("a list for a path", "path: status,", "path: [status],", "22: `path` should be a text, not a list", ""),
    ("a block for a list", "emails: [email]", "emails: email", "15: `emails` should be a", "not `email`"),
    (
        "a number for a block",
        "    invoice:\n",
        "    case: 4\n    invoice:\n",
        "21: `case` should be a block or a list, not `4`",
        "",
    ),
    (
        "no profile list",
        "profile:\n      kind: PERSON\n      emails: [email]",
        "profile: yes",
        "13: `profile` should be a block, not `yes`",
        "",
    ),
    ("empty step in a path", "key: person", "key: person..id", "19: `person..id` is no path", ""),
    (
        "kind of a control",
        "currency: currency}\n    invoice",
        "currency: currency, kinds: [REVENU]}\n    invoice",
        "20: `REVENU` is no kind",
        "`REVENUE`?",
    ),
    (
        "said twice",
        "    key: id\n    profile",
        "    key: id\n    key: id\n    profile",
        "13: `key` is said twice (first on line 12)",
        "",
    ),
    ("tab", "  people:", "\tpeople:", "10: not YAML: ", "indent with blanks, a tab does not count"),
    (
        "tab in an empty line",
        "  people:",
        "\t\n  people:",
        "10: not YAML: ",
        "indent with blanks, a tab does not count",
    ),
    ("deeper than its neighbours", "    key: id", "     key: id", "12: not YAML: ", "indent it as the names beside it"),
    (
        "quote that is not closed",
        "about: A thing.",
        "about: 'A thing.",
        "3: not YAML: ",
        "close the quote that is opened",
    ),
    ("unclosed bracket", "emails: [email]", "emails: [email", "16: not YAML: ", "close each bracket"),
    ("in capitals", "    key: id", "    KEY: id", "12: `KEY` is unknown here", "did you mean `key`?"),
    ("alias", "emails: [email]", "emails: [*email]", "15: an alias `*email`", "write it out"),
    ("tag", "about: A thing.", "about: !!python/name:os.system x", "3: a tag", ""),
    ("file name", "system: thing", "system: other", "1: `other` stands in thing.yml", ""),
    (
        "no time zone",
        "path: created, convert: epoch_s}\n      " + AMOUNT,
        "path: created, zone: Europe/Berln}\n      " + AMOUNT,
        "23: `Europe/Berln` is no time zone",
        "`Europe/Berlin`?",
    ),
    (
        "default that is none",
        "table: {open: OPEN, paid: PAID}",
        "table: {open: OPEN}, default: UNKNOWN",
        "22: `UNKNOWN` is none of OPEN",
        "",
    ),
    (
        "table and convert",
        "table: {open: OPEN, paid: PAID}",
        "table: {open: OPEN}, convert: upper",
        "22: say `table` or `convert`",
        "",
    ),
    (
        "split of one value",
        "{path: status, table",
        '{path: status, split: ";", table',
        "22: `split` gives several values",
        "",
    ),
    (
        "two ways to page",
        "    get: /bills",
        "    pages: {page: p, offset: o}\n    get: /bills",
        "17: say exactly one of page, offset",
        "",
    ),
    (
        "a count of pages where pages have no number",
        "    get: /bills",
        "    pages: {offset: o, total_pages: p}\n    get: /bills",
        "17: `total_pages` goes with `page`",
        "",
    ),
    (
        "two signatures",
        '{bearer: "${token}"}',
        '{bearer: "${token}", basic: {user: a}}',
        "8: say exactly one of bearer",
        "",
    ),
]


@pytest.mark.parametrize(
    ("good", "bad", "expected", "remedy"),
    [case[1:] for case in WRONG],
    ids=[case[0] for case in WRONG],
)
def test_an_error_names_its_line_and_what_was_meant(
    tmp_path: Path, good: str, bad: str, expected: str, remedy: str
) -> None:
    assert GOOD.count(good) >= 1
    found = problems(tmp_path, GOOD.replace(good, bad, 1))
    assert any(problem.startswith(expected) and remedy in problem for problem in found), found


def test_the_file_that_the_errors_are_made_of_is_right(tmp_path: Path) -> None:
    path = tmp_path / "thing.yml"
    path.write_text(GOOD, "utf-8")
    assert list(load_system(path).streams) == ["people", "bills"]


def test_all_errors_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("emails:", "mails:").replace("kind: crm", "kind: cmr").replace("lane:", "lain:")
    assert [problem.split(":")[0] for problem in problems(tmp_path, text)] == ["2", "15", "35"]


def test_errors_of_meaning_come_at_once_too(tmp_path: Path) -> None:
    text = GOOD.replace("paid: PAID", "paid: PAYED").replace("channel: BILLING", "channel: PAPER")
    assert [problem.split(":")[0] for problem in problems(tmp_path, text)] == ["22", "34"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: nothing stands where names are expected"),
        ("- a", "1: a list stands where names are expected"),
        ("just words", "1: `just words` stands where names are expected"),
        ("a: 1\n---\nb: 2", "2: a second document"),
        ("? [a, b]\n: c", "1: a name has to be a word"),
        ("a: " + "[" * 500, "1: not YAML: nested too deeply"),
    ],
    ids=["empty", "list", "words", "two documents", "complex name", "deep"],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text)[0].startswith(expected)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "thing.yml"
    path.write_bytes(b"about: \xff\xfe")
    with pytest.raises(MappingError, match="not UTF-8"):
        load_system(path)
    with pytest.raises(MappingError, match="cannot be read"):
        load_system(tmp_path / "missing.yml")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("2026-05-01", "2026-05-01"),
        ("true", True),
        ("12", 12),
        ("-0.5", -0.5),
        ("~", None),
        ('"12"', "12"),
        ("1" * 5000, "1" * 5000),
        ("1e999", "1e999"),
    ],
)
def test_only_what_looks_like_a_number_or_true_is_no_text(written: str, value: object) -> None:
    data = parse_document(f"a: {written}", "x").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


PIECES = st.sampled_from(GOOD.splitlines(keepends=True))
MARKS = st.sampled_from(list("\t\n :-[]{}&*!|>'\"%@`#,?\x00\x85\ud800é0123456789abc$.~"))
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(MARKS, max_size=60).map("".join),
    st.lists(PIECES, max_size=30).map("".join),
    st.tuples(st.integers(0, len(GOOD)), st.integers(0, 30), st.lists(MARKS, max_size=5)).map(
        lambda cut: GOOD[: cut[0]] + "".join(cut[2]) + GOOD[cut[0] + cut[1] :]
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_no_text_ends_in_anything_but_a_mapping_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "thing.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (lambda: load_system(path), lambda: parse_document(text, "x")):
        found = refusal(read)
        assert found is None or found.problems
        assert all(problem.line >= 1 and "\n" not in str(problem) for problem in (found.problems if found else ()))


def refusal(read: Callable[[], object]) -> MappingError | None:
    try:
        read()
    except MappingError as error:
        return error
    return None


def test_the_example_of_the_guide_loads(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text("utf-8")
    path = tmp_path / "shop.yml"
    path.write_text(guide.split("```yaml\n")[1].split("```")[0], "utf-8")
    assert list(load_system(path).streams) == ["people", "orders"]
