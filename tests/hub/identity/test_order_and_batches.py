"""The partition against a second, slow method, and against itself in other orders and batches."""

from __future__ import annotations

from itertools import combinations, permutations, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.identity.evidence.keys import keys_of
from hub.identity.evidence.means import Means, means_of, most
from hub.identity.evidence.sides import Heard
from hub.identity.evidence.standing import standing
from hub.identity.evidence.verdict import MATCH, Profile, Shared, Standing, Verdict
from hub.identity.holders import TOLD
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.portrait import Portrait
from hub.identity.rules import Rules
from hub.store.derived import link
from mappings.rulebook import Rulebook
from tests.hub.identity.world import STREAMS, World

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

Place = str


def said(profile: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in profile.items() if key != "crm_id" and value}
    if profile["given"] is None:
        plain.pop("family")
    return plain | ({"ids": {"crm": profile["crm_id"]}} if profile["crm_id"] else {})


def slowly(told: dict[Place, dict[str, Any]], rulebook: Rulebook) -> set[frozenset[Place]]:
    """The partition by its definition: all pairs against all, sets as plain sets, nothing remembered."""
    rules = Rules(rulebook)
    people = {place: _profile(place, one, rules) for place, one in told.items()}
    keys = {place: keys_of(one.portrait, rules.forms) for place, one in people.items()}
    verdicts = {}
    for a, b in combinations(sorted(told), 2):
        shared = [
            found
            for key in sorted(keys[a].keys() & keys[b].keys())
            for found in _shared(key, a, b, keys, people, rules)
        ]
        verdict = rules.judge.judge(people[a], people[b], shared) if shared else None
        if verdict is not None and verdict.verdict == MATCH:
            verdicts[a, b] = verdict
    return _Slow(people, verdicts, rules).partition()


def _profile(place: Place, one: dict[str, Any], rules: Rules) -> Profile:
    source, _, key = place.partition("/")
    name = " ".join(filter(None, (one.get("given"), one.get("family")))) or None
    record = (one.get("given"), one.get("family"), name, one.get("birth"), None)
    contacts = [(type_, value) for type_, of in (("EMAIL", "emails"), ("PHONE", "phones")) for value in one.get(of, ())]
    stated = Said("PERSON", source, key, [record], contacts, list(one.get("ids", {}).items()))
    return Profile(0, (source, STREAMS[source], key), portrait_of(stated, rules.forms), None, None)


def _shared(
    key: int, a: Place, b: Place, keys: dict[Place, dict[int, bool]], people: dict[Place, Profile], rules: Rules
) -> list[Shared]:
    """What a key that both hold says of the two, if anything."""
    holders = [place for place in people if key in keys[place]]
    means = means_of(key)
    if len(holders) > most(means) or (keys[a][key] and keys[b][key]):
        return []
    if means is Means.ID and (keys[a][key] or keys[b][key]):
        return [Shared(means, Standing.PERSONAL, len(holders))]
    if means not in TOLD:
        return [Shared(means, Standing.PERSONAL, 0)]
    worth = standing(means, [people[place].portrait for place in holders], rules.judge)
    return [] if worth is Standing.JUNK else [Shared(means, worth, len(holders))]


class _Slow:
    """Matches followed one by one, the strongest first, over plain sets of places."""

    def __init__(self, people: dict[Place, Profile], matches: dict[tuple[Place, Place], Verdict], rules: Rules) -> None:
        self.people = people
        self.matches = matches
        self.judge = rules.judge
        self.sets = {place: frozenset({place}) for place in people}
        self.ones = dict(self.sets)  # those whom an id joins count as one
        self.core: set[frozenset[Place]] = set()

    def partition(self) -> set[frozenset[Place]]:
        for _, _, _, _, a, b in sorted(self._ranked(edge) for edge in self.matches):
            verdict = self.matches[a, b]
            if self.sets[a] == self.sets[b]:
                continue
            as_one, strong = verdict.rule in self.judge.as_one, verdict.score >= self.judge.strong
            if not as_one and (self._refused(a, b, verdict.rule) or not (strong or self._confirmed(a, b))):
                continue
            self._join(a, b, strong=strong or as_one)
            if as_one:
                one = self.ones[a] | self.ones[b]
                self.ones |= dict.fromkeys(one, one)
        return set(self.sets.values())

    def _ranked(self, edge: tuple[Place, Place]) -> tuple[Any, ...]:
        verdict, ends = self.matches[edge], sorted(self.people[place].place for place in edge)
        return verdict.rule not in self.judge.as_one, verdict.rule in self.judge.despite, -verdict.score, ends, *edge

    def _join(self, a: Place, b: Place, *, strong: bool) -> None:
        merged = self.sets[a] | self.sets[b]
        if strong or self.sets[a] in self.core or self.sets[b] in self.core:
            self.core.add(merged)
        self.sets |= dict.fromkeys(merged, merged)

    def _refused(self, a: Place, b: Place, rule: str) -> bool:
        """Whether anybody on one side contradicts somebody on the other, and nobody of both names is among them; but a
        rule in spite of that is followed to a side that says one thing, where not both are several and can be reached.
        """
        left, right = ([self._as_one(place) for place in sorted(self.sets[end])] for end in (a, b))
        torn = [
            self._as_one(place)
            for place in self.sets[a] | self.sets[b]
            if any(self._differ(x, y) for x, y in combinations(sorted(self.ones[place]), 2))
        ]
        contradict, heard = self.judge.contradict, Heard([*left, *right], self.judge)
        clash = any(
            heard.at_odds(x, y) and not any(not contradict(x, c) and not contradict(y, c) for c in torn)
            for x, y in product(left, right)
        )
        several = all(len(self.sets[end]) > 1 and any(map(self._known, self.sets[end])) for end in (a, b))
        return clash and (rule not in self.judge.despite or several or min(len(set(left)), len(set(right))) > 1)

    def _differ(self, x: Place, y: Place) -> bool:
        return self.judge.contradict(self.people[x].portrait, self.people[y].portrait)

    def _as_one(self, place: Place) -> Portrait:
        """Everything that those say who count as one with the profile."""
        group = [self.people[p].portrait for p in sorted(self.ones[place])]
        names = sorted({name for one in group for name in one.names}, key=repr)
        births = sorted({birth for one in group for birth in one.births})
        return Portrait("PERSON", ("", ""), names=tuple(names), births=tuple(births))

    def _confirmed(self, a: Place, b: Place) -> bool:
        """Whether a weak match may join these two sets: not where both stand for themselves and it is alone."""
        ends = self.sets[a], self.sets[b]
        if not all(end in self.core and any(self._known(place) for place in end) for end in ends):
            return True
        rules = {v.rule for (x, y), v in self.matches.items() if {self.sets[x], self.sets[y]} == set(ends)}
        return len(rules) > 1

    def _known(self, place: Place) -> bool:
        portrait = self.people[place].portrait
        return bool(portrait.emails or portrait.phones or portrait.ids)


def partition(world: World) -> set[frozenset[str]]:
    return {frozenset(places.split()) for places in world.customers()}


def judgements(world: World) -> list[tuple[Any, ...]]:
    names = ("left_profile_no", "right_profile_no", "verdict", "rule", "score", "reasons", "review")
    return world.rows(link, *names)


def places(people: list[dict[str, Any]]) -> dict[Place, dict[str, Any]]:
    sources = ("crm", "billing", "support")
    return {f"{sources[i % 3]}/{i // 3}": said(profile) for i, profile in enumerate(people)}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(profiles, min_size=2, max_size=12), data=st.data())
def test_partition_is_that_of_the_slow_method_in_any_order_and_batches(
    world: World, people: list[dict[str, Any]], data: st.DataObject
) -> None:
    told = places(people)
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
    stood = world.ids(), judgements(world)
    world.rebuild(limit=data.draw(st.integers(1, 5)))
    assert (world.ids(), judgements(world)) == stood


namesakes = st.fixed_dictionaries(
    {
        "given": st.sampled_from(("Anna", "Anna", "Anna", "Ana")),
        "family": st.sampled_from(("Vogt", "Vogt", "Vogt", "Voigt")),
        "birth": st.sampled_from((None, "1980-05-05", "1980-05-06")),
        "emails": st.lists(st.sampled_from(("anna.vogt@mail.example", "anna.vogt1@mail.example")), max_size=1),
        "phones": st.lists(st.sampled_from(PHONES), max_size=1),
        "crm_id": st.none(),
    }
)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(namesakes, min_size=9, max_size=13), after=st.lists(namesakes, min_size=4, max_size=4))
def test_weak_keys_that_come_to_their_limit_and_go_below_it_change_nothing_but_by_what_is_told(
    world: World, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    told = places(before)
    world.wipe()
    for part in (sorted(told)[:8], sorted(told)[8:]):
        with world.store.write() as connection:
            for place in part:
                world.put(connection, place, told[place])
        world.resolve()
    assert partition(world) == slowly(told, world.rulebook)
    for place, change in zip(sorted(told)[3:], after, strict=False):
        told[place] = said(change)
        with world.store.write() as connection:
            world.put(connection, place, told[place])
        world.resolve()
    assert partition(world) == slowly(told, world.rulebook)
    stood = world.ids(), judgements(world)
    world.rebuild()
    assert (world.ids(), judgements(world)) == stood


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(profiles, min_size=6, max_size=9), after=st.lists(profiles, min_size=6, max_size=6))
def test_changes_one_by_one_lead_where_the_last_state_leads_at_once(
    world: World, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    told = places(before)
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
