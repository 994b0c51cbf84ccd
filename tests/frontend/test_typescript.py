"""What the guide shows in TypeScript: its types are generated, the compiler accepts it, and it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from hub.store.engine import Store
from tests.frontend.conftest import HERE, Ran, lay_out, run_node, serving
from tests.hub.test_server_streams import raising

CODEGEN = "node_modules/@graphql-codegen/cli/cjs/bin.js"
TSC = "node_modules/typescript/bin/tsc"
RELAY = "node_modules/relay-compiler/cli.js"
MANIFESTS = ("persisted.json", "src/graphql/persisted-documents.json")
EXAMPLES = sorted(files("hub.api").joinpath("examples").iterdir(), key=lambda file: file.name)


FIRST = {  # with what the caches of both clients add to a query
    "customers": {
        "__typename": "CustomerConnection",
        "edges": [{"__typename": "CustomerEdge", "node": {"__typename": "Customer", "displayName": "Ada"}}],
    }
}


@pytest.fixture(scope="module")
def compiled(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app of the guide with the program, compiled strictly. A team has Relay or the generator; here are both."""
    app = lay_out(tmp_path_factory.mktemp("compiled"), node_modules)
    for program in HERE.glob("*.ts"):
        shutil.copy(program, app / "src")
    (app / "src" / "__generated__").mkdir()
    (app / "persisted.json").write_text("{}", encoding="utf-8")
    of_relay = (app / "src" / "Timeline.ts").rename(app / "Timeline.ts")
    succeed(run_node(app, CODEGEN))
    of_relay.rename(app / "src" / "Timeline.ts")
    succeed(run_node(app, RELAY, "relay.config.json"))
    succeed(run_node(app, TSC))
    return app


def succeed(done: Ran) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_programs_of_the_guide_run(compiled: Path, hub_url: str, people: Store) -> None:
    with raising(people):
        ran = run_node(compiled, "--experimental-websocket", "out/program.js", HUB_URL=hub_url, HUB_API_KEY="")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "onePage": ["Ada", "Ben"],
        "allPages": ["Ada", "Ben", "Cem", "Dora", "Eva"],
        "nobody": [],
        "refused": "BAD_USER_INPUT",
        "urql": FIRST,
        "apollo": FIRST,
        "watched": 2,
        "listened": 2,
    }


def test_only_the_documents_of_the_manifests_run_in_production(compiled: Path, people: Store) -> None:
    manifests = os.pathsep.join(str(compiled / name) for name in MANIFESTS)
    with serving(people, HUB_MODE="production", HUB_DOCUMENTS=manifests) as url:
        ran = run_node(compiled, "out/trusted.js", HUB_URL=url, HUB_API_KEY="")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert (said["relay"]["customer"]["id"], said["relay"]["customer"]["displayName"]) == ("cus_0001", "Ada")
    assert [edge["node"]["displayName"] for edge in said["generated"]["data"]["customers"]["edges"]] == ["Ada", "Ben"]
    assert said["unknown"]["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert said["untrusted"]["errors"][0]["extensions"]["code"] == "NOT_TRUSTED"


@pytest.mark.parametrize(
    ("name", "operation"),
    list(zip(MANIFESTS, ["query TimelineQuery(", "query Customers("], strict=True)),
    ids=["relay", "generator"],
)
def test_a_manifest_holds_texts_under_their_sha256(compiled: Path, name: str, operation: str) -> None:
    manifest = json.loads((compiled / name).read_text(encoding="utf-8"))
    assert any(operation in text for text in manifest.values())
    assert {sha256(text.encode()).hexdigest() for text in manifest.values()} == set(manifest)


def test_a_field_that_does_not_exist_is_refused_before_it_is_sent(app: Path) -> None:
    file = app / "src" / "customers.ts"
    file.write_text(file.read_text(encoding="utf-8").replace("id displayName }", "id nickname }"), encoding="utf-8")
    done = run_node(app, CODEGEN)
    assert done.returncode != 0
    assert 'Cannot query field "nickname" on type "Customer"' in done.stdout + done.stderr


def test_types_of_the_examples_are_what_the_schema_says(app: Path) -> None:
    """Every example becomes types, and a value used against them is refused by the compiler."""
    shutil.rmtree(app / "src")
    (app / "src").mkdir()
    (app / "src" / "ask.ts").write_text("export {};", encoding="utf-8")
    config = app / "codegen.ts"
    config.write_text(config.read_text(encoding="utf-8").replace("src/**/*.ts", "src/*.graphql"), encoding="utf-8")
    for example in EXAMPLES:
        (app / "src" / example.name).write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    succeed(run_node(app, CODEGEN))
    types = (app / "src" / "graphql" / "graphql.ts").read_text(encoding="utf-8")
    operations = {
        name + kind.title()
        for example in EXAMPLES
        for kind, name in re.findall(r"^(query|mutation|subscription) (\w+)", example.read_text(encoding="utf-8"), re.M)
    }
    assert operations
    assert {name for name in operations if f"export type {name} = " not in types} == set()
    use = """
    import type { AccountQuery, CustomersFlatQuery } from "./graphql/graphql";
    export function use(account: AccountQuery, flat: CustomersFlatQuery): string {
      const worth: string | undefined = account.customer?.profitability?.contribution?.amount;
      const kind: "PERSON" | "ORGANIZATION" = flat.customers.edges[0].node.kind;
      const seen: string | null | undefined = flat.customers.edges[0].node.lastSeen;
      return `${worth} ${kind} ${seen}`;
    }
    """
    (app / "src" / "use.ts").write_text(use, encoding="utf-8")
    succeed(run_node(app, TSC))
    (app / "src" / "use.ts").write_text(use.replace("const worth: string |", "const worth: number |"), encoding="utf-8")
    refused = run_node(app, TSC)
    assert "Type 'string' is not assignable to type 'number'" in refused.stdout
