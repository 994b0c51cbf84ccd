"""More of the told graph of Mike (1), Mia (2) and Acme (3); what tells of each of them, and roles that see some."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, update

from hub.access.roles import build_sights
from hub.access.sight import Sight
from hub.store import derived, kept
from hub.store.mapped import MAPPED
from mappings.rulebook import Role, Rulebook
from tests.hub.api.conftest import Graph, at, euros, publish_cards, put

# Beside the shipped roles, and whom each sees: Mike (1), Mia (2), Acme (3).
OTHERS: Mapping[str, Mapping[str, object]] = {
    "british": {"customers": "country = 'GB'"},
    "payers": {"customers": "source_stripe"},
    "families": {"customers": "country in ('DE', 'GB')"},
    "companies": {"customers": "kind = 'ORGANIZATION'"},
    "clerk": {"mask": ["NAME", "IDENTITY"], "refuse": ["MONEY"]},
    "researcher": {"mask": ["CONTACT", "TEXT"]},
}
ALL = {1, 2, 3}
SEEN = {"marketing": {2}, "british": {2}, "payers": {1}, "families": {1, 2}, "companies": {3}}
SEEN |= {"analyst": ALL, "agent": ALL, "clerk": ALL, "researcher": ALL}

SUMMARIES = ("Looked at prices", "It broke", "Invoice 7", "Card refused", "Deal of Acme", "Wrote to us", "Paid it")
BORN = ("1980-02-03", "1990-05-06")
PERSONAL = (*SUMMARIES, *BORN, "mike", "mia", "müller", "muller", "acme", ".example", "15112345678", "husband")
TELLS: Mapping[tuple[int, ...], tuple[str, ...]] = {
    (1,): (
        *("mike", "mueller", "15112345678", "cus_0001", "cus_old", "cus_A", *SUMMARIES[:4], BORN[0], "1200.50"),
        *("int_101", "int_102", "int_103", "int_104", "jrn_301", "flg_501", "lnk_11-12", "ent_201", "in_201"),
    ),
    (2,): ("mia", "cus_0002", *SUMMARIES[5:], BORN[1], "int_121", "int_122", "jrn_321", "flg_502", "ent_221", "in_221"),
    (3,): ("acme", "cus_0003", SUMMARIES[4], "int_105", "jrn_331", "flg_503", "agr_601"),
    (1, 2): ("jdg_7", "lnk_11-13", "husband and wife", "one inbox"),
}
HIDDEN: Mapping[str, tuple[str, ...]] = {
    "analyst": PERSONAL,
    "marketing": BORN,
    "clerk": ("mike müller", "m. müller", "acme gmbh", "muller", "in_201", "cus_A", "1200.50"),
    "researcher": (*SUMMARIES, "husband", "m.mueller@work.example", "15112345678", "is no number"),
}


def crowded(told: Graph) -> Graph:
    """The told graph, with more of Mia (2) and of Acme (3), and with what names several of the three."""
    with told.store.write() as connection:
        for tell in (_mia, _acme, _between):
            tell(connection)
        card = derived.customer_card
        for number, born in enumerate(BORN, start=1):
            connection.execute(update(card).where(card.c.customer_no == number).values(birth_date=born))
        publish_cards(connection)
    return told


def sights(rulebook: Rulebook) -> dict[str, Sight]:
    """The shipped roles and those of OTHERS."""
    others = {name: Role.model_validate({"about": "A test's.", **said}) for name, said in OTHERS.items()}
    access = rulebook.access.model_copy(update={"roles": {**rulebook.access.roles, **others}})
    return build_sights(rulebook.model_copy(update={"access": access}))


def untold(role: str) -> tuple[str, ...]:
    """What no answer to the role may tell."""
    texts = [text for about, said in TELLS.items() if not SEEN[role] >= set(about) for text in said]
    return (*texts, *HIDDEN.get(role, ()))


def _mia(connection: Connection) -> None:
    for number, customer, granted in ((701, 2, True), (702, 1, True), (703, 1, False)):
        consent = {"channel": "EMAIL", "purpose": "marketing", "granted": granted, "at": number}
        put(connection, MAPPED["consent"], fact_no=number, customer_no=customer, source="hubspot", **consent)
    for number, summary, organization in ((121, SUMMARIES[5], 3), (122, SUMMARIES[6], None)):
        said = {"customer_no": 2, "organization_no": organization, "type": "case.comment", "summary": summary}
        where = {"channel": "EMAIL", "lane": "CUSTOMER", "source": "zendesk", "at": at("2026-06-21T12:00:00")}
        put(connection, MAPPED["interaction"], fact_no=number, profile_no=13, **said, **where)
    _journey(connection, 321, 2, "LIVING", 121)
    owner = {"customer_no": 2, "at": at("2026-05-05T09:00:00"), "kind": "REVENUE", "basis": "ACTUAL"}
    record = {"source": "stripe", "stream": "invoices", "key": "in_221", "currency": "EUR", "amount": euros(77)}
    put(connection, derived.entry, entry_no=221, **owner, **record, interaction_no=122, stage="LIVING", channel="EMAIL")
    for code, factor in (("EUR", 1), ("USD", 2)):
        worth = {"currency": code, "customer_no": 2}
        put(connection, derived.entry_value, entry_no=221, **worth, amount=euros(77) * factor, rate=str(factor))
        put(connection, derived.profitability, **worth, revenue=euros(77) * factor, contribution=euros(77) * factor)


def _acme(connection: Connection) -> None:
    _journey(connection, 331, 3, "CHOOSING", -101)
    flag = {
        "rule": "silence",
        "severity": "LOW",
        "severity_rank": 1,
        "state": "OPEN",
        "since": at("2026-06-02T00:00:00"),
    }
    action = {"action_kind": "CALL", "action_channel": "PHONE"}
    put(connection, derived.risk_flag, flag_no=503, customer_no=3, **flag, **action)
    for ordinal, touch in enumerate((101, 105), start=1):
        put(connection, derived.flag_evidence, flag_no=503, ordinal=ordinal, customer_no=3, interaction_no=touch)


def _journey(connection: Connection, number: int, customer: int, stage: str, touch: int) -> None:
    """A journey of two steps, the first of them left; an interaction in it."""
    began, left = at("2026-05-20T00:00:00"), at("2026-06-24T00:00:00")
    own = {"journey_no": number, "customer_no": customer}
    put(connection, derived.journey, **own, ordinal=1, definition="customer@1", started_at=began)
    steps = derived.journey_step
    put(connection, steps, step_no=number, **own, ordinal=1, stage=stage, entered_at=began, left_at=left, channels="[]")
    put(connection, steps, step_no=number + 1, **own, ordinal=2, stage="RENEWAL", entered_at=left, channels="[]")
    worth = {"currency": "EUR", "customer_no": customer, "revenue": euros(77), "contribution": euros(70)}
    put(connection, derived.step_value, step_no=number, **worth)
    said = {"interaction_no": touch, "customer_no": customer, "at": began, "stage": stage}
    put(connection, derived.step_interaction, step_no=number, **said)


def _between(connection: Connection) -> None:
    contact = {"type": "EMAIL", "value": "family@home.example", "sources": "[]"}
    put(connection, derived.customer_identifier, customer_no=3, **contact)
    pair = {"left_profile_no": 11, "right_profile_no": 13, "verdict": "NO_MATCH", "rule": "other name", "score": 1}
    put(connection, derived.link, **pair, reasons='["one inbox: mike@home.example, mia@home.example"]')
    log = {"event": "SPLIT", "reason": "cus_0001 is mike", "customer_ids": '["cus_0001","cus_0002"]', "at": 1}
    put(connection, kept.identity_log, log_no=1_002, customer_no=2, **log)
