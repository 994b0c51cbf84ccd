"""Resolving. In: profiles that are pending. Out: each with its customer; ids, log, links, members and facts in step.

The partition is a function of what the profiles say, of the rules and of the stewards' judgements: the order of
arrival and the batches change nothing. Ids are handed out last.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.identity.cluster import Clusters, cluster
from hub.identity.evidence.verdict import Profile
from hub.identity.history import settle
from hub.identity.holders import write_all_keys
from hub.identity.links import write_links
from hub.identity.move import move
from hub.identity.normalise.portrait import bare
from hub.identity.region import Region, gather
from hub.identity.register import register
from hub.identity.rules import CALIBRATION, Rules
from hub.store.plain import rows, run
from mappings.rulebook import Rulebook

BATCH = 20_000
_VERSION = "identity_version"
_ANEW = "identity_anew"  # there while portraits are made for everybody
_NOTED = """
    SELECT name, value FROM hub_meta WHERE name IN (?, ?, ?)
    UNION ALL SELECT 'no portrait', '' WHERE NOT EXISTS (SELECT 1 FROM portrait)
"""
_SEEDS = "SELECT profile_no, changed FROM unresolved ORDER BY profile_no LIMIT ?"
_CHANGED = "SELECT u.profile_no FROM LISTED CROSS JOIN unresolved u WHERE u.profile_no = a.value AND u.changed = TRUE"
_RESOLVED = "DELETE FROM unresolved WHERE profile_no IN (SELECT a.value FROM LISTED)"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What one call did. `profiles` 0 says that nothing is left to do; `moved` counts facts that changed hands."""

    profiles: int = 0
    minted: int = 0
    merged: int = 0
    split: int = 0
    moved: int = 0


def resolve(
    connection: Connection,
    rulebook: Rulebook,
    sources_in_trust_order: Sequence[str],
    as_of: int,
    limit: int = BATCH,
) -> Resolved:
    """Works off up to `limit` pending profiles inside the caller's transaction; call until `profiles` is 0.

    First all that is pending is registered, call by call; then component by component is resolved. A call that ends
    in an exception has done nothing; an interrupted run goes on where it stopped. `sources_in_trust_order` names the
    sources in the order in which the log lists them.
    """
    with _no_collection():
        noted = dict(rows(connection, _NOTED, _VERSION, _ANEW, CALIBRATION))
        rules = Rules.of(rulebook, noted.get(CALIBRATION))
        anew = _follow_rules(connection, rules, noted)
        return _batch(connection, rules, sources_in_trust_order, as_of, limit, anew)


def _batch(
    connection: Connection, rules: Rules, sources: Sequence[str], as_of: int, limit: int, anew: bool
) -> Resolved:
    registered = register(connection, rules.forms, limit, anew=anew)
    if registered.more:
        return Resolved(registered.profiles)
    if anew:
        write_all_keys(connection)
        run(connection, "DELETE FROM hub_meta WHERE name = ?", _ANEW)
    written = {number: bool(changed) for number, changed in rows(connection, _SEEDS, limit)}
    due = {**written, **registered.due}
    if not due:
        return Resolved(registered.profiles)
    region = gather(connection, due, rules.judge)
    changed = {number for number in region.inside if due.get(number)}
    if written:
        changed |= _written_off(connection, region)
    return _resolved(connection, region, changed, rules, sources, as_of)


def _resolved(
    connection: Connection, region: Region, changed: Collection[int], rules: Rules, sources: Sequence[str], as_of: int
) -> Resolved:
    """Makes ids, log, links, members and facts agree with the region."""
    inside = {number: region.profiles[number] for number in region.inside if region.profiles[number].kind}
    clusters = cluster(inside, region.verdicts, region.stewards, rules.judge)
    write_links(connection, region, clusters, rules.judge.review, as_of)
    settled = settle(connection, region, _customers(region, clusters), sources, as_of)
    moved = move(connection, region.profiles, settled.customer_of, changed, as_of)
    return Resolved(len(region.inside), settled.minted, settled.merged, settled.split, moved)


def _written_off(connection: Connection, region: Region) -> set[int]:
    """Takes the region off unresolved; returns those of it who changed themselves: their customers are to be derived
    even where nobody moved.
    """
    numbers = sorted(region.inside)
    changed = {number for (number,) in rows(connection, _CHANGED, numbers)}
    run(connection, _RESOLVED, numbers)
    return changed


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps the cycle collector from looking again and again at a million small values, none of which is in a cycle."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _follow_rules(connection: Connection, rules: Rules, said: Mapping[str, str]) -> bool:
    """Other rules than the last time, or something else learnt: everybody is pending. Returns whether portraits are
    made for everybody.
    """
    if said.get(_VERSION) != rules.version:
        for table in ("match_key", "portrait"):
            run(connection, f"DELETE FROM {table}")  # noqa: S608
        run(connection, "UPDATE profile_ledger SET pending = TRUE WHERE pending = FALSE")
        _note(connection, _VERSION, rules.version)
    elif "no portrait" not in said:
        return _ANEW in said
    if _ANEW not in said:
        _note(connection, _ANEW, rules.version)
    return True


def _note(connection: Connection, name: str, value: str) -> None:
    run(connection, "DELETE FROM hub_meta WHERE name = ?", name)
    run(connection, "INSERT INTO hub_meta (name, value) VALUES (?, ?)", name, value)


def _customers(region: Region, clusters: Clusters) -> list[list[Profile]]:
    """The components that are customers: not those of bare devices, which are nobody yet."""
    components = ([region.profiles[number] for number in group] for group in clusters.groups)
    return [profiles for profiles in components if not all(bare(p.portrait) for p in profiles)]
