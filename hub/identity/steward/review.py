"""The review queue. In: what resolving was unsure of. Out: pairs that wait for a steward, the likeliest first.

Of several pairs of the same two customers the likeliest stands for all: who decides about it decides about them. A pair
waits until a steward has judged its customers, or until they are one.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, or_, select

from hub.identity.steward.judgement import JudgementError
from hub.store.bulk import among
from hub.store.derived import link
from hub.store.kept import customer_ledger, judgement, profile_ledger
from hub.store.mapped import MAPPED

_left, _right = profile_ledger.alias("left_profile"), profile_ledger.alias("right_profile")
_NAME = re.compile(r"lnk_([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Side:
    """What one profile says of itself, and the customer that it is of: its id, its sources and how many profiles."""

    number: int
    place: str
    names: tuple[str, ...]
    births: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    addresses: tuple[str, ...]
    ids: tuple[str, ...]
    customer: str | None
    sources: tuple[str, ...]
    profiles: int


@dataclass(frozen=True, slots=True)
class Review:
    """A pair with the hub's judgement about it. `score` is the chance in millionths that both are one."""

    left: Side
    right: Side
    verdict: str
    rule: str
    score: int
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """The judgement's id, as the graph shows it."""
        return f"lnk_{self.left.number}-{self.right.number}"


def _between(a: FromClause, b: FromClause) -> ColumnElement[bool]:
    """Two profiles are of the two customers of the pair, one of each."""
    ends = (_left.c.customer_no, _right.c.customer_no)
    return and_(a.c.customer_no.in_(ends), b.c.customer_no.in_(ends), a.c.customer_no != b.c.customer_no)


def _judged() -> ColumnElement[bool]:
    """A steward's standing judgement is about the pair or about its customers."""
    j, a, b = judgement.alias("j"), profile_ledger.alias("a"), profile_ledger.alias("b")
    same = and_(j.c.left_profile_no == link.c.left_profile_no, j.c.right_profile_no == link.c.right_profile_no)
    pair = select(j.c.judgement_no).where(same, j.c.withdrawn_at.is_(None)).correlate(link)
    theirs = (
        select(j.c.judgement_no)
        .select_from(a.join(j, j.c.left_profile_no == a.c.profile_no).join(b, b.c.profile_no == j.c.right_profile_no))
        .where(_between(a, b), j.c.withdrawn_at.is_(None))
        .correlate(_left, _right)
    )
    return or_(pair.exists(), theirs.exists())


def _likelier() -> ColumnElement[bool]:
    """Another pair of the same two customers comes before this one."""
    k, a, b = link.alias("k"), profile_ledger.alias("a"), profile_ledger.alias("b")
    ahead: ColumnElement[bool] = k.c.right_profile_no > link.c.right_profile_no
    for theirs, ours in ((k.c.left_profile_no, link.c.left_profile_no), (k.c.score, link.c.score)):
        ahead = or_(theirs > ours, and_(theirs == ours, ahead))
    found = (
        select(k.c.score)
        .select_from(a.join(k, k.c.left_profile_no == a.c.profile_no).join(b, b.c.profile_no == k.c.right_profile_no))
        .where(_between(a, b), k.c.review, ahead)
        .correlate(link, _left, _right)
    )
    return found.exists()


def _pairs() -> Select[Any]:
    sides = [c.label(f"{side.name}_{c.name}") for side in (_left, _right) for c in _named(side)]
    return (
        select(
            link.c.left_profile_no.label("left_no"),
            link.c.right_profile_no.label("right_no"),
            *(link.c[name] for name in ("verdict", "rule", "score", "reasons", "at")),
            *sides,
            _left.c.customer_no.label("customer_no"),
            _right.c.customer_no.label("other_no"),
        )
        .select_from(link)
        .join(_left, _left.c.profile_no == link.c.left_profile_no)
        .join(_right, _right.c.profile_no == link.c.right_profile_no)
    )


def _named(side: FromClause) -> tuple[ColumnElement[Any], ...]:
    return (side.c.source, side.c.stream, side.c.key)


_apart = or_(_left.c.customer_no.is_(None), _right.c.customer_no.is_(None), _left.c.customer_no != _right.c.customer_no)

waiting = _pairs().where(link.c.review, _apart, ~_judged(), ~_likelier()).subquery("waiting")
"""The queue as a table: both profiles' numbers and names, both customers, and the judgement. Without order."""


def known_to(source: Any) -> ColumnElement[bool]:
    """Of `waiting`: one of the two profiles, or of the profiles of their customers, is of the source."""
    p = profile_ledger.alias("p")
    theirs = select(p.c.profile_no).where(
        p.c.customer_no.in_((waiting.c.customer_no, waiting.c.other_no)), p.c.source == source
    )
    return or_(waiting.c.left_profile_source == source, waiting.c.right_profile_source == source, theirs.exists())


def queue(connection: Connection, limit: int, source: str | None = None) -> list[Review]:
    """The first pairs that wait, the likeliest first; of those that a source knows of, where one is named."""
    w = waiting.c
    found = select(waiting).where(*(() if source is None else (known_to(source),)))
    rows = connection.execute(found.order_by(w.score.desc(), w.left_no.desc(), w.right_no.desc()).limit(limit))
    return _reviews(connection, rows.all())


def waiting_count(connection: Connection, source: str | None = None) -> int:
    """How many pairs wait."""
    found = select(func.count()).select_from(waiting).where(*(() if source is None else (known_to(source),)))
    return int(connection.execute(found).scalar_one())


def pair_of(name: str) -> tuple[int, int]:
    """The two profiles of `lnk_11-12`. Raises JudgementError for other words."""
    if not (found := _NAME.fullmatch(name.strip())):
        raise JudgementError(f"{name!r} is no pair; `hub review list` and `reviews` name them as lnk_11-12")
    return int(found[1]), int(found[2])


def review_of(connection: Connection, name: str) -> Review:
    """The pair of a name, whether it waits or not. Raises JudgementError where the hub has no judgement about it."""
    left, right = pair_of(name)
    row = connection.execute(
        _pairs().where(link.c.left_profile_no == left, link.c.right_profile_no == right)
    ).one_or_none()
    if row is None:
        raise JudgementError(f"the hub holds nothing about {name}; `hub review list` shows the pairs that wait")
    return _reviews(connection, [row])[0]


def _reviews(connection: Connection, rows: Sequence[Any]) -> list[Review]:
    known = sides(connection, {number for row in rows for number in (row.left_no, row.right_no)})
    return [
        Review(
            known[row.left_no], known[row.right_no], row.verdict, row.rule, row.score, tuple(json.loads(row.reasons))
        )
        for row in rows
    ]


def sides(connection: Connection, numbers: Collection[int]) -> dict[int, Side]:
    """What profiles say, by number: four statements, however many there are."""
    p, own = MAPPED["profile"].c, profile_ledger.c
    places = connection.execute(
        select(own.profile_no, own.source, own.stream, own.key, own.customer_no, customer_ledger.c.public_id)
        .select_from(profile_ledger)
        .outerjoin(customer_ledger, customer_ledger.c.customer_no == own.customer_no)
        .where(among(connection, own.profile_no, numbers))
    ).all()
    said: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    records = select(p.profile_no, p.display_name, p.birth_date).where(among(connection, p.profile_no, numbers))
    for number, name, birth in connection.execute(records):
        said[number]["names"] |= {name} - {None}
        said[number]["births"] |= {birth} - {None}
    for table, kind in ((MAPPED["contact_point"], "type"), (MAPPED["identifier"], "system")):
        t = table.c
        found = select(t.profile_no, t[kind], t.value).where(among(connection, t.profile_no, numbers))
        for number, what, value in connection.execute(found):
            said[number][what if kind == "type" else "ids"].add(value if kind == "type" else f"{what} {value}")
    behind = _behind(connection, {row.customer_no for row in places} - {None})
    return {row.profile_no: _side(row, said[row.profile_no], behind) for row in places}


def _side(row: Any, said: dict[str, set[str]], behind: dict[int, dict[str, int]]) -> Side:
    sources = behind.get(row.customer_no, {row.source: 1})
    return Side(
        number=row.profile_no,
        place=f"{row.source}/{row.stream}/{row.key}",
        names=tuple(sorted(said["names"])),
        births=tuple(sorted(said["births"])),
        emails=tuple(sorted(said["EMAIL"])),
        phones=tuple(sorted(said["PHONE"])),
        addresses=tuple(sorted(said["ADDRESS"])),
        ids=tuple(sorted(said["ids"])),
        customer=row.public_id,
        sources=tuple(sorted(sources)),
        profiles=sum(sources.values()),
    )


def _behind(connection: Connection, customers: Collection[int]) -> dict[int, dict[str, int]]:
    """How many profiles each source has of each customer."""
    own = profile_ledger.c
    found: dict[int, dict[str, int]] = defaultdict(dict)
    these = among(connection, own.customer_no, customers)
    counted = select(own.customer_no, own.source, func.count()).where(these).group_by(own.customer_no, own.source)
    for number, source, count in connection.execute(counted):
        found[number][source] = count
    return found
