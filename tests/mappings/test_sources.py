"""Instances of systems: where their settings come from, what is missing, and that nothing shows them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from mappings.checking.check import fit
from mappings.checking.document import read_document
from mappings.loader import (
    MappingError,
    MissingSettingError,
    Source,
    load_rulebook,
    load_source,
    load_sources,
    shipped,
)
from mappings.rulebook import Company, Instance, Rulebook

SYSTEM = """\
system: shop
kind: crm
about: A shop.
settings:
  token: {secret: true}
  base_url: {default: "https://shop.example"}
http: {base_url: "${base_url}", auth: {bearer: "${token}"}}
streams:
  people: {get: /people, key: id, profile: {kind: PERSON, emails: [email]}}
"""
COMPANY = """\
name: Test
reporting_currency: EUR
currencies: [EUR]
time_zone: Europe/Berlin
region: DE
language: de
sources:
  shop_eu: {system: shop}
  shop_us: {system: shop, settings: {base_url: "https://us.example", token: "${US_KEY}"}}
rates: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "sources" / "crm" / "shop.yml", SYSTEM)
    write(tmp_path / "rules" / "company.yml", COMPANY)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def rules(folder: Path) -> Rulebook:
    company = fit(Company, read_document(folder / "rules" / "company.yml"))
    return load_rulebook([shipped()]).model_copy(update={"company": company})


def loaded(folder: Path, environ: dict[str, str] | None = None) -> dict[str, Source]:
    return load_sources(rules(folder), [folder], environ or {})


def test_a_setting_comes_from_the_company_then_the_environment_then_the_default(folder: Path) -> None:
    sources = loaded(folder, {"SHOP_EU_TOKEN": "eu", "US_KEY": "us"})
    assert list(sources) == ["shop_eu", "shop_us"]
    assert sources["shop_eu"].fill("${base_url}/x?${token}") == "https://shop.example/x?eu"
    assert sources["shop_us"].fill("${base_url}/x?${token}") == "https://us.example/x?us"
    moved = loaded(folder, {"SHOP_EU_BASE_URL": "http://127.0.0.1:9"})["shop_eu"]
    assert moved.fill("${base_url}") == "http://127.0.0.1:9"


def test_a_source_without_its_secret_loads_and_says_which_variable_it_needs(folder: Path) -> None:
    sources = loaded(folder, {"SHOP_EU_TOKEN": ""})
    assert sources["shop_eu"].missing == ("SHOP_EU_TOKEN",)
    assert sources["shop_us"].missing == ("US_KEY",)
    with pytest.raises(MissingSettingError, match="shop_eu: no token; set SHOP_EU_TOKEN"):
        sources["shop_eu"].fill("${token}")


def test_no_secret_is_shown_or_written_down(folder: Path) -> None:
    source = loaded(folder, {"SHOP_EU_TOKEN": "s3cret"})["shop_eu"]
    shown = f"{source!r} {source} {source.settings!r} {source.settings} {[source]} {source.system!r} {vars(Source)}"
    assert "s3cret" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(source.settings)
    with pytest.raises(TypeError):
        copy.deepcopy(source.settings)


def test_an_unknown_system_names_the_line_and_what_was_meant(folder: Path) -> None:
    write(folder / "rules" / "company.yml", COMPANY.replace("{system: shop}", "{system: shpo}"))
    with pytest.raises(MappingError, match=r"company.yml:8: no mapping file for system `shpo`.*did you mean `shop`"):
        loaded(folder)


def test_an_unknown_setting_names_the_line_and_what_was_meant(folder: Path) -> None:
    write(folder / "rules" / "company.yml", COMPANY.replace("token:", "tokne:"))
    with pytest.raises(MappingError, match=r"company.yml:9: shop has no setting `tokne`.*did you mean `token`"):
        loaded(folder)


def test_one_broken_file_leaves_the_other_sources_whole(folder: Path) -> None:
    write(folder / "sources" / "crm" / "other.yml", "system: [")
    text = COMPANY.replace("  shop_us:", "  other: {system: other}\n  shop_us:")
    write(folder / "rules" / "company.yml", text)
    with pytest.raises(MappingError, match=r"other.yml:"):
        loaded(folder)
    assert load_source("shop_eu", rules(folder), [folder], {}).name == "shop_eu"


def test_a_folder_given_earlier_wins_file_by_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    mine = tmp_path_factory.mktemp("mine")
    write(mine / "sources" / "shop.yml", SYSTEM.replace("/people, key", "/humans, key"))
    found = load_sources(rules(folder), [mine, folder], {})["shop_eu"]
    assert found.system.streams["people"].get == "/humans"


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("reporting_currency: EUR", "reporting_currency: ERU", "company.yml:2: `ERU` is no ISO 4217 currency"),
        ("currencies: [EUR]", "currencies: [USD]", "company.yml:3: the reporting currency EUR is not among them"),
        (
            "Europe/Berlin",
            "Europe/Berln",
            "company.yml:4: `Europe/Berln` is no time zone; did you mean `Europe/Berlin`",
        ),
        ("region: DE", "region: Germany", "company.yml:5: `Germany` is no ISO 3166-1"),
        ("language: de", "language: german", "company.yml:6: `german` is no ISO 639-1 code"),
        ("rates: {}", "rates: {GBP: {2026-01-01: 0}}", "company.yml:10: a rate has to be more than 0"),
        ("rates: {}", "rates: {GBP: {soon: 1.1}}", "company.yml:10: "),
        ("rates: {}", "rates: {GBP: {2026-01-01: 1.1, 2026-01-01: 1.2}}", "company.yml:10: `2026-01-01` is said twice"),
        ("shop_eu:", "Shop EU:", "company.yml:8: `Shop EU` is no source's name"),
        ('"${US_KEY}"', '"${US KEY}"', "company.yml:9: a `${` that no variable"),
        ("name: Test\n", "", "company.yml:1: `name` is missing"),
    ],
    ids=["currency", "currencies", "zone", "region", "language", "rate", "day", "twice", "name", "variable", "missing"],
)
def test_what_is_wrong_in_the_company_is_said_with_its_line(folder: Path, good: str, bad: str, expected: str) -> None:
    assert good in COMPANY
    write(folder / "rules" / "company.yml", COMPANY.replace(good, bad, 1))
    with pytest.raises(MappingError) as refused:
        load_rulebook([folder])
    assert any(expected in str(problem) for problem in refused.value.problems), refused.value.problems


def test_a_missing_rule_file_names_where_it_was_looked_for(folder: Path) -> None:
    with pytest.raises(MappingError, match=rf"rules/consent.yml:1: the file is missing; looked in {folder}"):
        load_rulebook([folder])


def test_the_shipped_rules_and_sources_load_without_an_environment() -> None:
    rulebook = load_rulebook([shipped()])
    sources = load_sources(rulebook, [shipped()], {})
    assert list(sources) == ["hubspot", "stripe", "zendesk", "matomo"]
    assert sources["zendesk"].missing == ("ZENDESK_BASE_URL", "ZENDESK_EMAIL", "ZENDESK_TOKEN")
    assert rulebook.company.reporting_currency == "EUR"
    assert {"GBP", "USD", "JPY", "KWD", "CHF"} == set(rulebook.company.rates)
    assert all(len(rates) == 18 for rates in rulebook.company.rates.values())


@pytest.mark.parametrize("secret", ["12345678", "1234.5678"])
def test_a_secret_that_was_written_out_wrongly_is_not_repeated(folder: Path, secret: str) -> None:
    write(folder / "rules" / "company.yml", COMPANY.replace('"${US_KEY}"', secret))
    with pytest.raises(MappingError, match=r"company.yml:9: `token` should be a text, not ") as refused:
        rules(folder)
    assert secret not in str(refused.value)


def test_an_optional_setting_is_not_missed_and_says_what_lacks_it(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "thing.yml").write_text(
        """
system: thing
kind: crm
about: A thing.
settings: {token: {secret: true}, webhook_secret: {secret: true, optional: true}}
http: {base_url: "https://thing.example", auth: {bearer: "${token}"}}
streams: {people: {get: /people, key: id, profile: {kind: PERSON}}}
""",
        "utf-8",
    )
    rulebook = load_rulebook([shipped()])
    company = rulebook.company.model_copy(update={"sources": {"thing": Instance(system="thing")}})
    rulebook = rulebook.model_copy(update={"company": company})
    source = load_source("thing", rulebook, [tmp_path, shipped()], {"THING_TOKEN": "t"})
    assert source.missing == ()
    with pytest.raises(MissingSettingError, match="set THING_WEBHOOK_SECRET"):
        source.fill("${webhook_secret}")
    assert load_source("thing", rulebook, [tmp_path, shipped()], {}).missing == ("THING_TOKEN",)
