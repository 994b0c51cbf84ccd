"""Organizations' names: what agrees, what does not, and what is no name at all."""

from __future__ import annotations

import pytest

from hub.identity.evidence.titles import Named, titles_alike
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Title
from hub.identity.normalise.titles import Titling


@pytest.fixture(scope="module")
def titling(forms: Forms) -> Titling:
    """The shipped words of organizations' names."""
    return forms.titling


ONE_WORDS = {
    "case and blanks": ["Acme Robotics", "  ACME   ROBOTICS "],
    "punctuation": ["C.A.T. Limpatch", "CAT Limpatch", "CAT-Limpatch"],
    "apostrophe": ["McDurnell's", "McDurnells", "McDurnell’s"],
    "and": ["Huber & Sohn", "Huber und Sohn", "Huber + Sohn", "Huber and Sohn"],
    "article": ["The Bread Company of Oak", "Bread Company of Oak"],
    "German forms": ["Acme", "Acme GmbH", "Acme G.m.b.H.", "Acme AG", "Acme e.K.", "Acme GmbH & Co. KG",
        "Acme UG (haftungsbeschränkt)",
                     "Acme Gesellschaft mit beschränkter Haftung", "ACME gGmbH", "Acme GmbH i.L."],
    "English forms": ["Acme", "Acme Inc.", "Acme, Inc", "Acme Corporation", "Acme Co., Ltd.", "Acme Ltd",
        "Acme L.L.C.", "Acme Public Limited Company",
                      "Acme (Pty) Ltd", "Acme Pvt. Ltd."],
    "French forms": ["Vauquelin", "SARL Vauquelin", "Vauquelin S.à r.l.", "Vauquelin SAS", "S.A. Vauquelin",
        "Vauquelin Société Anonyme"],
    "Italian and Spanish forms": ["Bellavista", "Bellavista S.p.A.", "Bellavista S.r.l.", "Bellavista S.L.",
        "Bellavista, S.A. de C.V."],
    "northern forms": ["Holmberg", "Holmberg AB", "AB Holmberg", "Holmberg A/S", "Holmberg ApS", "Holmberg Oy",
        "Holmberg ASA"],
    "eastern forms": ["Kowalczyk", "Kowalczyk Sp. z o.o.", "Kowalczyk spółka z ograniczoną odpowiedzialnością",
        "Kowalczyk s.r.o.", "Kowalczyk Kft.",
                      "Kowalczyk d.o.o."],
    "Dutch forms": ["Zeeman", "Zeeman B.V.", "Zeeman NV", "Zeeman V.O.F."],
    "Cyrillic": ["Ромашка", "ООО Ромашка"],
    "domain for a name": ["Zorbex", "zorbex.com", "Zorbex.de GmbH"],
    "abbreviations": ["Tarkett International Technologies", "Tarkett Intl. Tech"],
    "umlauts": ["Müller Söhne", "Mueller Soehne", "Muller Sohne"],
    "owner behind the name": ["Blumen Tausend", "Blumen Tausend e.K. Inh. Eva Vogt", "Blumen Tausend c/o Vogt"],
    "country in any language": ["Acme Germany", "Acme Deutschland GmbH", "Acme (Allemagne)"],
    "Roman number": ["Northwind Fund II", "Northwind Fund 2 LP"],
}  # fmt: skip


@pytest.mark.parametrize("names", ONE_WORDS.values(), ids=ONE_WORDS)
def test_names_that_are_written_in_several_ways_have_the_same_words(titling: Titling, names: list[str]) -> None:
    said = {name: [titling.full(title.words) for title in titling.titles(name)] for name in names}
    assert all(words == [said[names[0]][0]] for words in said.values()), said


FORMS = {
    "Acme": (), "Acme GmbH": ("gmbh",), "Acme GmbH & Co. KG": ("gmbh kg",), "Acme SE & Co. KGaA": ("gmbh kgaa",),
        "Acme Incorporated": ("inc",),
    "Acme Corp.": ("inc",), "Acme Limited": ("ltd",), "Acme Pty. Limited": ("pty ltd",), "Acme S. A.": ("sa",),
        "SAS Acme": ("sas",),
    "Acme spol. s r.o.": ("sro",), "Acme GmbH Berlin": ("gmbh",), "GmbH": (), "株式会社 Acme": ("kk",),
}  # fmt: skip


@pytest.mark.parametrize(("name", "legal"), FORMS.items(), ids=FORMS)
def test_a_legal_form_is_told_by_one_name(titling: Titling, name: str, legal: tuple[str, ...]) -> None:
    [title] = titling.titles(name)
    assert title.forms == legal


@pytest.mark.parametrize(
    "name", ["privat", "Privat ", "N/A", "keine Firma", "self-employed", "12345", "Default Company", "-"]
)
def test_what_stands_for_no_organization_is_no_title(titling: Titling, name: str) -> None:
    assert titling.titles(name) == ()


TWO_NAMES = {
    "doing business as": ("Smith Holdings LLC d/b/a Joe's Pizza", [("llc",), ()]),
    "trading as": ("Oak Farms Ltd t/a The Barn", [("ltd",), ()]),
    "formerly": ("Nexory AG (vormals Acme GmbH)", [("ag",), ("gmbh",)]),
    "legal name in brackets": ("BMW (Bayerische Motoren Werke AG)", [("ag",), ()]),
}


@pytest.mark.parametrize(("name", "legal"), TWO_NAMES.values(), ids=TWO_NAMES)
def test_a_name_that_says_two_is_two_titles(titling: Titling, name: str, legal: list[tuple[str, ...]]) -> None:
    assert sorted(title.forms for title in titling.titles(name)) == sorted(legal)


ALIKE = {
    "same": ("Acme Robotics", "Acme Robotics AG", Named.EQUAL),
    "words in another order": ("Autohaus Tarkonya", "Tarkonya Autohaus", Named.EQUAL),
    "blank": ("Blue Harbor Books", "BlueHarbor Books", Named.EQUAL),
    "form that is a word": ("Day Spa", "Day Spa GmbH", Named.EQUAL),
    "typo": ("Zumtobel Lighting", "Zumtobel Lightnig", Named.CLOSE),
    "acronym": ("International Widget Machines", "IWM", Named.CLOSE),
    "country": ("Acme Deutschland", "Acme", Named.LOCAL),
    "part": ("Acme", "Acme Logistik", Named.PART),
    "sisters": ("Acme Handel", "Acme Logistik", Named.SISTER),
    "numbers": ("Kita 3", "Kita 4", Named.SISTER),
    "letters": ("Gate A Parking", "Gate B Parking", Named.SISTER),
    "short words": ("Nova Bau", "Nota Bau", Named.CLASH),
    "same trade": ("Adler Hotel Wien", "Hotel Krone Graz", Named.CLASH),
    "other script": ("トヨタ", "Toyota", Named.EQUAL),
    "script that is not spelled out": ("中国银行", "Bank of China", Named.UNKNOWN),
    "other": ("Acme", "Vogt", Named.CLASH),
}


@pytest.mark.parametrize(("left", "right", "level"), ALIKE.values(), ids=ALIKE)
def test_two_names_are_as_alike_as_a_reader_would_say(forms: Forms, left: str, right: str, level: Named) -> None:
    [one], [other] = forms.titling.titles(left), forms.titling.titles(right)
    assert titles_alike(one, other, forms).level is level
    assert titles_alike(other, one, forms).level is level, "symmetric"


def test_trades_signs_and_common_names_do_not_tell_organizations_apart(titling: Titling) -> None:
    names = {
        "Hotel Adler": 0,
        "Müller GmbH": 0,
        "Tarkonya": 1,
        "Bäckerei Tarkonya": 1,
        "Tarkonya Dynamics": 2,
        "Air France": 0,
    }
    assert {name: titling.telling(titling.titles(name)[0]) for name in names} == names


def test_forms_of_several_words_are_what_their_last_word_says(forms: Forms) -> None:
    full, short, other = (Title(("vogt",), (form,)) for form in ("gmbh kg", "kg", "gmbh"))
    assert not titles_alike(full, short, forms).apart
    assert titles_alike(full, other, forms).apart
