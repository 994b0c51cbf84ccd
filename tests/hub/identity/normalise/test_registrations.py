"""Register and VAT numbers and domains: one form, whatever source states them."""

from __future__ import annotations

import pytest

from hub.identity.normalise.registrations import Registers
from mappings.rulebook import Rulebook


@pytest.fixture(scope="module")
def registers(rulebook: Rulebook) -> Registers:
    """The shipped words."""
    return Registers(rulebook.identity)


NUMBERS: dict[str, tuple[str, str, list[str], list[tuple[str, str]]]] = {
    "VAT": ("vat", "DE811907980", [], [("vat", "DE:811907980")]),
    "blanks and dots": ("vat_id", " de 811.907.980 ", [], [("vat", "DE:811907980")]),
    "country from the record": ("vat", "811907980", ["DE"], [("vat", "DE:811907980")]),
    "country from the system": ("ust_id", "811907980", ["AT"], [("vat", "DE:811907980")]),
    "country that fits, of two": ("vat", "U37675002", ["DE", "AT"], [("vat", "AT:U37675002")]),
    "no country": ("vat", "811907980", [], [("vat", ":811907980")]),
    "Greece has other letters": ("vat", "EL094019245", [], [("vat", "GR:094019245")]),
    "France holds the register's": ("vat", "FR 03 552 081 317", [], [("register", "FR:552081317"), ("vat",
        "FR:03552081317")]),
    "Belgium, old": ("vat", "BE 403.170.701", [], [("register", "BE:0403170701"), ("vat", "BE:0403170701")]),
    "Switzerland with its tax": ("vat", "CHE-116.281.710 MWST", [], [("register", "CH:116281710"), ("vat",
        "CH:E116281710")]),
    "Norway with its tax": ("vat", "NO 923 609 016 MVA", [], [("register", "NO:923609016"), ("vat", "NO:923609016")]),
    "Netherlands without the unit": ("vat", "NL004495445B01", [], [("vat", "NL:004495445")]),
    "Sweden": ("vat", "SE556012579001", [], [("register", "SE:5560125790"), ("vat", "SE:5560125790")]),
    "country without a known form": ("vat", "29AAGCB7383J1Z4", ["IN"], [("vat", "IN:29AAGCB7383J1Z4")]),
    "register, France": ("siren", "552 081 317", [], [("register", "FR:552081317")]),
    "register of a site, France": ("siret", "552 081 317 66522", [], [("register", "FR:552081317")]),
    "register, zero left out": ("companies_house", "4411229", [], [("register", "GB:04411229")]),
    "register, Scotland": ("company_number", "SC 123987", ["GB"], [("register", "GB:SC123987")]),
    "register of a court": ("hrb", "Amtsgericht Kiel, HRB 021884", [], [("court", "DE:HRB21884")]),
    "register of a court with a letter": ("handelsregister", "HRB 21884 B", [], [("court", "DE:HRB21884B")]),
    "LEI": ("lei", "5299-00T8BM49AURSDO55", ["DE"], [("lei", ":529900T8BM49AURSDO55")]),
    "DUNS": ("duns", "34-119-0027", ["DE"], [("duns", ":341190027")]),
    "tax number": ("ein", "47-2339021", [], [("tax", "US:472339021")]),
    "no number": ("vat", "n/a", ["DE"], []),
    "one digit": ("vat", "DE000000000", ["DE"], []),
    "counted": ("vat", "DE123456789", ["DE"], []),
    "too short": ("vat", "1234", ["DE"], []),
    "too long": ("vat", "9182736450" * 4, ["DE"], []),
    "LEI cut off": ("lei", "529900T8BM49", [], []),
    "id of a system": ("crm", "552081317", ["FR"], []),
}  # fmt: skip


@pytest.mark.parametrize(("system", "value", "countries", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_has_one_form(
    registers: Registers, system: str, value: str, countries: list[str], expected: list[tuple[str, str]]
) -> None:
    assert registers.registrations([(system, value)], countries) == tuple(expected)


DOMAINS = {
    "plain": ("acme.example", "acme.example"),
    "address of a page": ("HTTPS://www.Acme.example/de/index.html?x=1#top", "acme.example"),
    "host name": ("shop.eu.acme.example", "acme.example"),
    "port and user": ("http://me@acme.example:8080/", "acme.example"),
    "ending in two words": ("www.acme.co.uk", "acme.co.uk"),
    "shop on a platform": ("acme.myshopify.com", "acme.myshopify.com"),
    "page on a platform": ("https://www.facebook.com/acme", None),
    "freemail": ("gmail.com", None),
    "ending alone": ("co.uk", None),
    "no domain": ("acme", None),
    "number": ("http://10.0.0.1/", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("said", "domain"), DOMAINS.values(), ids=DOMAINS)
def test_a_stated_website_says_the_domain_that_is_an_organization_s_own(
    registers: Registers, said: str, domain: str | None
) -> None:
    assert registers.domains([], [("website", said)]) == ((domain,) if domain else ())


def test_addresses_say_the_domain_but_not_where_it_is_everybody_s(registers: Registers) -> None:
    assert registers.domains(["a@mail.acme.example", "b@acme.example", "c@gmail.com"], []) == ("acme.example",)


def test_numbers_and_domains_are_no_ids_of_a_system(registers: Registers) -> None:
    systems = {"crm": True, "VAT": False, "website": False, "duns": False, "app_company": True}
    assert {system: registers.is_id(system) for system in systems} == systems
    assert [system for system in systems if registers.is_domain(system)] == ["website"]
