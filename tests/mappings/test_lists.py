"""The lists beside identity.yml: shipped, extended by a company, and what is said where its file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.identity import Identity, Lists
from mappings.loader import MappingError, load_rulebook, shipped


def _with(folder: Path, name: str, text: str) -> Identity:
    file = folder / "rules" / "identity" / f"{name}.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return load_rulebook([folder, shipped()]).identity


def test_every_list_ships_as_a_file_of_its_name() -> None:
    files = {path.stem for path in (shipped() / "rules" / "identity").iterdir()}
    assert files == set(Lists.model_fields)


def test_a_company_adds_to_a_list(rulebook_identity: Identity, tmp_path: Path) -> None:
    identity = _with(tmp_path, "role_inboxes", "add: [kasse, info]\n")
    assert identity.role_inboxes == [*rulebook_identity.role_inboxes, "kasse"]


def test_a_company_removes_from_a_list(rulebook_identity: Identity, tmp_path: Path) -> None:
    identity = _with(tmp_path, "freemail", "remove:\n  - web.de\n")
    assert {*rulebook_identity.freemail} - {*identity.freemail} == {"web.de"}


def test_a_company_extends_the_short_forms_of_a_name(rulebook_identity: Identity, tmp_path: Path) -> None:
    said = "add:\n  Anna: [Nusha]\n  Zebulon: [Zeb]\nremove:\n  Robert: [Bert]\n"
    identity = _with(tmp_path, "nicknames", said)
    assert identity.nicknames["Anna"] == [*rulebook_identity.nicknames["Anna"], "Nusha"]
    assert identity.nicknames["Zebulon"] == ["Zeb"]
    assert "Bert" not in identity.nicknames["Robert"]
    assert "Bob" in identity.nicknames["Robert"]


def test_a_company_takes_a_whole_name_out(tmp_path: Path) -> None:
    assert "Robert" not in _with(tmp_path, "nicknames", "remove: [Robert]\n").nicknames


def test_a_company_extends_one_of_a_files_lists(rulebook_identity: Identity, tmp_path: Path) -> None:
    identity = _with(tmp_path, "junk", "add:\n  emails: ['kein@*']\n")
    assert identity.junk.emails == [*rulebook_identity.junk.emails, "kein@*"]
    assert identity.junk.phones == rulebook_identity.junk.phones


def test_a_company_names_a_provider(tmp_path: Path) -> None:
    said = "add:\n  Ours:\n    domains: [mail.acme.example]\n    tag: '='\n"
    assert _with(tmp_path, "mail_providers", said).mail_providers["Ours"].tag == "="


def test_each_folder_extends_the_one_behind_it(tmp_path: Path) -> None:
    for folder, said in (("team", "add: [team.example]\n"), ("company", "add: [company.example]\n")):
        _with(tmp_path / folder, "freemail", said)
    both = load_rulebook([tmp_path / "team", tmp_path / "company", shipped()]).identity
    assert both.freemail[-2:] == ["company.example", "team.example"]


def test_a_copy_of_the_shipped_file_changes_nothing(rulebook_identity: Identity, tmp_path: Path) -> None:
    copied = (shipped() / "rules" / "identity" / "titles.yml").read_text("utf-8")
    assert _with(tmp_path, "titles", copied) == rulebook_identity


WRONG = {
    "a list where add and remove belong": (
        "- kasse\n", 1, "the company's own role_inboxes extends the shipped list: say `add:` and `remove:`"
    ),
    "another word": ("adds: [kasse]\n", 1, "say `add:` and `remove:`"),
    "nothing": ("", 1, "say `add:` and `remove:`"),
    "not a text": ("add:\n  - kasse\n  - 12\n", 3, "should be a text, not `12`: put it in quotes"),
    "another shape": ("add: {kasse: [a]}\n", 1, "`add` has another shape than the shipped role_inboxes"),
    "nothing of that name to remove": ("remove:\n  - kasse\n  - ofice\n", 3, "did you mean `office`?"),
    "not YAML": ("add: [kasse\n", 2, "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(MappingError) as caught:
        _with(tmp_path, "role_inboxes", text)
    found = [p for p in caught.value.problems if p.line == line and what in p.what]
    assert found, caught.value
    assert found[0].file.endswith("rules/identity/role_inboxes.yml")


def test_a_wrong_name_within_a_list_is_said_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"mail_providers.yml:4: `tags` is unknown here; .* did you mean `tag`\?"):
        _with(tmp_path, "mail_providers", "add:\n  Ours:\n    domains: [a.example]\n    tags: '='\n")


def test_a_list_in_identity_yml_is_sent_to_its_file(tmp_path: Path) -> None:
    text = (shipped() / "rules" / "identity.yml").read_text("utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "identity.yml").write_text(f"{text}\nfreemail: [a.example]\n", "utf-8")
    with pytest.raises(MappingError, match=r"identity.yml:\d+: `freemail` stands in rules/identity/freemail.yml"):
        load_rulebook([tmp_path, shipped()])


def test_a_list_that_no_folder_has_is_missing(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "identity.yml").write_text("{}\n", "utf-8")
    with pytest.raises(MappingError, match=r"rules/identity/freemail.yml:1: the file is missing; looked in"):
        load_rulebook([tmp_path])


@pytest.fixture(scope="module")
def rulebook_identity() -> Identity:
    """The rules as shipped."""
    return load_rulebook([shipped()]).identity
