"""What must hold of a world at any time. In: changes of it. Out: nothing, or an AssertionError that names the place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from hub.identity.divide import Sets
from hub.store.bulk import insert_rows
from hub.store.derived import link, member
from hub.store.kept import customer_ledger, identity_log, judgement
from hub.store.mapped import MAPPED
from tests.hub.identity.changes import Changes, places_of
from tests.hub.identity.world import AS_OF, Place, World, fact_owner

_LINK = ("left_profile_no", "right_profile_no", "verdict", "rule", "score", "reasons", "review")
_MEMBER = ("organization_no", "person_no", "role", "since", "until")
_LOG = ("log_no", "customer_no", "event", "customer_ids", "reason")
_JUDGEMENT = ("left_profile_no", "right_profile_no", "verdict", "reason", "decided_by", "at")


def everything(world: World) -> dict[str, Any]:
    """All that identity says, but for the instant at which it said so."""
    return {
        "ids": world.ids(),
        "links": world.rows(link, *_LINK),
        "members": world.rows(member, *_MEMBER),
        "redirects": world.rows(customer_ledger, "customer_no", "public_id", "kind", "merged_into"),
        "facts": world.rows(MAPPED["interaction"], "fact_no", "profile_no", "customer_no", "organization_no"),
        "log": world.rows(identity_log, *_LOG),
    }


def rebuild(changes: Changes, limit: int) -> None:
    """A full rebuild, in calls of `limit` profiles."""
    changes.begin_anew()
    changes.swept()
    changes.run(limit)


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[list[Any], list[Any]]]:
    """What is gone and what is new, by what it is."""
    found = {}
    for name, rows in before.items():
        was, now = (set(each.items() if isinstance(each, dict) else each) for each in (rows, after[name]))
        if was != now:
            found[name] = sorted(was - now, key=repr)[:10], sorted(now - was, key=repr)[:10]
    return found


def tell_at_once(changes: Changes, fresh: World, backwards: bool = True) -> None:
    """The other world, empty, is told the last state of this one, by default the last record first."""
    order = sorted(changes.told, reverse=backwards)
    with fresh.store.write() as connection:
        fresh.put_all(connection, {place: changes.told[place] for place in order})
        numbers = {place: fresh.number(connection, place) for _, *pair in changes.judged() for place in pair}
        rows = [
            (*sorted((numbers[left], numbers[right])), verdict, "By telephone", "steward", AS_OF)
            for verdict, left, right in changes.judged()
        ]
        insert_rows(connection, judgement, _JUDGEMENT, rows)


def links_by_place(world: World) -> set[tuple[Any, ...]]:
    """The judgements about pairs of places."""
    with world.store.read() as connection:
        places = places_of(connection)
    return {(*sorted((places[left], places[right])), *rest) for left, right, *rest in world.rows(link, *_LINK)}


def every_id_answers(world: World) -> None:
    """Each id ever minted is a customer's, leads in one step to where its profiles went, or is told to be over."""
    c = customer_ledger.c
    with world.store.read() as connection:
        into = dict(connection.execute(select(c.customer_no, c.merged_into)).all())
        ended = select(identity_log.c.customer_no).where(identity_log.c.event.in_(("RETIRED", "ERASED")))
        over = set(connection.scalars(ended))
    live = {number for number in world.assigned().values() if number is not None}
    for number, to in into.items():
        if number in live:
            assert to is None, f"customer {number} has profiles and redirects to {to}"
        elif to is None:
            assert number in over, f"customer {number} has neither profiles nor a successor, and nothing says why"
        else:
            assert into[to] is None, f"customer {number} redirects to {to}, which redirects to {into[to]}"


class Watched:
    """Looks at ids before and after; `explained` fails where the log does not tell how the one became the other."""

    def __init__(self, world: World, erased: Iterable[str]) -> None:
        self._world = world
        self._erased = erased
        self._ids: dict[Place, str | None] = {}
        self._last = 0

    def explained(self) -> None:
        """Compares with the last look: births, ends and passing on of ids have their events, and events their ids."""
        rows = [row for row in self._world.rows(identity_log, *_LOG) if row[0] > self._last]
        self._last = max((row[0] for row in rows), default=self._last)
        before, self._ids = self._ids, self._world.ids()
        named: dict[str, set[str]] = {}
        for _, _, event, ids, _ in rows:
            named.setdefault(event, set()).update(json.loads(ids))
        was, now = ({public for public in ids.values() if public} for ids in (before, self._ids))
        born, ended = now - was, was - now - set(self._erased)
        told = {name: named.get(name, set()) for name in ("MINTED", "MERGED", "SPLIT", "RETIRED", "REVIVED")}
        assert born <= told["MINTED"] | told["REVIVED"], f"born without a word: {born}"
        assert ended <= told["MERGED"] | told["RETIRED"] | told["SPLIT"], f"ended without a word: {ended}"
        self._passed_on(before, [json.loads(ids) for _, _, _, ids, _ in rows])

    def _passed_on(self, before: dict[Place, str | None], events: list[list[str]]) -> None:
        """Of a profile that went from one customer to another an event, or several, name both."""
        changed = {
            place: (old, new) for place, new in self._ids.items() if (old := before.get(place)) and new and old != new
        }
        number = {public: at for at, public in enumerate(sorted({p for e in events for p in e}))}
        sets = Sets(number.values())
        sets.union_all((number[event[0]], number[other]) for event in events for other in event[1:])
        for place, (old, new) in changed.items():
            assert {old, new} <= number.keys(), f"{place}: {old} became {new} without a word"
            assert sets.root(number[old]) == sets.root(number[new]), f"{place}: {old} became {new} in two stories"


def facts_follow(world: World, facts: dict[int, Place]) -> None:
    """What happened to a profile counts for its customer."""
    with world.store.read() as connection:
        owners = fact_owner(connection, facts)
    assigned = world.assigned()
    wrong = {place: owners[fact][0] for fact, place in facts.items() if fact in owners}
    wrong = {place: owner for place, owner in wrong.items() if owner != assigned[place]}
    assert not wrong, f"facts of {wrong} count for somebody else than {[assigned[place] for place in wrong]}"
