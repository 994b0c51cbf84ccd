"""Comparison forms and likeness, in tables."""

from __future__ import annotations

import pytest

from hub.identity.likeness import BirthDates, Likeness, Likenesses, birth_dates
from hub.identity.normalise import Forms
from mappings.rulebook import Rulebook


@pytest.fixture(scope="module")
def forms(rulebook: Rulebook) -> Forms:
    return Forms(rulebook.identity)


EMAILS = {
    "case": ("Anna.Vogt@Mail.Example", "anna.vogt@mail.example"),
    "plus tag": ("anna+news@mail.example", "anna@mail.example"),
    "only a tag": ("+x@mail.example", "+x@mail.example"),
    "junk": ("noreply@post.example", None),
    "no address": ("n/a", None),
    "no domain": ("anna@", None),
}


@pytest.mark.parametrize(("value", "expected"), EMAILS.values(), ids=EMAILS)
def test_email_for_comparison(forms: Forms, value: str, expected: str | None) -> None:
    assert forms.email(value) == expected


PHONES = {
    "a number": ("+493023125001", "+493023125001"),
    "all zeros": ("+490000000", None),
    "one digit": ("+49 5555555", None),
    "too short": ("12345", None),
    "counted up": ("123456789", None),
    "no number": ("unknown", None),
}


@pytest.mark.parametrize(("value", "expected"), PHONES.values(), ids=PHONES)
def test_phone_for_comparison(forms: Forms, value: str, expected: str | None) -> None:
    assert forms.phone(value) == expected


LIKE = {
    "the same": ("Anna Vogt", "Anna Vogt", Likeness.EQUAL),
    "short form": ("Robert Vogt", "Bob Vogt", Likeness.CLOSE),
    "two short forms": ("Bobby Vogt", "Rob Vogt", Likeness.CLOSE),
    "spelled otherwise": ("Stephan Meyer", "Stefan Meier", Likeness.EQUAL),
    "family name otherwise": ("Anna Vogt", "Anna Holm", Likeness.GIVEN_ONLY),
    "initial": ("A. Vogt", "Anna Vogt", Likeness.INITIAL),
    "initial of another family": ("A. Vogt", "Anna Holm", Likeness.CLASH),
    "other given name": ("Anna Vogt", "Eva Vogt", Likeness.CLASH),
    "ending of the other sex": ("Mario Vogt", "Maria Vogt", Likeness.CLASH),
    "one letter in a short name": ("Tim Vogt", "Tom Vogt", Likeness.CLASH),
    "second given names differ": ("Anna Maria Vogt", "Eva Maria Vogt", Likeness.CLASH),
    "family name of somebody unnamed": ("Herr Vogt", "Anna Vogt", Likeness.UNKNOWN),
    "other family unnamed": ("Herr Holm", "Anna Vogt", Likeness.CLASH),
    "one word, the family name": ("Vogt", "Anna Vogt", Likeness.UNKNOWN),
    "one word, neither": ("Holm", "Anna Vogt", Likeness.CLASH),
    "generations": ("Hans Vogt jr.", "Hans Vogt sen.", Likeness.CLASH),
    "one generation left out": ("Hans Vogt jr.", "Hans Vogt", Likeness.EQUAL),
}


@pytest.mark.parametrize(("left", "right", "expected"), LIKE.values(), ids=LIKE)
def test_likeness_of_names_in_both_directions(forms: Forms, left: str, right: str, expected: Likeness) -> None:
    likenesses = Likenesses(forms)
    first, second = forms.name(None, None, left), forms.name(None, None, right)
    assert first is not None
    assert second is not None
    assert likenesses.pair(first, second) is likenesses.pair(second, first) is expected


NAMELESS = {
    "an address": "anna@mail.example",
    "a user name": "vogt77",
    "punctuation": ".",
    "junk": "N/A",
    "test": "Test Test",
    "an inbox": "Info",
    "empty": "",
}


@pytest.mark.parametrize("value", NAMELESS.values(), ids=NAMELESS)
def test_what_names_nobody(forms: Forms, value: str) -> None:
    assert forms.name(None, None, value) is None


BIRTHS = {
    "same": ("1980-02-03", "1980-02-03", BirthDates.SAME),
    "swapped": ("1980-02-03", "1980-03-02", BirthDates.NEAR),
    "one digit": ("1980-02-03", "1980-02-08", BirthDates.NEAR),
    "another year": ("1980-02-03", "1950-02-03", BirthDates.DIFFERENT),
    "two digits": ("1980-02-03", "1980-11-03", BirthDates.DIFFERENT),
}


@pytest.mark.parametrize(("left", "right", "expected"), BIRTHS.values(), ids=BIRTHS)
def test_likeness_of_birth_dates(left: str, right: str, expected: BirthDates) -> None:
    assert birth_dates([left], [right]) is birth_dates([right], [left]) is expected
    assert birth_dates([], [right]) is BirthDates.UNKNOWN
