"""The region. In: profiles to be resolved. Out: every profile whose customer may change by them, with a verdict on
each pair that shares a key.

It grows from the given profiles along what joins: matches, judgements of stewards, the last assignment. So its size
is that of the components touched, not of the store.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.verdict import MATCH, Profile, Verdict
from hub.identity.holders import active_holders
from hub.identity.normalise.portrait import Portrait
from hub.identity.pairs import Pair, Pairs
from hub.identity.stored import pictured, unpacked
from hub.store.plain import rows

_PROFILES = """
    SELECT l.profile_no, l.source, l.stream, l.key, l.customer_no, l.previous_no, p.said, p.keys
    FROM LISTED CROSS JOIN profile_ledger l LEFT JOIN portrait p ON p.profile_no = l.profile_no
    WHERE l.profile_no = a.value
"""
_TOGETHER = "SELECT l.profile_no FROM LISTED CROSS JOIN profile_ledger l WHERE l.customer_no = a.value"
_JUDGED = """
    SELECT j.judgement_no, j.left_profile_no, j.right_profile_no, j.verdict, j.reason
    FROM LISTED CROSS JOIN judgement j WHERE j.{side}_profile_no = a.value AND j.withdrawn_at IS NULL
"""
_STEWARDS = f"{_JUDGED.format(side='left')} UNION {_JUDGED.format(side='right')} ORDER BY 1"

_SILENT = Portrait("", ("", ""))


@dataclass(frozen=True, slots=True)
class Steward:
    """What a steward decided about a pair: the newest that is not withdrawn."""

    verdict: str
    reason: str


@dataclass(slots=True)
class Region:
    """Profiles looked at. `inside` are those to be resolved, the others only say what a key is worth."""

    profiles: dict[int, Profile] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    verdicts: dict[Pair, Verdict] = field(default_factory=dict)
    stewards: dict[Pair, Steward] = field(default_factory=dict)


def pair(left: int, right: int) -> Pair:
    """The pair with the smaller number first."""
    return (left, right) if left < right else (right, left)


def gather(connection: Connection, seeds: Iterable[int], judge: Judge) -> Region:
    """The region around the seeds, complete: no profile outside is joined to one inside."""
    return _Growth(connection, judge).grow(set(seeds))


class _Growth:
    """A region while it grows, wave by wave; what a wave needs is read at once."""

    def __init__(self, connection: Connection, judge: Judge) -> None:
        self._connection = connection
        self._judge = judge
        self._region = Region()
        self._keys: dict[int, array[int]] = {}
        self._holders: dict[int, list[int]] = defaultdict(list)  # of the active keys that at least two hold
        self._owners: dict[int, list[int]] = defaultdict(list)
        self._asked: set[int] = set()
        self._customers: set[int] = set()

    def grow(self, seeds: set[int]) -> Region:
        """Takes in the seeds, then whom they lead to, until they lead to nobody new."""
        region, frontier = self._region, seeds
        while frontier:
            self._load(frontier - region.profiles.keys())
            self._find_holders(frontier)
            partners = self._judge_pairs(frontier) | self._last_together(frontier) | self._stewards(frontier)
            region.inside |= frontier
            frontier = partners - region.inside
        return region

    def _load(self, numbers: Collection[int]) -> None:
        """Reads what these profiles say; one without a record says nothing."""
        if not numbers:
            return
        for number, source, stream, key, customer_no, previous_no, said, keys in rows(
            self._connection, _PROFILES, sorted(numbers)
        ):
            portrait = _SILENT if said is None else pictured(said)
            place = (source, stream, key)
            self._region.profiles[number] = Profile(number, place, portrait, customer_no, previous_no)
            if keys:
                self._keys[number] = unpacked(keys)

    def _find_holders(self, frontier: Collection[int]) -> None:
        """Reads who holds the frontier's keys, and what they say."""
        asked = {key for number in frontier for key in self._keys.get(number, ())} - self._asked
        self._asked |= asked
        wanted = set()
        for key, number, own in active_holders(self._connection, asked):
            self._holders[key].append(number)
            wanted.add(number)
            if own:
                self._owners[key].append(number)
        self._load(wanted - self._region.profiles.keys())

    def _judge_pairs(self, frontier: set[int]) -> set[int]:
        """Judges every pair of which one is in the frontier; returns whom it matches."""
        region, judge = self._region, self._judge.judge
        pairs = Pairs(region.profiles, self._judge)
        keys = {key for number in frontier for key in self._keys.get(number, ())}
        for key in sorted(keys & self._holders.keys()):
            pairs.add(key, self._holders[key], self._owners.get(key, ()), frontier, region.inside)
        partners: set[int] = set()
        for (left, right), shared in pairs.shared.items():
            verdict = judge(region.profiles[left], region.profiles[right], shared)
            if verdict is not None:
                region.verdicts[left, right] = verdict
                if verdict.verdict == MATCH:
                    partners |= {left, right}
        return partners

    def _last_together(self, frontier: Iterable[int]) -> set[int]:
        """All who were last assigned to a customer of the frontier."""
        profiles = self._region.profiles
        last = {number for n in frontier if (number := profiles[n].customer_no) is not None} - self._customers
        self._customers |= last
        return {number for (number,) in rows(self._connection, _TOGETHER, sorted(last))} if last else set()

    def _stewards(self, frontier: Collection[int]) -> set[int]:
        """Reads what stewards decided about the frontier; returns those whom they judged with it."""
        numbers = sorted(frontier)
        found = set()
        for _, left, right, verdict, reason in rows(self._connection, _STEWARDS, numbers, numbers):
            self._region.stewards[pair(left, right)] = Steward(verdict, reason)
            found |= {left, right}
        return found
