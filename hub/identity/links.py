"""Links. In: a region and its clusters. Out: link agrees with them, and says which pairs to review."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from sqlalchemy import Connection

from hub.identity.cluster import Clusters
from hub.identity.evidence.verdict import UNSURE, Verdict, refuse
from hub.identity.pairs import Pair
from hub.identity.region import Region
from hub.identity.sets import delete_rows
from hub.store.bulk import insert_rows
from hub.store.derived import link
from hub.store.listing import json_list
from hub.store.plain import rows

_NAMES = ("left_profile_no", "right_profile_no", "verdict", "rule", "score", "reasons", "review", "at")
_OF = """
    SELECT k.left_profile_no, k.right_profile_no, k.verdict, k.rule, k.score, k.reasons, k.review
    FROM LISTED CROSS JOIN link k WHERE k.{side}_profile_no = a.value
"""
_STORED = " UNION ALL ".join(_OF.format(side=side) for side in ("left", "right"))

_Row = tuple[str, str, int, str, bool]  # verdict, rule, score, reasons, review


def write_links(connection: Connection, region: Region, clusters: Clusters, review: int, as_of: int) -> None:
    """Makes the stored judgements about the region those just made; one that says the same keeps its instant.

    A match that was refused is to be reviewed, and a pair that nobody is sure of from a score of `review` on.
    """
    wanted = {pair: _row(verdict, review) for pair, verdict in region.verdicts.items()}
    for pair, why in clusters.refused.items():
        wanted[pair] = _row(refuse(region.verdicts[pair], why), review)
    stored = _stored(connection, region.inside)
    gone = sorted(pair for pair, row in stored.items() if wanted.get(pair) != row)
    new = sorted((*pair, *row, as_of) for pair, row in wanted.items() if stored.get(pair) != row)
    delete_rows(connection, link, ("left_profile_no", "right_profile_no"), gone)
    insert_rows(connection, link, _NAMES, new)


def _row(verdict: Verdict, review: int) -> _Row:
    doubtful = verdict.refused or (verdict.verdict == UNSURE and verdict.score >= review)
    return verdict.verdict, verdict.rule, verdict.score, _listed(verdict.reasons), doubtful


@lru_cache(maxsize=10_000)
def _listed(reasons: tuple[str, ...]) -> str:
    return json_list(reasons)


def _stored(connection: Connection, inside: Collection[int]) -> Mapping[Pair, _Row]:
    numbers = sorted(inside)
    found = rows(connection, _STORED, numbers, numbers)
    return {
        (left, right): (verdict, rule, score, reasons, bool(review))
        for left, right, verdict, rule, score, reasons, review in found
    }
