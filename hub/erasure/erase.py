"""Erasure: a person leaves landing, facts, derived rows and read model, and does not come back.

In: a customer, or profiles that a tombstone names. Out: an Erasure that counts the rows, and a certificate.
What remains: tombstones (keyed digests), amounts without an owner (residual money), and the opaque customer id.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, or_, select, update

from hub.erasure.named import landed, own_addresses
from hub.erasure.redact import redact
from hub.identity.holders import concerned
from hub.identity.normalise.forms import Forms
from hub.identity.sets import add_numbers
from hub.identity.stored import unpacked
from hub.store import derived, kept
from hub.store.bulk import among
from hub.store.engine import Store
from hub.store.erased import erasure_salt, tombstone_digest
from hub.store.errors import StoreError
from hub.store.gone import forget
from hub.store.ledger import mark_dirty, mark_pending, organizations_of
from hub.store.listing import json_list
from hub.store.mapped import FACTS, MAPPED, control


class UnknownCustomer(Exception):
    """No customer has this id."""


class StillReadError(StoreError):
    """What was erased is gone from the tables, but a reader keeps it in SQLite's log."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure removed (or, in a dry run, would remove): rows by table, and the certificate of a real one."""

    certificate: str | None
    rows: list[tuple[str, int]]


def erase(store: Store, public_id: str, dry_run: bool, as_of: int) -> Erasure:
    """Erase the customer `public_id`, following a redirect; a dry run only counts. Raises UnknownCustomer.

    Landing rows that are the customer's alone are replaced by tombstones; a payload that names others as well loses
    this customer's values; amounts move to residual money, so that the books still add up. Whoever it belonged
    with is due afterwards. Raises StillReadError where SQLite's log could not be emptied.
    """
    with store.write() as connection:
        customer_no = _customer(connection, public_id)
        people = _mark_neighbours(connection, customer_no)
        profiles = _column(
            connection, select(kept.profile_ledger.c.profile_no).where(kept.profile_ledger.c.customer_no == customer_no)
        )
        counts = _erase_profiles(connection, profiles, as_of)
        counts += _erase_customer(connection, customer_no, public_id, as_of)
        _count_anew(connection, people, as_of)
        if dry_run:
            connection.rollback()
    rows = sorted((table, count) for table, count in counts.items() if count)
    if dry_run:
        return Erasure(None, rows)
    if not store.truncate_log():
        raise StillReadError(
            f"{store.place}: {public_id} is erased, but somebody still reads what was before; run the same command "
            "again once nobody does, so that nothing of it stays in the write-ahead log"
        )
    return Erasure(_certificate(public_id, as_of, rows), rows)


def sweep(connection: Connection, forms: Forms, as_of: int) -> int:
    """Erase pending profiles that a tombstone names: what a source sends again of an erased person. Their number.

    An erased address says so of newcomers only: somebody who is, or was, known as another customer may have taken it
    over. One that identifies nobody, or that several are meant to read, says it of nobody.
    """
    tombstones = set(_column(connection, select(kept.tombstone.c.digest)))
    if not tombstones:
        return 0
    salt = erasure_salt(connection)
    ledger, points = kept.profile_ledger, MAPPED["contact_point"]
    new = ledger.c.customer_no.is_(None), ledger.c.previous_no.is_(None)
    pending = connection.execute(
        select(ledger.c.profile_no, ledger.c.source, ledger.c.stream, ledger.c.key).where(ledger.c.pending)
    )
    back = {no for no, *names in pending if tombstone_digest(salt, *names) in tombstones}
    written = connection.execute(
        select(points.c.profile_no, points.c.type, points.c.value)
        .join(ledger, ledger.c.profile_no == points.c.profile_no)
        .where(ledger.c.pending, *new, points.c.type == "EMAIL")
    )
    back |= {
        no
        for no, kind, value in written
        if tombstone_digest(salt, kind, value) in tombstones
        and not (forms.junk_email(value) or forms.role_inbox(value))
    }
    if back:
        _erase_profiles(connection, sorted(back), as_of)
    return len(back)


def _customer(connection: Connection, public_id: str) -> int:
    ledger = kept.customer_ledger
    row = connection.execute(
        select(ledger.c.customer_no, ledger.c.merged_into).where(ledger.c.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise UnknownCustomer(f"no customer has the id {public_id!r}")
    return int(row.customer_no if row.merged_into is None else row.merged_into)


def _mark_neighbours(connection: Connection, customer_no: int) -> list[int]:
    """Whoever shares facts or a membership with the customer is to be derived without it; returns its people.

    What happened last is on their cards, in words that may be the customer's: it leaves them at once.
    """
    member, ledger = derived.member.c, kept.profile_ledger.c
    people = _column(connection, select(member.person_no).where(member.organization_no == customer_no))
    others = {*people, *_column(connection, select(member.organization_no).where(member.person_no == customer_no))}
    mine = select(ledger.profile_no).where(ledger.customer_no == customer_no)
    for table in FACTS.values():
        shared = select(table.c.landing_no).where(table.c.profile_no.in_(mine))
        for owner in (table.c.customer_no, table.c.organization_no):
            others |= set(_column(connection, select(owner).distinct().where(table.c.landing_no.in_(shared))))
    others -= {None, customer_no}
    mark_dirty(connection, others)
    card = derived.customer_card
    connection.execute(update(card).where(among(connection, card.c.customer_no, others)).values(latest=None))
    return people


def _count_anew(connection: Connection, people: Sequence[int], as_of: int) -> None:
    """The facts of an erased organization's people count for the one that is left to them, if any."""
    left: dict[int | None, list[int]] = defaultdict(list)
    counts_for = organizations_of(connection, people, as_of)
    for person in people:
        left[counts_for.get(person)].append(person)
    mark_dirty(connection, {number for number in left if number is not None})
    for table in FACTS.values():
        for organization_no, persons in left.items():
            theirs = among(connection, table.c.customer_no, persons)
            connection.execute(update(table).where(theirs).values(organization_no=organization_no))


# profiles and what the sources sent of them --------------------------------------------------------------------------
def _erase_profiles(connection: Connection, profiles: Sequence[int], as_of: int) -> Counter[str]:
    own, shared = landed(connection, profiles)
    counts: Counter[str] = Counter()
    _tombstone(connection, profiles, own, as_of)
    _keep_amounts(connection, profiles, own, as_of)
    counts["landing redacted"] = redact(connection, profiles, shared)
    for name, table in MAPPED.items():
        if name == "money_entry":  # a shared record's amount stays, without an owner
            _run(
                connection,
                update(table)
                .where(table.c.profile_no.in_(profiles), table.c.landing_no.in_(shared))
                .values(profile_no=None, customer_no=None, organization_no=None),
            )
        counts[name] += _run(connection, delete(table).where(table.c.profile_no.in_(profiles)))
    members = MAPPED["membership"]
    mark_pending(connection, _parts(connection, profiles))
    counts["membership"] += _run(connection, delete(members).where(members.c.organization_profile_no.in_(profiles)))
    counts["landing"] += forget(connection, own)
    for table in (kept.dead_letter, control):
        counts[str(table.name)] += _run(connection, delete(table).where(table.c.landing_no.in_(own)))
    counts["match_key"] += _forget_keys(connection, profiles)
    for table in (derived.portrait, derived.unresolved):
        counts[str(table.name)] += _run(connection, delete(table).where(table.c.profile_no.in_(profiles)))
    for table in (derived.link, kept.judgement):
        pair = or_(table.c.left_profile_no.in_(profiles), table.c.right_profile_no.in_(profiles))
        counts[str(table.name)] += _run(connection, delete(table).where(pair))
    ledger = kept.profile_ledger
    counts["profile_ledger"] += _run(connection, delete(ledger).where(ledger.c.profile_no.in_(profiles)))
    return counts


def _parts(connection: Connection, profiles: Sequence[int]) -> list[int]:
    """Organizations that say they are a part of these: their portraits name what they are a part of."""
    m, p = MAPPED["membership"].c, MAPPED["profile"].c
    theirs = select(m.profile_no).join(MAPPED["profile"], p.profile_no == m.profile_no).distinct()
    return _column(connection, theirs.where(m.organization_profile_no.in_(profiles), p.kind == "ORGANIZATION"))


def _forget_keys(connection: Connection, profiles: Sequence[int]) -> int:
    """Their keys, each by its name: there is no index by profile. Who else holds one is resolved again: what the key
    says of its holders may be something else now.
    """
    said, held = derived.portrait.c, derived.match_key.c
    packs = _column(connection, select(said["keys"]).where(said.profile_no.in_(profiles)))
    keys = {key for pack in packs for key in unpacked(pack)}
    if not keys:
        return 0
    told = dict.fromkeys(keys, 2)
    others = concerned(connection, told)
    these = among(connection, held.key, keys)
    count = _run(connection, delete(derived.match_key).where(these, held.profile_no.in_(profiles)))
    others = (others | concerned(connection, told)).difference(profiles)
    add_numbers(connection, derived.unresolved, "profile_no", others, "changed")
    return count


def _tombstone(connection: Connection, profiles: Sequence[int], own: Sequence[int], as_of: int) -> None:
    salt = erasure_salt(connection)
    landing, ledger = kept.landing, kept.profile_ledger
    names = (landing.c.source, landing.c.stream, landing.c.key)
    records = connection.execute(select(*names).where(landing.c.landing_no.in_(own)))
    digests = {tombstone_digest(salt, *row): "RECORD" for row in records}
    people = connection.execute(
        select(ledger.c.source, ledger.c.stream, ledger.c.key).where(ledger.c.profile_no.in_(profiles))
    )
    digests |= {tombstone_digest(salt, *row): "PROFILE" for row in people}
    digests |= {tombstone_digest(salt, "EMAIL", value): "IDENTIFIER" for value in own_addresses(connection, profiles)}
    known = set(_column(connection, select(kept.tombstone.c.digest).where(kept.tombstone.c.digest.in_(digests))))
    rows = [{"digest": d, "what": what, "at": as_of} for d, what in digests.items() if d not in known]
    if rows:
        connection.execute(insert(kept.tombstone), rows)


def _keep_amounts(connection: Connection, profiles: Sequence[int], own: Sequence[int], as_of: int) -> None:
    money = MAPPED["money_entry"]
    names = (money.c.source, money.c.stream, money.c.kind, money.c.currency)
    sums = connection.execute(
        select(*names, func.sum(money.c.amount).label("amount"))
        .where(money.c.profile_no.in_(profiles), money.c.landing_no.in_(own))
        .group_by(*names)
    )
    rows = [{**row, "amount": int(row["amount"]), "at": as_of} for row in sums.mappings()]
    if rows:
        connection.execute(insert(kept.residual_money), rows)


# the customer --------------------------------------------------------------------------------------------------------
def _erase_customer(connection: Connection, customer_no: int, public_id: str, as_of: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    owned: list[tuple[Table, str]] = [
        (kept.metadata.tables[name], column) for name, column in derived.OWNED_BY_CUSTOMER.items()
    ]
    owned += [(derived.customer, "customer_no"), (derived.member, "person_no"), (derived.member, "organization_no")]
    owned += [(derived.buying_group_member, "person_no")]
    owned += [(t, "customer_no") for t in (kept.score_log, kept.flag_log, kept.identity_log, kept.outbox)]
    for table, column in owned:
        counts[str(table.name)] += _run(connection, delete(table).where(table.c[column] == customer_no))
    names = json_list([public_id])
    connection.execute(
        insert(kept.identity_log).values(
            customer_no=customer_no, at=as_of, event="ERASED", customer_ids=names, reason="erased on request"
        )
    )
    connection.execute(
        insert(kept.outbox).values(
            at=as_of, topic="customer.erased", customer_no=customer_no, payload=json.dumps({"id": public_id})
        )
    )
    return counts


def _certificate(public_id: str, as_of: int, rows: Sequence[tuple[str, int]]) -> str:
    """A line to file: who, when, how many rows, and a digest of exactly which counts."""
    body = json.dumps([public_id, as_of, rows], separators=(",", ":"))
    total = sum(count for _, count in rows)
    return f"erased {public_id} at {as_of}: {total} rows, sha256 {hashlib.sha256(body.encode()).hexdigest()}"


def _column(connection: Connection, statement: Any) -> list[Any]:
    return list(connection.execute(statement).scalars())


def _run(connection: Connection, statement: Any) -> int:
    return int(connection.execute(statement).rowcount)
