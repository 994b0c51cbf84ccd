"""Learning from the store. In: a resolved store. Out: how its people's records agree at one home, what follows from
that, and which joins would change; and the row that keeps it.

Only people without any contact are looked at, for only of them is it followed. They are found by where they live, and
by nothing that tells whether they are one. Of a large store it is a part, chosen by the hashes of homes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import Connection, delete, insert, select

from hub.identity.evidence.agreement import Agreement
from hub.identity.evidence.calibration import HOMES, Calibration, Cell, cell_of, read, written
from hub.identity.evidence.judge import reachable
from hub.identity.evidence.learning import learn
from hub.identity.evidence.means import MEANS_BITS, Means, most
from hub.identity.evidence.persons import weigh
from hub.identity.evidence.verdict import MATCH
from hub.identity.normalise.portrait import Portrait
from hub.identity.pairs import ALL_PAIRS
from hub.identity.rules import CALIBRATION, Rules
from hub.identity.stored import pictured
from hub.store.kept import hub_meta
from hub.store.plain import rows
from mappings.rulebook import Rulebook

_PARTS = 64  # of the homes; looked at one after the other until that is enough
_ENOUGH = 200_000  # pairs
_END = 1 << 63
_HOMES = f"""
    SELECT key, profile_no FROM match_key
    WHERE key >= ? AND key < ? AND (key & {MEANS_BITS}) IN ({Means.ADDRESS.value}, {Means.PLACE.value})
    ORDER BY key, profile_no
"""  # noqa: S608  (numbers, all ours)
_PORTRAITS = "SELECT p.profile_no, p.said FROM LISTED CROSS JOIN portrait p WHERE p.profile_no = a.value"
_MOST = {means.value: min(most(means), ALL_PAIRS) for means in (Means.ADDRESS, Means.PLACE)}

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """Pairs of one home by how they agree, of people who state no contact."""

    agreements: Mapping[Agreement, int]

    @property
    def counts(self) -> dict[Cell, int]:
        """What is learnt from."""
        found: Counter[Cell] = Counter()
        for agreement, n in self.agreements.items():
            found[cell_of(agreement.names, agreement.births, agreement.place)] += n
        return dict(found)

    def joined(self, learnt: Calibration | None, join: int) -> int:
        """How many of these pairs would be a match, from a score of `join` on."""
        return sum(n for a, n in self.agreements.items() if weigh(a, join, learnt).verdict == MATCH)


def look(connection: Connection, rules: Rules) -> Seen:
    """How people without contacts agree who live at one home, or nearly; the same for the same store. Read only."""
    found: Counter[Agreement] = Counter()
    seen: set[Pair] = set()
    for part in range(_PARTS):
        first, last = part * (_END // _PARTS), (part + 1) * (_END // _PARTS) - 1
        pairs = set(_pairs(rows(connection, _HOMES, first, last))) - seen
        seen |= pairs
        people = _contactless(connection, sorted({number for pair in pairs for number in pair}))
        for left, right in pairs:
            if left in people and right in people:
                agreement = rules.judge.agreement(people[left], people[right], ())
                if agreement.place in HOMES:
                    found[agreement] += 1
        if found.total() >= _ENOUGH:
            break
    return Seen(found)


def calibrate(connection: Connection, rulebook: Rulebook) -> Calibration | None:
    """What the store's own records say of their errors; None where that is too little to learn from. Read only."""
    return learn(look(connection, Rules.of(rulebook, _kept(connection))).counts)


def kept(connection: Connection) -> Calibration | None:
    """What is followed now. Raises CalibrationError."""
    text = _kept(connection)
    return read(text) if text else None


def keep(connection: Connection, learnt: Calibration) -> None:
    """Keeps what was learnt: from the next run on it is followed, for which everybody is resolved again."""
    forget(connection)
    connection.execute(insert(hub_meta).values(name=CALIBRATION, value=written(learnt)))


def forget(connection: Connection) -> bool:
    """Back to what the rules say; whether anything was kept."""
    return connection.execute(delete(hub_meta).where(hub_meta.c.name == CALIBRATION)).rowcount > 0


def _kept(connection: Connection) -> str | None:
    return connection.scalar(select(hub_meta.c.value).where(hub_meta.c.name == CALIBRATION))


def _pairs(held: Collection[tuple[int, ...]]) -> Iterator[Pair]:
    """Every two of one home, where few enough live there."""
    homes: dict[int, list[int]] = defaultdict(list)
    for key, number in held:
        homes[key].append(number)
    for key, numbers in homes.items():
        if len(numbers) <= _MOST[key & MEANS_BITS]:
            yield from combinations(numbers, 2)


def _contactless(connection: Connection, numbers: list[int]) -> dict[int, Portrait]:
    """Those of them who are people and state no contact."""
    people = ((number, pictured(said)) for number, said in rows(connection, _PORTRAITS, numbers))
    return {number: p for number, p in people if p.kind == "PERSON" and not reachable(p)}
