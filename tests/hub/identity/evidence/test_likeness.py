"""How alike names, births, addresses and e-mails are, in tables, in both directions."""

from __future__ import annotations

import pytest

from hub.identity.evidence.births import Births, Nationals, births, nationals
from hub.identity.evidence.likeness import Family, Given, Likenesses
from hub.identity.evidence.places import Mail, Place, mail, phones_alike, place
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Address, Name
from hub.identity.normalise.words import spelling
from mappings.rulebook import Rulebook


@pytest.fixture(scope="module")
def likenesses(rulebook: Rulebook) -> Likenesses:
    return Likenesses(Forms(rulebook.identity, "DE"))


def name(text: str) -> Name:
    """`given / family` in comparison form; `~word` is loose."""
    if text.startswith("~"):
        return Name((spelling(text[1:]),), (), None, loose=True)
    given, _, family = text.partition("/")
    return Name(tuple(map(spelling, given.split())), tuple(map(spelling, family.split())))


NAMES = {
    "the same": ("anna / vogt", "anna / vogt", Given.EQUAL, Family.EQUAL, False),
    "spelled otherwise": ("stephan / meyer", "stefan / meier", Given.EQUAL, Family.EQUAL, False),
    "short form": ("robert / vogt", "bob / vogt", Given.FORMAL, Family.EQUAL, False),
    "two short forms": ("liz / vogt", "beth / vogt", Given.FORMAL, Family.EQUAL, False),
    "two spellings of one given name": ("catherine / vogt", "kathryn / vogt", Given.FORMAL, Family.EQUAL, False),
    "second given name": ("anna maria / vogt", "anna / vogt", Given.EQUAL, Family.EQUAL, False),
    "goes by the second name, or child": ("anna maria / vogt", "maria / vogt", Given.INITIAL, Family.EQUAL, False),
    "two given names, turned": ("anna maria / vogt", "maria anna / vogt", Given.FORMAL, Family.EQUAL, False),
    "father and son by the second name": (
        "hans peter / vogt", "hans georg / vogt", Given.DOUBTFUL, Family.EQUAL, False),
    "second name by its letter": ("anna maria / vogt", "anna m / vogt", Given.FORMAL, Family.EQUAL, False),
    "letter of another second name": ("anna maria / vogt", "anna k / vogt", Given.DOUBTFUL, Family.EQUAL, False),
    "one letter of the second name alone": ("anna / vogt", "eva a / vogt", Given.CLASH, Family.EQUAL, True),
    "second name of a spouse by its letter": ("peter anton / vogt", "eva p / vogt", Given.CLASH, Family.EQUAL, True),
    "the same letter second": ("peter a / vogt", "eva a / vogt", Given.CLASH, Family.EQUAL, True),
    "user name of the name": ("~avogt", "anna / vogt", Given.INITIAL, Family.TYPO, False),
    "second given names differ": ("anna maria / vogt", "eva maria / vogt", Given.CLASH, Family.EQUAL, True),
    "written in two words": ("hans peter / vogt", "hanspeter / vogt", Given.EQUAL, Family.EQUAL, False),
    "letters swapped": ("dominik / vogt", "domniik / vogt", Given.TYPO, Family.EQUAL, False),
    "letter lost": ("lachlan / vogt", "lchlan / vogt", Given.TYPO, Family.EQUAL, False),
    "initial": ("a / vogt", "anna / vogt", Given.INITIAL, Family.EQUAL, False),
    "initial of a short form": ("r / vogt", "bob / vogt", Given.INITIAL, Family.EQUAL, False),
    "initial p of philipp": ("p / vogt", "philipp / vogt", Given.INITIAL, Family.EQUAL, False),
    "other initial": ("b / vogt", "anna / vogt", Given.CLASH, Family.EQUAL, True),
    "initial of another family": ("a / vogt", "anna / holm", Given.INITIAL, Family.DIFFERENT, True),
    "Tim and Tom": ("tim / vogt", "tom / vogt", Given.CLASH, Family.EQUAL, True),
    "Jan and Jana": ("jan / vogt", "jana / vogt", Given.CLASH, Family.EQUAL, True),
    "Christian and Christina": ("christian / vogt", "christina / vogt", Given.CLASH, Family.EQUAL, True),
    "Mario and Maria": ("mario / vogt", "maria / vogt", Given.CLASH, Family.EQUAL, True),
    "Rajesh and Rakesh": ("rajesh / vogt", "rakesh / vogt", Given.CLASH, Family.EQUAL, True),
    "married": ("anna / vogt", "anna / holm", Given.EQUAL, Family.DIFFERENT, False),
    "double name": ("anna / vogt holm", "anna / vogt", Given.EQUAL, Family.PART, False),
    "family name mistyped": ("anna / zimmermann", "anna / zimermamn", Given.EQUAL, Family.TYPO, False),
    "wife's ending": ("eva / novak", "eva / novakova", Given.EQUAL, Family.TYPO, False),
    "fields swapped": ("anna / vogt", "vogt / anna", Given.FORMAL, Family.PART, False),
    "two given names for a name": ("peter / frank", "frank / peters", Given.CLASH, Family.DIFFERENT, True),
    "family name in the given field": ("vogt /", "anna / vogt", Given.UNKNOWN, Family.TYPO, False),
    "family name alone": ("/ vogt", "anna / vogt", Given.UNKNOWN, Family.EQUAL, False),
    "other family name alone": ("/ holm", "anna / vogt", Given.UNKNOWN, Family.DIFFERENT, True),
    "one word, the given name": ("~anna", "anna / vogt", Given.FORMAL, Family.UNKNOWN, False),
    "one word, the family name": ("~vogt", "anna / vogt", Given.UNKNOWN, Family.TYPO, False),
    "one word, another given name": ("~peter", "anna / vogt", Given.CLASH, Family.UNKNOWN, True),
    "one word that somebody gave himself": ("~moonshine", "anna / vogt", Given.DOUBTFUL, Family.UNKNOWN, False),
    "another script": ("анна / фогт", "anna / vogt", Given.UNKNOWN, Family.UNKNOWN, False),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "given", "family", "clash"), NAMES.values(), ids=NAMES)
def test_likeness_of_names(
    likenesses: Likenesses, left: str, right: str, given: Given, family: Family, clash: bool
) -> None:
    one, other = (name(left),), (name(right),)
    assert likenesses.names(one, other) == likenesses.names(other, one)
    assert likenesses.names(one, other)[2] is clash
    if not clash:
        assert likenesses.names(one, other)[:2] == (given, family)


def test_best_of_several_names_counts(likenesses: Likenesses) -> None:
    both = (name("anna / holm"), name("anna / vogt"))
    assert likenesses.names(both, (name("anna / vogt"),))[:2] == (Given.EQUAL, Family.EQUAL)
    assert likenesses.names((), both)[:2] == (Given.UNKNOWN, Family.UNKNOWN)


BIRTHS = {
    "same": ("1980-02-03", "1980-02-03", Births.SAME),
    "day and month swapped": ("1980-02-03", "1980-03-02", Births.SWAPPED),
    "one digit": ("1980-02-03", "1980-02-08", Births.NEAR),
    "digits swapped": ("1980-02-13", "1980-02-31", Births.NEAR),
    "a year off": ("1989-12-03", "1990-12-03", Births.NEAR),
    "a century off": ("1980-02-03", "1880-02-03", Births.NEAR),
    "only the year": ("1980", "1980-02-03", Births.PART),
    "day wrong": ("1980-02-03", "1980-02-28", Births.PART),
    "year wrong": ("1980-02-03", "1992-02-03", Births.PART),
    "two digits": ("1980-02-03", "1981-02-08", Births.FAR),
    "a generation": ("1980-02-03", "1950-02-03", Births.GENERATION),
    "another": ("1980-02-03", "1985-11-21", Births.DIFFERENT),
    "no calendar has it": ("1915-13-31", "1915-12-31", Births.NEAR),
}


@pytest.mark.parametrize(("left", "right", "expected"), BIRTHS.values(), ids=BIRTHS)
def test_likeness_of_birth_dates(left: str, right: str, expected: Births) -> None:
    assert births((left,), (right,)) is births((right,), (left,)) is expected
    assert births((), (right,)) is Births.UNKNOWN


NATIONAL = {
    "same": ("123456789", "123456789", Nationals.SAME),
    "one digit": ("123456789", "123456780", Nationals.NEAR),
    "numbered one after the other": ("123456788", "123456789", Nationals.DIFFERENT),
    "another": ("123456789", "987654321", Nationals.DIFFERENT),
}


@pytest.mark.parametrize(("left", "right", "expected"), NATIONAL.values(), ids=NATIONAL)
def test_likeness_of_national_ids(left: str, right: str, expected: Nationals) -> None:
    systems = frozenset(("ssn",))
    assert nationals((("ssn", left),), (("crm", "1"), ("ssn", right)), systems) is expected
    assert nationals((("crm", left),), (("crm", right),), systems) is Nationals.UNKNOWN


def address(text: str) -> Address:
    street, number, postcode, city = (part.strip() for part in text.split(","))
    return Address(tuple(street.split()), number, postcode, tuple(city.split()), "DE")


PLACES = {
    "one door": ("haupt stret, 12, 10115, berlin", "haupt stret, 12, 10115, berlin", Place.HOME),
    "street misspelled": ("haupt stret, 12, 10115, berlin", "hauptt stret, 12, 10115, berlin", Place.HOME),
    "number missing": ("haupt stret, 12, 10115, berlin", "haupt stret, , 10115, berlin", Place.STREET),
    "neighbours": ("haupt stret, 12, 10115, berlin", "haupt stret, 14, 10115, berlin", Place.PARTS),
    "one street name, elsewhere in town": (
        "haupt stret, 12, 10115, berlin", "haupt stret, 90, 14195, berlin", Place.MOVED),
    "moved within the postcode": ("haupt stret, 12, 10115, berlin", "ring stret, 7, 10115, berlin", Place.AREA),
    "postcode alone": ("haupt stret, 12, 10115, berlin", ", , 10115, ", Place.POSTCODE),
    "town alone": ("haupt stret, 12, 10115, berlin", ", , , berlin", Place.TOWN),
    "one street and number in two towns": (
        "haupt stret, 12, 10115, berlin", "haupt stret, 12, 80331, munken", Place.APART),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "expected"), PLACES.values(), ids=PLACES)
def test_nearness_of_addresses(left: str, right: str, expected: Place) -> None:
    kinds = frozenset(("stret",))
    one, other = (address(left),), (address(right),)
    assert place(one, other, kinds) is place(other, one, kinds) is expected
    assert place((), other, kinds) is Place.UNKNOWN


MAILS = {
    "letter swapped": ("katharina.vogt@mail.example", "kathraina.vogt@mail.example", Mail.TYPO),
    "domain mistyped": ("katharina.vogt@acme.example", "katharina.vogt@acne.example", Mail.TYPO),
    "another number is another account": ("anna.vogt1@mail.example", "anna.vogt2@mail.example", Mail.UNLIKE),
    "a dot is another account": ("anna.vogt@mail.example", "annavogt@mail.example", Mail.UNLIKE),
    "two providers": ("vogt@mail.example", "vogt@post.example", Mail.UNLIKE),
    "own name at two providers": ("annav1977@mail.example", "annav1977@post.example", Mail.NAME),
    "an employer's number": ("anna.vogt@acme.example", "anna.vogt2@acme.example", Mail.NUMBERED),
    "one employer": ("a.vogt@acme.example", "anna@acme.example", Mail.EMPLOYER),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "expected"), MAILS.values(), ids=MAILS)
def test_likeness_of_emails(left: str, right: str, expected: Mail) -> None:
    public = frozenset(("mail.example", "post.example"))
    assert mail((left,), (right,), public) is mail((right,), (left,), public) is expected


def test_phones_alike_but_for_one_digit() -> None:
    assert phones_alike(("+493023125007",), ("+493023125001",))
    assert not phones_alike(("+493023125007",), ("+494012345678",))
