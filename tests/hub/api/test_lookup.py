"""Finding customers and nodes: redirects, ambiguity, search, and texts that mean harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.insight.search import phone_tokens
from hub.store.derived import customer_token
from hub.store.kept import customer_ledger
from tests.hub.api.conftest import Graph, put

BY = "query By($by: CustomerBy!) { customer(by: $by) { id displayName } }"
SEARCH = "query S($text: String!) { searchCustomers(text: $text) { totalCount edges { node { id } } } }"
MIKE = {"id": "cus_0001", "displayName": "Mike Müller"}

FOUND: dict[str, tuple[dict[str, Any], Any]] = {
    "by id": ({"id": "cus_0001"}, MIKE),
    "by merged id": ({"id": "cus_old"}, MIKE),
    "by e-mail in any case": ({"email": "MIKE@home.Example "}, MIKE),
    "by national phone": ({"phone": "0151 123 456 78"}, MIKE),
    "by international phone": ({"phone": "+49 151 12345678"}, MIKE),
    "by key": ({"externalId": {"source": "stripe", "value": "cus_A"}}, MIKE),
    "by key in a stream": ({"externalId": {"source": "hubspot", "stream": "contacts", "value": "101"}}, MIKE),
    "unknown id": ({"id": "cus_none"}, None),
    "unknown e-mail": ({"email": "nobody@home.example"}, None),
    "no e-mail": ({"email": "nobody"}, None),
    "no phone": ({"phone": "call me"}, None),
    "unknown source": ({"externalId": {"source": "none", "value": "101"}}, None),
}


@pytest.mark.parametrize(("by", "wanted"), FOUND.values(), ids=FOUND)
def test_customer_is_found(told: Graph, by: dict[str, Any], wanted: Any) -> None:
    assert told.data(BY, by=by) == {"customer": wanted}


SHARED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "family inbox": ({"email": "family@home.example"}, ["cus_0001", "cus_0002"]),
    "key of two streams": ({"externalId": {"source": "hubspot", "value": "101"}}, ["cus_0001", "cus_0003"]),
}


@pytest.mark.parametrize(("by", "ids"), SHARED.values(), ids=SHARED)
def test_shared_identifier_is_ambiguous_and_says_whose_it_is(told: Graph, by: dict[str, Any], ids: list[str]) -> None:
    answer = told.ask(BY, by=by)
    assert answer["data"] == {"customer": None}
    assert answer["errors"][0]["extensions"] == {"code": "AMBIGUOUS", "customerIds": ids}


@pytest.mark.parametrize("by", [{}, {"id": "cus_0001", "email": "mike@home.example"}, {"id": None}], ids=str)
def test_exactly_one_way_to_look_up(told: Graph, by: dict[str, Any]) -> None:
    assert told.code(BY, by=by) == "BAD_QUERY"
    written = ", ".join(f"{name}: {json.dumps(value)}" for name, value in by.items())
    assert told.code(f"{{ customer(by: {{{written}}}) {{ id }} }}") == "BAD_QUERY"


SEARCHED: dict[str, tuple[str, list[str]]] = {
    "a name's beginning": ("MÜL", ["cus_0002", "cus_0001"]),
    "every word": ("mul mik", ["cus_0001"]),
    "an e-mail": ("Mike@home", ["cus_0001"]),
    "a phone": ("+49 151", ["cus_0001"]),
    "a phone with the zero of within the country": ("+49 (0) 151", ["cus_0001"]),
    "not the end of a word": ("uller", []),
    "a wildcard is no letter": ("m%ke", []),
}


@pytest.mark.parametrize(("text", "ids"), SEARCHED.values(), ids=SEARCHED)
def test_search_by_beginnings_of_words(told: Graph, text: str, ids: list[str]) -> None:
    found = told.data(SEARCH, text=text)["searchCustomers"]
    assert [edge["node"]["id"] for edge in found["edges"]] == ids
    assert found["totalCount"] == len(ids)


@pytest.mark.parametrize("text", ["Jörg", "joerg", "JO\u0308RG", "0170/99", "+49 170 99"])
def test_search_knows_how_people_spell_and_dial(told: Graph, text: str) -> None:
    with told.store.write() as connection:
        for token, number in [("jo", 2), ("joerg", 3), *((token, 3) for token in phone_tokens("+491709988"))]:
            put(connection, customer_token, token=token, customer_no=number)
    assert [e["node"]["id"] for e in told.data(SEARCH, text=text)["searchCustomers"]["edges"]] == ["cus_0003"]


def test_search_for_nothing_is_refused(told: Graph) -> None:
    assert told.code(SEARCH, text=" %_ ") == "BAD_USER_INPUT"


def test_search_compares_byte_by_byte(told: Graph) -> None:
    """Collations put accents and case elsewhere; a prefix is a range of code points."""
    with told.store.write() as connection:
        for word in ("mz", "mí"):
            put(connection, customer_token, token=word, customer_no=3)
    assert [e["node"]["id"] for e in told.data(SEARCH, text="m")["searchCustomers"]["edges"]] == [
        "cus_0003",
        "cus_0002",
        "cus_0001",
    ]
    assert [e["node"]["id"] for e in told.data(SEARCH, text="mi")["searchCustomers"]["edges"]] == [
        "cus_0002",
        "cus_0001",
    ]


NODE = """query N($id: ID!) { node(id: $id) { __typename id
  ... on Customer { displayName } ... on Interaction { type } ... on Journey { definition }
  ... on RiskFlag { rule } ... on Judgement { verdict reasons } } }"""
NODES: dict[str, Any] = {
    "cus_0001": {"__typename": "Customer", "id": "cus_0001", "displayName": "Mike Müller"},
    "cus_old": {"__typename": "Customer", "id": "cus_0001", "displayName": "Mike Müller"},
    "int_104": {"__typename": "Interaction", "id": "int_104", "type": "payment.failed"},
    "jrn_301": {"__typename": "Journey", "id": "jrn_301", "definition": "customer@1"},
    "flg_501": {"__typename": "RiskFlag", "id": "flg_501", "rule": "failed_payment"},
    "jdg_7": {"__typename": "Judgement", "id": "jdg_7", "verdict": "NO_MATCH", "reasons": ["husband and wife"]},
    "lnk_11-12": {
        "__typename": "Judgement",
        "id": "lnk_11-12",
        "verdict": "MATCH",
        "reasons": ["the e-mail mike@home.example", "given name Mike"],
    },
    "int_9": None,
    "int_": None,
    "int_x": None,
    "int_99999999999999999999": None,
    "int_104-1": None,
    "lnk_11": None,
    "jdg_11-12": None,
    "ent_201": None,
    "zzz_1": None,
    "": None,
    "int_١٠٤": None,
}


@pytest.mark.parametrize(("name", "wanted"), NODES.items(), ids=list(NODES))
def test_node_by_id(told: Graph, name: str, wanted: Any) -> None:
    assert told.data(NODE, id=name) == {"node": wanted}


HARM = {
    "quote": "' OR '1'='1",
    "double quote": '" OR ""="',
    "comment": "x'; DROP TABLE customer_card; --",
    "like": "%",
    "underscore": "_",
    "backslash": "\\",
    "format": "{0} %s %(x)s :x ?",
    "unicode": "\u202e\U0010ffff",
    "long": "a" * 5_000,
    "json": '{"$gt": ""}',
}
HARMED: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "id": (BY, lambda text: {"by": {"id": text}}),
    "email": (BY, lambda text: {"by": {"email": text}}),
    "phone": (BY, lambda text: {"by": {"phone": text}}),
    "source": (BY, lambda text: {"by": {"externalId": {"source": text, "value": "1"}}}),
    "value": (BY, lambda text: {"by": {"externalId": {"source": "stripe", "value": text, "stream": text}}}),
    "search": (SEARCH, lambda text: {"text": f"x{text}"}),
    "node": (NODE, lambda text: {"id": text}),
    "country": (
        "query F($t: String!) { customers(filter: {country: {eq: $t}, language: {in: [$t]}}) { totalCount } }",
        lambda text: {"t": text},
    ),
    "rule": (
        "query F($t: String!) { riskFlags(filter: {rule: {in: [$t]}}) { totalCount } }",
        lambda text: {"t": text},
    ),
}


@pytest.mark.parametrize("text", HARM.values(), ids=HARM)
def test_text_in_every_argument_is_only_a_text(told: Graph, text: str) -> None:
    for name, (query, variables) in HARMED.items():
        data = told.data(query, **variables(text))
        (answer,) = data.values()
        assert not answer or answer.get("totalCount") == 0, name
    with told.store.read() as connection:
        assert connection.execute(customer_ledger.select()).all()


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"], ids=["nul", "nul within", "half a letter"])
def test_text_that_no_database_holds_is_refused(told: Graph, text: str) -> None:
    for name, (query, variables) in HARMED.items():
        assert told.code(query, **variables(text)) == "BAD_USER_INPUT", name
