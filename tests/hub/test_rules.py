"""What is wrong in a rule file is said before the first record, with its file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.rules import load_rules
from mappings.loader import MappingError, shipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment's own copy of the shipped rules."""
    shutil.copytree(shipped() / "rules", tmp_path / "rules")
    return tmp_path


def test_the_shipped_rules_are_sound() -> None:
    assert load_rules([shipped()]).risk.rules


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        pytest.param("risk", "    when: ", "    when: no_such_metric > 0 and ", "no_such_metric", id="unknown-metric"),
        pytest.param("risk", "    message: ", "    message: '{nothing}' #", "nothing", id="unknown-placeholder"),
        pytest.param("metrics", "    where: ", "    where: colour = 'red' and ", "colour", id="unknown-field"),
        pytest.param("metrics", "    value: ", "    value: median(at) #", "median", id="unknown-function"),
        pytest.param("cost", "    when: ", "    when: nonsense = 1 and ", "nonsense", id="unknown-field-in-cost"),
        pytest.param("cost", "    rate: ", "    rate: nobody #", "nobody", id="unknown-rate"),
        pytest.param("journey", "ends_after: ", "ends_after: soon #", "soon", id="no-duration"),
    ],
)
def test_a_wrong_rule_names_its_file_and_line(folder: Path, file: str, before: str, after: str, says: str) -> None:
    path = folder / "rules" / f"{file}.yml"
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(before)].count("\n") + 1
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_rules([folder, shipped()])
    message = str(refused.value)
    assert f"{file}.yml:{line}: " in message
    assert says in message


def test_every_problem_of_every_file_is_said_at_once(folder: Path) -> None:
    for file, before, after in (
        ("cost", "    rate: ", "    rate: nobody #"),
        ("journey", "ends_after: ", "ends_after: x #"),
    ):
        path = folder / "rules" / f"{file}.yml"
        path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_rules([folder, shipped()])
    assert {Path(problem.file).name for problem in refused.value.problems} == {"cost.yml", "journey.yml"}
