"""Stewards' mutations: one judgement each, handed to the write path, answered with who the customers are then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from hub.store.kept import judgement
from tests.hub.api.conftest import AS_OF, Graph, at

LEFT = {"source": "hubspot", "stream": "contacts", "key": "101"}
RIGHT = {"source": "stripe", "stream": "customers", "key": "cus_A"}
WIFE = {"source": "hubspot", "stream": "contacts", "key": "102"}
FIRM = {"source": "hubspot", "stream": "companies", "key": "101"}
NOBODY = {"source": "hubspot", "stream": "contacts", "key": "999"}


def judgements(graph: Graph) -> list[tuple[Any, ...]]:
    with graph.store.read() as connection:
        columns = (judgement.c.left_profile_no, judgement.c.right_profile_no, judgement.c.verdict, judgement.c.reason)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(judgement.c.judgement_no))]


@pytest.mark.parametrize(
    ("operation", "field", "verdict", "reason"),
    [
        ("Join", "joinProfiles", "MATCH", "Confirmed by telephone"),
        ("Separate", "separateProfiles", "NO_MATCH", "Father and son share a phone"),
    ],
)
def test_decision_is_one_row_and_is_followed(
    told: Graph, example: Callable[[str], str], operation: str, field: str, verdict: str, reason: str
) -> None:
    payload = told.data(example("steward"), operation, left=LEFT, right=RIGHT)[field]
    assert payload["customers"] == [{"id": "cus_0001", "displayName": "Mike Müller"}]
    assert set(judgements(told)) == {(11, 13, "NO_MATCH", "husband and wife"), (11, 12, verdict, reason)}
    assert told.deeds.followed == [at(AS_OF)]
    node = told.data(f'{{ node(id: "{payload["judgement"]["id"]}") {{ ... on Judgement {{ verdict reasons }} }} }}')
    assert node == {"node": {"verdict": verdict, "reasons": [reason]}}


def test_decision_about_two_customers_answers_with_both(told: Graph, example: Callable[[str], str]) -> None:
    payload = told.data(example("steward"), "Separate", left=LEFT, right=WIFE)["separateProfiles"]
    assert payload["judgement"] == {"id": "jdg_7"}, "the same said twice is one row"
    assert [customer["id"] for customer in payload["customers"]] == ["cus_0001", "cus_0002"]


def test_judgement_is_withdrawn_once(told: Graph, example: Callable[[str], str]) -> None:
    payload = told.data(example("steward"), "Withdraw", judgement="jdg_7")["withdrawJudgement"]
    assert [customer["id"] for customer in payload["customers"]] == ["cus_0001", "cus_0002"]
    answer = told.ask(example("steward"), "Withdraw", judgement="jdg_7")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    withdrawn = told.data('{ node(id: "jdg_7") { ... on Judgement { withdrawnAt } } }')["node"]["withdrawnAt"]
    assert withdrawn == "2026-06-30T20:00:00Z"


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown profile": ("Join", {"left": LEFT, "right": NOBODY}),
    "the same profile": ("Join", {"left": LEFT, "right": LEFT}),
    "harmful key": ("Join", {"left": LEFT, "right": {**NOBODY, "key": "x'; DROP TABLE judgement; --"}}),
    "nul": ("Join", {"left": LEFT, "right": {**NOBODY, "key": "\0"}}),
    "the hub's own judgement": ("Withdraw", {"judgement": "lnk_11-12"}),
    "unknown judgement": ("Withdraw", {"judgement": "jdg_99"}),
    "huge number": ("Withdraw", {"judgement": "jdg_99999999999999999999"}),
}


@pytest.mark.parametrize(("operation", "variables"), REFUSED.values(), ids=REFUSED)
def test_decision_that_cannot_be_made_changes_nothing(
    told: Graph, example: Callable[[str], str], operation: str, variables: dict[str, Any]
) -> None:
    before = judgements(told)
    answer = told.ask(example("steward"), operation, **variables)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert judgements(told) == before
    assert told.deeds.followed == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "\0"], ids=["empty", "blank", "long", "nul"])
def test_decision_needs_a_reason(told: Graph, reason: str) -> None:
    query = """mutation J($left: ProfileInput!, $right: ProfileInput!, $reason: String!) {
      joinProfiles(left: $left, right: $right, reason: $reason) { judgement { id } } }"""
    assert told.code(query, left=LEFT, right=RIGHT, reason=reason) == "BAD_USER_INPUT"
    assert len(judgements(told)) == 1


def test_erasure_follows_redirects_and_tells_the_write_path(told: Graph, example: Callable[[str], str]) -> None:
    erased = told.data(example("erase"), id="cus_old", dryRun=False)["eraseCustomer"]
    assert erased == {
        "certificate": "proof",
        "rows": [{"table": "interaction", "count": 3}, {"table": "landing", "count": 2}],
    }
    assert told.deeds.erased == [("cus_0001", False, at(AS_OF))]
    assert told.deeds.followed == [at(AS_OF)]


def test_dry_run_follows_nothing(told: Graph, example: Callable[[str], str]) -> None:
    told.data(example("erase"), id="cus_0002", dryRun=True)
    assert told.deeds.erased == [("cus_0002", True, at(AS_OF))]
    assert told.deeds.followed == []


@pytest.mark.parametrize("name", ["cus_none", "' OR 1=1", "int_104"])
def test_nobody_is_erased_by_a_wrong_id(told: Graph, example: Callable[[str], str], name: str) -> None:
    answer = told.ask(example("erase"), id=name, dryRun=False)
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert told.deeds.erased == []
