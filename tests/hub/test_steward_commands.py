"""The commands of stewards, by real runs over a resolved store: what waits, decisions and what they do, labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select, update
from typer.testing import CliRunner

from hub import terminal
from hub.cli import app
from hub.export.views import create_views
from hub.identity.steward.judgement import JudgementError
from hub.store.derived import link
from hub.store.engine import Store
from hub.store.kept import judgement, profile_ledger
from mappings.rulebook import Rulebook
from tests.hub.shop import Shop, buyer, order

ANN, ZOE = {"given": "Ann", "family": "Shopper"}, {"given": "Zoe", "family": "Other"}
PEOPLE = [  # 1 and 2 are one; 3 and 4 are not like them
    buyer(1, name=ANN, mail="ann@mail.example"),
    buyer(2, name=ANN, mail="ann@mail.example"),
    buyer(3, name=ANN | {"given": "Ann[/]\x1b"}, mail="other@mail.example"),
    buyer(4, name=ZOE, mail="zoe@mail.example"),
]


@dataclass(frozen=True)
class Desk:
    """A store whose pair of buyers 1 and 3 waits, and a way to run commands over it."""

    store: Store
    shop: Shop
    number: dict[str, int]
    """Profile numbers by buyer."""

    @property
    def pair(self) -> str:
        """The pair that waits."""
        return f"lnk_{self.number['b1']}-{self.number['b3']}"

    def run(self, *words: str, answers: str = "") -> str:
        done = CliRunner().invoke(app, [*words, "--database", self.store.url], input=answers)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    def customer(self, buyer: str) -> int:
        own = profile_ledger.c
        with self.store.read() as connection:
            return int(connection.scalar(select(own.customer_no).where(own.profile_no == self.number[buyer])) or 0)


@pytest.fixture
def desk(store: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(terminal, "console", Console(width=terminal.WIDE))  # however wide the terminal of the tests is
    shop = Shop(store, rulebook)
    shop.send("buyers", *PEOPLE)
    shop.sync("orders", order(1, 1_000), order(3, 2_000))
    own = profile_ledger.c
    with store.write() as connection:
        create_views(connection, rulebook.company.reporting_currency)
        number = dict(connection.execute(select(own.key, own.profile_no)).all())
        said = {"verdict": "UNSURE", "rule": "name", "score": 700_000, "reasons": '["names agree"]', "at": 0}
        pair = {"left_profile_no": number["b1"], "right_profile_no": number["b3"]}
        connection.execute(link.delete().where(link.c.right_profile_no == number["b3"]))
        connection.execute(update(link).values(review=False))
        connection.execute(link.insert().values(**pair, **said, review=True))
    return Desk(store, shop, number)


def test_the_list_names_pairs_with_both_sides_and_why(desk: Desk) -> None:
    for words in (("review", "list"), ("review", "list", "--source", "shop", "--limit", "1")):
        listed = desk.run(*words)
        assert desk.pair in listed
        assert "0.70" in listed
        assert "names agree" in listed
        assert "and 1 more" in listed, "the customer of the first buyer is made of two profiles"
    assert "nothing waits" in desk.run("review", "list", "--source", "elsewhere")


def test_without_more_words_the_pairs_are_listed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", desk.store.url)
    done = CliRunner().invoke(app, ["review"])
    assert desk.pair in done.output


def test_a_pair_is_shown_with_what_both_sides_say(desk: Desk) -> None:
    shown = desk.run("review", "show", desk.pair)
    said = ("shop/buyers/b1", "shop/buyers/b3", "ann@mail.example", "other@mail.example", "names agree", "UNSURE")
    assert [words for words in said if words not in shown] == []
    assert "\x1b" not in shown


def test_a_join_is_followed_and_undone(desk: Desk) -> None:
    apart = [desk.customer(b) for b in ("b1", "b2", "b3")]
    assert apart[0] == apart[1] != apart[2]
    said = desk.run("review", "join", desk.pair, "--reason", "phoned")
    assert "one customer" in said
    assert len({desk.customer(b) for b in ("b1", "b2", "b3")}) == 1
    assert "nothing waits" in desk.run("review", "list")
    decision = said.split(":")[0]
    assert "two customers" in desk.run("review", "undo", decision, "--reason", "wrong number")
    assert [desk.customer(b) for b in ("b1", "b2", "b3")] == apart


def test_a_separation_lets_a_merged_customer_fall_apart(desk: Desk) -> None:
    pair = f"lnk_{desk.number['b1']}-{desk.number['b2']}"
    assert "two customers" in desk.run("review", "separate", pair, "--reason", "mother and daughter")
    assert desk.customer("b1") != desk.customer("b2")


WRONG = {
    "no pair": (("review", "show", "Ann"), "'Ann' is no pair"),
    "unknown pair": (("review", "show", "lnk_1-99"), "the hub holds nothing about lnk_1-99"),
    "join of nobody": (("review", "join", "lnk_98-99", "--reason", "x"), "no record of profile 98"),
    "no reason": (("review", "join", "lnk_1-2", "--reason", "  "), "needs a reason"),
    "no decision": (("review", "undo", "lnk_1-2", "--reason", "x"), "'lnk_1-2' is no steward's judgement"),
    "unknown decision": (("review", "undo", "jdg_77", "--reason", "x"), "there is no judgement 77"),
}


def test_what_cannot_be_decided_is_said_and_changes_nothing(desk: Desk) -> None:
    for case, (words, says) in WRONG.items():
        done = CliRunner().invoke(app, [*words, "--database", desk.store.url])
        assert isinstance(done.exception, JudgementError), case
        assert says in str(done.exception), case
    with desk.store.read() as connection:
        assert connection.execute(select(judgement.c.judgement_no)).all() == []


def test_walking_asks_pair_by_pair_and_follows_each_answer(desk: Desk) -> None:
    assert "nothing else waits" in desk.run("review", "walk", answers="\n")
    assert desk.customer("b1") != desk.customer("b3")
    assert "lnk" in desk.run("review", "walk", answers="q\n")
    assert "one customer" in desk.run("review", "walk", answers="j\nphoned\n")
    assert desk.customer("b1") == desk.customer("b3")
    with desk.store.read() as connection:
        assert connection.execute(select(judgement.c.verdict, judgement.c.reason)).all() == [("MATCH", "phoned")]


def test_labels_are_held_beside_the_partition(desk: Desk, tmp_path: Path) -> None:
    labels, wrong = tmp_path / "labels.csv", tmp_path / "wrong.csv"
    rows = [("b1", "b2", 0), ("b1", "b3", 1), ("b1", "b4", 0), ("b3", "b4", 1)]
    lines = [f"shop/buyers/{left},shop/buyers/{right},{same}" for left, right, same in rows]
    labels.write_text("\n".join(["left,right,same", *lines]))
    said = desk.run("identity", "evaluate", str(labels), "--csv", str(wrong), "--wrong", "1")
    assert "0.0000" in said
    assert "1 have nothing in common that the hub looks at" in said
    assert "names agree" in said
    assert "thresholds.join" in said
    assert "3 wrong pairs written" in said
    with wrong.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["left"], row["right"], row["same"], row["joined"]) for row in written] == [
        ("shop/buyers/b1", "shop/buyers/b2", "0", "1"),
        ("shop/buyers/b1", "shop/buyers/b3", "1", "0"),
        ("shop/buyers/b3", "shop/buyers/b4", "1", "0"),
    ]
    assert "0.0000" in desk.run("identity", "evaluate", str(wrong)), "what was written can be read as labels"


def test_the_file_of_labels_is_not_written_over(desk: Desk, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("profile,person\n")
    done = CliRunner().invoke(app, ["identity", "evaluate", str(labels), "--csv", str(labels)])
    assert done.exit_code == 2
    assert labels.read_text() == "profile,person\n"
