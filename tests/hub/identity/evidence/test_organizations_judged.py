"""Organizations as they stand in real lists, pair by pair: the same, different, of one group, or not to be known."""

from __future__ import annotations

from typing import Any

import pytest

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.keys import keys_of
from hub.identity.evidence.means import Means, means_of
from hub.identity.evidence.standing import standing
from hub.identity.evidence.verdict import MATCH, Profile, Shared, Standing, Verdict
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from mappings.rulebook import Rulebook

CONTACTS = {"emails": "EMAIL", "phones": "PHONE", "at": "ADDRESS", "handles": "SOCIAL"}


@pytest.fixture(scope="module")
def judge(rulebook: Rulebook) -> Judge:
    """The shipped rules."""
    return Judge(rulebook.identity, Forms(rulebook.identity, "DE"))


def told(said: dict[str, Any], number: int, judge: Judge) -> Portrait:
    """The portrait of an organization told in a few words: name, country, emails, phones, at, ids, of, source."""
    contacts = [(type_, value) for name, type_ in CONTACTS.items() for value in said.get(name, ())]
    record = (None, None, said.get("name"), None, said.get("country"))
    parents = [("crm", parent) for parent in said.get("of", ())]
    source, key = said.get("source", f"s{number}"), said.get("key", str(number))
    identifiers = list(said.get("ids", {}).items())
    return portrait_of(Said("ORGANIZATION", source, key, [record], contacts, identifiers, parents), judge.forms)


def judged(told_of: list[dict[str, Any]], judge: Judge) -> Verdict | None:
    """The verdict about the first two of all who are told of."""
    portraits = [told(said, number, judge) for number, said in enumerate(told_of)]
    held = [keys_of(portrait, judge.forms) for portrait in portraits]
    shared = []
    for key in held[0].keys() & held[1].keys():
        holders = [portrait for portrait, keys in zip(portraits, held, strict=True) if key in keys]
        if held[0][key] and held[1][key]:
            continue
        owned = held[0][key] or held[1][key]
        worth = Standing.PERSONAL if owned else standing(means_of(key), holders, judge)
        if worth is not Standing.JUNK:
            shared.append(Shared(means_of(key), worth, len(holders)))
    if not shared:
        return None
    profiles = [
        Profile(number, (*portrait.own, "companies"), portrait, None, None) for number, portrait in enumerate(portraits)
    ]
    verdict = judge.judge(profiles[0], profiles[1], shared)
    assert judge.judge(profiles[1], profiles[0], shared[::-1]) == verdict, "symmetric"
    return verdict


def word(verdict: Verdict | None) -> str:
    """`same`, `different` or the doubt in words."""
    if verdict is None:
        return "different"
    return {MATCH: "same", "NO_MATCH": "different"}.get(verdict.verdict, verdict.rule)


DE, GB, US, AT, FR = ({"country": code} for code in ("DE", "GB", "US", "AT", "FR"))
WEB = {"ids": {"domain": "acme.example"}}
MAIL = {"emails": ["einkauf@acme.example"]}
INFO = {"emails": ["info@acme.example"]}
PHONE = {"phones": ["+493023125001"]}
HOME = {"at": ["werkstr. 5, 10115, berlin, de"]}
AWAY = {"at": ["marktplatz 1, 80331, münchen, de"]}
CRM = {"source": "crm"}


def named(name: str, *more: dict[str, Any]) -> dict[str, Any]:
    """An organization of that name, with more."""
    found: dict[str, Any] = {"name": name}
    for one in more:
        found |= {**one, "ids": found.get("ids", {}) | one["ids"]} if "ids" in one else one
    return found


def vat(number: str) -> dict[str, Any]:
    return {"ids": {"vat": number}}


PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    # The same.
    "legal form left out": (named("Acme GmbH", DE), named("ACME", DE), "same"),
    "ampersand": (named("Huber & Sohn Metallbau", DE), named("Huber und Sohn Metallbau GmbH", DE), "same"),
    "article and spelling of the form": (
        named("The Oakbridge Trust Ltd", GB), named("Oakbridge Trust Limited", GB), "same"),
    "form before the name": (named("SARL Vauquelin Frères", FR), named("Vauquelin Frères S.à r.l.", FR), "same"),
    "accents": (named("Société Générale", FR, WEB), named("Societe Generale SA", FR, WEB), "same"),
    "umlauts": (named("Brüder Oettinger Brauerei", DE), named("Brueder Oettinger Brauerei GmbH", DE), "same"),
    "abbreviated": (named("Tarkett International", WEB), named("Tarkett Intl.", WEB), "same"),
    "one word or two": (named("Blue Harbor Books", US), named("BlueHarbor Books Inc.", US), "same"),
    "acronym on one domain": (
        named("International Widget Machines", {"ids": {"domain": "iwm.example"}}),
        named("IWM", {"ids": {"domain": "iwm.example"}}), "same"),
    "typo on one domain": (named("Zumtobel Lighting", WEB), named("Zumtobel Lightnig GmbH", WEB), "same"),
    "stated domain and e-mail": (named("Acme GmbH", WEB), named("Acme", MAIL), "same"),
    "website and host of an e-mail": (
        named("Acme", {"ids": {"website": "https://www.acme.co.uk/en"}}), named("Acme",
        {"emails": ["x@mail.acme.co.uk"]}),
        "same"),
    "no name, one domain": (named("Acme GmbH", WEB), {} | MAIL, "same"),
    "no name, one inbox": (named("Acme GmbH", INFO), {} | INFO, "same"),
    "same VAT, other name": (
        named("Nordlicht AG", vat("DE811907980")), named("Konto 7", vat("DE 811 907 980")), "same"),
    "VAT without the country's letters": (
        named("Nordlicht AG", DE, vat("811907980")), named("Nordlicht", vat("DE811907980")), "same"),
    "register number of France in the VAT number": (
        named("Vauquelin", FR, {"ids": {"siren": "552 081 317"}}), named("Vauquelin SA", vat("FR03552081317")), "same"),
    "site number of France": (
        named("Vauquelin", FR, {"ids": {"siret": "552 081 317 66522"}}), named("Vauquelin Paris",
        {"ids": {"siren": "552081317"}}),
        "same"),
    "number mistyped": (
        named("Nordlicht AG", WEB, vat("DE811907980")), named("Nordlicht", WEB, vat("DE811907890")), "same"),
    "id carried": (named("Acme", CRM, {"key": "77"}), named("Konto 9", {"ids": {"crm": "77"}}), "same"),
    "both carry the id of a third": (
        named("Acme", {"ids": {"erp": "77"}}), named("Acme GmbH", {"ids": {"erp": "77"}}), "same"),
    "same phone and name": (named("Gasthof Post", PHONE), named("Gasthof Post GmbH", PHONE), "same"),
    "same address and name": (named("Hotel Adler", HOME), named("Hotel Adler", HOME), "same"),
    "common name in one town": (
        named("Hotel Adler", HOME), named("Hotel Adler", {"at": ["ring 9, 10115, berlin, de"]}), "same"),
    "two names, one of them known": (
        named("Smith Holdings LLC d/b/a Joe's Pizza Palace", US, PHONE), named("Joes Pizza Palace", US, PHONE), "same"),
    "legal name in brackets": (
        named("BMW (Bayerische Motoren Werke AG)", DE), named("Bayerische Motoren Werke AG", DE), "same"),
    "country in the name and the same country": (
        named("Acme Deutschland GmbH", DE, WEB), named("Acme", DE, WEB), "same"),
    "longer name is the domain": (
        named("Acme", {"emails": ["a@acme-robotics.example"]}),
        named("Acme Robotics GmbH", {"emails": ["b@acme-robotics.example"]}), "same"),
    "short name at the same e-mail": (named("Acme", MAIL), named("Acme Robotics GmbH", MAIL), "same"),
    "KG written for GmbH & Co. KG": (named("Vogt GmbH & Co. KG", DE, WEB), named("Vogt KG", DE, WEB), "same"),
    "duplicate in one source": (named("Acme GmbH", CRM, WEB), named("ACME", CRM, WEB), "same"),
    "one source, two addresses, one e-mail": (named("Acme", CRM, MAIL, HOME), named("Acme", CRM, MAIL, AWAY), "same"),
    "domain with two endings": (
        named("Acme", {"ids": {"domain": "acme.de"}}), named("Acme GmbH", {"ids": {"domain": "acme.com"}}), "same"),
    "name ends where its owner begins": (
        named("Blumen Tausendschön Inh. Eva Vogt", DE), named("Blumen Tausendschön", DE), "same"),
    "company's number without leading zero": (
        named("Oak Ltd", GB, {"ids": {"companies_house": "4411229"}}),
        named("Oak Holdings", {"ids": {"companies_house": "04411229"}}), "same"),
    "court's number and the name": (
        named("Nordlicht", DE, {"ids": {"hrb": "HRB 21884"}}), named("Nordlicht AG",
        {"ids": {"hrb": "Amtsgericht Kiel HRB 21884"}}),
        "same"),
    # Different.
    "freemail is no domain": (
        named("Acme", {"emails": ["acme@gmail.com"]}), named("Vogt", {"emails": ["vogt@gmail.com"]}), "different"),
    "page on a platform is no domain": (
        named("Acme", {"ids": {"website": "facebook.com/acme"}}), named("Vogt",
        {"ids": {"website": "facebook.com/vogt"}}),
        "different"),
    "other names on one phone": (named("Acme GmbH", PHONE), named("Vogt KG", PHONE), "different"),
    "other names in one house": (named("Acme GmbH", HOME), named("Vogt KG", HOME), "different"),
    "other VAT number, other name": (
        named("Acme", MAIL, vat("DE811907980")), named("Vogt", MAIL, vat("DE129274202")), "different"),
    "name alone within one source": (named("Burger Palast", CRM), named("Burger Palast", CRM), "different"),
    "form asks for a company and there is none": (named("privat", DE), named("Privat", DE), "different"),
    "part of the other by the source": (
        named("Acme GmbH", CRM, WEB, {"key": "7"}), named("Acme GmbH", CRM, WEB, {"of": ["7"]}), "different"),
    "court's number of other names": (
        named("Acme", DE, {"ids": {"hrb": "HRB 21884"}}), named("Vogt", DE, {"ids": {"hrb": "HRB 21884"}}),
        "different"),
    "short word is no typo": (named("Nova Bau", PHONE), named("Nota Bau", PHONE), "different"),
    # Of one group: apart, and listed.
    "subsidiary on the same domain": (named("Acme GmbH", WEB), named("Acme Logistik GmbH", WEB), "may_be_subsidiary"),
    "sisters on the same domain": (named("Acme Logistik", WEB), named("Acme Handel", WEB), "may_be_subsidiary"),
    "other VAT number of one country": (
        named("Acme GmbH", WEB, vat("DE811907980")), named("Acme GmbH", WEB, vat("DE129274202")), "may_be_subsidiary"),
    "one VAT number of a group, two register numbers": (
        named("Oak Foods Ltd", GB, vat("GB123456782"), {"ids": {"crn": "04411229"}}),
        named("Oak Farms Ltd", GB, vat("GB123456782"), {"ids": {"crn": "09911382"}}), "may_be_subsidiary"),
    "other legal form": (named("Acme GmbH", DE), named("Acme AG", DE), "other_legal_form"),
    "general partner": (named("Vogt GmbH & Co. KG", DE, PHONE), named("Vogt GmbH", DE, PHONE), "other_legal_form"),
    "name in another country": (named("Acme", DE, WEB), named("Acme", FR, WEB), "may_be_subsidiary"),
    "country in the name and another country": (
        named("Acme Deutschland", WEB), named("Acme", FR, WEB), "may_be_subsidiary"),
    "two countries in the names": (named("Acme Germany", WEB), named("Acme France", WEB), "may_be_subsidiary"),
    "numbered": (named("Kita Sonnenschein 3", INFO), named("Kita Sonnenschein 4", INFO), "may_be_subsidiary"),
    "funds": (named("Northwind Fund II LP", US, WEB), named("Northwind Fund III LP", US, WEB), "may_be_subsidiary"),
    "branches of one source": (
        named("Burger Palast", CRM, WEB, HOME), named("Burger Palast", CRM, WEB, AWAY), "may_be_branch"),
    "one source lists the short and the long name": (
        named("Acme", CRM, MAIL), named("Acme Robotics GmbH", CRM, MAIL), "may_be_subsidiary"),
    "one source, one phone, two domains": (
        named("Acme", CRM, PHONE, {"ids": {"domain": "acme.de"}}),
        named("Acme GmbH", CRM, PHONE, {"ids": {"domain": "akme-tools.com"}}), "may_be_branch"),
    # Not to be known from this.
    "namesake in another country": (named("Acme GmbH", DE), named("Acme Ltd", GB), "other_legal_form"),
    "namesake without form in another country": (named("Acme", DE), named("Acme", AT), "may_be_namesake"),
    "common name alone": (named("Hotel Adler", DE), named("Hotel Adler", DE), "may_be_namesake"),
    "commonest family name alone": (named("Müller GmbH", DE), named("Müller GmbH", DE), "may_be_namesake"),
    "common name in two towns": (named("Hotel Adler", HOME), named("Hotel Adler", AWAY), "may_be_namesake"),
    "rare name in two towns": (named("Tarkonya Robotics", HOME), named("Tarkonya Robotics", AWAY), "name"),
    "name alone, other domains": (
        named("Acme", {"ids": {"domain": "acme.de"}}), named("Acme", {"ids": {"domain": "akme-tools.com"}}),
        "may_be_namesake"),
    "short name on the domain of the longer": (named("Acme", WEB), named("Acme Robotics", WEB), "shared_contact"),
    "no name on a phone": (named("Acme", PHONE), {} | PHONE, "shared_contact"),
    "renamed, perhaps": (named("Acme", MAIL, PHONE), named("Nexory", MAIL, PHONE), "may_be_renamed"),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "expected"), PAIRS.values(), ids=PAIRS)
def test_two_organizations_are_judged_as_a_careful_reader_would(
    judge: Judge, left: dict[str, Any], right: dict[str, Any], expected: str
) -> None:
    verdict = judged([left, right], judge)
    assert word(verdict) == expected, verdict


CROWDS: dict[str, tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]], str]] = {
    "domain that a subsidiary has, too": (
        named("Acme GmbH", WEB), named("Acme", WEB), [named("Acme Logistik GmbH", WEB)], "same"),
    "domain that strangers have, too": (
        named("Acme GmbH", WEB), named("Acme", WEB), [named("Vogt KG", WEB), named("Nexory", WEB)], "same"),
    "no name on a domain that strangers have, too": (
        named("Acme GmbH", WEB), {} | MAIL, [named("Vogt KG", WEB)], "shared_contact"),
    "name of branches": (
        named("Burger Palast", CRM, HOME), named("Burger Palast"), [named("Burger Palast", CRM, AWAY)],
        "may_be_namesake"),
    "name and domain of branches": (
        named("Burger Palast", CRM, HOME, WEB), named("Burger Palast", WEB), [named("Burger Palast", CRM, AWAY, WEB)],
        "shared_contact"),
    "branch found by its address": (
        named("Burger Palast", CRM, HOME, WEB), named("Burger Palast", HOME, WEB),
        [named("Burger Palast", CRM, AWAY, WEB)], "same"),
    "name that one source has often": (
        named("Burger Palast", CRM), named("Burger Palast"), [named("Burger Palast", CRM)] * 5, "may_be_namesake"),
    "group with a company in each country": (
        named("Acme", DE, WEB), named("Acme", DE, WEB, {"source": "erp"}), [named("Acme", FR, WEB)], "same"),
    "group, and nobody says which country": (
        named("Acme", DE, WEB), named("Acme", WEB, {"source": "erp"}), [named("Acme", FR, WEB)], "shared_contact"),
    "number of three strangers": (
        named("Acme", vat("DE811907980")), named("Vogt", vat("DE811907980")), [named("Nexory", vat("DE811907980"))],
        "registration"),
    "phone of a group and a part of a name": (
        named("Acme", PHONE), named("Acme Logistik GmbH", PHONE), [named("Acme Handel GmbH", PHONE)], "shared_contact"),
    "accountant's e-mail": (named("Acme", MAIL), named("Acme GmbH", MAIL), [named("Vogt KG", MAIL)], "same"),
    "accountant's e-mail, no name": (named("Acme", MAIL), {} | MAIL, [named("Vogt KG", MAIL)], "shared_contact"),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "others", "expected"), CROWDS.values(), ids=CROWDS)
def test_who_else_holds_what_two_share_counts(
    judge: Judge, left: dict[str, Any], right: dict[str, Any], others: list[dict[str, Any]], expected: str
) -> None:
    verdict = judged([left, right, *others], judge)
    assert word(verdict) == expected, verdict


def strangers(number: int, judge: Judge) -> list[Portrait]:
    return [told(named(f"{'abcdefghijklmnopqrstuvwxyz'[n % 26] * 2}{n}rix", INFO), n, judge) for n in range(number)]


def test_a_key_of_more_names_than_the_limit_says_nothing(judge: Judge) -> None:
    assert standing(Means.INBOX, strangers(judge.shared_limit, judge), judge) is Standing.COMPANY
    assert standing(Means.INBOX, strangers(judge.shared_limit + 1, judge), judge) is Standing.JUNK


def test_a_key_is_worth_the_same_in_any_order_of_its_holders(judge: Judge) -> None:
    said = [named("Acme GmbH", DE), named("Acme", FR), named("Acme Logistik GmbH"), named("Acme", CRM, HOME), {}]
    portraits = [told(one, number, judge) for number, one in enumerate(said * 4)]
    worth = {standing(Means.DOMAIN, portraits[n:] + portraits[:n], judge) for n in range(len(portraits))}
    assert worth == {Standing.HOUSEHOLD}


def test_keys_are_words_in_any_order_domains_and_numbers(judge: Judge) -> None:
    said = told(named("Tarkonya Autohaus GmbH", WEB, vat("DE811907980")), 1, judge)
    other = told(named("Autohaus Tarkonya", MAIL, {"ids": {"vat": "811907980"}}, DE), 2, judge)
    both = keys_of(said, judge.forms).keys() & keys_of(other, judge.forms).keys()
    assert {means_of(key) for key in both} == {Means.TITLE, Means.DOMAIN, Means.REGISTRATION}
