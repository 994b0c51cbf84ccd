"""`hub new`: a file that loads, a source that is listed, nothing of anybody's overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.parcel_desk import DOCUMENT
from hub.author import AuthorError, begin
from hub.rules import load_rules
from mappings.drafting.openapi import NoOpenApiError
from mappings.drafting.template import KINDS
from mappings.loader import load_sources, schema_json, shipped


def sources(folder: Path) -> list[str]:
    folders = [folder, shipped()]
    return list(load_sources(load_rules(folders), folders, {}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_loads_in_an_empty_folder_and_is_the_only_source(tmp_path: Path, kind: str) -> None:
    mapping, schema, company = begin(tmp_path, kind, "acme", None)
    assert mapping == tmp_path / "sources" / kind / "acme.yml"
    assert (mapping.parent / mapping.read_text().splitlines()[0].partition("=")[2]).resolve() == schema.resolve()
    assert schema.read_text() == schema_json()
    assert company.exists()
    assert sources(tmp_path) == ["acme"]


def test_a_second_system_joins_the_first_and_every_other_line_stays(tmp_path: Path) -> None:
    begin(tmp_path, "crm", "acme", None)
    company = tmp_path / "rules" / "company.yml"
    company.write_text(
        company.read_text().replace("  acme: {system: acme}", "  # ours\n  acme: {system: acme}  # the CRM")
    )
    before = company.read_text().splitlines()
    begin(tmp_path, "billing", "till", None)
    after = company.read_text().splitlines()
    assert sources(tmp_path) == ["acme", "till"]
    assert [line for line in after if line != "  till: {system: till}"] == before


def test_a_draft_of_a_document_is_listed_as_well(tmp_path: Path) -> None:
    document = tmp_path / "desk.json"
    document.write_text(json.dumps(DOCUMENT))
    mapping, *_ = begin(tmp_path / "ours", "support", "desk", document)
    assert "# guess:" in mapping.read_text()
    assert sources(tmp_path / "ours") == ["desk"]


def test_nothing_of_anybodys_is_overwritten(tmp_path: Path) -> None:
    mapping, *_ = begin(tmp_path, "crm", "acme", None)
    mapping.write_text("mine")
    with pytest.raises(AuthorError, match="is there already"):
        begin(tmp_path, "crm", "acme", None)
    assert mapping.read_text() == "mine"


@pytest.mark.parametrize("name", ["Acme", "1st", "a-b", "../x", "", "a b"])
def test_a_name_that_is_none_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(AuthorError, match="is no system's name"):
        begin(tmp_path, "crm", name, None)
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_is_none_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoOpenApiError, match="cannot be read"):
        begin(tmp_path / "ours", "crm", "acme", tmp_path / "missing.json")
    assert not (tmp_path / "ours").exists()


def test_a_company_file_written_otherwise_is_left_alone_and_says_what_to_add(tmp_path: Path) -> None:
    company = tmp_path / "rules" / "company.yml"
    company.parent.mkdir()
    company.write_text("name: X\nsources: {a: {system: a}}\n")
    with pytest.raises(AuthorError, match=r"add `acme: \{system: acme\}`"):
        begin(tmp_path, "crm", "acme", None)
    assert company.read_text() == "name: X\nsources: {a: {system: a}}\n"
