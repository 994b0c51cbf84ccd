"""Ids and their history. In: components of profiles with their last assignment. Out: each profile's customer; the
ledgers, redirects and the identity log say how it came about.
"""

from __future__ import annotations

import base64
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.identity.assign import Known, former_ids, kept_ids, successors
from hub.identity.evidence.verdict import MATCH, Profile
from hub.identity.region import Region
from hub.store.bulk import insert_rows, update_rows
from hub.store.kept import customer_ledger, identity_log, profile_ledger
from hub.store.listing import json_list
from hub.store.plain import rows

Component = Sequence[Profile]

_KNOWN = """
    SELECT c.customer_no, c.public_id, c.kind, c.merged_into
    FROM LISTED CROSS JOIN customer_ledger c WHERE c.customer_no = a.value
"""
_HELD = "SELECT DISTINCT l.customer_no FROM LISTED CROSS JOIN profile_ledger l WHERE l.customer_no = a.value"
_MINTED = "SELECT c.customer_no, c.public_id FROM LISTED CROSS JOIN customer_ledger c WHERE c.public_id = a.value"
_OLDER = "SELECT c.customer_no, c.merged_into FROM LISTED CROSS JOIN customer_ledger c WHERE c.merged_into = a.value"


@dataclass(frozen=True, slots=True)
class Settled:
    """`customer_of` holds each profile inside the region; the counts are of ids."""

    customer_of: dict[int, int | None]
    minted: int
    merged: int
    split: int


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened to several ids at once; each of them gets a row in the log."""

    event: str
    customers: frozenset[int]
    reason: str


def settle(
    connection: Connection, region: Region, components: Sequence[Component], sources: Sequence[str], as_of: int
) -> Settled:
    """Gives each component its id and writes profile_ledger, customer_ledger and identity_log."""
    known = _known(connection, [region.profiles[number] for number in region.inside])
    kept = kept_ids(components, known)
    revived = _vacant(connection, components, former_ids(components, kept), known)
    unnamed = [at for at in range(len(components)) if at not in kept and at not in revived]
    minted = dict(zip(unnamed, _mint(connection, [components[at][0].kind for at in unnamed], as_of), strict=True))
    number_of = kept | revived | {at: number for at, (number, _) in minted.items()}
    customer_of: dict[int, int | None] = dict.fromkeys(region.inside)
    customer_of |= {p.number: number_of[at] for at, profiles in enumerate(components) for p in profiles}
    last = _became(region, customer_of)
    redirects = successors(last, set(number_of.values()))
    _redirect(connection, redirects, revived.values())
    _assign(connection, region, customer_of)
    splits = _splits(region, last)
    events = [
        *_mintings(components, {at: n for at, (n, _) in minted.items()}, last, sources),
        *_merges(region, redirects),
        *splits,
        *_returns(revived, known),
        *_retirements(redirects),
    ]
    public = {n: k.public_id for n, k in known.items()} | dict(minted.values())
    _log(connection, events, public, as_of)
    merged = sum(to is not None for to in redirects.values())
    return Settled(customer_of, len(minted), merged, len(splits))


def _known(connection: Connection, profiles: Iterable[Profile]) -> dict[int, Known]:
    """The ids that these profiles have, or had before."""
    numbers = {n for p in profiles for n in (p.customer_no, p.previous_no) if n is not None}
    return _ledger(connection, numbers)


def _ledger(connection: Connection, numbers: Collection[int]) -> dict[int, Known]:
    found = rows(connection, _KNOWN, sorted(numbers)) if numbers else ()
    return {number: Known(public_id, kind, into) for number, public_id, kind, into in found}


def _vacant(
    connection: Connection, components: Sequence[Component], former: Mapping[int, int], known: Mapping[int, Known]
) -> dict[int, int]:
    """Of the former ids those that nobody holds and that are of the component's kind: they live again."""
    if not former:
        return {}
    held = {number for (number,) in rows(connection, _HELD, sorted(set(former.values())))}
    return {
        at: number
        for at, number in former.items()
        if number not in held and number in known and known[number].kind == components[at][0].kind
    }


def public_id() -> str:
    """A new opaque id: cus_ and 100 random bits."""
    return "cus_" + base64.b32encode(secrets.token_bytes(13)).decode()[:20].lower()


def _mint(connection: Connection, kinds: Sequence[str], as_of: int) -> list[tuple[int, str]]:
    """New ids of these kinds, in this order: (customer_no, public id)."""
    if not kinds:
        return []
    ids = [public_id() for _ in kinds]
    new = [(public, kind, as_of) for public, kind in zip(ids, kinds, strict=True)]
    insert_rows(connection, customer_ledger, ("public_id", "kind", "minted_at"), new)
    number = {public: customer_no for customer_no, public in rows(connection, _MINTED, ids, kind="TEXT")}
    return [(number[public], public) for public in ids]


def _became(region: Region, customer_of: Mapping[int, int | None]) -> dict[int, list[int | None]]:
    """Each last assignment to what its profiles are now."""
    last: dict[int, list[int | None]] = defaultdict(list)
    for number in sorted(region.inside):
        former = region.profiles[number].customer_no
        if former is not None:
            last[former].append(customer_of[number])
    return last


def _redirect(connection: Connection, redirects: Mapping[int, int | None], revived: Collection[int]) -> None:
    """Points ids that nobody holds at their successors, and all that pointed at them, so that chains stay flat."""
    new: list[tuple[int, int | None]] = [(n, to) for n, to in sorted(redirects.items()) if to is not None]
    if new:
        older = rows(connection, _OLDER, [n for n, _ in new])
        new += [(number, redirects[into]) for number, into in older if number not in revived]
    new += [(number, None) for number in revived]
    update_rows(connection, customer_ledger, "customer_no", ("merged_into",), new)


def _assign(connection: Connection, region: Region, customer_of: Mapping[int, int | None]) -> None:
    """Writes the last assignment, and keeps the one before where it changes."""
    new = []
    for number, customer_no in customer_of.items():
        former = region.profiles[number].customer_no
        if former != customer_no:
            previous = former if former is not None else region.profiles[number].previous_no
            new.append((number, customer_no, previous))
    update_rows(connection, profile_ledger, "profile_no", ("customer_no", "previous_no"), new)


def _mintings(
    components: Sequence[Component], minted: Mapping[int, int], last: Mapping[int, Sequence[int | None]],
    sources: Sequence[str],
) -> list[_Event]:  # fmt: skip
    """New ids. One that a split left without is told by the split."""
    split_off = {n for became in last.values() for n in became}
    events = []
    for at, number in minted.items():
        if number not in split_off:
            named = {p.place[0] for p in components[at]}
            seen = sorted(named, key=lambda s: (sources.index(s) if s in sources else len(sources), s))
            events.append(_Event("MINTED", frozenset((number,)), f"first seen in {', '.join(seen)}"))
        else:
            events.append(_Event("MINTED", frozenset((number,)), "split from another customer"))
    return events


def _merges(region: Region, redirects: Mapping[int, int | None]) -> list[_Event]:
    absorbed: dict[int, set[int]] = defaultdict(set)
    for number, to in redirects.items():
        if to is not None:
            absorbed[to].add(number)
    if not absorbed:
        return []
    why = _bridges(region)
    return [
        _Event("MERGED", frozenset({to, *numbers}), next((w for n in sorted(numbers) if (w := why.get(n))), "joined"))
        for to, numbers in sorted(absorbed.items())
    ]


def _bridges(region: Region) -> dict[int, str]:
    """For each former customer the strongest judgement that leads out of it, in words."""
    former = {n: region.profiles[n].customer_no for n in region.inside}
    found: dict[int, tuple[int, str]] = {}
    matches = [(p, v.score, "; ".join(v.reasons)) for p, v in region.verdicts.items() if v.verdict == MATCH]
    stewards = [(p, 2_000_000, f"a steward: {s.reason}") for p, s in region.stewards.items() if s.verdict == MATCH]
    for (left, right), score, words in [*matches, *stewards]:
        ends = {former.get(left), former.get(right)}
        for customer_no in ends - {None} if len(ends) > 1 else ():
            if customer_no is not None and (score, words) > found.get(customer_no, (0, "")):
                found[customer_no] = (score, words)
    return {number: words for number, (_, words) in found.items()}


def _splits(region: Region, last: Mapping[int, Sequence[int | None]]) -> list[_Event]:
    """A former customer whose profiles now are several."""
    events = []
    apart = {n for p, s in region.stewards.items() if s.verdict != MATCH for n in p}
    kept_apart = {region.profiles[n].customer_no for n in apart if n in region.profiles}
    for number, became in sorted(last.items()):
        now = {n for n in became if n is not None}
        if len(now) > 1:
            steward = number in kept_apart
            reason = "a steward keeps its profiles apart" if steward else "what joined its profiles no longer holds"
            events.append(_Event("SPLIT", frozenset({number, *now}), reason))
    return events


def _returns(revived: Mapping[int, int], known: Mapping[int, Known]) -> list[_Event]:
    """Ids that live again, told together with the one that they redirected to."""
    reason = "its profiles are by themselves again"
    return [_Event("REVIVED", frozenset((n, known[n].merged_into or n)), reason) for n in sorted(revived.values())]


def _retirements(redirects: Mapping[int, int | None]) -> list[_Event]:
    return [_Event("RETIRED", frozenset((n,)), "no profile is left") for n, to in sorted(redirects.items()) if not to]


def _log(connection: Connection, events: Sequence[_Event], public: Mapping[int, str], as_of: int) -> None:
    """Appends a row for every id concerned."""
    strangers = {n for e in events for n in e.customers} - public.keys()
    public = dict(public) | {number: known.public_id for number, known in _ledger(connection, strangers).items()}
    told = []
    for event in events:
        ids = json_list(sorted(public[n] for n in event.customers))
        told += [(number, as_of, event.event, ids, event.reason) for number in sorted(event.customers)]
    insert_rows(connection, identity_log, ("customer_no", "at", "event", "customer_ids", "reason"), told)
