"""What a key is, learnt from who holds it."""

from __future__ import annotations

from itertools import permutations

import pytest

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.means import Means
from hub.identity.evidence.standing import standing
from hub.identity.evidence.verdict import Standing
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from mappings.rulebook import Rulebook

STRANGERS = """Anna Adler, Bernd Brandt, Carla Conrad, Dieter Dorn, Emma Ebert, Friedrich Falk, Gudrun Gruber,
Heinrich Hartmann, Ingrid Iffland, Jakob Jansen, Karin Kranz, Ludwig Lorenz, Mona Mohr, Norbert Nagel, Olga Ott,
Paul Pfeiffer, Quirin Quast, Rosa Richter, Simon Seidel, Tanja Thoma, Ulrich Uhl, Vera Vogt, Walter Weber, Xaver Zimmer,
Yvonne Yilmaz, Zacharias Bruckner"""  # people whose names have nothing in common


@pytest.fixture
def judge(rulebook: Rulebook) -> Judge:
    return Judge(rulebook.identity, Forms(rulebook.identity, "DE"))


def portraits(judge: Judge, said: list[str]) -> list[Portrait]:
    """Of texts as `Anna Vogt 1980-05-05`; a dash for a part that is missing."""
    found = []
    for number, text in enumerate(said):
        given, family, birth, *_ = (*(None if part == "-" else part for part in text.split()), None, None, None)
        record = (given, family, None, birth, None)
        found.append(portrait_of(Said("PERSON", "crm", str(number), [record], [], []), judge.forms))
    return found


@pytest.mark.parametrize(
    ("holders", "expected"),
    [
        pytest.param(["Anna Vogt"], Standing.PERSONAL, id="one"),
        pytest.param(["Anna Vogt"] * 30, Standing.PERSONAL, id="one person, many profiles"),
        pytest.param(["Anna Vogt", "- -", "- Vogt"], Standing.PERSONAL, id="some do not say"),
        pytest.param(["Robert Holm", "Bob Holm", "R. Holm"], Standing.PERSONAL, id="nickname and initial"),
        pytest.param(["Anna Vogt", "Anna Holm"], Standing.PERSONAL, id="married"),
        pytest.param(["Margarez Vogt", "Peggy Vogt", "Margaret Vogt"], Standing.PERSONAL, id="one who is plainly both"),
        pytest.param(
            ["Margarez Vogt", "Holm Peggy", "Margaret Vogt", "Margaret Holm"], Standing.PERSONAL, id="a chain"
        ),
        pytest.param(["Christian Vogt", "Chris Vogt", "Christina Vogt"], Standing.HOUSEHOLD, id="a nickname of two"),
        pytest.param(["Anna Vogt", "A. Vogt", "Arno Vogt"], Standing.HOUSEHOLD, id="an initial of two"),
        pytest.param(["Anna Vogt", "Peter Vogt"], Standing.HOUSEHOLD, id="a couple"),
        pytest.param(["Karl Vogt 1950-02-03", "Karl Vogt 1981-06-07"], Standing.HOUSEHOLD, id="father and son"),
        pytest.param(["Anna Vogt-Holm", "Peter Vogt", "Ida Holm"], Standing.HOUSEHOLD, id="by a double name"),
        pytest.param(["Anna Vogt", "Peter Vogt", "- -"], Standing.HOUSEHOLD, id="a couple and somebody"),
        pytest.param(["Anna Vogt", "Peter Holm"], Standing.COMPANY, id="two families"),
        pytest.param(["Anna Vogt", "Peter Holm", "Ida Kranz", "Otto Lehmann"], Standing.COMPANY, id="colleagues"),
    ],
)
def test_who_holds_it_says_what_it_is(judge: Judge, holders: list[str], expected: Standing) -> None:
    found = portraits(judge, holders)
    orders = [found, found[::-1]] if len(found) > 4 else list(permutations(found))
    assert {standing(Means.PHONE, order, judge) for order in orders} == {expected}


def test_two_at_one_email_live_together(judge: Judge) -> None:
    two, three = ["Anna Vogt", "Peter Holm"], ["Anna Vogt", "Peter Holm", "Ida Kranz"]
    assert standing(Means.EMAIL, portraits(judge, two), judge) is Standing.HOUSEHOLD
    assert standing(Means.EMAIL, portraits(judge, three), judge) is Standing.COMPANY


def strangers(number: int) -> list[str]:
    return STRANGERS.split(",")[:number]


def test_so_many_people_make_it_junk(judge: Judge) -> None:
    limit = judge.shared_limit
    assert standing(Means.EMAIL, portraits(judge, strangers(limit + 1)), judge) is Standing.JUNK
    assert standing(Means.EMAIL, portraits(judge, strangers(limit)), judge) is Standing.COMPANY


def test_profiles_of_the_same_people_do_not_make_it_junk(judge: Judge) -> None:
    holders = portraits(judge, ["Anna Vogt", "Peter Vogt"] * 3 * judge.shared_limit)
    assert standing(Means.PHONE, holders, judge) is Standing.HOUSEHOLD


def test_an_inbox_is_a_company_s_whoever_reads_it(judge: Judge) -> None:
    assert standing(Means.INBOX, portraits(judge, ["Anna Vogt"]), judge) is Standing.COMPANY
    assert standing(Means.INBOX, portraits(judge, ["Anna Vogt", "Peter Vogt"]), judge) is Standing.COMPANY


def test_a_weak_key_is_nobody_s(judge: Judge) -> None:
    assert standing(Means.NAME_PLACE, portraits(judge, ["Anna Vogt", "Peter Holm"]), judge) is Standing.PERSONAL
