"""The commands by real runs: what they say, on which stream, and the exit code that a script can trust."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
import typer
from sqlalchemy import text

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve
from hub import cli
from hub.store.engine import Store, open_store

HOUSE = Path(__file__).parents[1]
GROUPED = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
COMMANDS = {name: command for name, command in GROUPED.items() if not hasattr(command, "commands")}
COMMANDS |= {
    f"{group} {name}": command
    for group, held in GROUPED.items()
    for name, command in getattr(held, "commands", {}).items()
}
SECRET = "hunter2"  # noqa: S105  (no secret: what must not be shown)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Hub = Callable[..., Ended]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hub]:
    """Runs a command in this process, in an empty folder, with the environment given and no other HUB_ settings."""
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **environment: str) -> Ended:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["hub", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Ended(int(end.value.code or 0), *capsys.readouterr())

    yield run
    structlog.reset_defaults()  # the command's logs go to a stream that ends with the test


@pytest.fixture
def empty(tmp_path: Path, migrated_file: Path) -> Path:
    """A migrated database with nothing in it, where HUB_DATABASE_URL leads if nobody says otherwise."""
    file = tmp_path / "hub.db"
    file.write_bytes(migrated_file.read_bytes())
    return file


# help ----------------------------------------------------------------------------------------------------------------
def test_help_lists_every_command_and_the_exit_codes(hub: Hub) -> None:
    ended = hub("--help", COLUMNS="200")
    assert ended.code == cli.DONE
    assert [name for name in GROUPED if f" {name} " not in ended.out] == []
    assert "Exit codes: 0 done · 1 failed" in ended.out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_it_does(hub: Hub, command: str) -> None:
    ended = hub(*command.split(), "--help", COLUMNS="200")
    about = COMMANDS[command].callback.__doc__
    parameters = COMMANDS[command].params
    assert ended.code == cli.DONE
    assert about.splitlines()[0] in ended.out
    assert [o for p in parameters if p.param_type_name == "option" for o in p.opts if o not in ended.out] == []
    assert all(p.help for p in parameters)


# refusals ------------------------------------------------------------------------------------------------------------
USAGE = [
    pytest.param(["nope"], "No such command 'nope'", id="unknown command"),
    pytest.param(["sync", "--fast"], "No such option", id="unknown option"),
    pytest.param(["explain"], "Missing argument", id="missing argument"),
    pytest.param(["demo", "--customers", "5"], "greater than or equal to 10", id="too few customers"),
    pytest.param(["demo", "--port", "70000"], "less than or equal to 65535", id="no port"),
]


@pytest.mark.parametrize(("words", "said"), USAGE)
def test_wrong_words_are_code_2(hub: Hub, words: list[str], said: str) -> None:
    ended = hub(*words, COLUMNS="200")
    assert ended.code == cli.USAGE
    assert said in ended.err
    assert ended.out == ""


BROKEN = "system: shop\nkind: crm\nabout: A shop.\nhttp: {base_url: 'https://shop.example'}\nstreems: {}\n"
VIEWS = "bi_customers, bi_money, bi_interactions, bi_risk_flags, bi_journey_steps"
REFUSED = [
    pytest.param(["sync", "nix"], {}, 2, "no source 'nix' in rules/company.yml; there are ", id="sync unknown source"),
    pytest.param(
        ["check", "nix"], {}, 2, "no source 'nix' in rules/company.yml; there are ", id="check unknown source"
    ),
    pytest.param(["sync", "--as-of", "soon"], {}, 2, "'soon' is no instant; write 2026-06-30", id="sync bad as-of"),
    pytest.param(["remap", "--as-of", "2026-02-30"], {}, 2, "'2026-02-30' is no instant", id="remap bad as-of"),
    pytest.param(["erase", "x", "--as-of", "2026"], {}, 2, "'2026' is no instant", id="erase bad as-of"),
    pytest.param(["export", "bi_x"], {}, 2, f"no view 'bi_x'; choose one of {VIEWS}", id="unknown view"),
    pytest.param(["export", "bi_money", "--format", "xls"], {}, 2, "no format 'xls'; choose", id="unknown format"),
    pytest.param(
        ["export", "bi_money", "-o", "no/x.csv"], {}, 1, "--output no/x.csv: cannot be", id="no output folder"
    ),
    pytest.param(["explain", "nobody"], {}, 1, "no customer has the id, e-mail or phone 'nobody'", id="explain nobody"),
    pytest.param(
        ["explain", "x", "--picture", "who.png"], {}, 2, "end the name in .svg or .html", id="explain no picture"
    ),
    pytest.param(["erase", "cus_none"], {}, 1, "no customer has the id 'cus_none'", id="erase nobody"),
    pytest.param(
        ["keys", "create", "x", "--role", "analist"], {}, 2, "did you mean `analyst`?", id="keys create unknown role"
    ),
    pytest.param(
        ["keys", "create", "x", "--role", "agent", "--scope", "sql"],
        {},
        2,
        "no scope 'sql'; choose",
        id="unknown scope",
    ),
    pytest.param(["keys", "revoke", "0000"], {}, 1, "no key begins with '0000'; see `hub keys list`", id="no such key"),
    pytest.param(["keys", "rotate", "0000"], {}, 1, "no key begins with '0000'", id="no such key to rotate"),
    pytest.param(["audit", "cus_none"], {}, 1, "no customer has the id 'cus_none'", id="audit nobody"),
    pytest.param(["status"], {"HUB_OIDC_ISSUER": "https://id"}, 1, "HUB_OIDC_AUDIENCE: is not set", id="no audience"),
    pytest.param(["status"], {"HUB_OIDC_AUDIENCE": "hub"}, 1, "HUB_OIDC_ISSUER: is not set", id="no issuer"),
    pytest.param(
        ["status"],
        {"HUB_OIDC_ISSUER": "http://id.example", "HUB_OIDC_AUDIENCE": "hub"},
        1,
        "'http://id.example' is not safe; write it with https://",
        id="issuer over http",
    ),
    pytest.param(["serve", "--host", "0.0.0.0"], {}, 1, "set HUB_API_KEY", id="open to all without a key"),  # noqa: S104
    pytest.param(["status"], {"HUB_PORT": "abc"}, 1, "HUB_PORT: 'abc' is no port", id="bad port"),
    pytest.param(["status"], {"HUB_LOG_LEVEL": "LOUD"}, 1, "HUB_LOG_LEVEL: 'LOUD' is not allowed", id="bad log level"),
    pytest.param(["status"], {"HUB_LOG_FORMAT": "xml"}, 1, "HUB_LOG_FORMAT: 'xml' is not allowed", id="bad log format"),
    pytest.param(["check"], {"HUB_MAPPINGS": "/none"}, 1, "HUB_MAPPINGS: no folder /none", id="no mappings folder"),
    pytest.param(
        ["status", "--database", "sqlite:///none/hub.db"], {}, 1, "there is no folder none; create it", id="no folder"
    ),
    pytest.param(["status", "--database", "mysql://h/d"], {}, 1, "'mysql' is not supported; use", id="other database"),
    pytest.param(["status", "--database", "hub.db"], {}, 1, "HUB_DATABASE_URL: is no URL; use", id="no URL"),
    pytest.param(
        ["status"],
        {"HUB_DATABASE_URL": f"postgresql://hub:{SECRET}@127.0.0.1:1/hub"},
        1,
        "postgresql://hub@127.0.0.1:1/hub: no connection",
        id="no server",
    ),
]


@pytest.mark.parametrize(("words", "environment", "code", "said"), REFUSED)
@pytest.mark.usefixtures("empty")
def test_a_refusal_is_one_line_and_a_code(
    hub: Hub, words: list[str], environment: dict[str, str], code: int, said: str
) -> None:
    ended = hub(*words, **environment)
    assert (ended.code, ended.out) == (code, "")
    _is_one_line(ended.err, said)


def _is_one_line(err: str, said: str) -> None:
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1
    assert SECRET not in err


def test_a_broken_mapping_is_told_with_file_and_line(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "ours" / "sources").mkdir(parents=True)
    (tmp_path / "ours" / "rules").mkdir()
    (tmp_path / "ours" / "sources" / "shop.yml").write_text(BROKEN, encoding="utf-8")
    company = (HOUSE / "mappings" / "rules" / "company.yml").read_text(encoding="utf-8")
    ours = company.replace("sources:\n", "sources:\n  shop: {system: shop}\n", 1)
    (tmp_path / "ours" / "rules" / "company.yml").write_text(ours, encoding="utf-8")
    for words in (["check"], ["sync"], ["status"]):
        ended = hub(*words, HUB_MAPPINGS=str(tmp_path / "ours"))
        assert ended.code == cli.FAILED
        assert "shop.yml:5:" in ended.err
        assert "did you mean `streams`" in ended.err
        assert "Traceback" not in ended.err


def test_a_file_that_is_no_database_is_refused(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"not a database, but long enough to be taken for one\n" * 100)
    ended = hub("status")
    assert ended.code == cli.FAILED
    _is_one_line(ended.err, "is no SQLite database or is damaged")


@pytest.mark.parametrize("words", [["serve", "--port"], ["demo", "--port"]], ids=["serve", "demo"])
@pytest.mark.usefixtures("empty")
def test_a_taken_port_is_told_before_anything_is_done(hub: Hub, words: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = hub(*words, str(port))
    assert (ended.code, ended.out) == (cli.FAILED, "")
    _is_one_line(
        ended.err, f"127.0.0.1:{port} cannot be listened on (Address already in use); name another with --port"
    )


def test_the_demo_keeps_one_company_in_a_database(hub: Hub, empty: Path) -> None:
    store = open_store(f"sqlite:///{empty}")
    with store.write() as connection:
        connection.execute(text("INSERT INTO hub_meta VALUES ('demo_customers', '10')"))
    store.close()
    ended = hub("demo", "--once", "--customers", "20", "--database", "sqlite:///hub.db")
    assert ended.code == cli.FAILED
    _is_one_line(ended.err, "holds the demo company with 10 customers; delete it, name another with --database")


@pytest.mark.parametrize(
    ("version", "said"),
    [("9999", "newer than this hub's"), ("0000", "run `hub migrate`")],
    ids=["newer", "older"],
)
def test_another_schema_is_refused_with_the_remedy(
    hub: Hub, new_store: Callable[[str], Store], version: str, said: str
) -> None:
    store = new_store("postgresql")
    with store.read() as connection:
        held = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    try:
        ended = hub("status", HUB_DATABASE_URL=store.url)
    finally:
        with store.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": held})
    assert ended.code == cli.FAILED
    _is_one_line(ended.err, said)


# what is done --------------------------------------------------------------------------------------------------------
def test_migrate_makes_a_database_that_the_other_commands_take(hub: Hub, empty_url: str) -> None:
    if empty_url.startswith("postgresql"):
        before = hub("status", HUB_DATABASE_URL=empty_url)
        assert before.code == cli.FAILED
        _is_one_line(before.err, "has no tables yet; run `hub migrate`")
    migrated = hub("migrate", HUB_DATABASE_URL=empty_url)
    assert (migrated.code, migrated.err) == (cli.DONE, "")
    assert migrated.out.endswith(": up to date\n")
    again = hub("migrate")
    assert again == migrated
    status = hub("status")
    assert status.code == cli.DONE
    assert "Customers  0 (0 persons, 0 organizations) out of 0 profiles" in status.out


def test_schemas_are_printed_as_committed(hub: Hub) -> None:
    assert hub("schema").out == (HOUSE / "hub" / "api" / "schema.graphql").read_text(encoding="utf-8")
    assert hub("schema", "--mapping").out == (HOUSE / "mappings" / "mapping.schema.json").read_text(encoding="utf-8")


def test_check_names_the_settings_that_are_missing(hub: Hub) -> None:
    ended = hub("check", STRIPE_TOKEN=SECRET)
    lines = dict(line.split(": ", 1) for line in ended.out.splitlines())
    assert ended.code == cli.DONE
    assert lines["stripe"].endswith("streams, fine")
    assert "not set: HUBSPOT_TOKEN" in lines["hubspot"]
    assert SECRET not in ended.out


@pytest.mark.usefixtures("empty")
def test_export_writes_the_same_to_a_file_and_to_standard_output(hub: Hub, tmp_path: Path) -> None:
    printed = hub("export", "bi_money")
    written = hub("export", "bi_money", "--format", "csv", "-o", "money.csv")
    assert (printed.code, written.code, written.out) == (cli.DONE, cli.DONE, "")
    assert printed.out.startswith("entry_id,customer_id,")
    assert (tmp_path / "money.csv").read_text(encoding="utf-8") == printed.out


def test_a_refused_export_leaves_the_file_as_it_was(hub: Hub, tmp_path: Path, empty: Path) -> None:
    assert empty.exists()
    (tmp_path / "money.csv").write_text("kept", encoding="utf-8")
    assert hub("export", "bi_nothing", "-o", "money.csv").code == cli.USAGE
    assert (tmp_path / "money.csv").read_text(encoding="utf-8") == "kept"


def _process(folder: Path, environment: dict[str, str], *words: str) -> Ended:
    """A command in a process of its own: its logs go to the process's standard error for as long as it lives."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    ours = inherited | {"PYTHONPATH": str(HOUSE), "HUB_LOG_FORMAT": "json"} | environment
    command = [sys.executable, "-m", "hub.cli", *words]
    done = subprocess.run(command, cwd=folder, env=ours, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_sync_is_done_in_part_or_failed_as_its_sources_are(tmp_path: Path, empty: Path) -> None:
    database = {"HUB_DATABASE_URL": f"sqlite:///{empty}"}
    with serve(generate(20), faults=False) as running:
        working = running.environment()
        failing = {name: value for name, value in working.items() if not name.startswith("STRIPE")}
        wrong = working | {"HUBSPOT_TOKEN": SECRET, "STRIPE_TOKEN": SECRET}
        partly = _process(tmp_path, database | failing, "sync", "hubspot", "stripe", "--as-of", "2026-06-30")
        done = _process(tmp_path, database | working, "sync", "hubspot", "--as-of", "2026-06-30")
        failed = _process(tmp_path, database | wrong, "sync", "hubspot", "stripe", "--as-of", "2026-06-30")
    assert [partly.code, done.code, failed.code] == [cli.PARTLY, cli.DONE, cli.FAILED]
    assert "STRIPE_TOKEN" in partly.out
    for ended in (partly, done, failed):
        assert all(json.loads(line)["level"] == "error" for line in ended.err.splitlines())
        assert SECRET not in ended.out + ended.err
