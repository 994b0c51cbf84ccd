"""Clusters: which matches are followed, which give way, and that order changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity.cluster import Clusters, cluster
from hub.identity.divide import BY_BRIDGE, BY_CHAIN, BY_CHAIN_STEWARD, BY_DEVICE, BY_STEWARD, Sets
from hub.identity.evidence.judge import Judge
from hub.identity.evidence.verdict import MATCH, NO_MATCH, Profile, Verdict
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from hub.identity.region import Steward
from mappings.loader import load_rulebook, shipped

JUDGE = Judge(identity := load_rulebook([shipped()]).identity, Forms(identity, "DE"))
SURE, WEAK = 999_000, 930_000

Links = Mapping[str, int | tuple[int, str]]


def profile(number: int, key: str, said: str) -> Profile:
    """Of `Anna Vogt 1980-05-05 a@mail.example`; a dash for a missing name, `device` for a bare one."""
    words = said.split()
    contacts = [("EMAIL", word) for word in words if "@" in word] + [("DEVICE", "d1") for w in words if w == "device"]
    birth = next((word for word in words if word[:2] in ("19", "20")), None)
    names = [word for word in words if word[0].isupper() or word == "-"] + ["-", "-"]
    given, family = (None if name == "-" else name for name in names[:2])
    told = Said("PERSON", "crm", key, [(given, family, None, birth, None)], contacts, [])
    return Profile(number, ("crm", "contacts", key), portrait_of(told, JUDGE.forms), None, None)


def clustered(
    people: Mapping[str, str],
    links: Links,
    stewards: Mapping[str, str] | None = None,
    order: Sequence[str] | None = None,
) -> tuple[set[str], dict[str, str]]:
    """The components as sorted letters, and the refused links with why; links are `ab` to score or (score, rule)."""
    numbers = {key: number for number, key in enumerate(order or sorted(people))}
    profiles = {n: profile(n, key, people[key]) for key, n in sorted(numbers.items(), key=lambda item: item[1])}
    keys = {n: key for key, n in numbers.items()}

    def edge(link: str) -> tuple[int, int]:
        left, right = sorted((numbers[link[0]], numbers[link[1]]))
        return left, right

    told = {link: said if isinstance(said, tuple) else (said, "email") for link, said in links.items()}
    verdicts = {edge(link): Verdict(MATCH, rule, score, ()) for link, (score, rule) in told.items()}
    decided = {edge(link): Steward(verdict, "seen") for link, verdict in (stewards or {}).items()}
    found: Clusters = cluster(profiles, verdicts, decided, JUDGE)
    groups = {"".join(sorted(keys[n] for n in group)) for group in found.groups}
    return groups, {"".join(sorted(keys[n] for n in e)): why for e, why in found.refused.items()}


ANNA, PETER, NOBODY = "Anna Vogt", "Peter Vogt", "- -"


@pytest.mark.parametrize(
    ("people", "links", "groups", "refused"),
    [
        pytest.param({"a": ANNA, "b": ANNA, "c": ANNA}, {"ab": SURE}, {"ab", "c"}, {}, id="matches join"),
        pytest.param(
            {"a": ANNA, "b": NOBODY, "c": PETER}, {"ab": 980_000, "bc": 950_000}, {"ab", "c"}, {"bc": BY_CHAIN},
            id="of a chain the weakest link gives way",
        ),
        pytest.param(
            {"a": ANNA, "b": NOBODY, "c": PETER}, {"ab": 950_000, "bc": 980_000}, {"a", "bc"}, {"ab": BY_CHAIN},
            id="whichever that is",
        ),
        pytest.param(
            {"a": ANNA, "b": "Berta Holm", "c": "Berta Holm", "d": ANNA},
            {"ab": (SURE, "external_id"), "bc": 950_000, "ad": 950_000}, {"abcd"}, {},
            id="whom an id joins in spite of names, both names find",
        ),
        pytest.param(
            {"a": ANNA, "b": "Berta Holm", "c": PETER}, {"ab": (SURE, "external_id"), "bc": 950_000}, {"ab", "c"},
            {"bc": BY_CHAIN}, id="but not a third name",
        ),
        pytest.param(
            {"a": "Anna Vogt 1980-05-05", "b": "Anna Vogt", "c": "Anna Vogt 1951-01-17"},
            {"ab": 950_000, "bc": 940_000}, {"ab", "c"}, {"bc": BY_CHAIN}, id="birth dates contradict",
        ),
    ],
)  # fmt: skip
def test_the_strongest_matches_are_followed_first(
    people: dict[str, str], links: Links, groups: set[str], refused: dict[str, str]
) -> None:
    assert clustered(people, links) == (groups, refused)


def test_ties_go_by_place_whatever_the_numbers() -> None:
    people, links = {"a": ANNA, "b": NOBODY, "c": PETER}, {"ab": 950_000, "bc": 950_000}
    found = [clustered(people, links, order=order) for order in ("abc", "cba", "bca")]
    assert found == [({"ab", "c"}, {"bc": BY_CHAIN})] * 3


class TestStewards:
    def test_separate_what_matches_join(self) -> None:
        found = clustered({"a": ANNA, "b": ANNA}, {"ab": SURE}, {"ab": NO_MATCH})
        assert found == ({"a", "b"}, {"ab": BY_STEWARD})

    def test_separate_what_a_chain_would_join(self) -> None:
        found = clustered(dict.fromkeys("abc", ANNA), {"ab": SURE, "bc": 950_000}, {"ac": NO_MATCH})
        assert found == ({"ab", "c"}, {"bc": BY_CHAIN_STEWARD})

    def test_join_whom_names_contradict_and_each_name_finds_them(self) -> None:
        people = {"a": ANNA, "b": PETER, "c": ANNA, "d": PETER}
        assert clustered(people, {"ac": 950_000, "bd": 950_000}, {"ab": MATCH}) == ({"abcd"}, {})

    def test_join_without_any_match(self) -> None:
        assert clustered({"a": ANNA, "b": PETER}, {}, {"ab": MATCH}) == ({"ab"}, {})


class TestBridges:
    GROUPS: Mapping[str, str] = {
        "a": "Anna Vogt a@mail.example", "b": "Anna Vogt a@mail.example",
        "c": "Anna Vogt c@mail.example", "d": "Anna Vogt c@mail.example",
    }  # fmt: skip
    HELD: Mapping[str, int] = {"ab": SURE, "cd": SURE}

    def test_one_weak_match_between_two_strong_groups_is_refused(self) -> None:
        assert clustered(self.GROUPS, {**self.HELD, "bc": WEAK}) == ({"ab", "cd"}, {"bc": BY_BRIDGE})

    def test_the_same_evidence_again_does_not_confirm_it(self) -> None:
        found = clustered(self.GROUPS, {**self.HELD, "bc": WEAK, "ad": WEAK})
        assert found == ({"ab", "cd"}, {"bc": BY_BRIDGE, "ad": BY_BRIDGE})

    def test_what_an_id_joins_is_a_group_however_the_id_scores(self) -> None:
        found = clustered(self.GROUPS, {"ab": (WEAK, "external_id"), "cd": SURE, "bc": WEAK})
        assert found == ({"ab", "cd"}, {"bc": BY_BRIDGE})

    def test_other_evidence_confirms_it(self) -> None:
        links: Links = {**self.HELD, "bc": (WEAK, "name_and_place"), "ad": (WEAK, "phone")}
        assert clustered(self.GROUPS, links) == ({"abcd"}, {})

    def test_a_strong_match_needs_no_other(self) -> None:
        assert clustered(self.GROUPS, {**self.HELD, "bc": SURE}) == ({"abcd"}, {})

    def test_a_single_profile_is_no_group(self) -> None:
        people = {key: self.GROUPS[key] for key in "abc"}
        assert clustered(people, {"ab": SURE, "bc": WEAK}) == ({"abc"}, {})

    def test_who_cannot_be_reached_otherwise_stands_for_nobody(self) -> None:
        people = {**self.GROUPS, "c": ANNA, "d": ANNA}
        assert clustered(people, {**self.HELD, "bc": WEAK}) == ({"abcd"}, {})


class TestVisitors:
    def test_a_device_joins_the_one_customer_it_leads_to(self) -> None:
        people = {"a": ANNA, "b": ANNA, "v": "device"}
        assert clustered(people, {"ab": SURE, "av": WEAK, "bv": WEAK}) == ({"abv"}, {})

    def test_a_device_of_two_customers_joins_neither(self) -> None:
        people = {"a": "Anna Vogt a@mail.example", "b": "Anna Holm b@mail.example", "v": "device"}
        assert clustered(people, {"av": WEAK, "bv": WEAK}) == ({"a", "b", "v"}, {"av": BY_DEVICE, "bv": BY_DEVICE})

    def test_visits_of_one_device_go_together(self) -> None:
        people = {"a": ANNA, "v": "device", "w": "device"}
        assert clustered(people, {"av": WEAK, "vw": WEAK}) == ({"avw"}, {})

    def test_a_device_that_an_id_joins_leads_nobody_else_there(self) -> None:
        people = {"a": "Anna Vogt", "b": "Anna Holm", "v": "device"}
        found = clustered(people, {"av": (SURE, "external_id"), "bv": WEAK})
        assert found == ({"av", "b"}, {"bv": BY_DEVICE})


SAID = (
    "Anna Vogt",
    "Anna Vogt a@m.example",
    "A. Vogt b@m.example",
    "Peter Vogt",
    "- - c@m.example",
    "Anna Vogt 1980-05-05",
    "device",
)
LETTERS = "abcdefgh"
worlds = st.fixed_dictionaries(
    {
        "people": st.fixed_dictionaries({key: st.sampled_from(SAID) for key in LETTERS}),
        "links": st.dictionaries(
            st.sampled_from([a + b for a in LETTERS for b in LETTERS if a < b]),
            st.tuples(st.sampled_from((WEAK, 950_000, SURE)), st.sampled_from(("email", "phone", "external_id"))),
            max_size=14,
        ),
        "stewards": st.dictionaries(
            st.sampled_from([a + b for a in LETTERS for b in LETTERS if a < b]),
            st.sampled_from((MATCH, NO_MATCH)),
            max_size=2,
        ),
    }
)


@settings(max_examples=150, deadline=None)
@given(world=worlds, order=st.permutations(LETTERS))
def test_neither_numbers_nor_order_change_the_partition(world: dict[str, dict[str, str]], order: list[str]) -> None:
    backwards = {name: dict(reversed(said.items())) for name, said in world.items()}
    assert clustered(**world) == clustered(**backwards, order=order)  # type: ignore[arg-type]


class Counting(Judge):
    """A judge who counts how often he is asked."""

    asked = 0

    def contradict(self, left: Portrait, right: Portrait) -> bool:
        self.asked += 1
        return super().contradict(left, right)


def test_a_giant_group_is_no_more_work_than_its_matches() -> None:
    judge = Counting(identity, JUDGE.forms)
    size, people = 3_000, [ANNA, PETER, "Ida Kranz"]
    profiles = {n: profile(n, f"{n:04}", people[n % 3]) for n in range(size)}
    links = {(n, n + step): Verdict(MATCH, "email", WEAK - step, ()) for step in (1, 3) for n in range(size - step)}
    found = cluster(profiles, links, {}, judge)
    assert sorted(map(len, found.groups), reverse=True)[0] < size
    assert judge.asked < 4 * len(links)


def test_profiles_of_different_kinds_are_not_joined_by_a_steward() -> None:
    person = profile(1, "a", ANNA)
    company = replace(profile(2, "b", ANNA), portrait=Portrait("ORGANIZATION", ("crm", "b")))
    assert cluster({1: person, 2: company}, {}, {(1, 2): Steward(MATCH, "seen")}, JUDGE).groups == [[1], [2]]


def test_sets_are_named_by_their_smallest() -> None:
    sets = Sets(range(1, 6))
    sets.union(5, 3)
    sets.union(3, 4)
    assert (sets.root(5), sets.groups()) == (3, [[1], [2], [3, 4, 5]])


SLIPS = {"a": "Anna Vogt", "b": "Anna Voigt", "c": "Eva Vogt", "d": "Eva Voigt"}
INSIDE: Links = {"ab": SURE, "cd": SURE}
IN_SPITE = ("wrong_name", "wrong_birth_date")


@pytest.mark.parametrize("rule", IN_SPITE)
def test_two_sides_that_contradict_are_one_where_everybody_matches_everybody(rule: str) -> None:
    across: Links = dict.fromkeys(("ac", "ad", "bc", "bd"), (WEAK, rule))
    assert clustered(SLIPS, {**INSIDE, **across}) == ({"abcd"}, {})
    fewer = {link: said for link, said in across.items() if link != "ad"}
    assert clustered(SLIPS, {**INSIDE, **fewer})[0] == {"ab", "cd"}
    plain: Links = dict.fromkeys(across, WEAK)
    assert clustered(SLIPS, {**INSIDE, **plain})[0] == {"ab", "cd"}, "only rules that join in spite of a value"
    reached = {key: f"{said} {said[0]}@mail.example" for key, said in SLIPS.items()}
    assert clustered(reached, {**INSIDE, **across})[0] == {"ab", "cd"}, "who can be reached is known by that"
