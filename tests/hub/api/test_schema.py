"""The schema as committed: SDL, example queries, descriptions, the floor table, the table of error codes."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from hub.api.asked.documents import Documents
from hub.api.errors import CODES
from hub.api.schema import Schema, committed_sdl, sdl
from mappings.rulebook import Rulebook

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = sorted(part.name for part in files("hub.api").joinpath("examples").iterdir())


def test_committed_sdl_is_the_schema(schema: Schema) -> None:
    assert committed_sdl() == sdl(schema), "write sdl(build_schema(access)) to hub/api/schema.graphql"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_query_is_valid(schema: Schema, rulebook: Rulebook, name: str) -> None:
    text = files("hub.api").joinpath("examples", name).read_text(encoding="utf-8")
    assert Documents(schema._schema, rulebook.access).get(text).problems == ()


def test_everything_is_described(schema: Schema) -> None:
    silent = []
    for name, kind in schema._schema.type_map.items():
        if name.startswith("__"):
            continue
        silent += [] if kind.description else [name]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            fields = kind.fields.items()
            silent += [f"{name}.{field}" for field, said in fields if not said.description]
            arguments = [(f, a, s) for f, said in fields for a, s in getattr(said, "args", {}).items()]
            silent += [f"{name}.{field}({argument}:)" for field, argument, said in arguments if not said.description]
    assert silent == []


def test_enums_hold_the_words_of_the_vocabulary(schema: Schema) -> None:
    stages = schema._schema.type_map["StageKey"]
    assert isinstance(stages, GraphQLEnumType)
    assert list(stages.values)[:3] == ["BRAND", "INITIATION", "CHOOSING"]


def test_floor_table_and_schema_agree(schema: Schema) -> None:
    """What nothing computes yet stands in docs/floor.md, and nothing else does; the table may only shrink."""
    table = dict(re.findall(r"^\| `([A-Za-z.]+)` \| ([^|]+?) \|", (DOCS / "floor.md").read_text(), re.MULTILINE))
    assert table == schema.declarations.on_the_floor()
    assert set(table) <= {"Customer.value", "RiskScore.probability"}


def test_every_error_code_is_documented() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "graphql.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(CODES)


def test_default_of_first_is_optional(schema: Schema) -> None:
    """A non-null argument with a default cannot take a nullable variable in relay-compiler."""
    assert '"""How many, 20 unless said, 1000 at most."""\n    first: Int\n' in sdl(schema)
    assert "first: Int!" not in sdl(schema)
