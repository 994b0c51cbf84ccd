"""Profiles as the mapping would write them, told in a few words. In: a store. Out: party rows, and who is whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Any

from sqlalchemy import Connection, delete, select, update

from hub.identity.resolve import Resolved, resolve
from hub.store.bulk import among, insert_rows
from hub.store.derived import DERIVED
from hub.store.engine import Store
from hub.store.kept import customer_ledger, identity_log, judgement, profile_ledger, tombstone
from hub.store.ledger import mark_pending
from hub.store.mapped import MAPPED, fact_no
from mappings.rulebook import Rulebook

AS_OF = 1_780_000_000_000_000
TRUST = ("crm", "billing", "support", "web")
STREAMS = {"crm": "contacts", "billing": "accounts", "support": "users", "web": "visits"}
_PARTY = ("profile", "contact_point", "identifier", "membership")

Place = str  # "crm/1": source and key


class World:
    """Sources whose records are told one by one; `resolve` makes customers of them."""

    def __init__(self, store: Store, rulebook: Rulebook) -> None:
        self.store = store
        self.rulebook = rulebook
        self._landing = count(1)
        self._records: dict[str, int] = {}

    def number(self, connection: Connection, place: Place, pending: bool = True) -> int:
        """The profile's number; it gets one when it is first named."""
        source, stream, key = _parts(place)
        own = profile_ledger.c
        where = (own.source == source, own.stream == stream, own.key == key)
        found: int | None = connection.scalar(select(own.profile_no).where(*where))
        if found is None:
            insert_rows(
                connection, profile_ledger, ("source", "stream", "key", "pending"), [(source, stream, key, True)]
            )
            found = connection.scalar(select(own.profile_no).where(*where))
        elif pending:
            connection.execute(update(profile_ledger).where(own.profile_no == found).values(pending=True))
        assert found is not None
        return found

    def tell(self, **places: dict[str, Any]) -> None:
        """Records by place, as crm_1={...}: given, family, name, birth, kind, country, emails, phones, devices,
        addresses, ids, of (organizations as places, or (place, role, since, until)), at. Told again, a record replaces
        what it said.
        """
        with self.store.write() as connection:
            self.put_all(connection, {name.replace("_", "/", 1): said for name, said in places.items()})

    def put(self, connection: Connection, place: Place, said: dict[str, Any], record: str = "") -> None:
        """One record; several `record`s may speak of one profile, as visits of a visitor do."""
        self.put_all(connection, {place: said}, record)

    def put_all(self, connection: Connection, told: Mapping[Place, dict[str, Any]], record: str = "") -> None:
        """Records of many, at once."""
        belongs = {place: [_membership(of) for of in said.get("of", ())] for place, said in told.items()}
        numbers = self._numbers(connection, [of for rows in belongs.values() for of, *_ in rows])
        numbers |= self._numbers(connection, told)
        mark_pending(connection, [numbers[place] for place in told])
        known = [self._records[place + record] for place in told if place + record in self._records]
        landed = {place: self._records.setdefault(place + record, next(self._landing)) for place in told}
        self.clear(connection, *known)
        stored: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for place, said in told.items():
            source, stream, _ = _parts(place)
            start = (landed[place], source, stream, False, numbers[place])
            rows = _rows(said) | {"membership": [(numbers[of], *rest) for of, *rest in belongs[place]]}
            for entity, values in rows.items():
                stored[entity] += [(fact_no(landed[place], at), *start, *value) for at, value in enumerate(values)]
        for entity, found in stored.items():
            insert_rows(connection, MAPPED[entity], _COLUMNS[entity], found)

    def _numbers(self, connection: Connection, places: Iterable[Place]) -> dict[Place, int]:
        """The numbers of these, in the order in which they are given where they are new."""
        parts = {place: _parts(place) for place in places}
        held = _numbered(connection, parts.values())
        if new := [names for names in dict.fromkeys(parts.values()) if names not in held]:
            rows = [(*names, True) for names in new]
            insert_rows(connection, profile_ledger, ("source", "stream", "key", "pending"), rows)
            held |= _numbered(connection, new)
        return {place: held[names] for place, names in parts.items()}

    def clear(self, connection: Connection, *landed: int) -> None:
        """Takes away what records say of who somebody is."""
        for entity in _PARTY if landed else ():
            table = MAPPED[entity]
            connection.execute(delete(table).where(among(connection, table.c.landing_no, landed)))

    def forget(self, place: Place) -> None:
        """The record is gone."""
        with self.store.write() as connection:
            self.number(connection, place)
            self.clear(connection, self._records.pop(place))

    def let_go(self, places: Iterable[Place]) -> None:
        """These records went without the world's doing: told again, they are new ones."""
        for place in places:
            self._records.pop(place, None)

    def interaction(self, place: Place, landing_no: int) -> int:
        """Something that happened to the profile, as written before or after it was resolved; returns its number."""
        with self.store.write() as connection:
            number = self.number(connection, place, False)
            owner = connection.scalar(select(profile_ledger.c.customer_no).where(profile_ledger.c.profile_no == number))
            columns = (
                "fact_no", "landing_no", "source", "stream", "stale", "profile_no", "at", "type", "channel", "lane",
                "customer_no",
            )  # fmt: skip
            row = (
                fact_no(landing_no, 0), landing_no, "crm", "notes", False, number, AS_OF, "case.opened", "EMAIL",
                "CUSTOMER", owner,
            )  # fmt: skip
            insert_rows(connection, MAPPED["interaction"], columns, [row])
        return fact_no(landing_no, 0)

    def resolve(self, limit: int = 10_000, as_of: int = AS_OF) -> Resolved:
        """Everything that is pending, batch by batch, each in its own transaction; the counts are summed."""
        total = Resolved()
        while True:
            with self.store.write() as connection:
                step = resolve(connection, self.rulebook, TRUST, as_of, limit)
            if not step.profiles:
                return total
            total = Resolved(
                total.profiles + step.profiles,
                total.minted + step.minted,
                total.merged + step.merged,
                total.split + step.split,
                total.moved + step.moved,
            )

    def rebuild(self, limit: int = 10_000) -> Resolved:
        """As a remap does: what is derived goes, everybody is pending."""
        with self.store.write() as connection:
            for table in DERIVED:
                connection.execute(delete(table))
            connection.execute(update(profile_ledger).values(pending=True))
        return self.resolve(limit)

    def assigned(self) -> dict[Place, int | None]:
        """Each profile's customer_no."""
        own = profile_ledger.c
        with self.store.read() as connection:
            rows = connection.execute(select(own.source, own.key, own.customer_no)).all()
        return {f"{source}/{key}": customer_no for source, key, customer_no in rows}

    def customers(self) -> list[str]:
        """Each customer as the places of its profiles, in order: `crm/1 billing/2`."""
        found: dict[int, list[str]] = defaultdict(list)
        for place, customer_no in self.assigned().items():
            if customer_no is not None:
                found[customer_no].append(place)
        return sorted(" ".join(sorted(places, key=_order)) for places in found.values())

    def ids(self) -> dict[Place, str | None]:
        """Each profile's public id."""
        with self.store.read() as connection:
            c = customer_ledger.c
            public = dict(connection.execute(select(c.customer_no, c.public_id)).all())
        return {place: public.get(number or 0) for place, number in self.assigned().items()}

    def events(self) -> list[str]:
        """The identity log, one word a row."""
        with self.store.read() as connection:
            return list(connection.scalars(select(identity_log.c.event).order_by(identity_log.c.log_no)))

    def rows(self, table: Any, *names: str) -> list[tuple[Any, ...]]:
        """The columns of a table, sorted."""
        with self.store.read() as connection:
            found = connection.execute(select(*(table.c[name] for name in names)))
            return sorted((tuple(row) for row in found), key=repr)

    def wipe(self) -> None:
        """Takes everything away, for the next world in the same store."""
        with self.store.write() as connection:
            kept = (profile_ledger, customer_ledger, identity_log, judgement, tombstone)
            for table in (*DERIVED, *MAPPED.values(), *kept):
                connection.execute(delete(table))
        self._records.clear()


def _numbered(connection: Connection, names: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    if not names:
        return {}
    own = profile_ledger.c
    columns = (own.source, own.stream, own.key, own.profile_no)
    rows = connection.execute(select(*columns).where(among(connection, own.key, {key for _, _, key in names})))
    return {(source, stream, key): number for source, stream, key, number in rows}


def _membership(of: Any) -> tuple[Any, ...]:
    return (of, None, None, None) if isinstance(of, str) else tuple(of)


def _rows(said: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """A record's rows of each entity but memberships, whose ends have numbers."""
    name = said.get("name") or " ".join(filter(None, (said.get("given"), said.get("family")))) or None
    profile = (
        said.get("kind", "PERSON"), said.get("given"), said.get("family"), name, said.get("birth"),
        said.get("country"), said.get("language"), said.get("at", AS_OF),
    )  # fmt: skip
    contacts = [(type_, value) for type_, of in _CONTACTS for value in said.get(of, ())]
    return {"profile": [profile], "contact_point": contacts, "identifier": list(said.get("ids", {}).items())}


def fact_owner(connection: Connection, numbers: Iterable[int]) -> dict[int, tuple[int | None, int | None]]:
    """(customer_no, organization_no) of interactions."""
    i = MAPPED["interaction"].c
    columns = (i.fact_no, i.customer_no, i.organization_no)
    rows = connection.execute(select(*columns).where(among(connection, i.fact_no, list(numbers))))
    return {number: (customer_no, organization_no) for number, customer_no, organization_no in rows}


def _parts(place: Place) -> tuple[str, str, str]:
    """(source, stream, key): `crm/1@leads` names the stream, `crm/o1` is an organization, else the source has one."""
    source, _, rest = place.partition("/")
    key, _, stream = rest.partition("@")
    return source, stream or ("companies" if key.startswith("o") else STREAMS[source]), key


def place_of(source: str, stream: str, key: str) -> Place:
    """The place that a ledger row names."""
    place = f"{source}/{key}"
    return place if _parts(place)[1] == stream else f"{place}@{stream}"


def _order(place: Place) -> tuple[int, str]:
    source, _, key = place.partition("/")
    return TRUST.index(source), key


_CONTACTS = (("EMAIL", "emails"), ("PHONE", "phones"), ("DEVICE", "devices"), ("ADDRESS", "addresses"))
_START = ("fact_no", "landing_no", "source", "stream", "stale", "profile_no")
_COLUMNS = {
    "profile": (
        *_START, "kind", "given_name", "family_name", "display_name", "birth_date", "country", "language", "updated_at"
    ),
    "contact_point": (*_START, "type", "value"),
    "identifier": (*_START, "system", "value"),
    "membership": (*_START, "organization_profile_no", "role", "since", "until"),
}  # fmt: skip
