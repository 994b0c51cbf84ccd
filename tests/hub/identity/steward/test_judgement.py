"""What stewards decide is told in the identity log: to whom it concerns, once, and nothing that erasure would miss."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from hub.erasure.erase import erase
from hub.identity.steward import judgement
from hub.identity.steward.judgement import JudgementError
from hub.store.kept import identity_log
from hub.store.kept import judgement as judgements
from tests.hub.identity.world import AS_OF, World

ANNA, JAN = {"given": "Anna", "family": "Vogt"}, {"given": "Jan", "family": "Brandt"}
MAIL, OTHER = {"emails": ["anna@vogt.example"]}, {"emails": ["jan@brandt.example"]}


def log(world: World) -> list[tuple[int, str, list[str], str]]:
    """What stewards did, as the log has it: customer, event, ids, reason."""
    c = identity_log.c
    own = ("OVERRIDDEN", "WITHDRAWN")
    found = select(c.customer_no, c.event, c.customer_ids, c.reason).where(c.event.in_(own)).order_by(c.log_no)
    with world.store.read() as connection:
        return [(number, event, json.loads(ids), reason) for number, event, ids, reason in connection.execute(found)]


def separate(world: World, left: str, right: str, reason: str = "Father and son") -> int:
    with world.store.write() as connection:
        numbers = [world.number(connection, place, False) for place in (left, right)]
        return judgement.separate(connection, *numbers, reason=reason, decided_by="steward", as_of=AS_OF)


def test_both_customers_are_told_of_a_decision_and_of_its_end(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=JAN | OTHER)
    world.resolve()
    number = separate(world, "crm/1", "billing/1")
    assert separate(world, "billing/1", "crm/1") == number, "the same said twice is told once"
    with world.store.write() as connection:
        judgement.withdraw(connection, number, reason="Wrong pair", as_of=AS_OF)
    ids = sorted(public for public in world.ids().values() if public)
    customers = sorted(owner for owner in world.assigned().values() if owner)
    assert log(world) == [
        *((owner, "OVERRIDDEN", ids, f"jdg_{number}: a steward keeps two profiles apart") for owner in customers),
        *((owner, "WITHDRAWN", ids, f"jdg_{number}: taken back") for owner in customers),
    ]


def test_one_customer_is_told_once(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL)
    world.resolve()
    separate(world, "crm/1", "billing/1")
    assert [(event, len(ids)) for _, event, ids, _ in log(world)] == [("OVERRIDDEN", 1)]


def test_visitors_who_are_nobody_have_no_history(world: World) -> None:
    world.tell(web_a={"devices": ["device-a"]}, web_b={"devices": ["device-b"]})
    world.resolve()
    separate(world, "web/a", "web/b")
    assert log(world) == []


def test_what_a_steward_wrote_goes_with_whom_it_was_about(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=JAN | OTHER)
    world.resolve()
    separate(world, "crm/1", "billing/1", "Jan Brandt is her son")
    erased = world.ids()["billing/1"]
    assert erased is not None
    erase(world.store, erased, dry_run=False, as_of=AS_OF)
    assert world.rows(judgements, "reason") == []
    assert [("Brandt" in reason, event) for _, event, _, reason in log(world)] == [(False, "OVERRIDDEN")]


@pytest.mark.parametrize("name", ["7", "jdg_", "jdg_x", "lnk_1-2", "jdg_٣", "jdg_" + "9" * 19])
def test_other_words_are_no_judgement(name: str) -> None:
    with pytest.raises(JudgementError, match="is no steward's judgement"):
        judgement.number_of(name)
