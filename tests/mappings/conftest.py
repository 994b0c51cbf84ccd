"""In: a mapping file's text. Out: it loaded and compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from mappings.compile import Compiled, Mapped, compile_stream
from mappings.loader import Settings, Source, load_rulebook, load_system, shipped
from mappings.rulebook import Rulebook

INTENTS = {
    "CANCEL": {"en": ["cancel", "close my account"], "de": ["kündig*", "widerrufen"]},
    "COMPLAINT": {"en": ["not acceptable"], "de": ["unverschämt*"]},
}


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    """The shipped rules with a small lexicon of their own."""
    shipped_rules = load_rulebook([shipped()])
    return shipped_rules.model_copy(update={"risk": shipped_rules.risk.model_copy(update={"intents": INTENTS})})


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Source]:
    """Loads the text of a mapping file of a system named `thing`."""

    def loaded(text: str) -> Source:
        path = tmp_path / "thing.yml"
        path.write_text(dedent(text), "utf-8")
        return Source("thing", load_system(path), Settings({}))

    return loaded


HEAD = """
system: thing
kind: crm
about: A thing.
http: {base_url: "https://thing.example"}
streams:
  things:
    get: /things
    key: id
"""


@pytest.fixture
def compiled(load: Callable[[str], Source], rulebook: Rulebook) -> Callable[..., Compiled]:
    """Compiles the stream `things`, given the lines of it that come after `get` and `key`."""

    def made(lines: str, further: str = "") -> Compiled:
        text = HEAD + indented(lines, 4) + indented(further, 2)
        return compile_stream(load(text), "things", rulebook)

    return made


@pytest.fixture
def mapped(compiled: Callable[..., Compiled]) -> Callable[..., Mapped]:
    """Maps records by the lines of the stream `things`; landing numbers count from 1."""

    def made(lines: str, records: Sequence[Any], further: str = "") -> Mapped:
        return compiled(lines, further).map(list(enumerate(records, 1)))

    return made


def indented(lines: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in dedent(lines).strip("\n").splitlines())
