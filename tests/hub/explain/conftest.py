"""In: the store on either database. Out: Anna (1) in five profiles, whom others resemble, and Jan (2), who is apart."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from hub.store import derived, kept
from hub.store.engine import Store
from hub.store.mapped import MAPPED
from tests.hub.api.conftest import at, put, put_customer

DAY = at("2026-06-01T00:00:00")
NASTY = '<script>alert("x")</script> & \u202egnirts\x1b[31m'


def put_profile(
    connection: Connection, number: int, place: str, customer: int | None, name: str | None, *contacts: str
) -> None:
    """A profile of a customer, with e-mails, phones and addresses told by their looks."""
    source, stream, key = place.split("/")
    owner = {"source": source, "stream": stream, "key": key, "customer_no": customer}
    put(connection, kept.profile_ledger, profile_no=number, **owner)
    fact = {"fact_no": number << 16, "source": source, "stream": stream, "profile_no": number}
    put(connection, MAPPED["profile"], **fact, kind="PERSON", display_name=name)
    for item, value in enumerate(contacts):
        type_ = "EMAIL" if "@" in value else "PHONE" if value.startswith("+") else "ADDRESS"
        said = fact | {"fact_no": (number << 16) + item}
        put(connection, MAPPED["contact_point"], **said, type=type_, value=value)
        if customer is not None:
            owned = {"type": type_, "value": value, "customer_no": customer}
            if connection.execute(derived.customer_identifier.select().filter_by(**owned)).first() is None:
                put(connection, derived.customer_identifier, **owned, sources="[]")


def put_link(
    connection: Connection, left: int, right: int, verdict: str, score: int, *reasons: str, waits: bool = False
) -> None:
    """What the hub says of a pair."""
    listed = "[" + ",".join(f'"{reason}"' for reason in reasons) + "]"
    pair = {"left_profile_no": left, "right_profile_no": right, "verdict": verdict, "score": score}
    put(connection, derived.link, **pair, rule="email_and_name", reasons=listed, at=DAY, review=waits)


def put_event(connection: Connection, number: int, event: str, reason: str, ids: str = '["cus_0001"]') -> None:
    """A line of the history of an id."""
    said = {"customer_no": number, "event": event, "reason": reason, "customer_ids": ids, "at": DAY}
    put(connection, kept.identity_log, log_no=1_000 + len(_events(connection)), **said)


def _events(connection: Connection) -> list[int]:
    return list(connection.scalars(kept.identity_log.select()))


def put_value(
    connection: Connection, number: int, field: str, rank: int, value: str, place: str, strategy: str
) -> None:  # fmt: skip
    """A value that a source states of a customer."""
    source, stream, key = place.split("/")
    row = {"customer_no": number, "field": field, "rank": rank, "value": value, "strategy": strategy}
    put(connection, derived.provenance, **row, source=source, stream=stream, key=key, observed_at=DAY)


@pytest.fixture
def told(store: Store) -> Store:
    """Anna of five profiles, an id merged into hers, Jan, her husband, and a visitor who waits."""
    with store.write() as connection:
        put_customer(connection, 1, "Anna Vogt", market_state="ACTIVE", stage="LIVING")
        put_customer(connection, 2, "Jan Vogt")
        merged = {"customer_no": 4, "public_id": "cus_old", "kind": "PERSON", "minted_at": 0, "merged_into": 1}
        put(connection, kept.customer_ledger, **merged)
        put(connection, kept.customer_ledger, customer_no=5, public_id="cus_gone", kind="PERSON", minted_at=0)
        put_profile(connection, 11, "crm/contacts/1", 1, "Anna Vogt", "anna@mail.example", "+493023125001")
        put_profile(connection, 12, "billing/accounts/7", 1, "Vogt, Anna", "anna@mail.example", "high st 1, 10115, b")
        put_profile(connection, 13, "support/users/3", 1, "A. Vogt", "anna@mail.example")
        put_profile(connection, 14, "web/visits/aa", 1, None)
        put_profile(connection, 15, "crm/contacts/9", 1, "Anna Holm", "holm@mail.example")
        put_profile(connection, 21, "crm/contacts/2", 2, "Jan Vogt", "+493023125001")
        put_profile(connection, 31, "web/visits/bb", None, NASTY)
        put_link(connection, 11, 12, "MATCH", 990_000, "same e-mail", "names agree")
        put_link(connection, 11, 13, "MATCH", 960_000, "same e-mail")
        put_link(connection, 12, 13, "MATCH", 950_000, "same e-mail")
        put_link(connection, 13, 14, "MATCH", 900_000, "same device")
        put_link(connection, 12, 15, "UNSURE", 400_000, "given names agree")
        put_link(connection, 11, 21, "NO_MATCH", 10_000, "same phone (which others use, too)", "names differ")
        put_link(connection, 12, 31, "UNSURE", 700_000, "not joined: a weak join", waits=True)
        steward = {"left_profile_no": 11, "right_profile_no": 15, "verdict": "MATCH", "reason": "she married"}
        put(connection, kept.judgement, judgement_no=1, **steward, decided_by="ada", at=DAY)
        taken = {"left_profile_no": 11, "right_profile_no": 21, "verdict": "MATCH", "reason": "a couple"}
        gone = {"withdrawn_at": DAY, "withdrawn_reason": "two people"}
        put(connection, kept.judgement, judgement_no=2, **taken, **gone, decided_by="bob", at=DAY)
        put_event(connection, 1, "MINTED", "first seen in crm")
        put_event(connection, 1, "MERGED", "same e-mail", '["cus_0001","cus_old"]')
        put_event(connection, 5, "RETIRED", "no profile is left", '["cus_gone"]')
        put_value(connection, 1, "DISPLAY_NAME", 0, "Anna Vogt", "crm/contacts/1", "most_trusted")
        put_value(connection, 1, "DISPLAY_NAME", 1, NASTY, "billing/accounts/7", "most_trusted")
        put_value(connection, 1, "EMAILS", 0, "anna@mail.example", "billing/accounts/7", "verified")
        put_value(connection, 1, "EMAILS", 1, "holm@mail.example", "crm/contacts/9", "verified")
        put_value(connection, 1, "BIRTH_DATE", 1, "1980-02-03", "crm/contacts/1", "never")
    return store


@pytest.fixture
def crowd(store: Store) -> Store:
    """A guest whom a shop asked for her name at each of 300 orders."""
    with store.write() as connection:
        put_customer(connection, 1, "Ada Guest")
        for number in range(1, 301):
            source = ("shop", "crm", "web")[number % 3]
            put_profile(connection, number, f"{source}/orders/{number}", 1, f"Ada Guest {number}", "ada@mail.example")
        for number in range(2, 301):
            put_link(connection, 1, number, "MATCH", 900_000 + number, "same e-mail")
        for number in range(301, 341):
            put_profile(connection, number, f"crm/leads/{number}", None, f"Ida Guest {number}")
            put_link(connection, number - 300, number, "NO_MATCH", number, "names differ")
            put_event(connection, 1, "MERGED", f"again {number}")
        put_value(connection, 1, "DISPLAY_NAME", 0, "Ada Guest 290", "web/orders/290", "longest")
    return store
