"""Resolving. In: profiles that are pending. Out: each with its customer; ids, log, links, members and facts in step.

The partition is a function of what the profiles say, of the rules and of the stewards' judgements: the order of
arrival and the batches change nothing. Ids are handed out last.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection, delete, insert, or_, select, update

from hub.identity.cluster import Clusters, cluster
from hub.identity.history import Settled, settle
from hub.identity.keys import Profile, bare_device
from hub.identity.likeness import Likenesses
from hub.identity.move import move
from hub.identity.normalise import Forms
from hub.identity.region import Pair, Region, gather
from hub.identity.register import register
from hub.identity.sets import delete_rows
from hub.identity.verify import Verdict, refuse
from hub.store.bulk import among, insert_rows
from hub.store.derived import link, unresolved
from hub.store.kept import hub_meta, profile_ledger
from hub.store.listing import json_list
from mappings.rulebook import Identity, Rulebook

BATCH = 10_000
CODE_VERSION = 1  # raised where the same rules would join otherwise than before: then everybody is resolved again
_VERSION = "identity_version"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What one call did. `profiles` 0 says that nothing is left to do; `moved` counts facts that changed hands."""

    profiles: int = 0
    minted: int = 0
    merged: int = 0
    split: int = 0
    moved: int = 0


class Rules:
    """The rules ready for comparison. Made once for each version of the rules: taking names apart is what costs."""

    _latest: Rules | None = None

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.forms = Forms(identity)
        self.likenesses = Likenesses(self.forms)
        said = identity.model_dump(mode="json", exclude={"survivorship"})
        self.version = blake2b(json.dumps([CODE_VERSION, said]).encode(), digest_size=8).hexdigest()

    @classmethod
    def of(cls, identity: Identity) -> Rules:
        """The rules of this identity.yml, with what was already compared by them."""
        latest = cls._latest
        if latest is None or latest.identity is not identity:
            cls._latest = latest = cls(identity)
        return latest


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
    rules, shared_limit = Rules.of(rulebook.identity), rulebook.identity.shared_limit
    _follow_rules(connection, rules)
    registered, more = register(connection, rules.forms, shared_limit, limit)
    if more:
        return Resolved(registered)
    seeds = dict(connection.execute(select(unresolved.c.profile_no, unresolved.c.changed).limit(limit)).all())
    if not seeds:
        return Resolved(registered)
    region = gather(connection, seeds, rules.forms, rules.likenesses, shared_limit)
    inside = {number: region.profiles[number] for number in region.inside if region.profiles[number].kind}
    clusters = cluster(inside, region.verdicts, region.stewards, rules.likenesses)
    _write_links(connection, region, clusters, as_of)
    settled = settle(connection, region, _customers(region, clusters), sources_in_trust_order, as_of)
    changed = _changed(connection, region.inside)
    moved = move(connection, region.profiles, settled.customer_of, changed, as_of)
    connection.execute(delete(unresolved).where(among(connection, unresolved.c.profile_no, region.inside)))
    return _summary(len(region.inside), settled, moved)


def _follow_rules(connection: Connection, rules: Rules) -> None:
    """Other rules than the last time: everybody is pending."""
    found = connection.scalar(select(hub_meta.c.value).where(hub_meta.c.name == _VERSION))
    if found != rules.version:
        connection.execute(update(profile_ledger).values(pending=True))
        connection.execute(delete(hub_meta).where(hub_meta.c.name == _VERSION))
        connection.execute(insert(hub_meta).values(name=_VERSION, value=rules.version))


def _summary(profiles: int, settled: Settled, moved: int) -> Resolved:
    return Resolved(profiles, settled.minted, settled.merged, settled.split, moved)


def _changed(connection: Connection, inside: Collection[int]) -> set[int]:
    """The profiles that themselves changed: their customers are to be derived even where nobody moved."""
    u = unresolved.c
    return set(connection.scalars(select(u.profile_no).where(u.changed, among(connection, u.profile_no, inside))))


def _customers(region: Region, clusters: Clusters) -> list[list[Profile]]:
    """The components that are customers: not those of bare devices, which are nobody yet."""
    components = ([region.profiles[number] for number in group] for group in clusters.groups)
    return [
        profiles
        for profiles in components
        if not all(bare_device(region.keys[p.number], bool(p.names)) for p in profiles)
    ]


def _write_links(connection: Connection, region: Region, clusters: Clusters, as_of: int) -> None:
    """Makes the stored judgements about the region those just made; one that says the same keeps its instant."""
    verdicts = {
        pair: refuse(verdict, clusters.refused[pair]) if pair in clusters.refused else verdict
        for pair, verdict in region.verdicts.items()
    }
    wanted = {pair: _link_row(verdict) for pair, verdict in verdicts.items()}
    stored = _stored_links(connection, region.inside)
    gone = [pair for pair, row in stored.items() if wanted.get(pair) != row]
    new = [(*pair, *row, as_of) for pair, row in sorted(wanted.items()) if stored.get(pair) != row]
    delete_rows(connection, link, ("left_profile_no", "right_profile_no"), gone)
    names = ("left_profile_no", "right_profile_no", "verdict", "rule", "score", "reasons", "at")
    insert_rows(connection, link, names, new)


def _link_row(verdict: Verdict) -> tuple[str, str, int, str]:
    return verdict.verdict, verdict.rule, verdict.score, json_list(verdict.reasons)


def _stored_links(connection: Connection, inside: Collection[int]) -> Mapping[Pair, tuple[str, str, int, str]]:
    c = link.c
    touching = or_(among(connection, c.left_profile_no, inside), among(connection, c.right_profile_no, inside))
    found: dict[Pair, tuple[str, str, int, str]] = defaultdict()
    columns = (c.left_profile_no, c.right_profile_no, c.verdict, c.rule, c.score, c.reasons)
    for left, right, verdict, rule, score, reasons in connection.execute(select(*columns).where(touching)):
        found[left, right] = (verdict, rule, score, reasons)
    return found
