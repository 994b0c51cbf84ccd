"""Who is the same person: tables of families, colleagues and namesakes as they occur, and what a judgement says."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.means import Means
from hub.identity.evidence.verdict import MATCH, NO_MATCH, UNSURE, Profile, Shared, Standing
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from mappings.rulebook import Rulebook
from tests.bench.identity_memory import partition

Person = dict[str, Any]


@pytest.fixture(scope="module")
def judge(rulebook: Rulebook) -> Judge:
    return Judge(rulebook.identity, Forms(rulebook.identity, "DE"))


_NUMBERS = count(1)


def portrait(said: Person, judge: Judge) -> Portrait:
    """What one record says: given, family, name, birth, country, emails, phones, devices, address, ids, source."""
    name = said.get("name") or " ".join(filter(None, (said.get("given"), said.get("family")))) or None
    record = (said.get("given"), said.get("family"), name, said.get("birth"), said.get("country"))
    contacts = [("EMAIL", value) for value in said.get("emails", ())]
    contacts += [("PHONE", value) for value in said.get("phones", ())]
    contacts += [("DEVICE", value) for value in said.get("devices", ())]
    contacts += [("ADDRESS", said["address"])] if "address" in said else []
    ids = tuple(said.get("ids", {}).items())
    source, key = said.get("source", "crm"), said.get("key", f"r{next(_NUMBERS)}")
    return portrait_of(Said("PERSON", source, key, [record], contacts, ids), judge.forms)


def groups(people: list[Person], judge: Judge) -> list[list[int]]:
    return sorted(partition([portrait(p, judge) for p in people], judge).clusters.groups)


def one(given: str, family: str = "Vogt", **more: Any) -> Person:
    return {"given": given, "family": family} | more


MAIL, PHONE = {"emails": ["vogt@mail.example"]}, {"phones": ["+493023125007"]}
HOME = {"address": "hauptstr. 12, 10115, berlin, de"}
ELSEWHERE = {"address": "lindenweg 3, 80331, münchen, de"}
OWN = {"emails": ["anna.vogt@mail.example"]}
WORK = {"emails": ["info@acme-werke.example"], "phones": ["+493012345001"]}

# Records, and who is whom by their places.
PEOPLE: dict[str, tuple[list[Person], list[list[int]]]] = {
    "spouses share e-mail, phone and house": (
        [one("Anna") | MAIL | PHONE | HOME, one("Peter") | MAIL | PHONE | HOME], [[0], [1]]),
    "spouses, each twice": (
        [one("Anna") | MAIL | HOME, one("Peter") | MAIL | HOME, one("Anna") | MAIL, one("Peter") | MAIL | PHONE],
        [[0, 2], [1, 3]]),
    "spouses of one house and no contact": ([one("Anna") | HOME, one("Peter") | HOME], [[0], [1]]),
    "sisters with names alike": ([one("Julia") | PHONE | HOME, one("Juliane") | PHONE | HOME], [[0], [1]]),
    "brother and sister": ([one("Paul") | PHONE, one("Paula") | PHONE], [[0], [1]]),
    "Tim and Tom": ([one("Tim") | PHONE | HOME, one("Tom") | PHONE | HOME], [[0], [1]]),
    "Jan and Jana": ([one("Jan") | PHONE | HOME, one("Jana") | PHONE | HOME], [[0], [1]]),
    "twins": (
        [one("Paul", birth="2001-05-04") | PHONE | HOME, one("Emma", birth="2001-05-04") | PHONE | HOME], [[0], [1]]),
    "twins by phone, one of them by an initial": (
        [one("Paul", birth="2001-05-04") | PHONE, one("Emma", birth="2001-05-04") | PHONE,
         one("E.", birth="2001-05-04") | PHONE], [[0], [1, 2]]),
    "father and son of one name": (
        [one("Hans", birth="1950-04-01") | PHONE | HOME, one("Hans", birth="1980-09-17") | PHONE | HOME], [[0], [1]]),
    "father and son, jr.": (
        [{"name": "Hans Vogt sen."} | PHONE | HOME, {"name": "Hans Vogt jun."} | PHONE | HOME], [[0], [1]]),
    "mother and daughter at one mailbox": (
        [one("Anna", birth="1960-01-20") | MAIL, one("Lena", birth="1990-07-09") | MAIL], [[0], [1]]),
    "colleagues at an inbox and a switchboard": (
        [one("Anna") | WORK, one("Jan", "Holm") | WORK, one("Anna") | WORK], [[0, 2], [1]]),
    "colleagues of one family name": (
        [one("Anna") | WORK, one("Anton") | WORK, one("A.") | WORK], [[0], [1], [2]]),
    "flat mates": ([one("Anna") | HOME | PHONE, one("Lea", "Holm") | HOME | PHONE], [[0], [1]]),
    "married name, same own e-mail": ([one("Anna") | OWN, one("Anna", "Holm") | OWN], [[0, 1]]),
    "married name and moved, same birth date and e-mail": (
        [one("Anna", birth="1980-02-03") | OWN | HOME, one("Anna", "Holm", birth="1980-02-03") | OWN | ELSEWHERE],
        [[0, 1]]),
    "married name, same birth date and house": (
        [one("Anna", birth="1980-02-03") | HOME | {"emails": ["a1@mail.example"]},
         one("Anna", "Holm", birth="1980-02-03") | HOME], [[0, 1]]),
    "one person with two jobs": (
        [one("Anna", emails=["anna.vogt@acme-werke.example"], phones=["+4915186420975"]),
         one("Anna", emails=["a.vogt@holm-bau.example"], phones=["+4915186420975"])], [[0, 1]]),
    "same name alone": ([one("Anna"), one("Anna")], [[0], [1]]),
    "rare name alone": ([one("Kunigunde", "Zwirnhuber"), one("Kunigunde", "Zwirnhuber")], [[0], [1]]),
    "name and house": ([one("Anna") | HOME, one("Anna") | HOME | PHONE], [[0, 1]]),
    "name and house, street misspelled": (
        [one("Anna") | HOME | PHONE, one("Anna", address="hauptstrase 12, 10115, berlin, de") | MAIL], [[0, 1]]),
    "rare name, another house of the postcode": (
        [one("Kunigunde", "Zwirnhuber", address="am ring 1, 10115, berlin") | PHONE,
         one("Kunigunde", "Zwirnhuber", address="seeweg 4, 10115, berlin")], [[0, 1]]),
    "name and birth date": (
        [one("Anna", birth="1980-02-03") | PHONE, one("Anna", birth="1980-02-03") | MAIL], [[0, 1]]),
    "nickname and birth date": (
        [one("Robert", birth="1980-02-03") | PHONE, one("Bob", birth="1980-02-03") | MAIL], [[0, 1]]),
    "swapped given and family name, same birth date": (
        [one("Friedrich", "Zwirnhuber", birth="1980-02-03"), one("Zwirnhuber", "Friedrich", birth="1980-02-03")],
        [[0, 1]]),
    "e-mail with a slip": (
        [one("Katharina", emails=["katharina.vogt@mail.example"]),
         one("Katharina", emails=["kathrina.vogt@mail.example"])], [[0, 1]]),
    "e-mails of namesakes": (
        [one("Anna", emails=["anna.vogt1@mail.example"]), one("Anna", emails=["anna.vogt2@mail.example"])],
        [[0], [1]]),
    "namesakes whom their employer numbers": (
        [one("Anna", emails=["anna.vogt@acme-werke.example"], phones=["+493012345001"]),
         one("Anna", emails=["anna.vogt2@acme-werke.example"], phones=["+493012345001"])], [[0], [1]]),
    "who bears a parent's name second": (
        [one("Wendy") | HOME, one("Mary Wendy") | HOME], [[0], [1]]),
    "a spouse's initial second": ([one("Peter") | HOME, one("Eva P.") | HOME], [[0], [1]]),
    "father and son who share the first of two names": (
        [one("Hans Peter") | HOME, one("Hans Georg") | HOME], [[0], [1]]),
    "first name at a couple's e-mail": (
        [one("Anna") | MAIL, one("Peter", "Holm") | MAIL, {"given": "Anna"} | MAIL], [[0, 2], [1]]),
    "nameless visits on one device, one with an e-mail": (
        [{"devices": ["d1"]} | OWN, {"devices": ["d1"], "source": "web"}], [[0, 1]]),
    "nameless device of two e-mails": (
        [{"devices": ["d1"]} | OWN, {"devices": ["d1"]} | MAIL, {"devices": ["d1"], "source": "web"}],
        [[0], [1], [2]]),
    "namesakes in one town": (
        [one("Anna") | HOME | {"emails": ["anna@mail.example"]},
         one("Anna", address="lindenweg 3, 12203, berlin, de", emails=["a.vogt@post.example"])], [[0], [1]]),
    "nobody's name at an own mailbox": ([one("Anna") | OWN, OWN], [[0, 1]]),
    "visitor on the device of one person": (
        [one("Anna", devices=["d1"]) | OWN, {"devices": ["d1"], "source": "web"}], [[0, 1]]),
    "visitor on the device of two people": (
        [one("Anna", devices=["d1"]) | OWN, one("Peter", devices=["d1"]), {"devices": ["d1"], "source": "web"}],
        [[0], [1], [2]]),
    "same national id, names mistyped": (
        [one("Anna", ids={"ssn": "123456789"}), one("Ana", "Voigt", ids={"ssn": "123456789"})], [[0, 1]]),
    "namesakes with two national ids": (
        [one("Anna", ids={"ssn": "123456789"}) | PHONE, one("Anna", ids={"ssn": "555111222"}) | MAIL], [[0], [1]]),
    "customer number of a company on two of its people": (
        [one("Anna", ids={"erp": "7"}), one("Jan", "Holm", ids={"erp": "7"})], [[0], [1]]),
    "customer number on two records of a person": (
        [one("Anna", ids={"erp": "7"}), one("Anna", ids={"erp": "7"})], [[0, 1]]),
    "twins of one house and no contact": (
        [one("Anna", birth="1944-10-20") | HOME, one("Agathe", birth="1944-10-20") | HOME], [[0], [1]]),
    "father and son of one house and no contact": (
        [one("Hans", birth="1944-10-20") | HOME, one("Hans", birth="1971-03-02") | HOME], [[0], [1]]),
    "rare name at one door, another birth date of its generation": (
        [one("Kunigunde", "Zwirnhuber", birth="1944-10-20") | HOME,
         one("Kunigunde", "Zwirnhuber", birth="1951-03-02") | HOME], [[0, 1]]),
}  # fmt: skip


@pytest.mark.parametrize(("people", "expected"), PEOPLE.values(), ids=PEOPLE)
def test_people_are_found_as_a_careful_reader_would(
    judge: Judge, people: list[Person], expected: list[list[int]]
) -> None:
    assert groups(people, judge) == expected
    assert groups(people[::-1], judge) == sorted(sorted(len(people) - 1 - n for n in group) for group in expected)


EMAIL, HOUSEHOLD = Shared(Means.EMAIL, Standing.PERSONAL, 2), Shared(Means.EMAIL, Standing.HOUSEHOLD, 3)
RARE, NOTHING = Shared(Means.NAME, Standing.PERSONAL, 2), Shared(Means.NAME_PLACE, Standing.PERSONAL, 2)
SAID: dict[str, tuple[Person, Person, list[Shared], tuple[str, str] | None]] = {
    "e-mail and name": (one("Anna") | OWN, one("Anna") | OWN, [EMAIL], (MATCH, "email_and_name")),
    "e-mail alone": (one("Anna") | OWN, OWN, [EMAIL], (MATCH, "email")),
    "e-mail of a household, no name": (one("Anna") | OWN, OWN, [HOUSEHOLD], (UNSURE, "shared_contact")),
    "e-mail that is inactive": (one("Anna") | OWN, one("Anna") | OWN, [RARE], (UNSURE, "name")),
    "other given name": (one("Anna") | OWN, one("Eva") | OWN, [HOUSEHOLD], (NO_MATCH, "name_differs")),
    "other birth date": (
        one("Anna", birth="1980-02-03") | OWN, one("Anna", birth="1955-05-11") | OWN, [EMAIL],
        (NO_MATCH, "birth_date_differs")),
    "one carries the other's id": (
        one("Anna", key="1"), one("Desk", "Bookkeeping", ids={"crm": "1"}, source="billing"),
        [Shared(Means.ID, Standing.PERSONAL, 2)], (MATCH, "external_id")),
    "one carries the id of somebody else": (
        one("Anna", key="1", birth="1980-02-03"),
        one("Jan", "Holm", birth="1955-05-11", ids={"crm": "1"}, source="billing"),
        [Shared(Means.ID, Standing.PERSONAL, 2)], (NO_MATCH, "birth_date_differs")),
    "neighbours": (one("Anna") | HOME | OWN, one("Jan", "Holm") | HOME | PHONE, [NOTHING], None),
    "nothing alike after all": (one("Anna") | OWN, one("Anton", "Vogl") | PHONE, [NOTHING], None),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right", "shared", "expected"), SAID.values(), ids=SAID)
def test_verdict_and_rule_in_both_directions(
    judge: Judge, left: Person, right: Person, shared: list[Shared], expected: tuple[str, str] | None
) -> None:
    first, second = (
        Profile(n, ("crm", "contacts", str(n)), portrait(said, judge), None, None)
        for n, said in enumerate((left, right))
    )
    verdict = judge.judge(first, second, shared)
    assert verdict == judge.judge(second, first, list(reversed(shared)))
    assert (verdict and (verdict.verdict, verdict.rule)) == expected
    if verdict:
        assert (verdict.score >= judge.join) == (verdict.verdict == MATCH)
        assert verdict.reasons


REGISTER = {
    "given name": (one("Anna", birth="1944-10-20") | HOME, one("Agathe", birth="1944-10-20") | HOME),
    "birth date": (one("Hans", birth="1944-10-20") | HOME, one("Hans", birth="1971-03-02") | HOME),
}


@pytest.mark.parametrize(("left", "right"), REGISTER.values(), ids=REGISTER)
def test_somebody_is_asked_about_one_wrong_value(judge: Judge, left: Person, right: Person) -> None:
    people = [portrait(left, judge), portrait(right, judge)]
    (verdict,) = partition(people, judge).verdicts.values()
    assert verdict.verdict == UNSURE
    assert verdict.score >= judge.review


def test_more_agreement_is_never_a_lower_score(judge: Judge) -> None:
    base = one("Anna") | OWN
    steps = [OWN, base, base | {"birth": "1980-02-03"}]
    scores = []
    for said in steps:
        left = Profile(1, ("crm", "c", "1"), portrait(base | {"birth": "1980-02-03"}, judge), None, None)
        right = Profile(2, ("crm", "c", "2"), portrait(said, judge), None, None)
        verdict = judge.judge(left, right, [EMAIL])
        assert verdict
        scores.append(verdict.score)
    assert scores == sorted(scores)


CONTRADICT = {
    "other given names": (one("Anna"), one("Eva"), True),
    "nickname": (one("Robert"), one("Bob"), False),
    "married name": (one("Anna"), one("Anna", "Holm"), False),
    "birth dates a generation apart": (one("Hans", birth="1950-04-01"), one("Hans", birth="1980-04-01"), True),
    "birth date mistyped": (one("Hans", birth="1950-04-01"), one("Hans", birth="1950-04-07"), False),
    "no name": (one("Anna"), {}, False),
}


@pytest.mark.parametrize(("left", "right", "expected"), CONTRADICT.values(), ids=CONTRADICT)
def test_contradiction_in_both_directions(judge: Judge, left: Person, right: Person, expected: bool) -> None:
    first, second = portrait(left, judge), portrait(right, judge)
    assert judge.contradict(first, second) is judge.contradict(second, first) is expected
