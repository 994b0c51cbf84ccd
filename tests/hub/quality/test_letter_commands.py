"""Dead letters are made by one mapping and healed by another: the commands, from first to last."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from connectors.sandbox.company import generate
from connectors.sandbox.server import Running, serve
from hub import cli, terminal
from mappings.loader import shipped

MAPPING = "sources/billing/stripe.yml"
WORDS = "open: OPEN, paid: PAID, uncollectible: WRITTEN_OFF, void: VOID"
FEWER = "open: OPEN, uncollectible: WRITTEN_OFF, void: VOID"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with serve(generate(20), faults=False) as servers:
        yield servers


@pytest.fixture
def run(
    running: Running,
    tmp_path: Path,
    migrated_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Runs a command over a database, with a folder of own mappings; its exit code and what it says."""
    (tmp_path / "hub.db").write_bytes(migrated_file.read_bytes())
    own = tmp_path / "ours"
    (own / MAPPING).parent.mkdir(parents=True)
    settings = {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}", "HUB_MAPPINGS": str(own)}
    for name, value in (running.environment() | settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(terminal.console, "_width", 200)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hub", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0), *capsys.readouterr()

    yield run
    structlog.reset_defaults()


@pytest.fixture
def paid_is_unknown(tmp_path: Path) -> Path:
    """A mapping whose table of invoices lacks a word."""
    text = (shipped() / MAPPING).read_text(encoding="utf-8")
    assert WORDS in text
    path = tmp_path / "ours" / MAPPING
    path.write_text(text.replace(WORDS, FEWER), encoding="utf-8")
    return path


def test_dead_letters_are_made_and_healed(run: Run, paid_is_unknown: Path) -> None:
    code, _, _ = run("sync", "stripe", "--as-of", "2026-06-30")
    assert code == cli.DONE
    code, out, _ = run("dead-letters", "list")
    assert code == cli.DONE
    heading, _, latest = out.partition("Dead letters, the latest first")
    assert "a word that the table lacks" in heading
    assert "$.status" in heading
    key = next(word for word in latest.split() if word.startswith("in_"))

    code, out, _ = run("dead-letters", "show", "stripe.invoices", key)
    assert code == cli.DONE
    (marked,) = [line for line in out.splitlines() if line.startswith("▶")]
    assert '"status": "paid"' in marked
    assert "$.status: a word that the table lacks" in out
    assert "no version of it was ever mapped" in out

    code, out, _ = run("dead-letters", "retry", "stripe.invoices")
    assert code == cli.PARTLY
    assert "0 healed" in out

    paid_is_unknown.unlink()
    code, out, _ = run("remap", "--dry-run")
    assert code == cli.DONE
    assert "same mapping: " in out
    rows, _, letters = out.partition("Dead letters")
    assert "stripe.invoices" in rows
    assert "a word that the table lacks" not in letters
    assert "REVENUE" in letters
    assert "dry run: nothing was changed" in out
    assert "a word that the table lacks" in run("dead-letters", "list")[1]

    code, out, _ = run("dead-letters", "retry")
    assert code == cli.DONE
    assert " 0 still cannot be mapped" in out
    assert run("dead-letters", "list")[:2] == (cli.DONE, "no dead letters\n")


def test_letters_can_be_listed_while_the_mapping_is_broken(run: Run, paid_is_unknown: Path) -> None:
    run("sync", "stripe", "--as-of", "2026-06-30")
    paid_is_unknown.write_text("nonsense: [", encoding="utf-8")
    assert run("dead-letters", "retry")[0] == cli.FAILED
    code, out, _ = run("dead-letters", "list", "stripe", "--reason", "lacks", "--limit", "1")
    assert code == cli.DONE
    assert "more; --limit or --all shows them" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["list", "nope"], cli.USAGE, "nothing is landed of 'nope'", id="no such source"),
        pytest.param(["retry", "stripe.nope"], cli.USAGE, "nothing is landed of 'stripe.nope'", id="no such stream"),
        pytest.param(["show", "stripe", "x"], cli.USAGE, "nothing is landed of 'stripe'", id="nothing landed yet"),
        pytest.param(["list", "--limit", "0"], cli.USAGE, "--limit", id="no limit"),
    ],
)
def test_wrong_words_are_said_in_one_line(run: Run, words: list[str], code: int, said: str) -> None:
    ended, out, err = run("dead-letters", *words)
    assert (ended, out) == (code, "")
    assert said in err
