"""Random changes to who is who. In: a world and a town. Out: the world changed, and what it was told last.

Beside what sources say anew there are records that go and come back, stewards who join, separate and change their
minds, customers who are erased, runs that end too early or are killed, and rebuilds that are begun and not ended.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, delete, select, update

from hub.erasure.erase import erase, sweep
from hub.identity.resolve import resolve
from hub.identity.rules import Rules
from hub.identity.steward import judgement
from hub.identity.steward.judgement import JudgementError
from hub.store.derived import DERIVED
from hub.store.kept import judgement as judgement_table
from hub.store.kept import profile_ledger
from tests.hub.identity.town import Town
from tests.hub.identity.world import AS_OF, TRUST, Place, World, place_of

_FIELDS = ("given", "family", "birth", "emails", "phones", "addresses", "devices", "ids", "of", "name")
_SOME = (1, 2, 5, 10, 25, 40)  # changes between two runs
_LIMITS = (1, 2, 7, 50, 10_000)
_TOUCHED = 4  # of each fourth record something happened
_FIRST_FACT = 10_000_000  # landing numbers that no record has


class Killed(Exception):
    """The process is no more."""


class Changes:
    """Changes of a world, and what it was told last: `told` by place. Every choice is the town's seed's."""

    def __init__(self, world: World, town: Town) -> None:
        self.world = world
        self.town = town
        self.told: dict[Place, dict[str, Any]] = {}
        self.made = 0
        self.erased: set[str] = set()
        self.facts: dict[int, Place] = {}
        self._gone: dict[Place, dict[str, Any]] = {}

    def settle_in(self, share: float = 0.6) -> None:
        """The first records: about `share` of all places say something."""
        chance = self.town.chance
        first = {place: self.town.record(place) for place in self.town.places() if chance.random() < share}
        self._tell(first)
        for place in sorted(first)[::_TOUCHED]:
            self.facts[self.world.interaction(place, _FIRST_FACT + len(self.facts))] = place
        self.swept()
        self.run()

    def some(self, at_most: int) -> None:
        """A few changes, and a run after them, that now and then ends too early."""
        chance = self.town.chance
        number = min(at_most, chance.choice(_SOME))
        for _ in range(number):
            self.one()
        self.made += number
        limit = chance.choice(_LIMITS)
        if chance.random() < 0.12:
            self.begin_anew()
            limit = max(limit, len(self.told) // 30)
        self.swept()
        if chance.random() < 0.1:
            self.killed(limit)
        self.run(limit, most=chance.choice((1, 3, None, None, None)))

    def run(self, limit: int = 10_000, most: int | None = None) -> None:
        """Resolves, call by call, until nothing is left to do or for `most` calls."""
        while most is None or most > 0:
            with self.world.store.write() as connection:
                done = resolve(connection, self.world.rulebook, TRUST, AS_OF, limit)
            if not done.profiles:
                return
            most = None if most is None else most - 1

    def killed(self, limit: int) -> None:
        """A run that ends at the very end of a call: nothing of it is there."""
        with suppress(Killed), self.world.store.write() as connection:
            resolve(connection, self.world.rulebook, TRUST, AS_OF, limit)
            raise Killed

    def begin_anew(self) -> None:
        """As a remap does: what is derived goes, everybody is pending."""
        with self.world.store.write() as connection:
            for table in DERIVED:
                connection.execute(delete(table))
            connection.execute(update(profile_ledger).values(pending=True))

    def swept(self) -> None:
        """As a sync does before it resolves: erased people who come back are gone."""
        with self.world.store.write() as connection:
            if sweep(connection, Rules.forms_of(self.world.rulebook), AS_OF):
                self._keep_to_the_ledger(connection)

    def judged(self) -> list[tuple[str, Place, Place]]:
        """What stewards say, in the order in which they said it."""
        j = judgement_table.c
        with self.world.store.read() as connection:
            rows = connection.execute(
                select(j.verdict, j.left_profile_no, j.right_profile_no)
                .where(j.withdrawn_at.is_(None))
                .order_by(j.judgement_no)
            ).all()
            places = places_of(connection)
        return [(verdict, places[left], places[right]) for verdict, left, right in rows]

    def one(self) -> None:
        """A change."""
        chance, roll = self.town.chance, self.town.chance.random()
        if roll < 0.2:
            place = self.town.place(chance.random() < 0.15)
            self._tell({place: self.town.record(place)})
        elif roll < 0.55:
            self._change(self._any())
        elif roll < 0.65:
            self._copy(self._any(), self._any())
        elif roll < 0.75:
            self._forget(self._any())
        elif roll < 0.83 and self._gone:
            place = chance.choice(sorted(self._gone))
            self._tell({place: self._gone.pop(place)})
        elif roll < 0.97:
            self._steward()
        else:
            self._erase()

    def _any(self) -> Place:
        return self.town.chance.choice(sorted(self.told))

    def _change(self, place: Place) -> None:
        """A field or two say something else; sometimes all of it."""
        new = self.town.record(place)
        fields = self.town.chance.sample(_FIELDS, self.town.chance.choice((1, 2, len(_FIELDS))))
        kept = {name: value for name, value in self.told[place].items() if name not in fields}
        self._tell({place: kept | {name: new[name] for name in fields if name in new}})

    def _copy(self, place: Place, other: Place) -> None:
        """A clerk enters somebody else's address or number, or somebody's name."""
        fields = self.town.chance.choice((("emails",), ("phones",), ("given", "family", "name"), ("kind", "ids")))
        kept = {name: value for name, value in self.told[place].items() if name not in fields}
        self._tell({place: kept | {name: self.told[other][name] for name in fields if name in self.told[other]}})

    def _tell(self, told: dict[Place, dict[str, Any]]) -> None:
        with self.world.store.write() as connection:
            self.world.put_all(connection, told)
        self.told |= told
        for place in told:
            self._gone.pop(place, None)

    def _forget(self, place: Place) -> None:
        self.world.forget(place)
        self._gone[place] = self.told.pop(place)

    def _steward(self) -> None:
        """Joins or separates two, known to each other or not; or takes something back."""
        chance = self.town.chance
        if chance.random() < 0.3:
            self._withdraw()
            return
        left, right = self._pair()
        decide = chance.choice((judgement.join, judgement.separate, judgement.separate))
        with self.world.store.write() as connection, suppress(JudgementError):  # of two kinds, or the same one
            numbers = [self.world.number(connection, place, False) for place in (left, right)]
            decide(connection, *numbers, reason="By telephone", decided_by="steward", as_of=AS_OF)

    def _pair(self) -> tuple[Place, Place]:
        """Two of one customer where one has several, else any two."""
        chance, customers = self.town.chance, [c.split() for c in self.world.customers() if " " in c]
        known = [[place for place in customer if place in self.told] for customer in customers]
        several = [places for places in known if len(places) > 1]
        if several and chance.random() < 0.6:
            left, right = chance.sample(chance.choice(several), 2)
            return left, right
        return self._any(), self._any()

    def _withdraw(self) -> None:
        j = judgement_table.c
        with self.world.store.write() as connection:
            query = select(j.judgement_no).where(j.withdrawn_at.is_(None)).order_by(j.judgement_no)
            if standing := list(connection.scalars(query)):
                number = self.town.chance.choice(standing)
                judgement.withdraw(connection, number, reason="Wrong pair", as_of=AS_OF)

    def _erase(self) -> None:
        """Somebody asks to be forgotten."""
        place = self.town.chance.choice(self.world.customers()).split()[0]
        public = self.world.ids()[place]
        assert public is not None
        erase(self.world.store, public, dry_run=False, as_of=AS_OF)
        self.erased.add(public)
        with self.world.store.read() as connection:
            self._keep_to_the_ledger(connection)

    def _keep_to_the_ledger(self, connection: Connection) -> None:
        """What erasure took away was not told: records, and who belongs to what."""
        known = set(places_of(connection).values())
        self.world.let_go((self.told.keys() | self._gone.keys()) - known)
        for told in (self.told, self._gone):
            for place in [place for place in told if place not in known]:
                del told[place]
            for place, said in told.items():
                if not known.issuperset(said.get("of", ())):
                    told[place] = said | {"of": [of for of in said["of"] if of in known]}


def places_of(connection: Connection) -> dict[int, Place]:
    """Each profile by its number."""
    own = profile_ledger.c
    rows = connection.execute(select(own.profile_no, own.source, own.stream, own.key))
    return {number: place_of(*names) for number, *names in rows}
