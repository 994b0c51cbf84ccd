"""Ids, log, redirects and facts through merges, splits and rebuilds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from hub.identity.resolve import resolve
from hub.identity.steward import judgement
from hub.identity.steward.judgement import JudgementError
from hub.store.derived import DERIVED, customer, link, member
from hub.store.kept import customer_ledger, identity_log, profile_ledger
from hub.store.kept import judgement as judgement_table
from tests.hub.identity.world import AS_OF, TRUST, World, fact_owner

ANNA = {"given": "Anna", "family": "Vogt"}
MAIL = {"emails": ["anna@mail.example"]}
OTHER = {"emails": ["a.vogt@post.example"]}
BOTH = {"emails": ["anna@mail.example", "a.vogt@post.example"]}


def decide(world: World, how: str, left: str, right: str, reason: str = "Confirmed by telephone") -> int:
    with world.store.write() as connection:
        numbers = [world.number(connection, place, False) for place in (left, right)]
        by = {"join": judgement.join, "separate": judgement.separate}[how]
        return by(connection, *numbers, reason=reason, decided_by="steward", as_of=AS_OF)


def withdraw(world: World, number: int) -> None:
    with world.store.write() as connection:
        judgement.withdraw(connection, number, reason="Wrong pair", as_of=AS_OF)


def owners(world: World, *facts: int) -> list[int | None]:
    with world.store.read() as connection:
        found = fact_owner(connection, facts)
    return [found[fact][0] for fact in facts]


def redirects(world: World) -> dict[int, int | None]:
    c = customer_ledger.c
    with world.store.read() as connection:
        return dict(connection.execute(select(c.customer_no, c.merged_into)).all())


def test_id_is_opaque_minted_once_and_told(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL)
    world.resolve()
    [public] = set(world.ids().values())
    assert public is not None
    assert public.startswith("cus_")
    assert len(public) == 24
    rows = world.rows(identity_log, "event", "customer_ids", "reason", "at")
    assert rows == [("MINTED", json.dumps([public]), "first seen in crm, billing", AS_OF)]


def test_nothing_changed_resolves_nothing(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL)
    world.resolve()
    before = world.rows(link, *link.c.keys()), world.events()
    assert world.resolve().profiles == 0
    world.tell(crm_1=ANNA | MAIL)
    world.resolve(as_of=AS_OF + 1)
    assert (world.rows(link, *link.c.keys()), world.events()) == before


def test_merge_keeps_the_larger_customer_redirects_the_other_and_moves_facts(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL, support_1=ANNA | OTHER)
    world.resolve()
    kept, gone = world.assigned()["crm/1"], world.assigned()["support/1"]
    fact = world.interaction("support/1", 900)
    world.tell(crm_1=ANNA | BOTH)
    done = world.resolve()
    assert (done.merged, done.minted, done.moved) == (1, 0, 1)
    assert set(world.assigned().values()) == {kept}
    assert owners(world, fact) == [kept]
    assert redirects(world) == {kept: None, gone: kept}
    assert world.events() == ["MINTED", "MINTED", "MERGED", "MERGED"]
    assert "same e-mail" in world.rows(identity_log, "reason")[-1][0]
    assert (gone, True) in world.rows(customer, "customer_no", "dirty")


def test_split_after_a_merge_gives_the_old_id_and_the_facts_back(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL, support_1=ANNA | OTHER)
    world.resolve()
    before = world.ids()
    fact = world.interaction("support/1", 900)
    world.tell(crm_1=ANNA | BOTH)
    world.resolve()
    world.tell(crm_1=ANNA | MAIL)
    done = world.resolve()
    assert (done.split, done.minted) == (1, 0)
    assert world.ids() == before
    assert owners(world, fact) == [world.assigned()["support/1"]]
    assert set(redirects(world).values()) == {None}
    assert world.events()[4:] == ["SPLIT", "SPLIT", "REVIVED", "REVIVED"]


def test_split_of_what_was_never_two_mints_an_id(world: World) -> None:
    world.tell(crm_1=ANNA | BOTH, billing_1=ANNA | MAIL, support_1=ANNA | OTHER)
    world.resolve()
    old = world.ids()["crm/1"]
    world.tell(crm_1=ANNA | MAIL)
    world.resolve()
    assert world.ids()["crm/1"] == world.ids()["billing/1"] == old
    assert world.ids()["support/1"] not in (None, old)


def test_redirects_stay_flat_over_several_merges(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | OTHER, support_1=ANNA | {"emails": ["x@post.example"]})
    world.resolve()
    first, second, third = (world.assigned()[p] for p in ("crm/1", "billing/1", "support/1"))
    world.tell(support_1=ANNA | {"emails": ["x@post.example", "a.vogt@post.example"]})
    world.resolve()
    world.tell(billing_1=ANNA | BOTH, crm_2=ANNA | MAIL, crm_3=ANNA | MAIL)
    world.resolve()
    live = world.assigned()["crm/1"]
    assert set(world.assigned().values()) == {live}
    others = {first, second, third} - {live}
    assert {n: to for n, to in redirects(world).items() if n != live} == dict.fromkeys(others, live)


def test_record_that_goes_and_comes_back_is_the_same_customer(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL)
    world.resolve()
    before = world.ids()
    world.forget("crm/1")
    world.resolve()
    assert world.ids() == {"crm/1": None}
    world.tell(crm_1=ANNA | MAIL)
    world.resolve()
    assert world.ids() == before
    assert world.events() == ["MINTED", "RETIRED", "REVIVED"]


def test_steward_keeps_father_and_son_apart_over_a_chain_and_a_rebuild(world: World) -> None:
    hans = {"given": "Hans", "family": "Vogt"}
    world.tell(
        crm_2=hans | {"phones": ["+493023125001"]},
        crm_1=hans | {"emails": ["hans@mail.example"], "phones": ["+493023125001"]},
        billing_1=hans | {"emails": ["hans@mail.example"]},
    )
    world.resolve()
    assert world.customers() == ["crm/1 crm/2 billing/1"]
    decide(world, "separate", "billing/1", "crm/2", "Father and son share a phone")
    world.resolve()
    assert world.customers() == ["crm/1 billing/1", "crm/2"], "the phone is the weakest link between them"
    refused = [row for row in world.rows(link, "verdict", "rule", "reasons") if "not joined" in row[2]]
    assert [row[:2] for row in refused] == [("UNSURE", "phone_and_name")]
    ids = world.ids()
    world.tell(billing_1=hans | {"emails": ["hans@mail.example"], "phones": ["+493023125001"]})
    world.resolve()
    assert world.ids() == ids
    world.rebuild()
    assert world.ids() == ids


def test_steward_joins_what_nothing_joins_and_others_of_both_names_still_find_it(world: World) -> None:
    world.tell(
        crm_1=ANNA | MAIL, billing_1={"given": "Marianne", "family": "Holm"} | OTHER, support_1=ANNA | MAIL,
        support_2={"given": "Marianne", "family": "Holm"} | OTHER,
    )  # fmt: skip
    world.resolve()
    number = decide(world, "join", "crm/1", "billing/1")
    world.resolve()
    assert world.customers() == ["crm/1 billing/1 support/1 support/2"]
    ids = world.ids()
    world.rebuild()
    assert world.ids() == ids
    withdraw(world, number)
    world.resolve()
    assert world.customers() == ["billing/1 support/2", "crm/1 support/1"]


def test_withdrawn_separation_lets_the_evidence_join_again(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL)
    world.resolve()
    before = world.ids()
    fact = world.interaction("billing/1", 900)
    number = decide(world, "separate", "crm/1", "billing/1")
    world.resolve()
    apart = world.assigned()
    assert apart["crm/1"] != apart["billing/1"]
    assert owners(world, fact) == [apart["billing/1"]]
    withdraw(world, number)
    world.resolve()
    assert world.ids() == before
    assert owners(world, fact) == [world.assigned()["crm/1"]]


def test_same_split_twice_gives_the_same_second_id(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | MAIL)
    world.resolve()
    seen = []
    for _ in range(2):
        number = decide(world, "separate", "crm/1", "billing/1")
        world.resolve()
        seen.append(world.ids())
        withdraw(world, number)
        world.resolve()
    assert seen[0] == seen[1]


def test_newest_judgement_of_a_pair_counts_and_a_withdrawn_one_gives_way(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | OTHER)
    world.resolve()
    decide(world, "join", "crm/1", "billing/1")
    later = decide(world, "separate", "crm/1", "billing/1")
    world.resolve()
    assert len(world.customers()) == 2
    withdraw(world, later)
    world.resolve()
    assert len(world.customers()) == 1


def test_same_judgement_twice_is_one_row(world: World) -> None:
    world.tell(crm_1=ANNA, billing_1=ANNA)
    world.resolve()
    assert decide(world, "join", "crm/1", "billing/1") == decide(world, "join", "billing/1", "crm/1")
    assert len(world.rows(judgement_table, "judgement_no")) == 1


WRONG: dict[str, tuple[str, str, str]] = {
    "same profile": ("crm/1", "crm/1", "same profile"),
    "person and organization": ("crm/1", "crm/o1", "cannot be one customer"),
    "no record": ("crm/1", "billing/9", "sync its source"),
}


@pytest.mark.parametrize(("left", "right", "words"), WRONG.values(), ids=WRONG)
def test_judgement_that_cannot_be_made_says_why(world: World, left: str, right: str, words: str) -> None:
    world.tell(crm_1=ANNA, crm_o1={"kind": "ORGANIZATION", "name": "Acme"})
    with pytest.raises(JudgementError, match=words):
        decide(world, "join", left, right)


def test_judgement_is_withdrawn_once_and_must_exist(world: World) -> None:
    world.tell(crm_1=ANNA, billing_1=ANNA)
    number = decide(world, "join", "crm/1", "billing/1")
    withdraw(world, number)
    with pytest.raises(JudgementError, match="withdrawn before"):
        withdraw(world, number)
    with pytest.raises(JudgementError, match="no judgement 77"):
        withdraw(world, 77)


def test_profile_is_found_by_its_place_or_said_to_be_missing(world: World) -> None:
    world.tell(crm_1=ANNA)
    with world.store.read() as connection:
        assert judgement.find_profile(connection, "crm", "contacts", "1") > 0
        with pytest.raises(JudgementError, match=r"no profile '2' in crm\.contacts"):
            judgement.find_profile(connection, "crm", "contacts", "2")


def test_rebuild_gives_the_same_ids_links_and_log_whatever_the_batches(world: World) -> None:
    world.tell(
        crm_1=ANNA | BOTH, billing_1=ANNA | MAIL, support_1=OTHER, crm_2={"given": "Jan", "family": "Vogt"} | MAIL,
        crm_o1={"kind": "ORGANIZATION", "name": "Acme"}, web_abc={"devices": ["abc"]},
    )  # fmt: skip
    world.resolve()
    before = world.ids(), world.events(), world.rows(link, "left_profile_no", "right_profile_no", "verdict", "score")
    for limit in (1, 2, 100):
        world.rebuild(limit)
        now = world.ids(), world.events(), world.rows(link, "left_profile_no", "right_profile_no", "verdict", "score")
        assert now == before


def test_rebuild_cut_short_goes_on_with_what_changed_meanwhile(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1=ANNA | BOTH, support_1=ANNA | OTHER, crm_2=ANNA | OTHER)
    world.resolve()
    with world.store.write() as connection:
        for table in DERIVED:
            connection.execute(delete(table))
        connection.execute(update(profile_ledger).values(pending=True))
        resolve(connection, world.rulebook, TRUST, AS_OF, limit=2)
    world.tell(billing_1=ANNA | MAIL)
    world.forget("crm/1")
    world.resolve(limit=2)
    assert world.customers() == ["billing/1", "crm/2 support/1"]


def test_other_rules_resolve_everybody_anew(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, billing_1={"given": "Anna", "family": "Vogt", "emails": ["anna+x@mail.example"]})
    world.resolve()
    assert len(world.customers()) == 1
    identity = world.rulebook.identity.model_copy(update={"plus_tags": False})
    changed = World(world.store, world.rulebook.model_copy(update={"identity": identity}))
    changed.resolve()
    assert len(changed.customers()) == 2


def test_people_belong_to_organizations_and_their_facts_count_for_both(world: World) -> None:
    world.tell(
        crm_o1={"kind": "ORGANIZATION", "name": "Acme"},
        crm_1=ANNA | MAIL | {"of": [("crm/o1", "Buyer", 5, None)]},
        billing_1=ANNA | MAIL,
    )
    fact = world.interaction("billing/1", 900)
    world.resolve()
    acme, anna = world.assigned()["crm/o1"], world.assigned()["crm/1"]
    assert world.rows(member, *member.c.keys()) == [(acme, anna, "Buyer", 5, None)]
    with world.store.read() as connection:
        assert fact_owner(connection, [fact]) == {fact: (anna, acme)}


def test_person_of_two_organizations_counts_for_neither_until_one_ends(world: World) -> None:
    acme = {"kind": "ORGANIZATION", "name": "Acme"}
    world.tell(crm_o1=acme, crm_o2=acme | {"name": "Vogt KG"}, crm_1=ANNA | {"of": ["crm/o1", "crm/o2"]})
    world.resolve()
    fact = world.interaction("crm/1", 900)
    world.tell(crm_1=ANNA | {"of": ["crm/o1", "crm/o2"]} | MAIL)
    world.resolve()
    with world.store.read() as connection:
        assert fact_owner(connection, [fact])[fact][1] is None
    world.tell(crm_1=ANNA | {"of": ["crm/o1", ("crm/o2", None, 1, AS_OF - 1)]})
    world.resolve()
    with world.store.read() as connection:
        assert fact_owner(connection, [fact])[fact][1] == world.assigned()["crm/o1"]


def test_organization_that_comes_after_its_people_gets_them(world: World) -> None:
    world.tell(crm_1=ANNA | {"of": ["crm/o1"]})
    world.resolve()
    assert world.rows(member, "person_no") == []
    world.tell(crm_o1={"kind": "ORGANIZATION", "name": "Acme"})
    world.resolve()
    acme, anna = world.assigned()["crm/o1"], world.assigned()["crm/1"]
    assert world.rows(member, "organization_no", "person_no") == [(acme, anna)]


def test_only_customers_concerned_are_marked_to_be_derived(world: World) -> None:
    world.tell(crm_1=ANNA | MAIL, crm_2={"given": "Jan", "family": "Vogt"} | MAIL, crm_3={"given": "Eva"} | OTHER)
    world.resolve()
    with world.store.write() as connection:
        connection.execute(customer.update().values(dirty=False))
    world.tell(crm_1=ANNA | MAIL)
    world.resolve()
    dirty: list[Any] = [row for row in world.rows(customer, "customer_no", "dirty") if row[1]]
    assert dirty == [(world.assigned()["crm/1"], True)]
