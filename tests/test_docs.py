"""The guides stay true: their snippets and queries run, and what exists is described.

In: README, CONTRIBUTING and docs/, a synced company of 60 people, its four systems, and a server. Out: pass or fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import typer
import yaml
from sqlalchemy import text

from hub.cli import app
from hub.demo import sandbox
from hub.export.views import create_views
from hub.settings import read_settings
from hub.store.engine import Store
from mappings.loader import load_system, shipped

HOUSE = Path(__file__).parents[1]
GUIDES = [HOUSE / "README.md", HOUSE / "CONTRIBUTING.md", *sorted((HOUSE / "docs").glob("*.md"))]
OPERATOR = (HOUSE / "docs" / "operator.md").read_text(encoding="utf-8")

SHELL = ("sh", "")
SHOWN = {
    "yaml": "a part of a file; whole files are checked by the tests of the loader",
    "cron": "wants a cron daemon; the command in it is run above",
    "ts": "wants a TypeScript runtime; its query is run",
    "json": "an answer",
    "text": "output",
}
CANNOT_RUN = {
    "make": "builds an environment of its own; the tests run in one that it has built",
    "pip install": "installs; tests/test_packaging.py does",
    "python -m connectors.sandbox": "runs until Ctrl-C; it runs beside the snippets",
    "curl -sN": "waits for what happens; tests/hub/api does",
    "pg_dump": "wants PostgreSQL's client programs",
    "export POSTGRES_PASSWORD": "wants Docker; the compose file is read below",
}
DATABASE_LESS = {"data-engineer.md": "begins in an empty folder", "connect.md": "begins in an empty folder"}
DESK = "127.0.0.1:8765"  # where connect.md has its help desk

# A hub for snippets, which are many: the imports are paid once, each command runs in a process forked from there.
HUB_DOOR = """
import json, os, socket, sys, traceback
import hub.cli
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1].replace("@", "\\0"))
door.listen()
print("open", flush=True)
while True:
    caller, _ = door.accept()
    if os.fork() == 0:
        said, streams, *_ = socket.recv_fds(caller, 1 << 20, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        words, folder, environment = json.loads(said)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["hub", *words]
        try:
            code = hub.cli.main() or 0
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        caller.send(bytes([code]))
        os._exit(0)
    caller.close()
"""
HUB = """
import json, os, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect(os.environ["HUB_DOOR"].replace("@", "\\0"))
socket.send_fds(door, [json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()], [0, 1, 2])
sys.exit(door.recv(1)[0])
"""

# The two programs that a machine with Python may lack, as far as the guides use them.
SQLITE = """
import sqlite3, sys
*options, file, sql = sys.argv[1:]
cursor = sqlite3.connect(file, isolation_level=None).execute(sql)
if "-header" in options:
    print("|".join(name for name, *_ in cursor.description))
for row in cursor:
    print("|".join(map(str, row)))
"""
CURL = """
import sys, urllib.request
url, headers, body = None, {}, None
words = iter(sys.argv[1:])
for word in words:
    if word == "-H":
        name, _, value = next(words).partition(":")
        headers[name] = value.strip()
    elif word in ("-d", "--data"):
        body = next(words).encode()
    elif not word.startswith("-"):
        url = word
answer = urllib.request.urlopen(urllib.request.Request(url, body, headers)).read().decode()
print(answer)
sys.exit('"errors"' in answer)
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a guide."""

    guide: Path
    line: int
    language: str
    text: str

    @property
    def shown_only(self) -> bool:
        """Whether it belongs to the kinds that cannot run in a test."""
        return self.language in SHOWN or self.text.lstrip().startswith(tuple(CANNOT_RUN))


def blocks(guide: Path) -> list[Block]:
    """The fenced blocks of a guide, in order."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(guide.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"\s*```(\w*)\s*$", line)
        if not fence:
            lines.append(line)
        elif opened is None:
            opened, lines = (number, fence[1]), []
        else:
            found.append(Block(guide, *opened, dedent("\n".join(lines))))
            opened = None
    return found


BLOCKS = [block for guide in GUIDES for block in blocks(guide)]


def place(block: Block) -> str:
    return f"{block.guide.name}:{block.line}"


# what runs -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Deployment:
    """A folder with a synced hub.db, the environment of its sources and programs, and a server over it."""

    folder: Path
    environment: dict[str, str]
    sources: dict[str, str]
    address: str
    desk: str

    def ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """What the server answers to a query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"http://{self.address}/graphql", body, {"content-type": "application/json"})
        with urlopen(request) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
        return said


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    environment = _environment(folder / "bin")
    hub = [sys.executable, "-m", "hub.cli"]
    database = ["--database", f"sqlite:///{folder / 'hub.db'}"]
    port, desk = _free_port(), _free_port()
    demo = [*hub, "demo", "--once", "--customers", "60", *database]
    subprocess.run(demo, env=environment, check=True, capture_output=True)
    with (
        sandbox(60) as sources,
        _running([sys.executable, "-c", HUB_DOOR, environment["HUB_DOOR"]], environment) as door,
        _running([*hub, "serve", "--port", port, *database], environment) as serving,
        _running([sys.executable, "-m", "connectors.sandbox.parcel_desk", "--port", desk], environment) as helping,
    ):
        assert door.stdout is not None
        assert door.stdout.readline() == b"open\n"
        _await(serving, f"http://127.0.0.1:{port}/readyz")
        _await(helping, f"http://127.0.0.1:{desk}/openapi.json")
        yield Deployment(folder, environment, sources, f"127.0.0.1:{port}", f"127.0.0.1:{desk}")


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        yield process
        process.terminate()


def _environment(programs: Path) -> dict[str, str]:
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    for name, script in (("hub", HUB), ("sqlite3", SQLITE), ("curl", CURL)):
        (programs / name).write_text(f"#!{sys.executable} -SE\n{script}", encoding="utf-8")
    for program in programs.iterdir():
        program.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    ours = {"PATH": path, "PYTHONPATH": str(HOUSE), "HUB_API_KEY": "", "HUB_DOOR": f"@hub-docs-{os.getpid()}"}
    return inherited | ours


def _await(serving: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(400):
        try:
            urlopen(url).close()  # noqa: S310
        except URLError:
            try:
                raise AssertionError(f"the server ended with code {serving.wait(0.05)}")
            except subprocess.TimeoutExpired:
                continue
        return
    raise AssertionError("the server does not answer")


def run(deployment: Deployment, folder: Path, guide: Path) -> str:
    """Runs the snippets of a guide one after the other in one shell, as a reader does. Gives what they printed."""
    environment = deployment.environment
    if guide.name in DATABASE_LESS:
        environment = {name: value for name, value in environment.items() if name not in deployment.sources}
        (folder / "sandbox.json").write_text(json.dumps({"environment": deployment.sources}), encoding="utf-8")
    else:
        shutil.copyfile(deployment.folder / "hub.db", folder / "hub.db")
        environment = environment | deployment.sources
    snippets = [b for b in blocks(guide) if b.language in SHELL and not b.shown_only]
    script = "\n".join(
        f"echo '== {place(b)}'\n{b.text.replace('127.0.0.1:8000', deployment.address).replace(DESK, deployment.desk)}"
        for b in snippets
    )
    bash = ["/usr/bin/env", "bash", "-euc", script]
    done = subprocess.run(
        bash, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


RUN = [guide for guide in GUIDES if any(b.language in SHELL and not b.shown_only for b in blocks(guide))]


@pytest.mark.parametrize("guide", RUN, ids=lambda guide: guide.name)
def test_the_snippets_of_a_guide_run_one_after_the_other(deployment: Deployment, tmp_path: Path, guide: Path) -> None:
    printed = run(deployment, tmp_path, guide)
    assert "Traceback" not in printed
    for words in PROMISED.get(guide.name, ()):
        assert words in printed


# What a guide says that its reader will see.
PROMISED = {
    "README.md": ['"valueAtRisk":{"amount":"'],
    "frontend.md": ['{"data":{"customer":null}}'],
    "data-engineer.md": ["stripe_us: stripe", "did you mean `records`", "stripe.yml:", "exit code 1", "├── record"],
    "connect.md": [
        "desk: desk, 3 streams, fine; not set: DESK_KEY",
        "answers",
        "a word that the table lacks",
        "dario.3@post.example",
        "no dead letters",
    ],
    "operator.md": ["dry run: nothing was erased", "erased cus_", "sqlite:///hub.db: up to date"],
    "bi.md": ["state|customers", "entry_id,customer_id"],
}

QUERIES = [b for b in BLOCKS if b.language == "graphql"] + [
    Block(b.guide, b.line, "graphql", query)
    for b in BLOCKS
    if b.language == "ts"
    for query in re.findall(r"= `\s*(query .+?)`;", b.text, re.DOTALL)
]


@pytest.mark.parametrize("query", QUERIES, ids=place)
def test_the_queries_of_the_guides_are_answered(deployment: Deployment, query: Block) -> None:
    some = deployment.ask("{ customers(first: 1) { edges { node { id } } } }", {})
    customer = some["data"]["customers"]["edges"][0]["node"]["id"]
    answer = deployment.ask(query.text, {"id": customer})
    assert "errors" not in answer
    assert all(value not in (None, []) for value in answer["data"].values())


def test_the_sql_of_the_guides_runs_on_postgresql(new_store: Callable[[str], Store]) -> None:
    store = new_store("postgresql")
    statements = [b.text for b in BLOCKS if b.language == "sql"]
    assert statements
    with store.write() as connection:
        create_views(connection, "EUR")
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))
        connection.rollback()  # a role is the whole server's


def test_every_block_runs_or_belongs_to_a_kind_that_cannot() -> None:
    known = {*SHELL, "graphql", "sql", *SHOWN}
    assert [place(b) for b in BLOCKS if b.language not in known] == []
    unused = [start for start in CANNOT_RUN if not any(b.text.lstrip().startswith(start) for b in BLOCKS)]
    assert unused == []


# what is described ---------------------------------------------------------------------------------------------------
GROUPED = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COMMANDS = {name: command for name, command in GROUPED.items() if not hasattr(command, "commands")}
COMMANDS |= {
    f"{group} {name}": command
    for group, held in GROUPED.items()
    for name, command in getattr(held, "commands", {}).items()
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_operators_guide_has_every_option_of_a_command(command: str) -> None:
    _, heading, section = OPERATOR.partition(f"### hub {command}\n")
    section = section.partition("\n### ")[0]
    listed = {
        option for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE) for option in re.findall(r"`(-.+?)`", row)
    }
    parameters = COMMANDS[command].params
    assert heading
    assert listed == {name for p in parameters if p.param_type_name == "option" for name in p.opts}
    assert all(f"`{p.name.upper()}`" in section for p in parameters if p.param_type_name == "argument")


def test_the_operators_guide_names_no_command_that_is_none() -> None:
    assert set(re.findall(r"^### hub ([\w-]+(?: \w+)?)$", OPERATOR, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_and_option_that_a_guide_names_exists(guide: Path) -> None:
    said = guide.read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^|[(;|&] ?|bin/)hub ([a-z]+(?:-[a-z]+)*)((?: [^`\n|;&)$]*)?)", said, re.MULTILINE)
    for word, rest in named:
        command = f"{word} {rest.split()[0]}" if word in GROUPED and word not in COMMANDS and rest else word
        assert command in COMMANDS or command in GROUPED, f"hub {command}"
        parameters = COMMANDS[command].params if command in COMMANDS else []
        options = {name for p in parameters for name in p.opts} | {"--help"}
        assert set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest)) <= options, f"hub {command}{rest}"


def test_the_settings_table_is_what_the_hub_reads() -> None:
    rows = dict(re.findall(r"^\| `(HUB_\w+)` \| (.+?) \|", OPERATOR, re.MULTILINE))
    code = (HOUSE / "hub" / "settings.py").read_text(encoding="utf-8")
    assert set(rows) == set(re.findall(r'"(HUB_[A-Z_]+)"', code))
    held = read_settings({})
    for name, default in rows.items():
        value = getattr(held, name.removeprefix("HUB_").lower())
        assert default.strip("`") == (str(value) if value else "none")


def test_the_exit_codes_are_those_of_the_commands() -> None:
    from hub import cli

    rows = re.findall(r"^\| (\d) \| (\w+)", OPERATOR, re.MULTILINE)
    assert [int(code) for code, _ in rows] == [cli.DONE, cli.FAILED, cli.USAGE, cli.PARTLY]


def test_the_compose_file_is_yaml_and_its_variables_are_described() -> None:
    said = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8")
    services = yaml.safe_load(said)["services"]
    assert set(services) == {"hub", "postgres", "bi-reader"}
    assert set(services["hub"]["environment"]) <= set(re.findall(r"`(HUB_\w+)`", OPERATOR))
    wanted = set(re.findall(r"\$\{(\w+)", said))
    assert wanted
    assert [name for name in wanted if f"`{name}`" not in OPERATOR] == []


def _links() -> list[tuple[Path, str]]:
    return [
        (guide, target)
        for guide in [*GUIDES, HOUSE / "CHANGELOG.md"]
        for target in re.findall(r"\]\(([^)\s]+)\)", guide.read_text(encoding="utf-8"))
        if not target.startswith(("http:", "https:"))
    ]


@pytest.mark.parametrize(
    ("guide", "target"), _links(), ids=lambda value: value.name if isinstance(value, Path) else value
)
def test_links_lead_somewhere(guide: Path, target: str) -> None:
    path, _, heading = target.partition("#")
    file = (guide.parent / path) if path else guide
    assert file.exists()
    if heading:
        titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def test_the_readme_is_short_and_leads_to_every_guide() -> None:
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    assert [guide.name for guide in GUIDES[1:] if guide.name not in readme] == []
    assert len(readme.splitlines()) <= 70


def test_the_data_engineers_guide_lists_every_shipped_mapping_with_its_label() -> None:
    guide = (HOUSE / "docs" / "data-engineer.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \| (.+?) \|$", guide, re.MULTILINE))
    systems = [(path.parent.name, load_system(path)) for path in shipped().glob("sources/*/*.yml")]
    assert listed == {
        (said.system, kind, said.verified, ", ".join(f"`{stream}`" for stream in said.streams))
        for kind, said in systems
    }
