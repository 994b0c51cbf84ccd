"""The tree of words that explains a customer; on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from hub import terminal
from hub.explain.evidence import Judged, spanning
from hub.explain.find import NoSuchCustomer
from hub.explain.tree import MOST, Leaf, explanation
from hub.store.engine import Store
from mappings.rulebook import Rulebook


def lines(leaves: Sequence[Leaf], indent: str = "") -> Iterator[str]:
    for leaf in leaves:
        words, below = (leaf, ()) if isinstance(leaf, str) else leaf
        yield indent + words
        yield from lines(below, indent + "  ")


def tree(store: Store, rulebook: Rulebook, words: str) -> dict[str, list[str]]:
    """Each branch with its lines."""
    _, branches = explanation(store, rulebook, words)
    return {name: list(lines(leaves)) for name, leaves in branches}


def test_the_tree_says_who_joined_whom_and_who_was_kept_apart(told: Store, rulebook: Rulebook) -> None:
    company = rulebook.company.model_copy(update={"sources": dict.fromkeys(("crm", "billing", "support"), None)})
    said = tree(told, rulebook.model_copy(update={"company": company}), "cus_0001")
    assert said["profiles: 5"] == [
        "crm/contacts/1  Anna Vogt", "  anna@mail.example · +493023125001",
        "crm/contacts/9  Anna Holm", "  holm@mail.example",
        "billing/accounts/7  Vogt, Anna", "  anna@mail.example · high st 1, 10115, b",
        "support/users/3  A. Vogt", "  anna@mail.example",
        "web/visits/aa  (no name)",
    ]  # fmt: skip
    assert said["why they are one"] == [
        "crm/contacts/1 = crm/contacts/9  a steward, ada", "  she married",
        "crm/contacts/1 = billing/accounts/7  0.990 email_and_name", "  same e-mail; names agree",
        "crm/contacts/1 = support/users/3  0.960 email_and_name", "  same e-mail",
        "support/users/3 = web/visits/aa  0.900 email_and_name", "  same device",
        "confirmed by 1 more judgements, 0.950 to 0.950",
        "billing/accounts/7 ≠ crm/contacts/9  in spite of UNSURE 0.400 email_and_name", "  given names agree",
    ]  # fmt: skip
    waiting, reason, queue, husband, why = said["not joined"]
    assert waiting.startswith("billing/accounts/7 ≠ web/visits/bb  (<script>")
    assert waiting.endswith("nobody yet)  UNSURE 0.700 email_and_name")
    assert [reason, queue] == ["  not joined: a weak join", "  waits for a steward: hub review show lnk_12-31"]
    assert husband == "crm/contacts/1 ≠ crm/contacts/2  (Jan Vogt, cus_0002)  NO_MATCH 0.010 email_and_name"
    assert why == "  same phone (which others use, too); names differ"


def test_the_tree_says_what_stewards_said_and_how_the_id_fared(told: Store, rulebook: Rulebook) -> None:
    said = tree(told, rulebook, "cus_0001")
    assert said["stewards' judgements"] == [
        "2026-06-01  ada: crm/contacts/1 = crm/contacts/9  she married",
        "2026-06-01  bob: crm/contacts/1 = crm/contacts/2  a couple",
        "  withdrawn 2026-06-01: two people",
    ]
    assert said["history of the id"] == [
        "2026-06-01  MINTED: first seen in crm",
        "2026-06-01  MERGED cus_0001, cus_old: same e-mail",
    ]


def test_values_name_their_origin_and_what_they_won_over(told: Store, rulebook: Rulebook) -> None:
    name, over, never, born, mail, also = tree(told, rulebook, "cus_0001")["values, and what they won over"]
    assert name == "DISPLAY_NAME: Anna Vogt  (crm, most_trusted)"
    assert over.startswith("  over <script>")
    assert [never, born] == ["BIRTH_DATE: never shown", "  said 1980-02-03  (crm, never)"]
    assert mail == "EMAILS: anna@mail.example  (billing, verified)"
    assert also == "  also holm@mail.example  (crm, verified)"


@pytest.mark.parametrize(
    "words", ["cus_0001", "cus_old", "Holm@Mail.example ", "anna@mail.example"], ids=["id", "former", "typed", "e-mail"]
)
def test_a_customer_is_found_by(told: Store, rulebook: Rulebook, words: str) -> None:
    title, _ = explanation(told, rulebook, words)
    assert title == "Anna Vogt  cus_0001  PERSON  ACTIVE LIVING"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param("nobody", "no customer has the id, e-mail or phone 'nobody'", id="nobody"),
        pytest.param("+49 30 23125-001", "2 customers share '+49 30 23125-001': cus_0001, cus_0002", id="two"),
        pytest.param("cus_gone", "'cus_gone' is nobody any more: RETIRED at 2026-06-01", id="retired"),
    ],
)
def test_who_cannot_be_explained_is_said_in_a_line(told: Store, rulebook: Rulebook, words: str, says: str) -> None:
    with pytest.raises(NoSuchCustomer) as refused:
        explanation(told, rulebook, words)
    assert says in str(refused.value)


def test_who_is_not_derived_yet_is_told_what_to_run(told: Store, rulebook: Rulebook) -> None:
    with told.write() as connection:
        connection.exec_driver_sql("DELETE FROM customer_card WHERE customer_no = 2")
    with pytest.raises(NoSuchCustomer, match="run `hub sync`"):
        explanation(told, rulebook, "cus_0002")


def test_three_hundred_profiles_are_told_by_their_numbers(crowd: Store, rulebook: Rulebook) -> None:
    said = tree(crowd, rulebook, "cus_0001")
    assert len(said["profiles: 300"]) == 2 * MOST + 1
    assert said["profiles: 300"][-1] == "and 275 more: 75 of crm/orders, 100 of shop/orders, 100 of web/orders"
    assert said["why they are one"][-1] == "and 274 more joins like these"
    assert said["not joined"][-1] == "and 15 more customers"


def judged(left: int, right: int, score: int, by: str | None = None) -> Judged:
    return Judged(left, right, "MATCH", "r", score, (), 0, decided_by=by)


SPANS: dict[str, tuple[list[Judged], list[int]]] = {
    "a circle loses its weakest": ([judged(1, 2, 5), judged(2, 3, 9), judged(1, 3, 7)], [9, 7]),
    "a steward before any": ([judged(1, 2, 9), judged(2, 3, 9), judged(1, 3, 1, "ada")], [1, 9]),
    "ties by number": ([judged(2, 3, 5), judged(1, 3, 5), judged(1, 2, 5)], [5, 5]),
    "others do not count": ([judged(1, 2, 5), judged(2, 8, 9), judged(8, 3, 9)], [5]),
}


@pytest.mark.parametrize(("matches", "scores"), SPANS.values(), ids=SPANS)
def test_the_strongest_judgements_span_a_customer(matches: list[Judged], scores: list[int]) -> None:
    joins, further = spanning({1, 2, 3}, matches)
    assert [one.score for one in joins] == scores
    assert joins == spanning({3, 2, 1}, matches[::-1])[0]
    ours = [one for one in matches if {one.left, one.right} <= {1, 2, 3}]
    assert len(joins) + len(further) == len(ours)


def test_the_terminal_shows_leaves_of_leaves_and_no_markup_of_sources() -> None:
    with terminal.console.capture() as shown:
        terminal.show_tree("Anna\x1b[31m", [("why", ["[red]same e-mail[/]", ("a = b", ["names agree"])]), ("none", [])])
    assert [line.rstrip() for line in shown.get().splitlines()] == [
        "Anna\\x1b[31m",
        "├── why",
        "│   ├── [red]same e-mail[/]",
        "│   └── a = b",
        "│       └── names agree",
        "└── none",
    ]
