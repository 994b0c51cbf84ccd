"""What is done to hurt, and what is answered: nothing runs, and the answer says limit and value.

`table()` is what docs/operator.md shows; a test compares.
"""

from __future__ import annotations

import hashlib
import json
import select as select_
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)
from sqlalchemy import select

from hub.api.context import Writer
from hub.api.schema import Schema
from hub.cli import protocol
from hub.run import Hub
from hub.server import create_app
from hub.settings import Settings
from hub.store.engine import Store, open_store
from hub.store.kept import metadata
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph, put_customer
from tests.hub.test_server import Client
from tests.hub.test_server_streams import served

DOCS = Path(__file__).parents[3] / "docs"
WAIT = 20
JSON = {"content-type": "application/json"}


def _post(query: str, **more: Any) -> dict[str, Any]:
    return {"method": "POST", "json": {"query": query, **more}}


def _raw(content: bytes, kind: str = "application/json") -> dict[str, Any]:
    return {"method": "POST", "content": content, "headers": {"content-type": kind}}


def _get(query: str) -> dict[str, Any]:
    return {"method": "GET", "params": {"query": query}}


ERASE = 'mutation { eraseCustomer(id: "cus_0001", dryRun: false) { certificate } }'
BOMB = (
    '{ customer(by: {id: "1"}) { ...f0 } } '
    + " ".join(f"fragment f{n} on Customer {{ a{n}: id ...f{n + 1} b{n}: id ...f{n + 1} }}" for n in range(40))
    + " fragment f40 on Customer { id }"
)
PEOPLE = "members(first: 1000) { edges { node { person { id %s } } } }"
DEEP = "members { edges { node { person { " * 4 + "id" + " } } } }" * 4
CIRCLE = '{ customer(by: {id: "1"}) { ...a } } fragment a on Customer { ...b } fragment b on Customer { ...a }'

# attack → request, HTTP status, code, words of the answer; in production mode where the name says so
ATTACKS: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "aliases: one field 31 times": (
        _post("{ " + " ".join(f"a{n}: sources {{ name }}" for n in range(31)) + " }"),
        200,
        "TOO_MANY_ALIASES",
        "the operation has 31 aliases; 30 at most",
    ),
    "batch of two operations": (
        {"method": "POST", "json": [{"query": "{ __typename }"}] * 2},
        400,
        "BAD_QUERY",
        "batches are not answered; send one operation a request",
    ),
    "directives: one 21 times on a field": (
        _post("{ sources { name " + "@skip(if: false) " * 21 + "} }"),
        200,
        "TOO_MANY_DIRECTIVES",
        "the operation has 21 directives; 20 at most",
    ),
    "directives that there are none of": (
        _post("{ sources { name " + "@a " * 19 + "} }"),
        200,
        "BAD_QUERY",
        "Unknown directive '@a'.",
    ),
    "fragments that double 40 times": (_post(BOMB), 200, "TOO_MANY_ALIASES", "aliases; 30 at most"),
    "fragments in a circle": (_post(CIRCLE), 200, "BAD_QUERY", "Cannot spread fragment 'a' within itself via 'b'."),
    "selection 18 deep": (
        _post(f'{{ customer(by: {{id: "1"}}) {{ {DEEP} }} }}'),
        200,
        "TOO_DEEP",
        "the operation is 18 deep; 12 at most",
    ),
    "500 open braces": (_post("{ a " * 500), 200, "TOO_DEEP", "the document is nested too deep; 12 at most"),
    "huge `first`": (_post("{ customers(first: 2000000000) { totalCount } }"), 200, "BAD_USER_INPUT", "0 to 1000"),
    "large pages in large pages": (
        _post(f'{{ customer(by: {{id: "1"}}) {{ {PEOPLE % (PEOPLE % "")} }} }}'),
        200,
        "TOO_COSTLY",
        "20000 at most; ask for fewer: first, last",
    ),
    "every customer read 25 times": (
        _post("{ " + " ".join(f"a{n}: journeyMap {{ journeyCount }}" for n in range(25)) + " }"),
        200,
        "TOO_COSTLY",
        "the operation costs 25000; 20000 at most",
    ),
    "mutation by GET": (_get(ERASE), 405, "BAD_QUERY", "mutations are sent by POST"),
    "mutation by a form of another page": (
        {"method": "POST", "data": {"query": ERASE}},
        415,
        "BAD_QUERY",
        "Content-Type must be application/json",
    ),
    "mutation as text/plain, which no browser asks about": (
        _raw(json.dumps({"query": ERASE}).encode(), "text/plain"),
        415,
        "BAD_QUERY",
        "Content-Type must be application/json",
    ),
    "mutation as multipart": (
        {"method": "POST", "files": {"operations": (None, json.dumps({"query": ERASE}))}},
        415,
        "BAD_QUERY",
        "Content-Type must be application/json",
    ),
    "page whose host name was turned to loopback": (
        {**_post("{ __typename }"), "headers": {"host": "evil.example"}},
        400,
        "BAD_QUERY",
        "without a key, only localhost",
    ),
    "introspection in circles": (
        _post("{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"),
        200,
        "BAD_QUERY",
        "Maximum introspection depth exceeded",
    ),
    "introspection in production": (
        _post("{ __schema { types { name } } }"),
        200,
        "NOT_TRUSTED",
        "only registered documents run here",
    ),
    "guessed field in production": (_post("{ customerz { id } }"), 200, "NOT_TRUSTED", "only registered documents run"),
    "unknown documentId": (
        {"method": "POST", "json": {"documentId": "x"}},
        200,
        "PERSISTED_QUERY_NOT_FOUND",
        "PersistedQueryNotFound",
    ),
    "document of 2,001 tokens": (
        _post("{ sources { " + "name " * 2000 + "} }"),
        200,
        "TOO_MANY_TOKENS",
        "the document has more than 2000 tokens",
    ),
    "document of 2,001 comments": (
        _post("{ sources { name } }" + "\n#" * 2001),
        200,
        "TOO_MANY_TOKENS",
        "the document has more than 2000 tokens",
    ),
    "body of 100,001 bytes": (_raw(b" " * 100_001), 413, "TOO_LARGE", "the request has more than 100000 bytes"),
    "JSON nested 90,000 deep": (_raw(b"[" * 90_000), 400, "BAD_QUERY", "batches are not answered"),
    "JSON nested 15,000 deep in variables": (
        _raw(b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 15_000),
        400,
        "BAD_QUERY",
        "the request is no JSON in UTF-8",
    ),
    "input nested 500 deep": (
        _post(
            "query Q($f: CustomerFilter) { customers(filter: $f) { totalCount } }",
            variables={"f": json.loads('{"not":' * 500 + "{}" + "}" * 500)},
        ),
        200,
        "BAD_QUERY",
        "too deep",
    ),
    "no JSON": (_raw(b'{"query": '), 400, "BAD_QUERY", "the request is no JSON in UTF-8"),
    "invalid UTF-8": (_raw(b'{"query": "\xff"}'), 400, "BAD_QUERY", "the request is no JSON in UTF-8"),
    "half of a surrogate": (_raw(b'{"query": "\\ud800"}'), 400, "BAD_QUERY", "the request is no JSON in UTF-8"),
    "invalid UTF-8 in an address": (
        {"method": "GET", "url": "/graphql?query=%ff"},
        400,
        "BAD_QUERY",
        "the request is no JSON in UTF-8",
    ),
    "null byte in the document": (_post("{ \0 }"), 200, "BAD_QUERY", "Syntax Error"),
    "null byte as the operation's name": (
        _post("{ __typename }", operationName="\0"),
        200,
        "BAD_QUERY",
        "operationName: no",
    ),
    "query that is a list": (_raw(b'{"query": ["{ __typename }"]}'), 400, "BAD_QUERY", "got `array` - at `$.query`"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('abuse')}/hub.db")
    with store.write() as connection:
        put_customer(connection, 1, "Mike")
    yield store
    store.close()


def _never(public_id: str, dry_run: bool, as_of: int) -> Any:
    raise AssertionError("somebody was erased")


@pytest.fixture(scope="module")
def clients(home: Store, rulebook: Rulebook) -> Callable[[str], Client]:
    """A client of the server that an attack is on."""
    made = {
        mode: Client(
            create_app(Hub(home, rulebook, {}), Settings(mode=mode), writer=Writer(lambda as_of: None, _never))
        )
        for mode in ("development", "production")
    }
    return lambda attack: made["production" if attack.endswith("in production") else "development"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_refused(clients: Callable[[str], Client], home: Store, attack: str) -> None:
    request, status, code, words = ATTACKS[attack]
    before = _content(home)
    answer = clients(attack).request(**{"url": "/graphql", **request})
    (error, *_) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (status, code)
    assert words in error["message"]
    assert answer.json().get("data") is None
    assert len(answer.content) < 5_000
    assert _content(home) == before


def table() -> str:
    """Attacks and answers, as the guide for operators shows them."""
    rows = [f"| {attack} | `{code}` {words} |" for attack, (_, _, code, words) in ATTACKS.items()]
    return "\n".join(["| attack | answer |", "|---|---|", *rows])


def test_guide_shows_every_attack() -> None:
    assert table() in (DOCS / "operator.md").read_text(encoding="utf-8")


# SQL, and whatever else somebody may write, in every text that is taken --------------------------------------------
TEXTS = {
    "drop": "'; DROP TABLE customer_card; --",
    "or": "' OR '1'='1",
    "double quotes": '" OR ""="',
    "sleep": "x'); SELECT pg_sleep(60); --",
    "backslash": "\\'; DELETE FROM customer_card; --",
    "null byte": "a\0b",
    "pattern": "%_%",
    "parameter": ":name %(name)s ? $1 {0}",
}


def _value(kind: Any, text: str, path: tuple[str, ...]) -> Any:
    """A value of an input type that holds the text at the end of a path of input fields, and what else it must hold."""
    if is_non_null_type(kind):
        return _value(kind.of_type, text, path)
    if is_list_type(kind):
        return [_value(kind.of_type, text, path)]
    if is_input_object_type(kind):
        wanted = {path[0]: _value(kind.fields[path[0]].type, text, path[1:])} if path else {}
        needed = {n: _value(f.type, "x", ()) for n, f in kind.fields.items() if is_non_null_type(f.type)}
        return needed | wanted
    if is_enum_type(kind):
        return next(iter(kind.values))
    return {"Int": 1, "Boolean": True, "Date": "2026-01-01", "DateTime": "2026-01-01T00:00:00Z"}.get(kind.name, text)


def _paths(kind: Any, known: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where an input type takes texts; no type within itself."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        if named.name not in known:
            for name, field in named.fields.items():
                yield from ((name, *path) for path in _paths(field.type, (*known, named.name)))
    elif is_leaf_type(named) and not is_enum_type(named) and named.name not in ("Int", "Boolean", "Date", "DateTime"):
        yield ()


def _selection(schema: GraphQLSchema, field: GraphQLField) -> str:
    """Something to read of a field's answer, so that its statement is sent."""
    named: Any = get_named_type(field.type)
    if is_leaf_type(named):
        return ""
    if "edges" in named.fields:
        return "{ totalCount edges { cursor } }"
    plain = [name for name, f in named.fields.items() if is_leaf_type(get_named_type(f.type)) and not f.args]
    return f"{{ {plain[0] if plain else '__typename'} }}"


Place = tuple[str, str, str, tuple[str, ...]]


def _places(schema: GraphQLSchema) -> Iterator[Place]:
    for root in ("query", "mutation"):
        kind: Any = schema.query_type if root == "query" else schema.mutation_type
        for name, field in kind.fields.items():
            for argument, declared in field.args.items():
                yield from ((root, name, argument, path) for path in _paths(declared.type))


def _ask(schema: GraphQLSchema, place: Place, text: str) -> tuple[str, dict[str, Any]]:
    """The operation that holds the text in this place, and its variables."""
    root, name, argument, path = place
    kind: Any = schema.query_type if root == "query" else schema.mutation_type
    field: GraphQLField = kind.fields[name]
    arguments: dict[str, GraphQLArgument] = {
        n: a for n, a in field.args.items() if n == argument or is_required_argument(a)
    }
    variables = {n: _value(a.type, text, path if n == argument else ()) for n, a in arguments.items()}
    if name == "eraseCustomer":
        variables["dryRun"] = True
    declared = ", ".join(f"${n}: {a.type}" for n, a in arguments.items())
    said = ", ".join(f"{n}: ${n}" for n in arguments)
    return f"{root} Q({declared}) {{ {name}({said}) {_selection(schema, field)} }}", variables


def _content(store: Store) -> str:
    """A digest of everything stored."""
    known = hashlib.sha256()
    with store.read() as connection:
        for table_ in metadata.sorted_tables:
            rows = connection.execute(select(table_)).all()
            known.update(f"{table_.name} {sorted(map(repr, rows))}".encode())
    return known.hexdigest()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_in_any_argument_is_a_text(told: Graph, schema: Schema, text: str) -> None:
    """In every argument, and every field of every input: it changes nothing, and is no mistake of ours."""
    places, before = list(_places(schema._schema)), _content(told.store)
    assert len(places) > 20
    for place in places:
        query, variables = _ask(schema._schema, place, text)
        answer = told.ask(query, **variables)
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes <= {"BAD_USER_INPUT", "BAD_QUERY", "BAD_CURRENCY", "NOT_FOUND"}, (place, answer)
    assert _content(told.store) == before


def test_every_kind_of_input_is_walked(schema: Schema) -> None:
    walked = {(name, argument, path) for _, name, argument, path in _places(schema._schema)}
    assert ("customer", "by", ("externalId", "value")) in walked
    assert ("searchCustomers", "text", ()) in walked
    assert ("eraseCustomer", "id", ()) in walked


# slow clients ---------------------------------------------------------------------------------------------------------
def _connected(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), WAIT)


def _until_closed(connection: socket.socket) -> bytes:
    """What the server still says before it closes the connection."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


SLOW: dict[str, bytes] = {
    "says nothing": b"",
    "half a line": b"POST /graph",
    "headers without end": b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n",
}


@pytest.mark.parametrize("said", SLOW.values(), ids=SLOW)
def test_headers_that_do_not_arrive_are_not_waited_for(
    home: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEADERS_S", 0.2)
    with served(home, rulebook) as address, _connected(address) as connection:
        connection.sendall(said)
        assert _until_closed(connection) == b""


def test_body_that_does_not_arrive_is_told_and_the_connection_closed(
    home: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.listen.view.BODY_S", 0.2)
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    with served(home, rulebook) as address, _connected(address) as connection:
        connection.sendall(head)
        said = _until_closed(connection)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"TIMED_OUT" in said


def test_headers_without_end_are_refused(home: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_BYTES", 20_000)
    with served(home, rulebook) as address, _connected(address) as connection:
        connection.sendall(b"GET /graphql HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: " + b"a" * 30_000 + b"\r\n")
        said = _until_closed(connection)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"the headers have more than 20000 bytes" in said


def test_client_that_does_not_read_is_let_go(home: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks again and again for more than fits into the sockets between, and never looks at it."""
    monkeypatch.setattr(protocol, "READ_S", 0.1)
    ask = b"GET /static/graphiql.min.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(home, rulebook) as address, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        host, _, port = address.partition(":")
        connection.connect((host, int(port)))
        connection.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                connection.send(ask * 100)
        over = select_.poll()
        over.register(connection, select_.POLLHUP | select_.POLLERR)
        assert over.poll(WAIT * 1_000)
