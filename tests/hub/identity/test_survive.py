"""Which value survives, by strategy, with its losers; on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.identity.contest import Contest, Said
from hub.identity.survive import survive
from hub.insight.card import cards
from hub.insight.scratch import empty
from hub.rules import load_rules
from hub.store.batch import fill_batch
from hub.store.derived import provenance
from hub.store.mapped import MAPPED
from mappings.loader import MappingError, shipped
from mappings.rulebook import Rulebook
from mappings.survivorship import Strategy, Survivorship
from tests.hub.identity.world import AS_OF, TRUST, World

MAIL = {"emails": ["anna@mail.example"]}


def ruled(rulebook: Rulebook, **said: Any) -> Rulebook:
    """The rules with another word here and there in `survivorship:`."""
    block = rulebook.identity.survivorship.model_dump(exclude_unset=True) | said
    identity = rulebook.identity.model_copy(update={"survivorship": Survivorship.model_validate(block)})
    return rulebook.model_copy(update={"identity": identity})


def derive(world: World, rulebook: Rulebook) -> None:
    numbers = {number for number in world.assigned().values() if number is not None}
    with world.store.write() as connection:
        fill_batch(connection, numbers)
        survive(connection, rulebook, TRUST)
        survive(connection, rulebook, TRUST)


def survivors(world: World, field: str, **said: Any) -> list[tuple[Any, ...]]:
    """(rank, value, source) of a field, after a derivation of all customers."""
    return [row[:3] for row in decided(world, field, **said)]


def decided(world: World, field: str, **said: Any) -> list[tuple[Any, ...]]:
    """(rank, value, source, strategy) of a field, after a derivation of all customers."""
    derive(world, ruled(world.rulebook, **said))
    rows = world.rows(provenance, "field", "rank", "value", "source", "strategy")
    return [row[1:] for row in rows if row[0] == field]


STRATEGIES: dict[str, tuple[Strategy | list[Strategy], list[str]]] = {
    "the most recent": ("most_recent", ["Anni Vogt", "Anna Vogt", "Anna Maria Vogt"]),
    "the most trusted": ("most_trusted", ["Anna Maria Vogt", "Anna Vogt", "Anni Vogt"]),
    "the most frequent": ("most_frequent", ["Anna Vogt", "Anna Maria Vogt", "Anni Vogt"]),
    "the longest, ties by trust": ("longest", ["Anna Maria Vogt", "Anna Vogt", "Anni Vogt"]),
    "the longest, ties by time": (["longest", "most_recent"], ["Anna Maria Vogt", "Anni Vogt", "Anna Vogt"]),
    "the most frequent, then the newest": (
        ["most_frequent", "most_recent"],
        ["Anna Vogt", "Anni Vogt", "Anna Maria Vogt"],
    ),
    "nothing verified, then the newest": ("verified", ["Anni Vogt", "Anna Vogt", "Anna Maria Vogt"]),
}


@pytest.mark.parametrize(("strategy", "expected"), STRATEGIES.values(), ids=STRATEGIES)
def test_strategy_decides_and_the_losers_follow_in_order(
    world: World, strategy: Strategy | list[Strategy], expected: list[str]
) -> None:
    world.tell(
        crm_1=MAIL | {"name": "Anna Maria Vogt", "at": AS_OF - 30},
        billing_1=MAIL | {"name": "Anna Vogt", "at": AS_OF - 20},
        billing_2=MAIL | {"name": "Anna Vogt", "at": AS_OF - 21},
        support_1=MAIL | {"name": "Anni Vogt", "at": AS_OF - 10},
    )
    world.resolve()
    found = survivors(world, "DISPLAY_NAME", display_name=strategy)
    assert [row[:2] for row in found] == list(enumerate(expected))


def test_a_field_that_is_never_shown_has_no_winner_and_keeps_what_was_said(world: World) -> None:
    world.tell(crm_1=MAIL | {"birth": "1980-02-03", "name": "Anna Vogt"}, support_1=MAIL | {"name": "Anna Vogt"})
    world.resolve()
    assert decided(world, "BIRTH_DATE", birth_date="never") == [(1, "1980-02-03", "crm", "never")]
    with world.store.write() as connection:
        fill_batch(connection, [world.assigned()["crm/1"] or 0])
        empty(connection, "touch")
        cards(connection, world.rulebook, AS_OF)
        card = connection.exec_driver_sql("SELECT display_name, birth_date FROM customer_card").one()
    assert tuple(card) == ("Anna Vogt", None)


NEW, OLD, PAYS = "new@mail.example", "old@mail.example", "pays@mail.example"
VERIFIED: dict[str, tuple[dict[str, Any], list[tuple[str, Strategy]]]] = {
    "a source": (
        {"verified": {"emails": [{"source": "billing"}]}},
        [(PAYS, "verified"), (NEW, "verified"), (OLD, "verified")],
    ),
    "a stream": (
        {"verified": {"emails": [{"source": "billing", "stream": "accounts"}]}},
        [(PAYS, "verified"), (NEW, "verified"), (OLD, "verified")],
    ),
    "another stream": (
        {"verified": {"emails": [{"source": "billing", "stream": "leads"}]}},
        [
            (NEW, "most_recent"),
            (PAYS, "most_recent"),
            (OLD, "most_recent"),
        ],
    ),
    "what the record says": (
        {"verified": {"emails": [{"attribute": "email_verified"}]}},
        [(OLD, "verified"), (NEW, "verified"), (PAYS, "verified")],
    ),
    "two sources agree": (
        {"verified": {}, "verified_by": 2},
        [(NEW, "verified"), (PAYS, "verified"), (OLD, "verified")],
    ),
    "three sources would have to": (
        {"verified": {}, "verified_by": 3},
        [
            (NEW, "most_recent"),
            (PAYS, "most_recent"),
            (OLD, "most_recent"),
        ],
    ),
    "both a source and a record": (
        {"verified": {"emails": [{"source": "billing"}, {"attribute": "email_verified"}]}},
        [(PAYS, "most_recent"), (OLD, "most_recent"), (NEW, "verified")],
    ),
}


@pytest.mark.parametrize(("said", "expected"), VERIFIED.values(), ids=VERIFIED)
def test_verified_values_come_first_then_the_newest(
    world: World, said: dict[str, Any], expected: list[tuple[str, Strategy]]
) -> None:
    name = {"name": "Anna Vogt", "phones": ["+493023125001"]}
    world.tell(
        crm_1=name | {"emails": [OLD], "at": AS_OF - 30},
        billing_1=name | {"emails": [PAYS], "at": AS_OF - 20},
        support_1=name | {"emails": [NEW], "at": AS_OF - 10},
        web_1=name | {"emails": [NEW], "at": AS_OF - 10},
    )
    with world.store.write() as connection:
        table = MAPPED["profile"]
        marked = '{"email_verified":true}'
        connection.execute(table.update().where(table.c.source == "crm").values(attributes=marked))
        connection.execute(table.update().where(table.c.source == "support").values(attributes='{"email_verified":0}'))
    world.resolve()
    rows = decided(world, "EMAILS", emails=["verified", "most_recent"], **said)
    assert [(value, strategy) for _, value, _, strategy in rows] == expected


def test_organizations_have_strategies_of_their_own(world: World) -> None:
    mail = {"kind": "ORGANIZATION", "emails": ["buying@acme-steel.example"], "ids": {"vat": "DE136695976"}}
    world.tell(
        crm_o1=mail | {"name": "Acme Steel"}, billing_o1=mail | {"name": "Acme Steel GmbH"},
        crm_1={"name": "Anna Vogt", "emails": ["a@mail.example"]},
        billing_1={"name": "Anna Maria Vogt", "emails": ["a@mail.example"], "given": "Anna Maria", "family": "Vogt"},
    )  # fmt: skip
    world.resolve()
    found = decided(world, "DISPLAY_NAME", organizations={"display_name": "longest"})
    assert [row[1] for row in found if row[0] == 0] == ["Acme Steel GmbH", "Anna Vogt"]
    assert {row[3] for row in found} == {"longest", "most_trusted"}


def test_a_field_may_trust_other_sources_first(world: World) -> None:
    anna = MAIL | {"name": "Anna Vogt"}
    world.tell(crm_1=anna | {"country": "DE"}, billing_1=anna | {"country": "AT"}, support_1=anna | {"country": "CH"})
    world.resolve()
    plain = survivors(world, "COUNTRY", country="most_trusted")
    assert [value for _, value, _ in plain] == ["DE", "AT", "CH"]
    own = survivors(world, "COUNTRY", country="most_trusted", trusted={"country": ["support", "billing"]})
    assert [value for _, value, _ in own] == ["CH", "AT", "DE"]


def test_letter_case_and_blanks_do_not_split_a_majority() -> None:
    rules = Survivorship(display_name=["most_frequent"])
    said = [
        Said("Ann Vogt", "crm", "contacts", "1", 9),
        Said("ANNA VOGT", "billing", "accounts", "1", 7),
        Said("Anna  Vogt", "support", "users", "1", 8),
    ]
    ranked = Contest(rules, "display_name", "PERSON", TRUST).rank(said)
    assert [one.said.value for one in ranked] == ["ANNA VOGT", "Anna  Vogt", "Ann Vogt"]
    assert [one.strategy for one in ranked] == ["most_frequent"] * 3


@pytest.mark.parametrize("at", range(6))
def test_the_order_in_which_sources_are_read_changes_nothing(at: int) -> None:
    said = [Said(f"v{n % 3}", TRUST[n % 4], "s", str(n), 5 - n % 2) for n in range(6)]
    contest = Contest(Survivorship(emails=["most_frequent", "longest"]), "emails", "PERSON", TRUST)
    assert contest.rank(said[at:] + said[:at]) == contest.rank(said)


def test_junk_never_wins_and_an_address_is_a_name_of_last_resort(world: World) -> None:
    world.tell(
        crm_1=MAIL | {"name": "anna@mail.example"},
        billing_1=MAIL | {"name": "unknown", "phones": ["+490000000", "+493023125001"], "birth": "1900-01-01"},
        support_1=MAIL | {"name": "Anna Vogt", "birth": "1980-02-03"},
    )
    world.resolve()
    assert survivors(world, "DISPLAY_NAME") == [(0, "Anna Vogt", "support"), (1, "anna@mail.example", "crm")]
    assert survivors(world, "PHONES") == [(0, "+493023125001", "billing")]
    assert survivors(world, "BIRTH_DATE") == [(0, "1980-02-03", "support")]


def test_every_email_is_listed_once_the_newest_first(world: World) -> None:
    world.tell(
        crm_1={"emails": ["old@mail.example", "anna@mail.example"], "at": AS_OF - 9},
        billing_1={"emails": ["anna@mail.example"], "at": AS_OF - 5},
        support_1={"emails": ["anna@mail.example", "new@mail.example"], "at": AS_OF - 5},
    )
    world.resolve()
    assert survivors(world, "EMAILS") == [
        (0, "anna@mail.example", "billing"),
        (1, "new@mail.example", "support"),
        (2, "old@mail.example", "crm"),
    ]


def test_provenance_names_the_record_its_time_and_the_strategy(world: World) -> None:
    world.tell(crm_1=MAIL | {"given": "Anna", "family": "Vogt", "country": "DE", "at": 7})
    world.resolve()
    survivors(world, "COUNTRY")
    names = ("field", "value", "source", "stream", "key", "observed_at", "strategy")
    assert world.rows(provenance, *names) == [
        ("COUNTRY", "DE", "crm", "contacts", "1", 7, "most_recent"),
        ("DISPLAY_NAME", "Anna Vogt", "crm", "contacts", "1", 7, "most_trusted"),
        ("EMAILS", "anna@mail.example", "crm", "contacts", "1", 7, "most_recent"),
        ("FAMILY_NAME", "Vogt", "crm", "contacts", "1", 7, "most_recent"),
        ("GIVEN_NAME", "Anna", "crm", "contacts", "1", 7, "most_trusted"),
    ]


def test_customers_outside_the_batch_keep_theirs(world: World) -> None:
    world.tell(crm_1={"name": "Anna Vogt"}, crm_2={"name": "Jan Holm"})
    world.resolve()
    survivors(world, "DISPLAY_NAME")
    assigned = world.assigned()
    with world.store.write() as connection:
        fill_batch(connection, [assigned["crm/1"] or 0])
        survive(connection, world.rulebook, TRUST)
    assert [row[0] for row in world.rows(provenance, "value", "field") if row[1] == "DISPLAY_NAME"] == [
        "Anna Vogt", "Jan Holm",
    ]  # fmt: skip


WRONG = {
    "no strategy": ("  emails: newest\n", "`newest` is none of verified, most_recent, most_trusted"),
    "the same twice": ("  emails: [longest, longest]\n", "a strategy stands twice; the first time decides"),
    "never and something": ("  emails: [never, longest]\n", "`never` shows no value, so nothing can stand beside it"),
    "nothing": ("  emails: []\n", "`emails` has nothing in it"),
    "no field": ("  email: longest\n", "did you mean `emails`?"),
    "no source": (
        "  verified:\n    emails: [{source: hubspod}]\n",
        "no source `hubspod` in company.yml; there are hubspot, stripe, zendesk, matomo",
    ),
    "no trusted source": ("  trusted: {emails: [stripe, zendesc]}\n", "no source `zendesc` in company.yml"),
    "nobody verified": ("  verified: {emails: [{stream: users}]}\n", "say a source, an attribute, or both"),
    "one source alone": ("  verified_by: 1\n", "`verified_by` should be greater than or equal to 2"),
}


@pytest.mark.parametrize(("lines", "says"), WRONG.values(), ids=WRONG)
def test_wrong_survivorship_is_said_with_file_and_line(tmp_path: Path, lines: str, says: str) -> None:
    file = tmp_path / "rules" / "identity.yml"
    file.parent.mkdir()
    whole = (shipped() / "rules" / "identity.yml").read_text(encoding="utf-8")
    head = whole[: whole.index("\nsurvivorship:\n")] + "\nsurvivorship:\n"
    file.write_text(head + lines, encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_rules([tmp_path, shipped()])
    message = str(refused.value)
    line = head.count("\n") + 1
    assert f"identity.yml:{line}" in message or f"identity.yml:{line + 1}" in message
    assert says in message


def test_the_rules_that_the_guide_shows_hold(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "data-engineer.md").read_text(encoding="utf-8")
    shown = guide.split("```yaml\nsurvivorship:\n")[1].split("```")[0]
    file = tmp_path / "rules" / "identity.yml"
    file.parent.mkdir()
    whole = (shipped() / "rules" / "identity.yml").read_text(encoding="utf-8")
    file.write_text(whole[: whole.index("\nsurvivorship:\n")] + "\nsurvivorship:\n" + shown, encoding="utf-8")
    rules = load_rules([tmp_path, shipped()]).identity.survivorship
    assert rules.chain("display_name", "ORGANIZATION") == ["verified", "longest"]
    assert rules.chain("display_name", "PERSON") == ["most_trusted"]
    assert rules.chain("given_name", "PERSON") == ["most_recent"]
