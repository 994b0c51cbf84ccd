"""How good the partition is by labels: counts, what a score means, what another threshold would make. Read only."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import insert, select

from hub.identity.steward.evaluate import Evaluation, evaluate, with_judgements
from hub.identity.steward.labels import Counts, Labels, PairLabels, PersonLabels
from hub.store.derived import link
from hub.store.engine import Store
from hub.store.kept import judgement, profile_ledger

NOW = 900_000
# profile to customer: 8 and 9 are nobody yet
OWNED = {1: 10, 2: 10, 3: 10, 4: 40, 5: 50, 6: 60, 7: 60, 8: None, 9: None}
LINKS = [
    (1, 2, "MATCH", 990_000),
    (2, 3, "MATCH", 920_000),
    (3, 4, "UNSURE", 800_000),  # not sure enough
    (4, 5, "UNSURE", 950_000),  # a match that was refused
    (5, 6, "NO_MATCH", 10_000),
]


@dataclass(frozen=True)
class Estate:
    """A store, and how it is evaluated."""

    store: Store

    def evaluate(self, labels: Labels) -> Evaluation:
        with self.store.read() as connection:
            return evaluate(connection, labels, NOW)

    def f1s(self, labels: Labels) -> dict[int, float]:
        found = self.evaluate(labels).trials
        assert [trial.threshold for trial in found] == sorted(trial.threshold for trial in found)
        return {trial.threshold: round(trial.counts.f1 or 0, 4) for trial in found}


@pytest.fixture
def estate(store: Store) -> Estate:
    """Nine profiles: customers of three, two, one, one, and two who are nobody."""
    own = {"source": "crm", "stream": "contacts", "pending": False}
    pair = ("left_profile_no", "right_profile_no", "verdict")
    with store.write() as connection:
        connection.execute(
            insert(profile_ledger),
            [{"profile_no": n, "key": str(n), "customer_no": c, **own} for n, c in OWNED.items()],
        )
        said = {"rule": "email_and_name", "reasons": '["same e-mail"]', "at": 0, "review": False}
        rows = [dict(zip(pair, row, strict=False)) | {"score": row[3]} | said for row in LINKS]
        connection.execute(insert(link), rows)
        by = {"reason": "phoned", "decided_by": "steward", "at": 0}
        connection.execute(insert(judgement), [dict(zip(pair, (6, 7, "MATCH"), strict=True)) | by])
    return Estate(store)


PAIRS = PairLabels({
    (1, 2): True, (1, 3): False, (2, 3): False,  # 3 does not belong there
    (3, 4): True, (4, 5): False, (5, 6): False,
    (6, 7): True, (8, 9): True, (1, 9): False,
})  # fmt: skip
PEOPLE = PersonLabels({1: 0, 2: 0, 3: 1, 4: 1, 5: 2, 6: 3, 7: 3, 8: 4, 9: 4})


def test_every_labelled_pair_counts_also_one_that_shares_nothing(estate: Estate) -> None:
    found = estate.evaluate(PAIRS)
    assert found.counts == Counts(joined=2, wrongly=2, missed=2, apart=3)
    assert (found.counts.precision, found.counts.recall, found.counts.f1) == (0.5, 0.5, 0.5)
    assert found.unseen == 1, "8 and 9: about 3 and 4 the hub has a judgement"
    assert found.pending == 0


def test_people_are_labelled_pair_by_pair(estate: Estate) -> None:
    found = estate.evaluate(PEOPLE)
    assert found.counts == Counts(joined=2, wrongly=2, missed=2, apart=30)
    assert found.unseen == 1


def test_a_score_is_held_beside_what_was_so(estate: Estate) -> None:
    bins = {b.least: (b.pairs, round(b.said, 3), b.found) for b in estate.evaluate(PAIRS).bins}
    assert bins == {
        0: (1, 0.01, 0.0),
        800_000: (1, 0.8, 1.0),
        900_000: (1, 0.92, 0.0),
        950_000: (1, 0.95, 0.0),
        990_000: (1, 0.99, 1.0),
    }


@pytest.mark.parametrize("labels", [PAIRS, PEOPLE], ids=["pairs", "people"])
def test_the_threshold_of_today_makes_the_partition_of_today(estate: Estate, labels: Labels) -> None:
    found = estate.evaluate(labels)
    assert {trial.threshold: trial.counts for trial in found.trials}[NOW] == found.counts


def test_a_higher_threshold_lets_weak_matches_go_and_a_lower_one_joins_what_was_unsure(estate: Estate) -> None:
    f1s = estate.f1s(PAIRS)
    assert f1s[930_000] == 0.6667, "without 3: precision 1, recall .5"
    assert f1s[995_000] == 0.4, "what a steward joined stays"
    assert f1s[800_000] == 0.6667, "3 and 4 come together"
    assert f1s[500_000] == 0.6667, "what was refused stays refused"


def test_the_best_threshold_is_suggested_the_highest_of_equals(estate: Estate) -> None:
    assert estate.evaluate(PAIRS).suggested == 990_000


def test_today_s_threshold_stays_where_none_is_better(estate: Estate) -> None:
    assert estate.evaluate(PairLabels({(1, 2): True, (2, 3): True, (5, 6): False})).suggested == NOW


def test_wrong_pairs_come_with_the_hub_s_own_judgement(estate: Estate) -> None:
    found = estate.evaluate(PAIRS)
    with estate.store.read() as connection:
        joined = with_judgements(connection, list(found.labels.wrong(found.groups, False)), False)
        missed = with_judgements(connection, list(found.labels.wrong(found.groups, True)), True)
    assert [(w.left, w.right, w.verdict, w.score) for w in joined] == [(1, 3, None, None), (2, 3, "MATCH", 920_000)]
    assert [(w.left, w.right, w.verdict, w.rule) for w in missed] == [
        (3, 4, "UNSURE", "email_and_name"),
        (8, 9, None, None),
    ]


def test_evaluating_changes_nothing(estate: Estate) -> None:
    def everything() -> list[list[tuple[object, ...]]]:
        with estate.store.read() as connection:
            return [[tuple(row) for row in connection.execute(select(t))] for t in (profile_ledger, link, judgement)]

    before = everything()
    estate.evaluate(PEOPLE)
    assert everything() == before
