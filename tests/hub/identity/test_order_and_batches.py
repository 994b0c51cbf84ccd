"""The partition against a second, slow method, and against itself in other orders and batches."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.identity.keys import Means, Profile, Standing
from hub.identity.likeness import BirthDates, Likeness, birth_dates
from hub.identity.resolve import Rules
from hub.identity.verify import MATCH, Shared, judge
from mappings.rulebook import Rulebook
from tests.hub.identity.world import World

GIVEN = ("Anna", "Anni", "Peter", "Hans", None)
FAMILY = ("Vogt", "Holm")
EMAILS = ("a@mail.example", "b@mail.example", "c@mail.example", "info@acme.example")
PHONES = ("+493023125001", "+493023125002")
BIRTHS = (None, None, None, "1950-01-01", "1980-05-05")

profiles = st.fixed_dictionaries(
    {
        "given": st.sampled_from(GIVEN),
        "family": st.sampled_from(FAMILY),
        "birth": st.sampled_from(BIRTHS),
        "emails": st.lists(st.sampled_from(EMAILS), max_size=2, unique=True),
        "phones": st.lists(st.sampled_from(PHONES), max_size=1),
        "crm_id": st.sampled_from((None, None, None, "0", "1")),
    }
)


def said(profile: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in profile.items() if key != "crm_id" and value}
    if profile["given"] is None:
        plain.pop("family")
    return plain | ({"ids": {"crm": profile["crm_id"]}} if profile["crm_id"] else {})


def slowly(told: dict[str, dict[str, Any]], rulebook: Rulebook) -> set[frozenset[str]]:
    """The partition by its definition, all pairs against all, sets as plain sets."""
    rules = Rules(rulebook.identity)
    people = {place: _person(place, one, rules) for place, one in told.items()}
    holders: dict[tuple[Means, str], set[str]] = {}
    for place, one in told.items():
        for means, values in ((Means.EMAIL, one.get("emails", ())), (Means.PHONE, one.get("phones", ()))):
            for value in values:
                holders.setdefault((means, value), set()).add(place)
        for value in one.get("ids", {}).values():
            holders.setdefault((Means.ID, f"crm/{value}"), set()).add(place)

    def contradict(a: Profile, b: Profile) -> bool:
        other = birth_dates(a.births, b.births) is BirthDates.DIFFERENT
        return other or rules.likenesses.names(a.names, b.names) is Likeness.CLASH

    def standing(means: Means, value: str, held: set[str]) -> Standing:
        if value.startswith("info@"):
            return Standing.ROLE
        clash = any(contradict(people[a], people[b]) for a, b in combinations(sorted(held), 2))
        return Standing.SHARED if clash else Standing.PERSONAL

    edges = []
    for a, b in combinations(sorted(told), 2):
        shared = []
        for (means, value), held in holders.items():
            owner = {value} & told.keys() if means is Means.ID else set()
            if {a, b} <= held | owner:
                owned = bool(owner & {a, b})
                shared.append(Shared(means, Standing.PERSONAL if owned else standing(means, value, held | owner)))
        if shared:
            verdict = judge(people[a], people[b], shared, rules.likenesses)
            if verdict.verdict == MATCH:
                ends = tuple(sorted((people[a].place, people[b].place)))
                edges.append((verdict.rule != "external_id", -verdict.score, ends, a, b))
    ones = {place: frozenset({place}) for place in told}
    sets = dict(ones)
    for weak, _, _, a, b in sorted(edges):
        if sets[a] == sets[b] or (weak and _kept_apart(sets[a], sets[b], ones, people, contradict)):
            continue
        merged = sets[a] | sets[b]
        sets |= dict.fromkeys(merged, merged)
        if not weak:
            joined = ones[a] | ones[b]
            ones |= dict.fromkeys(joined, joined)
    return set(sets.values())


def _kept_apart(left: Any, right: Any, ones: Any, people: Any, contradict: Any) -> bool:
    """Whether anybody on one side contradicts somebody on the other, and nobody of both names is among them."""

    def as_one(place: str) -> Profile:
        group = [people[p] for p in ones[place]]
        names, births = (frozenset().union(*x) for x in zip(*((p.names, p.births) for p in group), strict=True))
        first: Profile = group[0]
        return Profile(0, first.place, first.kind, names, births, frozenset(), None, None)

    sides = {place: as_one(place) for place in left | right}
    both = [
        sides[p] for p in left | right if any(contradict(people[a], people[b]) for a, b in combinations(ones[p], 2))
    ]
    return any(
        contradict(sides[a], sides[b])
        and not any(not contradict(sides[a], c) and not contradict(sides[b], c) for c in both)
        for a in left
        for b in right
    )


def _person(place: str, one: dict[str, Any], rules: Rules) -> Profile:
    name = rules.forms.name(one.get("given"), one.get("family"), None)
    source, _, key = place.partition("/")
    names = frozenset({name} if name else ())
    births = frozenset({one["birth"]} if one.get("birth") else ())
    return Profile(0, (source, "", key), "PERSON", names, births, frozenset(), None, None)


def partition(world: World) -> set[frozenset[str]]:
    return {frozenset(places.split()) for places in world.customers()}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(profiles, min_size=2, max_size=12), data=st.data())
def test_partition_is_that_of_the_slow_method_in_any_order_and_batches(
    world: World, people: list[dict[str, Any]], data: st.DataObject
) -> None:
    sources = ("crm", "billing", "support")
    told = {f"{sources[i % 3]}/{i // 3}": said(profile) for i, profile in enumerate(people)}
    expected = slowly(told, world.rulebook)
    order = data.draw(st.permutations(sorted(told)))
    cut = data.draw(st.integers(0, len(order)))
    world.wipe()
    for part in (order[:cut], order[cut:]):  # a first sync and a second one
        with world.store.write() as connection:
            for place in part:
                world.put(connection, place, told[place])
        world.resolve(limit=data.draw(st.integers(1, 5)))
    assert partition(world) == expected
    ids = world.ids()
    world.rebuild(limit=data.draw(st.integers(1, 5)))
    assert world.ids() == ids


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(profiles, min_size=6, max_size=9), after=st.lists(profiles, min_size=6, max_size=6))
def test_changes_one_by_one_lead_where_the_last_state_leads_at_once(
    world: World, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    sources = ("crm", "billing", "support")
    told = {f"{sources[i % 3]}/{i // 3}": said(profile) for i, profile in enumerate(before)}
    world.wipe()
    with world.store.write() as connection:
        for place, one in told.items():
            world.put(connection, place, one)
    world.resolve()
    for place, change in zip(sorted(told), after, strict=False):
        told[place] = said(change)
        with world.store.write() as connection:
            world.put(connection, place, told[place])
        world.resolve()
    assert partition(world) == slowly(told, world.rulebook)


def test_chain_is_one_customer_whichever_link_comes_first_and_however_small_the_batch(world: World) -> None:
    emails = ["a@mail.example", "b@mail.example", "c@mail.example"]
    chain = {"crm/1": emails[:1], "billing/1": emails[:2], "support/1": emails[1:], "billing/2": emails[2:]}
    for order in permutations(chain):
        world.wipe()
        with world.store.write() as connection:
            for place in order:
                world.put(connection, place, {"emails": chain[place]})
        done = world.resolve(limit=1)
        assert (len(world.customers()), done.minted, done.merged) == (1, 1, 0), order
