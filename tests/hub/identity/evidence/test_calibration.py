"""What is learnt without labels: errors of registers with and without families, and what follows for judging."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from hub.identity.evidence.agreement import Agreement
from hub.identity.evidence.births import Births, Nationals
from hub.identity.evidence.calibration import Calibration, CalibrationError, Cell, cell_of, read, written
from hub.identity.evidence.judge import Judge
from hub.identity.evidence.learning import FEWEST, learn
from hub.identity.evidence.likeness import Family, Given, Names
from hub.identity.evidence.persons import weigh
from hub.identity.evidence.places import Mail, Place
from hub.identity.evidence.verdict import MATCH
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from mappings.rulebook import Rulebook
from tests.hub.identity.parish import Parish

SEED = 11
JOIN = 900_000


@pytest.fixture(scope="module")
def judge(rulebook: Rulebook) -> Judge:
    return Judge(rulebook.identity, Forms(rulebook.identity, "DE"))


def cells(parish: Parish, judge: Judge, seed: int = SEED) -> Counter[Cell]:
    """How the parish's records agree that state one address."""
    homes: dict[str, list[Said]] = {}
    for at, (_, said) in enumerate(parish.records(seed)):
        person = (said["given"], said["family"], None, said["birth"], None)
        (address,) = said["addresses"]
        homes.setdefault(address, []).append(Said("PERSON", "parish", str(at), [person], [("ADDRESS", address)], ()))
    found: Counter[Cell] = Counter()
    for people in homes.values():
        for left, right in combinations([portrait_of(said, judge.forms) for said in people], 2):
            agreement = judge.agreement(left, right, ())
            found[cell_of(agreement.names, agreement.births, agreement.place)] += 1
    return found


def learnt(parish: Parish, judge: Judge) -> Calibration:
    found = learn(cells(parish, judge))
    assert found
    return found


def verdict(given: Given, births: Births, found: Calibration | None, place: Place = Place.HOME) -> str:
    """What is said of two of one family name and address."""
    names = Names(given, Family.EQUAL, clash=given is Given.CLASH)
    agreement = Agreement(
        names, births, place, Mail.UNLIKE, False, 0, Nationals.UNKNOWN, 0, 0, False, False, False, True
    )
    return weigh(agreement, JOIN, found).verdict


ALONE = {
    "many errors": Parish(900, 0.0, 0.1, 0.06),
    "some errors": Parish(1500, 0.0, 0.05, 0.05),
    "of dates only": Parish(900, 0.0, 0.0, 0.08),
}
FAMILIES = {
    "a third are families": Parish(1500, 0.35, 0.08, 0.05),
    "families everywhere": Parish(700, 1.0, 0.05, 0.04),
    "families everywhere, no errors": Parish(700, 1.0, 0.0, 0.0),
}


@pytest.mark.parametrize("parish", ALONE.values(), ids=ALONE)
def test_the_rates_of_errors_are_found_without_labels(judge: Judge, parish: Parish) -> None:
    found = learnt(parish, judge)
    assert found.wrong_given == pytest.approx(parish.wrong_given, rel=0.3, abs=0.005)
    assert found.wrong_birth == pytest.approx(parish.wrong_birth, rel=0.3)


@pytest.mark.parametrize("parish", FAMILIES.values(), ids=FAMILIES)
def test_families_are_not_taken_for_errors(judge: Judge, parish: Parish) -> None:
    found = learnt(parish, judge)
    assert found.wrong_given <= 1.3 * parish.wrong_given + 0.005
    assert found.wrong_birth <= 1.3 * parish.wrong_birth + 0.005


def test_the_share_of_pairs_that_are_two_people_is_found(judge: Judge) -> None:
    parish = Parish(1500, 0.35, 0.08, 0.05)
    records = parish.records(SEED)
    homes: dict[str, list[str]] = {}
    for who, said in records:
        homes.setdefault(said["addresses"][0], []).append(who)
    pairs = [left == right for people in homes.values() for left, right in combinations(people, 2)]
    home = learnt(parish, judge).homes[-1]
    assert home.pairs == len(pairs)
    assert home.households + home.strangers == pytest.approx(1 - sum(pairs) / len(pairs), abs=0.02)


APART = {
    "twins": (Given.CLASH, Births.SAME),
    "another given name and no birth date": (Given.CLASH, Births.UNKNOWN),
    "siblings": (Given.CLASH, Births.DIFFERENT),
    "mother and daughter": (Given.CLASH, Births.GENERATION),
    "no given name and another birth date": (Given.UNKNOWN, Births.DIFFERENT),
}


@pytest.mark.parametrize(("given", "births"), APART.values(), ids=APART)
@pytest.mark.parametrize("errors", [0.0, 0.01, 0.03], ids=lambda share: f"{share:.0%} wrong")
def test_where_families_live_together_nothing_becomes_looser(
    judge: Judge, errors: float, given: Given, births: Births
) -> None:
    found = learnt(Parish(700, 0.6, errors, errors), judge)
    assert verdict(given, births, found) != MATCH
    assert verdict(given, births, found, Place.AREA) != MATCH


WRONG = {
    "another given name": (Given.CLASH, Births.SAME),
    "another birth date": (Given.EQUAL, Births.DIFFERENT),
    "a birth date a generation apart": (Given.EQUAL, Births.GENERATION),
    "another given name and no birth date": (Given.CLASH, Births.UNKNOWN),
    "no given name and another birth date": (Given.UNKNOWN, Births.DIFFERENT),
}


@pytest.mark.parametrize(("given", "births"), WRONG.values(), ids=WRONG)
def test_where_nobody_lives_together_a_wrong_value_is_taken_for_one(judge: Judge, given: Given, births: Births) -> None:
    found = learnt(Parish(1500, 0.0, 0.1, 0.06), judge)
    assert verdict(given, births, found) == MATCH


def test_who_states_a_contact_is_judged_as_before(judge: Judge) -> None:
    found = learnt(Parish(1500, 0.0, 0.1, 0.06), judge)
    names = Names(Given.CLASH, Family.EQUAL, clash=True)
    said = (names, Births.SAME, Place.HOME, Mail.UNLIKE, False, 0, Nationals.UNKNOWN, 0, 0, False, False, False)
    assert weigh(Agreement(*said, contactless=False), JOIN, found) == weigh(Agreement(*said, contactless=False), JOIN)


def test_what_agrees_more_is_never_less_likely(judge: Judge) -> None:
    for parish in (*ALONE.values(), *FAMILIES.values()):
        found = learnt(parish, judge)
        for births in (Births.SAME, Births.UNKNOWN):
            odds = [found.odds(Cell(Place.HOME, given, births, True)) for given in (Given.CLASH, *list(Given)[4:])]
            assert odds == sorted(odds)
        for given in (Given.EQUAL, Given.UNKNOWN):
            levels = (Births.DIFFERENT, Births.UNKNOWN, Births.NEAR, Births.SAME)
            odds = [found.odds(Cell(Place.HOME, given, births, True)) for births in levels]
            assert odds == sorted(odds)


def test_too_few_pairs_teach_nothing() -> None:
    telling = Cell(Place.HOME, Given.EQUAL, Births.SAME, True)
    dateless = Cell(Place.HOME, Given.EQUAL, Births.UNKNOWN, True)
    elsewhere = Cell(Place.AREA, Given.EQUAL, Births.SAME, True)
    assert learn({telling: FEWEST - 1, dateless: 10_000, elsewhere: 10_000}) is None
    assert learn({telling: FEWEST}) is not None


def test_the_same_counts_teach_the_same(judge: Judge) -> None:
    counts = cells(Parish(400, 0.3, 0.05, 0.05), judge)
    assert learn(counts) == learn(dict(reversed(list(counts.items()))))


def test_what_is_written_is_read_again(judge: Judge) -> None:
    found = learnt(Parish(400, 0.3, 0.05, 0.05), judge)
    assert read(written(found)) == found


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"given": 1}'])
def test_what_cannot_be_read_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(CalibrationError, match="calibrate --write"):
        read(text)
