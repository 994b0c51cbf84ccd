"""The measures themselves: a bench that counts wrongly proves nothing."""

from __future__ import annotations

from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from tests.bench.identity.datasets import any_file
from tests.bench.identity.estate import SOURCES, estate
from tests.bench.identity.evidence import connected
from tests.bench.identity.join_naive import same_contact
from tests.bench.identity.measure import quality
from tests.bench.identity.organizations import organizations, vat
from tests.bench.identity.picture import curve
from tests.bench.identity.record import Record, read_records, write_records

TRUTH = {"a": "1", "b": "1", "c": "1", "d": "2"}
PARTITIONS = {
    "right": ({"a": "x", "b": "x", "c": "x", "d": "y"}, (1, 1, 1)),
    "nothing joined": ({}, (1, 0, 1 / 3)),
    "one too many": ({"a": "x", "b": "x", "c": "x", "d": "x"}, (0.5, 1, 0)),
    "one too few": ({"a": "x", "b": "x", "c": "y", "d": "z"}, (1, 1 / 3, 2 * 1 / 5)),
}


@pytest.mark.parametrize(("found", "expected"), PARTITIONS.values(), ids=PARTITIONS)
def test_pairs_and_whole_clusters_are_counted(found: dict[str, str], expected: tuple[float, float, float]) -> None:
    q = quality(TRUTH, TRUTH, found)
    assert (q.precision, q.recall, q.exact) == pytest.approx(expected)


def test_pairs_without_evidence_are_counted_apart() -> None:
    q = quality(TRUTH, TRUTH | {"c": "1/1"}, {"a": "x", "b": "x", "c": "y", "d": "z"})
    assert (q.recall, q.reachable, q.f1_reachable) == pytest.approx((1 / 3, 1, 1))


def test_people_made_one_are_counted_by_whether_they_live_together() -> None:
    truth = {"a": "1.1", "b": "1.2", "c": "2.1", "d": "2.1"}
    q = quality(truth, truth, {"a": "x", "b": "x", "c": "x", "d": "y"})
    assert (q.housemates, q.strangers) == (1, 2)


ANNA = {"given": "Anna", "family": "Vogt"}
EVIDENCE = {
    "same e-mail": ({"emails": ("a.vogt@web.de",)}, {"emails": ("a.vogt+shop@web.de",)}, True),
    "id carried": ({}, {"ids": (("crm", "0"),)}, True),
    "name and birth date": (ANNA | {"birth": "1980-02-03"}, {"display": "Vogt, A.", "birth": "1980-03-02"}, True),
    "name and street": (ANNA | {"street": "Hauptstr. 5"}, ANNA | {"street": "Haupstr. 5", "postcode": "1"}, True),
    "married": (
        ANNA | {"birth": "1980-02-03", "postcode": "10115"},
        {"given": "Anna", "family": "Baum", "birth": "1980-02-03", "postcode": "10115"},
        True,
    ),
    "name alone": (ANNA, ANNA, False),
    "birth date alone": ({"birth": "1980-02-03"}, {"birth": "1980-02-03"}, False),
    "street, another number": (ANNA | {"street": "Hauptstr. 5"}, ANNA | {"street": "Hauptstr. 6"}, False),
}


@pytest.mark.parametrize(("left", "right", "expected"), EVIDENCE.values(), ids=EVIDENCE)
def test_evidence_connects_records_of_a_person(
    left: dict[str, object], right: dict[str, object], expected: bool
) -> None:
    records = [Record(source, "0", "17", **said) for source, said in (("crm", left), ("shop", right))]  # type: ignore[arg-type]
    parts = connected(records)
    assert (parts["crm/0"] == parts["shop/0"]) is expected


def test_what_several_people_share_is_evidence_only_beside_a_name() -> None:
    shared = ("office@acme.example",)
    records = [
        Record("crm", "1", "anna", "Anna", "Vogt", emails=shared),
        Record("shop", "1", "anna", "Anna", "Voigt", emails=shared),
        Record("web", "1", "anna", emails=shared),
        Record("crm", "2", "peter", "Peter", "Baum", emails=shared),
    ]
    parts = connected(records)
    assert parts["crm/1"] == parts["shop/1"] != parts["web/1"]


def test_an_estate_is_the_same_for_the_same_seed_and_complete() -> None:
    records = estate(2_000, seed=3)
    assert records == estate(2_000, seed=3)
    assert records != estate(2_000, seed=4)
    assert len({record.place for record in records}) == len(records) == 2_000
    assert {record.source for record in records} == set(SOURCES)


def test_organizations_are_the_same_for_the_same_seed_and_complete() -> None:
    records = organizations(800, seed=3)
    assert records == organizations(800, seed=3)
    assert len({record.place for record in records}) == len(records) == 800
    assert {record.kind for record in records} == {"ORGANIZATION"}


def test_vat_numbers_have_the_check_digits_of_their_country() -> None:
    chance = Random(1)
    for _ in range(20):
        product = 10
        *digits, check = map(int, vat("de", chance)[2:])
        for digit in digits:
            product = 2 * ((digit + product) % 10 or 10) % 11
        assert (product + check) % 10 == 1  # ISO 7064, MOD 11,10
        french, italian = vat("fr", chance), vat("it", chance)
        assert int(french[4:] + "12") % 97 == int(french[2:4])
        assert (len(italian), _luhn_sum(italian[2:]) % 10, _luhn_sum(french[4:]) % 10) == (13, 0, 0)


def _luhn_sum(digits: str) -> int:
    return sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(reversed(digits)))


def test_a_neutral_file_gives_the_records_back(tmp_path: Path) -> None:
    records = estate(500)
    write_records(tmp_path / "records.csv", records)
    assert list(read_records(tmp_path / "records.csv")) == records


def test_the_naive_join_follows_chains() -> None:
    records = [
        Record("crm", "1", "a", emails=("a@x.example",)),
        Record("crm", "2", "a", emails=("a@x.example",), phones=("+4930123456",)),
        Record("crm", "3", "b", phones=("+4930123456",)),
        Record("crm", "4", "b"),
    ]
    groups = same_contact(records)
    assert groups["crm/1"] == groups["crm/2"] == groups["crm/3"] != groups["crm/4"]


PEOPLE = """\ufefffirst_name,last_name,dob,mail,phone,ssn,who
Anna,Vogt,1980-02-03,Anna@Web.de,030 23125 123,17,a
Peter,,,n/a,,,b
"""


def test_any_csv_file_is_read_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    columns = {"given": "first_name", "family": "last_name", "birth": "dob", "email": "mail", "id:ssn": "ssn"}
    anna, peter = any_file(file, columns, "who", "people")
    assert anna == Record(
        "people", "1", "a", "Anna", "Vogt", birth="1980-02-03", emails=("anna@web.de",), ids=(("ssn", "17"),)
    )  # fmt: skip
    assert peter == Record("people", "2", "b", "Peter")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    with pytest.raises(SystemExit, match="has no column surname; its columns are first_name, last_name"):
        list(any_file(file, {"family": "surname"}, "who", "people"))


def test_the_curve_is_well_formed_and_has_every_point() -> None:
    drawn = curve("time & size", {"hub": [(10_000, 2.0), (100_000, 21.0)], "other": [(10_000, 0.0)]})
    tags = [element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn).iter()]  # noqa: S314 - our own
    assert (tags.count("circle"), tags.count("polyline")) == (3, 2)
