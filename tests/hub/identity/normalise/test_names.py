"""Names: which fields say the same, and which name nobody. Forms are compared, not spelled out: they are nobody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.normalise.forms import Forms
from hub.identity.normalise.names import Names
from hub.identity.normalise.words import folded, spelling, words
from mappings.loader import load_rulebook, shipped

Fields = tuple[str | None, str | None, str | None]
SHIPPED = Names(load_rulebook([shipped()]).identity)

ALIKE: dict[str, tuple[Fields, Fields]] = {
    "case": (("ANNA", "VOGT", None), ("Anna", "Vogt", None)),
    "umlaut": (("Jörg", "Müller", None), ("Joerg", "Mueller", None)),
    "umlaut left out": (("Jörg", "Müller", None), ("Jorg", "Muller", None)),
    "eszett": (("Anna", "Weiß", None), ("Anna", "Weiss", None)),
    "Scandinavian letters": (("Bjørn", "Åkesson", None), ("Bjoern", "Aakesson", None)),
    "Polish letters": (("Łukasz", "Wójcik", None), ("Lukasz", "Wojcik", None)),
    "Turkish letters": (("Işık", "Çağlar", None), ("Isik", "Caglar", None)),
    "letters in two parts": (("Zoe\u0308", "Vogt", None), ("Zoë", "Vogt", None)),
    "signs that nobody sees": (("An\u200bna", "Vo\u00adgt", None), ("Anna", "Vogt", None)),
    "Cyrillic": (("Юлия", "Иванова", None), ("Yulia", "Ivanova", None)),
    "Cyrillic, otherwise": (("Дмитрий", "Соколов", None), ("Dmitry", "Sokolov", None)),
    "Greek": (("Νίκος", "Παπαδόπουλος", None), ("Nikos", "Papadopoulos", None)),
    "kana": (("ゆき", "たなか", None), ("Yuki", "Tanaka", None)),
    "spellings": (("Stephan", "Meyer", None), ("Stefan", "Meier", None)),
    "spellings of a sound": (("Sonja", "Youssef", None), ("Sonya", "Yusef", None)),
    "one field": (("Anna Maria", "Vogt", None), (None, None, "Anna Maria Vogt")),
    "family name first": (("Anna", "Vogt", None), (None, None, "Vogt, Anna")),
    "family name in capitals": (("Anna", "Vogt", None), (None, None, "VOGT Anna")),
    "family name in capitals behind": (("Anna", "Vogt Lopez", None), (None, None, "Anna VOGT LOPEZ")),
    "titles": (("Anna", "Vogt", None), (None, None, "Prof. Dr. med. Anna Vogt")),
    "titles in the field": (("Dr. Anna", "Vogt", None), ("Anna", "Vogt", None)),
    "letters behind": (("Anna", "Vogt", None), (None, None, "Anna Vogt, M.A.")),
    "letters behind without comma": (("Anna", "Vogt", None), (None, None, "Anna Vogt MBA")),
    "firm in brackets": (("Anna", "Vogt", None), (None, None, "Anna Vogt (Acme GmbH)")),
    "firm behind a bar": (("Anna", "Vogt", None), (None, None, "Anna Vogt | Acme GmbH")),
    "firm behind a dash": (("Anna", "Vogt", None), (None, None, "Anna Vogt - Acme Software GmbH")),
    "generation": (("Hans", "Vogt jr.", None), (None, None, "Hans Vogt Junior")),
    "generation behind a comma": (("Hans", "Vogt jr.", None), (None, None, "Vogt, Hans, Jr.")),
    "initials": (("J. R.", "Smith", None), ("JR", "Smith", None)),
    "initials without blanks": (("J.R.", "Smith", None), (None, None, "J. R. Smith")),
    "double given name": (("Hans-Peter", "Vogt", None), ("Hans Peter", "Vogt", None)),
    "double family name": (("Anna", "Müller-Schmidt", None), (None, None, "Anna Müller-Schmidt")),
    "double family name, spaced": (("Anna", "Müller-Schmidt", None), (None, None, "Anna Müller - Schmidt")),
    "née": (("Anna", "Schmidt née Müller", None), (None, None, "Anna Schmidt (née Müller)")),
    "geb.": (("Anna", "Schmidt geb. Müller", None), (None, None, "Anna Schmidt, geb. Müller")),
    "particle": (("Jan", "van den Berg", None), ("Jan", "Berg", None)),
    "particle in the other field": (("Anna von", "Trapp", None), ("Anna", "von Trapp", None)),
    "particle, one field": (("Jan", "van den Berg", None), (None, None, "Jan van den Berg")),
    "particle glued": (("Jan", "Vandenberg", None), ("Jan", "van den Berg", None)),
    "particle in capitals": (("Anna", "DeLuca", None), ("Anna", "De Luca", None)),
    "apostrophe": (("Pat", "O'Brien", None), ("Pat", "O Brien", None)),
    "curly apostrophe": (("Pat", "O’Brien", None), ("Pat", "OBrien", None)),
    "Mc apart": (("Ron", "Mc Donald", None), ("Ron", "McDonald", None)),
    "nickname in quotes": (("William Bill", "Smith", None), (None, None, 'William "Bill" Smith')),
    "nickname in brackets": (("William Bill", "Smith", None), (None, None, "William (Bill) Smith")),
    "whole name in the given name": (("Anna Vogt", "Vogt", None), ("Anna", "Vogt", None)),
    "whole name in the family name": (("Anna", "Anna Vogt", None), ("Anna", "Vogt", None)),
    "whole name in both": (("Anna Vogt", "Anna Vogt", None), ("Anna", "Vogt", None)),
    "whole name in one, the other empty": (("Anna Vogt", None, None), ("Anna", "Vogt", None)),
    "family name alone, with its particle": ((None, "van den Berg", None), (None, None, "van den Berg")),
    "display name says what is missing": ((None, "Vogt", "Anna Vogt"), ("Anna", "Vogt", None)),
    "junk in the fields": (("n/a", "n/a", "Anna Vogt"), ("Anna", "Vogt", None)),
    "a user name": ((None, None, "anna.vogt"), ("Anna", "Vogt", None)),
    "father's name": ((None, None, "Иванов Иван Иванович"), ("Иван Иванович", "Иванов", None)),
    "a family name that is a generation": ((None, None, "Amartya Sen"), ("Amartya", "Sen", None)),
    "two people in one field": ((None, None, "Anna & Peter Vogt"), ("Herr und Frau", "Vogt", None)),
    "all of a family": ((None, None, "Familie Vogt"), ("Frau", "Vogt", None)),
    "all of a family in the given name": (("Fam.", "Vogt", None), ("Frau", "Vogt", None)),
    "two people with a slash": (("Anna / Peter", "Vogt", None), ("Frau", "Vogt", None)),
    "nobility is no couple": ((None, None, "Jens von und zu Holm"), ("Jens", "Holm", None)),
    "an address behind the name": ((None, None, "Anna Vogt <anna@mail.example>"), ("Anna", "Vogt", None)),
    "a firm behind a comma": ((None, None, "Anna Vogt, Acme Inc."), ("Anna", "Vogt", None)),
    "a firm before a dash": ((None, None, "Acme Software - Anna Vogt"), ("Anna", "Vogt", None)),
    "a particle in capitals": (("ANNA", "DE LUCA", None), ("Anna", "De Luca", None)),
    "a title for a given name": (("Frau", "Vogt", None), (None, None, "Frau Vogt")),
}


@pytest.mark.parametrize(("left", "right"), ALIKE.values(), ids=ALIKE)
def test_names_that_say_the_same(forms: Forms, left: Fields, right: Fields) -> None:
    assert forms.names.name(*left) == forms.names.name(*right) is not None


APART: dict[str, tuple[Fields, Fields]] = {
    "other given name": (("Tim", "Vogt", None), ("Tom", "Vogt", None)),
    "the other sex": (("Mario", "Vogt", None), ("Maria", "Vogt", None)),
    "other generation": (("Hans", "Vogt jr.", None), ("Hans", "Vogt sen.", None)),
    "given and family name": (("Anna", "Vogt", None), ("Vogt", "Anna", None)),
    "other script that has many readings": ((None, None, "田中"), (None, None, "Tanaka")),
}


@pytest.mark.parametrize(("left", "right"), APART.values(), ids=APART)
def test_names_that_do_not(forms: Forms, left: Fields, right: Fields) -> None:
    assert forms.names.name(*left) != forms.names.name(*right)


NAMELESS = {
    "an address": "anna@mail.example",
    "a user name with digits": "vogt77",
    "punctuation": ".",
    "brackets": "()",
    "commas": ", ,",
    "junk": "N/A",
    "test": "Test Test",
    "an inbox": "Info",
    "a firm": "Acme GmbH",
    "a firm with a comma": "Acme, Inc.",
    "a title": "Dr.",
    "blanks": "  ",
    "empty": "",
}


@pytest.mark.parametrize("value", NAMELESS.values(), ids=NAMELESS)
def test_what_names_nobody(forms: Forms, value: str) -> None:
    assert forms.names.name(None, None, value) is None


def test_junk_in_both_fields_names_nobody(forms: Forms) -> None:
    assert forms.names.name("No", "Name", None) is None
    assert forms.names.name("n/a", "unknown", None) is None


NICKNAMES = {
    "English": ("Robert", "Bob"),
    "German": ("Elisabeth", "Liesl"),
    "French": ("Guillaume", "Guillou"),
    "Spanish": ("Francisco", "Paco"),
    "Italian": ("Giuseppe", "Beppe"),
    "Dutch": ("Cornelis", "Kees"),
    "Polish": ("Katarzyna", "Kasia"),
    "Portuguese": ("José", "Zeca"),
    "Russian": ("Александр", "Саша"),
    "Swedish": ("Karl", "Kalle"),
    "Turkish": ("Mustafa", "Musti"),
}


@pytest.mark.parametrize(("formal", "pet"), NICKNAMES.values(), ids=NICKNAMES)
def test_short_forms_stand_for_the_name(forms: Forms, formal: str, pet: str) -> None:
    one, other = (forms.formal[spelling(words(name)[0])] for name in (formal, pet))
    assert one & other
    assert spelling(words(pet)[0]) in forms.known


def test_two_names_with_a_common_short_form_stay_two(forms: Forms) -> None:
    assert not forms.formal["robert"] & forms.formal["albert"]


@given(st.text(max_size=12))
def test_the_spelling_of_a_spelling_is_itself(text: str) -> None:
    assert all(spelling(spelling(word)) == spelling(word) for word in words(text))
    assert all(words(word) == [word] for word in words(text) if word.isascii())


@given(*[st.one_of(st.none(), st.text("aAbB ,.-()&'ßü王5", max_size=12))] * 3)
def test_no_text_breaks_a_name(given_name: str | None, family: str | None, display: str | None) -> None:
    name = SHIPPED.name(given_name, family, display)
    assert name is None or name.given or name.family
    assert name is None or all(word == spelling(folded(word)) for word in name.given + name.family if word.isascii())
