"""relay-compiler takes the schema, the example operations, and a fragment that loads more of every connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    parse,
    print_ast,
)

from hub.api.schema import committed_sdl
from tests.frontend.conftest import Ran

COMPILER = "node_modules/relay-compiler/cli.js"
# Relay asks for pages forward with `first` and `after`, backward with `last` and `before`, all of which may be null.
MORE = """
fragment {module}_of on {type}
@refetchable(queryName: "{module}PageQuery")
@argumentDefinitions(
  first: {{ type: "Int" }}, after: {{ type: "String" }}, last: {{ type: "Int" }}, before: {{ type: "String" }}
) {{
  {field}(first: $first, after: $after, last: $last, before: $before{required}) @connection(key: "{module}_{field}") {{
    edges {{ node {{ __typename }} }}
  }}
}}
"""


def modules() -> dict[str, str]:
    """Every operation of the examples under a name that Relay wants: the module's, and what it is."""
    found = {}
    for example in files("hub.api").joinpath("examples").iterdir():
        for operation in parse(example.read_text(encoding="utf-8"), no_location=True).definitions:
            assert isinstance(operation, OperationDefinitionNode)
            assert operation.name
            module = operation.name.value
            name = NameNode(value=f"{module}{operation.operation.value.title()}")
            found[module] = print_ast(replace(operation, name=name))
    return found


def connections(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Every connection that can be loaded further: of the query, and of what has an id."""
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or not (name == "Query" or kind.interfaces):
            continue
        yield from (
            (name, f) for f, field in kind.fields.items() if get_named_type(field.type).name.endswith("Connection")
        )


@pytest.fixture
def project(workplace: Path) -> Path:
    """A folder with the schema and the compiler's settings; the documents are still to come."""
    settings = {"src": "src", "schema": "schema.graphql", "language": "typescript", "artifactDirectory": "artifacts"}
    (workplace / "relay.config.json").write_text(json.dumps(settings), encoding="utf-8")
    (workplace / "schema.graphql").write_text(committed_sdl(), encoding="utf-8")
    for folder in ("src", "artifacts"):
        (workplace / folder).mkdir()
    return workplace


def write_module(project: Path, module: str, document: str) -> None:
    text = f'import {{ graphql }} from "relay-runtime";\nexport const document = graphql`{document}`;\n'
    (project / "src" / f"{module}.ts").write_text(text, encoding="utf-8")


def artifacts(project: Path) -> set[str]:
    return {file.name.removesuffix(".graphql.ts") for file in (project / "artifacts").iterdir()}


def test_the_example_operations_compile(project: Path, node: Callable[..., Ran]) -> None:
    for module, document in modules().items():
        write_module(project, module, document)
    done = node(COMPILER, "relay.config.json")
    assert done.returncode == 0, done.stdout + done.stderr
    made = artifacts(project)
    assert {"AccountQuery", "SeparateMutation", "RiskFlagRaisedSubscription"} <= made
    assert len(made) == len(modules())


def test_every_connection_loads_more(project: Path, node: Callable[..., Ran]) -> None:
    wanted = set()
    for kind, field in connections(build_schema(committed_sdl())):
        module = f"{kind}{field[0].upper()}{field[1:]}"
        required = ', text: "m"' if field == "searchCustomers" else ""
        write_module(project, module, MORE.format(module=module, type=kind, field=field, required=required))
        wanted.add(f"{module}PageQuery")
    done = node(COMPILER, "relay.config.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"CustomerTimelinePageQuery", "QueryCustomersPageQuery"} <= wanted <= artifacts(project)


def test_a_default_beside_a_type_that_may_not_be_null_is_refused(project: Path, node: Callable[..., Ran]) -> None:
    """Why `first` is an optional: what the test above would find."""
    schema = project / "schema.graphql"
    schema.write_text(schema.read_text(encoding="utf-8").replace("    first: Int\n", "    first: Int! = 20\n"))
    write_module(project, "More", MORE.format(module="More", type="Customer", field="timeline", required=""))
    done = node(COMPILER, "relay.config.json")
    assert done.returncode != 0
    assert "Variable of type 'Int' cannot be used where 'Int!' is expected" in done.stdout + done.stderr
