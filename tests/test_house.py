"""The house's own rules: imports run one way, one library has one room, names that say nothing are not used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROOMS = ("mappings", "connectors", "hub")
MODULES = sorted(path for room in ROOMS for path in (HOUSE / room).rglob("*.py"))
EXEMPT = "connectors/sandbox/"  # it plays the vendors
MAY_IMPORT = {
    "mappings": {"mappings"},
    "connectors": {"connectors", "mappings"},
    "hub": {"hub", "connectors", "mappings"},
}
HOME = {
    "yaml": ("mappings/",),
    "httpx": ("connectors/http.py",),
    "sqlalchemy": ("hub/",),
    "alembic": ("hub/store/",),
    "strawberry": ("hub/api/",),
    "starlette": (
        "hub/server.py",
        "hub/upkeep/webhooks.py",
        "hub/api/listen/streams.py",
        "hub/export/door.py",
        "hub/export/endpoint.py",
        "hub/export/odata/endpoint.py",
    ),
    "asyncpg": ("hub/api/plan/run.py",),
    "pyarrow": ("hub/export/arrow.py",),
    "joserfc": ("hub/access/", "connectors/auth/"),
    "cryptography": ("hub/store/vault.py",),
    "uvicorn": ("hub/cli/",),
    "zstandard": ("hub/api/listen/reply.py",),
    "typer": ("hub/cli/",),
    "rich": ("hub/terminal.py",),
    "sqlglot": ("hub/expression.py", "hub/expression/"),
    "jmespath": ("mappings/",),
    "phonenumbers": ("mappings/",),
    "rapidfuzz": ("hub/identity/",),
    "anyascii": ("hub/identity/normalise/",),
}
SAYS_NOTHING = {"utils", "util", "common", "core", "helpers", "base", "manager", "misc"}
VENDORS = tuple(path.stem for path in (HOUSE / "mappings" / "sources").glob("*/*.yml"))


def _place(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=_place)
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(HOUSE).parts[0]
    ours = {name.split(".")[0] for name in _imports(path)} & set(ROOMS)
    assert ours <= MAY_IMPORT[room], f"{_place(path)}: {room} may import {sorted(MAY_IMPORT[room])} only"


@pytest.mark.parametrize("path", [p for p in MODULES if not _place(p).startswith(EXEMPT)], ids=_place)
def test_a_library_has_one_room(path: Path) -> None:
    place = _place(path)
    strays = [n for n in _imports(path) if (homes := HOME.get(n.split(".")[0])) and not place.startswith(homes)]
    assert strays == []


def test_only_the_demo_uses_the_sandbox() -> None:
    users = {
        _place(p)
        for p in MODULES
        if not _place(p).startswith(EXEMPT) and any(n.startswith("connectors.sandbox") for n in _imports(p))
    }
    assert users == {"hub/demo.py"}


@pytest.mark.parametrize("path", [p for p in MODULES if not _place(p).startswith(EXEMPT)], ids=_place)
def test_python_knows_no_vendor(path: Path) -> None:
    text = path.read_text(encoding="utf-8").lower()
    assert [vendor for vendor in VENDORS if re.search(rf"(?<![a-z]){vendor}(?![a-z])", text)] == []


def test_every_module_name_says_something() -> None:
    assert [_place(p) for p in MODULES if p.stem in SAYS_NOTHING] == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.stat().st_size], ids=_place)
def test_every_module_says_what_comes_in_and_goes_out(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_tests_have_no_packages_that_would_hide_the_house() -> None:
    assert list((HOUSE / "tests").rglob("__init__.py")) == []
