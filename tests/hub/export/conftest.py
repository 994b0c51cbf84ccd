"""A small, hand-written company for the BI views. In: an empty store. Out: the same with rows and the views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Table, insert

from hub.clock import to_us
from hub.export.views import create_views
from hub.store import derived, kept
from hub.store.engine import Store
from hub.store.mapped import MAPPED

NOON = to_us(datetime(2026, 6, 30, 12, 0, 0, 999_999, tzinfo=UTC))
DAY = 86_400_000_000
CENT = 1_000  # an amount is in thousandths of the minor unit

LEDGER = [
    {"customer_no": 1, "public_id": "cus_ada", "kind": "PERSON", "merged_into": None},
    {"customer_no": 2, "public_id": "cus_old", "kind": "PERSON", "merged_into": 1},
    {"customer_no": 3, "public_id": "cus_acme", "kind": "ORGANIZATION", "merged_into": None},
    {"customer_no": 4, "public_id": "cus_erased", "kind": "PERSON", "merged_into": None},
]
ADA = {"display_name": 'Ada "Countess", née\r\nByron', "country": "GB", "language": "en", "sentiment": -250_000}
ACME = {"display_name": "=1+1", "value_at_risk": 120_050 * CENT}

ENTRIES: list[dict[str, Any]] = [
    {"entry_no": -65_536, "kind": "COST_TO_SERVE", "basis": "ESTIMATED", "amount": 1_234, "currency": "EUR"}
    | {"rule": "mail", "interaction_no": 65_536, "stage": "LIVING", "channel": "EMAIL"},
    {"entry_no": 131_072, "kind": "REVENUE", "amount": 10**17 - 1, "currency": "EUR", "customer_no": 3}
    | {"organization_no": 3},
    {"entry_no": 131_073, "kind": "REVENUE", "amount": 4_300 * CENT, "currency": "JPY"},
    {"entry_no": 131_074, "kind": "REVENUE", "amount": 1_250 * CENT, "currency": "KWD"},
    {"entry_no": 131_075, "kind": "REVENUE", "amount": -5, "currency": "CLF"},
    {"entry_no": 131_076, "kind": "FEE", "amount": 0, "currency": "CLF"},
    {"entry_no": 131_077, "kind": "COGS", "amount": None, "currency": None, "key": "-7", "rule": "unknown"},
]
VALUES = [
    {"entry_no": -65_536, "currency": "EUR", "customer_no": 1, "amount": 1_234, "rate": "1"},
    {"entry_no": -65_536, "currency": "USD", "customer_no": 1, "amount": 1_481, "rate": "1.2"},
    {"entry_no": 131_072, "currency": "EUR", "customer_no": 3, "amount": 10**17 - 1, "rate": "1"},
    {"entry_no": 131_073, "currency": "EUR", "customer_no": 1, "amount": 2_580_001, "rate": "0.006"},
]


def card(customer_no: int, public_id: str, **said: Any) -> dict[str, Any]:
    """A row of the read model, with what it says and nothing else known."""
    nothing: dict[type, Any] = {str: "[]", int: 0, bool: False}
    columns = {c.name: None if c.nullable else nothing[c.type.python_type] for c in derived.customer_card.c}
    risk = {"risk_band": "LOW", "risk_band_rank": 1, "risk_as_of": NOON}
    names = {"customer_no": customer_no, "public_id": public_id, "kind": "PERSON", "display_name_key": ""}
    return columns | risk | names | {"market_state": "ACTIVE", "updated_at": NOON} | said


def fill(store: Store, rows: list[tuple[Table, list[dict[str, Any]]]]) -> None:
    """Writes the rows of each table, lacking columns null."""
    with store.write() as connection:
        for table, listed in rows:
            connection.execute(insert(table), [dict.fromkeys(table.c.keys()) | row for row in listed])


@pytest.fixture
def company(store: Store) -> Store:
    """The store with a person, an id merged into it, an organization and an erased person."""
    booked = {"customer_no": 1, "at": NOON, "basis": "ACTUAL", "source": "books", "stream": "lines", "key": "r1"}
    touch = {"source": "desk", "stream": "tickets", "stale": False, "at": NOON, "lane": "CUSTOMER"}
    step = {"customer_no": 1, "journey_no": 65_536, "entered_at": NOON - DAY, "channels": "[]"}
    figures = {"customer_no": 1, "revenue": 2_580_001, "cost_to_serve": 1_234, "contribution": 2_578_767}
    flag = {"customer_no": 3, "severity": "HIGH", "severity_rank": 3, "state": "OPEN", "since": NOON - DAY}
    flag |= {"points": 40, "message": "+49 called, twice", "clears_when": "it is paid", "action_kind": "CALL"}
    flag |= {"action_channel": "PHONE", "action_not_before": NOON, "action_not_after": NOON + DAY, "action_skill": ""}
    logged = {"customer_no": 3, "raised_at": NOON - DAY, "rules_version": "1"}
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (kept.customer_ledger, [{"minted_at": NOON} | row for row in LEDGER]),
        (derived.customer_card, [card(1, "cus_ada", stage="LIVING", stage_since=NOON - DAY, **ADA)]),
        (derived.customer_card, [card(3, "cus_acme", kind="ORGANIZATION", **ACME)]),
        (derived.profitability, [figures | {"currency": "EUR", "coverage": 857_142}]),
        (derived.profitability, [figures | {"currency": "USD", "coverage": 1}]),
        (derived.entry, [booked | row for row in ENTRIES]),
        (derived.entry_value, VALUES),
        (
            MAPPED["interaction"],
            [
                touch | {"fact_no": 65_536, "landing_no": 1, "profile_no": 1, "customer_no": 1, "channel": "EMAIL"}
                | {"type": "case.opened", "summary": "\tTabbed", "sentiment": 1_000_000, "duration_s": 90},
                touch | {"fact_no": 196_608, "landing_no": 3, "profile_no": 9, "channel": "WEB", "type": "visit.made"},
            ],
        ),
        (derived.journey, [{"journey_no": 65_536, "customer_no": 1, "ordinal": 1, "definition": "d", "started_at": 0}]),
        (
            derived.journey_step,
            [
                step | {"step_no": 65_536, "ordinal": 1, "stage": "BUYING", "left_at": NOON, "overdue": True}
                | {"expected_days": 14, "customer_interaction_count": 2, "brand_interaction_count": 0},
                step | {"step_no": 65_537, "ordinal": 2, "stage": "LIVING", "overdue": False}
                | {"customer_interaction_count": 0, "brand_interaction_count": 1},
                step | {"step_no": 65_538, "ordinal": 3, "stage": "RENEWAL"}
                | {"customer_interaction_count": 0, "brand_interaction_count": 0},
            ],
        ),
        (derived.step_value, [{"step_no": 65_536, "currency": "EUR", "customer_no": 1, "cost": 1_234}]),
        (
            derived.step_interaction,
            [{"interaction_no": 65_536, "step_no": 65_536, "customer_no": 1, "at": NOON, "stage": "BUYING"}],
        ),
        (
            kept.flag_log,
            [
                logged | {"flag_no": 1, "rule": "silence", "cleared_at": NOON},
                logged | {"flag_no": 2, "rule": "unpaid"},
                logged | {"flag_no": 3, "rule": "silence", "cleared_at": NOON, "customer_no": 2},
            ],
        ),
        (derived.risk_flag, [flag | {"flag_no": 2, "rule": "unpaid", "action_why": ""}]),
    ]  # fmt: skip
    fill(store, rows)
    with store.write() as connection:
        create_views(connection, "EUR")
    return store


@pytest.fixture
def many(new_store: Callable[[str], Store]) -> Callable[[str, int], Store]:
    """Makes a store of a dialect with many customers, all alike, and the views."""

    def make(dialect: str, count: int) -> Store:
        store = new_store(dialect)
        rows = [{"public_id": f"cus_{n}", "kind": "PERSON", "minted_at": NOON, "customer_no": n} for n in range(count)]
        fill(store, [(kept.customer_ledger, rows)])
        with store.write() as connection:
            create_views(connection, "EUR")
        return store

    return make
