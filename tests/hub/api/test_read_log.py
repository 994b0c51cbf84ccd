"""Who reads personal data over GraphQL stands in the audit log, whichever way the operation is answered."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.access.audit import Audit
from hub.access.principal import Principal
from hub.access.roles import build_sights
from hub.access.sight import EVERYTHING
from hub.api.engine import Engine
from hub.store.kept import audit_log
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph

Entry = tuple[str, str, str, list[int], str]


def logged(graph: Graph, query: str, principal: Principal, planned: bool) -> list[Entry]:
    """What the log holds once the query is answered: principal, operation, root field, customers and classes."""
    audit = Audit(graph.store)
    engine = Engine(graph.schema, graph.context, graph.planner if planned else None, audit=audit)
    answer = graph.loop.run_until_complete(engine.answer(graph.documents.get(query), None, {}, principal))
    audit.close()
    assert not answer.errors
    c = audit_log.c
    columns = (c.principal, c.operation, c.root, c.customers, c.classes)
    with graph.store.read() as connection:
        rows = connection.execute(select(*columns).order_by(c.root)).all()
    return [(who, said, root, json.loads(customers), classes) for who, said, root, customers, classes in rows]


AGENT = Principal("key:ab12", EVERYTHING)
READINGS = {
    "one": (
        'query One { customer(by: {id: "cus_0001"}) { displayName emails } }',
        [("key:ab12", "One", "customer", [1], "CONTACT NAME")],
    ),
    "a merged id": (
        '{ customer(by: {id: "cus_old"}) { displayName } }',
        [("key:ab12", "", "customer", [1], "NAME")],
    ),
    "a page": (
        "{ customers(first: 2) { edges { node { displayName } } } }",
        [("key:ab12", "", "customers", [1, 2], "NAME")],
    ),
    "a flag's customer": (
        '{ riskFlags(filter: {rule: {eq: "failed_payment"}}) { edges { node { customer { displayName } } } } }',
        [("key:ab12", "", "riskFlags", [1], "NAME")],
    ),
    "two roots": (
        '{ customer(by: {id: "cus_0001"}) { displayName }'
        ' riskFlags(filter: {rule: {eq: "silence"}}) { edges { node { id } } } }',
        [("key:ab12", "", "customer", [1], "NAME"), ("key:ab12", "", "riskFlags", [2], "NAME")],
    ),
    "nobody found": ('{ customer(by: {id: "nobody"}) { displayName } }', []),
    "nothing personal": ("{ customers { edges { node { id country } } } }", []),
    "figures": ("{ whaleCurve { bucket customerCount } }", []),
}


@pytest.mark.parametrize("planned", [True, False], ids=["planned", "by graphql-core"])
@pytest.mark.parametrize(("query", "wanted"), READINGS.values(), ids=READINGS)
def test_reading_personal_data_is_logged(told: Graph, query: str, wanted: list[Entry], planned: bool) -> None:
    assert logged(told, query, AGENT, planned) == wanted


def test_what_is_masked_is_not_read(told: Graph, rulebook: Rulebook) -> None:
    analyst = replace(AGENT, sight=build_sights(rulebook)["analyst"])
    assert logged(told, "{ customers { edges { node { id emails displayName } } } }", analyst, planned=True) == []
