"""GraphQL over HTTP: what a client accepts, known documents, answers it has already, other origins, how much it may."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from hub import clock
from hub.access.keys import create_key
from hub.api.asked import documents
from hub.api.context import Writer
from hub.api.listen import reply, view
from hub.run import Hub
from hub.server import create_app
from hub.settings import SettingError, Settings, read_settings
from hub.store.engine import Store, open_store
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import put_customer
from tests.hub.test_server import Client

QUERY = "{ customers { totalCount } }"
ANSWER = {"data": {"customers": {"totalCount": 60}}}
LONG = "{ customers(first: 60) { edges { node { id displayName } } } }"
RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
ERASE = 'mutation { eraseCustomer(id: "cus_0001", dryRun: true) { certificate } }'


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _never(public_id: str, dry_run: bool, as_of: int) -> Any:
    raise AssertionError("nobody is erased here")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with sixty customers; what HTTP does is the same on both databases."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('http')}/hub.db")
    with store.write() as connection:
        for number in range(1, 61):
            put_customer(connection, number, "Mike Müller", country="DE")
    yield store
    store.close()


@pytest.fixture(scope="module")
def serve(home: Store, rulebook: Rulebook) -> Callable[..., Client]:
    """A client of a server with settings, and rules where other ones are wanted."""

    def make(rules: Rulebook = rulebook, **settings: Any) -> Client:
        hub = Hub(home, rules, {})
        return Client(create_app(hub, Settings(**settings), writer=Writer(lambda as_of: None, _never)))

    return make


@pytest.fixture(scope="module")
def client(serve: Callable[..., Client]) -> Client:
    """A client of a server in development mode, open on loopback."""
    return serve()


@pytest.fixture(scope="module")
def production(serve: Callable[..., Client]) -> Client:
    """A client of a server in production mode with the shipped documents."""
    return serve(mode="production")


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


# what a client accepts -----------------------------------------------------------------------------------------------
ACCEPTED: dict[str, tuple[str | None, str, str, int]] = {
    "nothing said": (None, QUERY, JSON, 200),
    "anything": ("*/*", QUERY, JSON, 200),
    "any application": ("application/*", QUERY, JSON, 200),
    "JSON": (JSON, QUERY, JSON, 200),
    "a GraphQL response": (RESPONSE, QUERY, RESPONSE, 200),
    "both": (f"{JSON}, {RESPONSE}", QUERY, RESPONSE, 200),
    "both, JSON rather": (f"{RESPONSE};q=0.5, {JSON}", QUERY, JSON, 200),
    "a GraphQL response never": (f"{RESPONSE};q=0, {JSON}", QUERY, JSON, 200),
    "with a charset, in capitals": ("Application/JSON; charset=UTF-8", QUERY, JSON, 200),
    "what urql says": (
        f"{RESPONSE}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed",
        QUERY,
        RESPONSE,
        200,
    ),
    "events only": (EVENTS, QUERY, EVENTS, 200),
    "nothing that there is": ("image/png", QUERY, JSON, 406),
    "JSON of what does not parse": (JSON, "{", JSON, 200),
    "a response of what does not parse": (RESPONSE, "{", RESPONSE, 400),
    "JSON of what is not valid": (JSON, "{ nothing }", JSON, 200),
    "a response of what is not valid": (RESPONSE, "{ nothing }", RESPONSE, 400),
    "a response of variables that do not fit": (RESPONSE, "query Q($n: Int!) { __typename }", RESPONSE, 400),
    "a response of an error while it ran": (RESPONSE, '{ customer(by: {id: "?"}) { id } }', RESPONSE, 200),
    "a response of a subscription": (RESPONSE, "subscription { riskFlagRaised { id } }", JSON, 400),
}


@pytest.mark.parametrize(("accept", "query", "kind", "status"), ACCEPTED.values(), ids=ACCEPTED)
def test_type_and_status_follow_what_is_accepted(
    client: Client, accept: str | None, query: str, kind: str, status: int
) -> None:
    headers = {} if accept is None else {"accept": accept}
    answer = client.post("/graphql", json={"query": query}, headers=headers)
    assert (answer.headers["content-type"], answer.status_code) == (f"{kind}; charset=utf-8", status)
    assert answer.content


def test_what_did_not_run_has_no_data(client: Client) -> None:
    for query in ("{", "{ nothing }", "query Q($n: Int!) { __typename }"):
        assert client.post("/graphql", json={"query": query}).json().keys() == {"errors"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    answer = client.request(method, "/graphql", params={"query": QUERY})
    assert (answer.status_code, code(answer)) == (405, "BAD_QUERY")
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_mutation_by_get_says_what_is_allowed(client: Client) -> None:
    answer = client.get("/graphql", params={"query": ERASE})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_head_is_get_with_the_same_headers(client: Client) -> None:
    head, get = (client.request(method, "/graphql", params={"query": QUERY}) for method in ("HEAD", "GET"))
    assert head.status_code == 200
    assert head.headers["etag"] == get.headers["etag"]


# known documents -----------------------------------------------------------------------------------------------------
def persisted(text: str, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **more}


def test_persisted_query_is_registered_once_and_asked_for_by_its_hash(serve: Callable[..., Client]) -> None:
    client = serve()
    unknown = client.post("/graphql", json=persisted(QUERY), headers={"accept": RESPONSE})
    assert (unknown.status_code, code(unknown)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert client.post("/graphql", json=persisted(QUERY, query=QUERY)).json() == ANSWER
    assert client.post("/graphql", json=persisted(QUERY)).json() == ANSWER
    extensions = json.dumps(persisted(QUERY)["extensions"])
    assert client.get("/graphql", params={"extensions": extensions}).json() == ANSWER
    assert client.get("/graphql", params={"documentId": f"sha256:{digest(QUERY)}"}).json() == ANSWER


REGISTERED_WRONGLY: dict[str, tuple[dict[str, Any], str]] = {
    "hash of another text": (persisted(LONG, query=QUERY), "is not the SHA-256 of the query"),
    "no hash": ({"query": QUERY, "extensions": {"persistedQuery": {"version": 1}}}, "needs version 1 and sha256Hash"),
    "a list": ({"query": QUERY, "extensions": {"persistedQuery": []}}, "needs version 1 and sha256Hash"),
}


@pytest.mark.parametrize(("asked", "said"), REGISTERED_WRONGLY.values(), ids=REGISTERED_WRONGLY)
def test_persisted_query_that_does_not_fit_is_refused(client: Client, asked: dict[str, Any], said: str) -> None:
    answer = client.post("/graphql", json=asked)
    assert (answer.status_code, code(answer)) == (400, "BAD_QUERY")
    assert said in answer.text


def test_broken_document_is_not_registered(serve: Callable[..., Client]) -> None:
    client = serve()
    assert code(client.post("/graphql", json=persisted("{ nothing }", query="{ nothing }"))) == "BAD_QUERY"
    assert code(client.post("/graphql", json=persisted("{ nothing }"))) == "PERSISTED_QUERY_NOT_FOUND"


def test_registered_documents_are_bounded(serve: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 3 * len(QUERY))
    client, texts = serve(), [QUERY + "#" * n for n in range(5)]
    for text in texts:
        client.post("/graphql", json=persisted(text, query=text))
    known = [client.post("/graphql", json=persisted(text)).json() == ANSWER for text in texts]
    assert known == [False, False, False, True, True]


def test_production_runs_shipped_documents_by_their_hash(production: Client) -> None:
    text = files("hub.api").joinpath("examples/customers_flat.graphql").read_text(encoding="utf-8")
    answer = production.post("/graphql", json={"documentId": digest(text)})
    assert answer.json().keys() == {"data"}
    assert production.post("/graphql", json={"query": text}).json().keys() == {"data"}


NOT_IN_PRODUCTION: dict[str, tuple[dict[str, Any], str]] = {
    "any text": ({"query": QUERY}, "NOT_TRUSTED"),
    "a text that does not parse": ({"query": "{"}, "NOT_TRUSTED"),
    "introspection": ({"query": "{ __schema { types { name } } }"}, "NOT_TRUSTED"),
    "a persisted query": (persisted(QUERY, query=QUERY), "NOT_TRUSTED"),
    "an unknown hash": (persisted(QUERY), "PERSISTED_QUERY_NOT_FOUND"),
    "an unknown id": ({"documentId": "x"}, "PERSISTED_QUERY_NOT_FOUND"),
}


@pytest.mark.parametrize(("asked", "expected"), NOT_IN_PRODUCTION.values(), ids=NOT_IN_PRODUCTION)
def test_production_runs_nothing_else(production: Client, asked: dict[str, Any], expected: str) -> None:
    answer = production.post("/graphql", json=asked, headers={"accept": RESPONSE})
    assert (answer.status_code, code(answer)) == (400, expected)
    assert code(production.post("/graphql", json=asked)) == expected  # nothing was registered


@pytest.mark.parametrize("path", ["/graphql", "/schema.graphql", "/static/page.js", "/"])
def test_production_shows_no_page_and_no_schema(production: Client, path: str) -> None:
    assert production.get(path, headers={"accept": "text/html"}).status_code in (400, 404)
    assert production.get("/healthz").status_code == 200


def test_gateway_of_a_federation_writes_its_own_documents(serve: Callable[..., Client]) -> None:
    client = serve(mode="production", federation=True)
    assert client.post("/graphql", json={"query": QUERY}).json() == ANSWER
    assert code(client.post("/graphql", json={"query": "{ __schema { types { name } } }"})) == "BAD_QUERY"


def test_suggestions_are_hidden_in_production(serve: Callable[..., Client], client: Client) -> None:
    hidden = serve(mode="production", federation=True)
    asked = [
        {"query": "{ customer(by: {id: 1}) { displayNam } }"},
        {"query": "{ customers(frist: 1) { totalCount } }"},
        {"query": "{ customers(filter: {countri: {eq: 1}}) { totalCount } }"},
        {
            "query": "query Q($k: Kind) { customers(filter: {kind: {eq: $k}}) { totalCount } }",
            "variables": {"k": "PERSO"},
        },
    ]
    for said in asked:
        assert "Did you mean" in client.post("/graphql", json=said).text
        assert "Did you mean" not in hidden.post("/graphql", json=said).text


MANIFESTS: dict[str, tuple[str, Any]] = {
    "relay-compiler": ("persisted.json", {"a1": QUERY}),
    "graphql-codegen": ("persisted-documents.json", {"a1": QUERY}),
    "Apollo": (
        "manifest.json",
        {"format": "apollo-persisted-query-manifest", "operations": [{"id": "a1", "body": QUERY}]},
    ),
}


@pytest.mark.parametrize(("name", "said"), MANIFESTS.values(), ids=MANIFESTS)
def test_manifests_of_tools_are_read(serve: Callable[..., Client], tmp_path: Path, name: str, said: Any) -> None:
    (tmp_path / name).write_text(json.dumps(said), encoding="utf-8")
    client = serve(mode="production", documents=(tmp_path / name,))
    assert client.post("/graphql", json={"documentId": "a1"}).json() == ANSWER
    assert client.post("/graphql", json=persisted(QUERY)).json() == ANSWER
    assert code(client.post("/graphql", json={"query": LONG})) == "NOT_TRUSTED"


def test_folder_of_documents_is_read(serve: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "count.graphql").write_text(QUERY, encoding="utf-8")
    client = serve(mode="production", documents=(tmp_path,))
    assert client.post("/graphql", json={"documentId": digest(QUERY)}).json() == ANSWER


BAD_MANIFESTS: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "is no JSON"),
    "a list": (b"[]", "is no manifest; it must map ids to texts of documents"),
    "numbers": (b'{"a": 1}', "is no manifest"),
    "operations without text": (b'{"operations": [{"id": "a"}]}', "is no manifest"),
    "no UTF-8": (b'{"a": "\xff"}', "cannot be read (it is not UTF-8)"),
}


@pytest.mark.parametrize(("content", "said"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_broken_manifest_is_told_at_the_start(
    serve: Callable[..., Client], tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(SettingError, match="HUB_DOCUMENTS") as refused:
        serve(mode="production", documents=(tmp_path / "m.json",))
    assert said in str(refused.value)


def test_id_of_two_documents_is_told_at_the_start(serve: Callable[..., Client], tmp_path: Path) -> None:
    for name, text in (("a.json", QUERY), ("b.json", LONG)):
        (tmp_path / name).write_text(json.dumps({"a1": text}), encoding="utf-8")
    with pytest.raises(SettingError, match="the id 'a1' stands for another document already"):
        serve(documents=(tmp_path / "a.json", tmp_path / "b.json"))


def test_trusted_document_that_cannot_run_is_warned_of(
    serve: Callable[..., Client], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"a1": "{ nothing }", "a2": QUERY}), encoding="utf-8")
    client = serve(mode="production", documents=(tmp_path / "m.json",))
    said = capsys.readouterr()
    assert "a trusted document cannot run" in said.out + said.err
    assert client.post("/graphql", json={"documentId": "a2"}).json() == ANSWER
    assert code(client.post("/graphql", json={"documentId": "a1"})) == "BAD_QUERY"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HUB_MODE", "prod", "HUB_MODE: 'prod' is not allowed; choose one of development, production"),
        ("HUB_DOCUMENTS", "/none", "HUB_DOCUMENTS: there is no /none"),
        ("HUB_CORS_ORIGINS", "*", "HUB_CORS_ORIGINS: '*' is no origin; write each as https://app.example"),
        ("HUB_CORS_ORIGINS", "https://a.example/", "'https://a.example/' is no origin"),
        ("HUB_CORS_ORIGINS", "null", "'null' is no origin"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingError) as refused:
        read_settings({name: value})
    assert said in str(refused.value)


# answers that a client has already, and packed ones -----------------------------------------------------------------
def test_answer_that_the_client_has_is_not_sent_again(client: Client, home: Store) -> None:
    first = client.get("/graphql", params={"query": QUERY})
    tag = first.headers["etag"]
    for said in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = client.get("/graphql", params={"query": QUERY}, headers={"if-none-match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get("/graphql", params={"query": QUERY}, headers={"if-none-match": '"x"'}).json() == ANSWER
    with home.write() as connection:
        put_customer(connection, 61, "Mia")
    changed = client.get("/graphql", params={"query": QUERY}, headers={"if-none-match": tag})
    with home.write() as connection:
        connection.exec_driver_sql("DELETE FROM customer_card WHERE customer_no = 61")
        connection.exec_driver_sql("DELETE FROM customer WHERE customer_no = 61")
        connection.exec_driver_sql("DELETE FROM customer_ledger WHERE customer_no = 61")
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_only_whole_answers_to_get_are_tagged(client: Client) -> None:
    assert "etag" not in client.post("/graphql", json={"query": QUERY}).headers
    assert "etag" not in client.get("/graphql", params={"query": "{ nothing }"}).headers


PACKED: dict[str, tuple[str, str | None]] = {
    "gzip": ("gzip, deflate", "gzip"),
    "zstd": ("zstd", "zstd"),
    "what a browser says": ("gzip, deflate, br, zstd", "zstd"),
    "anything": ("*", "zstd"),
    "zstd never": ("gzip, zstd;q=0", "gzip"),
    "neither": ("br", None),
    "as it is": ("identity", None),
}


@pytest.mark.parametrize(("accept", "packed"), PACKED.values(), ids=PACKED)
def test_long_answer_is_packed_as_the_client_accepts(client: Client, accept: str, packed: str | None) -> None:
    plain = client.get("/graphql", params={"query": LONG}, headers={"accept-encoding": "identity"})
    assert len(plain.content) > reply.PACKED_FROM
    answer = client.get("/graphql", params={"query": LONG}, headers={"accept-encoding": accept})
    assert answer.headers.get("content-encoding") == packed
    assert answer.json() == plain.json()
    assert (answer.headers["etag"] == plain.headers["etag"]) == (packed is None)
    assert "Accept-Encoding" in answer.headers["vary"]


def test_short_answer_is_not_packed(client: Client) -> None:
    answer = client.get("/graphql", params={"query": QUERY}, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


def test_packed_bytes_are_those_of_the_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "IN_A_THREAD_FROM", 0)
    raw = {}
    for accept in ("identity", "gzip", "zstd"):
        raw[accept] = asyncio.run(_raw(client.app, accept))
    assert gzip.decompress(raw["gzip"]) == zstandard.ZstdDecompressor().decompress(raw["zstd"]) == raw["identity"]
    assert len(raw["gzip"]) < len(raw["identity"]) / 3


async def _raw(app: Any, accept: str) -> bytes:
    """The body as it is sent."""
    sent: list[dict[str, Any]] = []
    headers = [(b"host", b"localhost"), (b"accept-encoding", accept.encode())]
    query = httpx.QueryParams({"query": LONG})
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/graphql",
        "query_string": str(query).encode(),
        "headers": headers,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return bytes(sent[1]["body"])


# other origins -------------------------------------------------------------------------------------------------------
APP = "https://app.example"


@pytest.fixture(scope="module")
def shared(serve: Callable[..., Client]) -> Client:
    """A client of a server that pages of one other origin may read."""
    return serve(cors_origins=(APP,))


def preflight(client: Client, origin: str) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    return client.request("OPTIONS", "/graphql", headers=asked)


def test_listed_origin_may_ask_and_read(shared: Client) -> None:
    leave = preflight(shared, APP)
    assert leave.status_code == 204
    assert leave.headers["access-control-allow-origin"] == APP
    assert "POST" in leave.headers["access-control-allow-methods"]
    assert "authorization" in leave.headers["access-control-allow-headers"]
    answer = shared.post("/graphql", json={"query": QUERY}, headers={"origin": APP})
    assert answer.json() == ANSWER
    assert answer.headers["access-control-allow-origin"] == APP
    assert "retry-after" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://app.example.evil", "http://app.example", "https://app.example:444", "null"],
)
def test_origin_that_is_not_listed_gets_no_leave(shared: Client, origin: str) -> None:
    for answer in (
        preflight(shared, origin),
        shared.post("/graphql", json={"query": QUERY}, headers={"origin": origin}),
    ):
        assert not any(name.startswith("access-control-allow") for name in answer.headers)


def test_no_answer_lets_cookies_in_and_every_one_varies_by_origin(shared: Client) -> None:
    for origin in (APP, "https://evil.example"):
        answer = shared.post("/graphql", json={"query": QUERY}, headers={"origin": origin})
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]


# how much, how often, how slowly ------------------------------------------------------------------------------------
@pytest.fixture
def keys(home: Store) -> Iterator[dict[str, str]]:
    """A key for each of two roles."""
    made = {}
    with home.write() as connection:
        for role in ("analyst", "admin"):
            made[role], _ = create_key(connection, f"test {role}", role, ("graphql",), 1, clock.now())
    yield made
    with home.write() as connection:
        connection.exec_driver_sql("DELETE FROM api_key")


def test_rate_beyond_the_role_is_told_with_limit_and_when_to_come_back(
    serve: Callable[..., Client], rulebook: Rulebook, keys: dict[str, str]
) -> None:
    client = serve(_with_rate(rulebook, "2/h"))
    headers = {"x-api-key": keys["analyst"]}
    answers = [client.post("/graphql", json={"query": QUERY}, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert code(answers[2]) == "TOO_MANY_REQUESTS"
    extensions = answers[2].json()["errors"][0]["extensions"]
    assert int(answers[2].headers["retry-after"]) == extensions["retryAfter"] > 1_000
    assert "2 requests" in extensions["limit"]
    assert client.post("/graphql", json={"query": QUERY}, headers={"x-api-key": keys["admin"]}).json() == ANSWER


def _with_rate(rulebook: Rulebook, rate: str) -> Rulebook:
    role = rulebook.access.roles["analyst"].model_copy(update={"rate": rate})
    access = rulebook.access.model_copy(update={"roles": {**rulebook.access.roles, "analyst": role}})
    return rulebook.model_copy(update={"access": access})


FORBIDDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "a mutation": (ERASE, {}),
    "an input": ('{ customer(by: {email: "a@b.example"}) { id } }', {}),
    "an input in a variable": (
        "query Q($by: CustomerBy!) { customer(by: $by) { id } }",
        {"by": {"email": "a@b.example"}},
    ),
    "an order": ("{ customers(orderBy: [{field: DISPLAY_NAME}]) { totalCount } }", {}),
    "an order in a variable": (
        "query Q($o: [CustomerOrder!]) { customers(orderBy: $o) { totalCount } }",
        {"o": [{"field": "DISPLAY_NAME"}]},
    ),
    "an order in a default": (
        "query Q($o: [CustomerOrder!] = [{field: DISPLAY_NAME}]) { customers(orderBy: $o) { totalCount } }",
        {},
    ),
    "an order in a fragment's variable": (
        "query Q($f: CustomerOrderField!) { ...q } "
        "fragment q on Query { customers(orderBy: [{field: $f}]) { totalCount } }",
        {"f": "DISPLAY_NAME"},
    ),
}


@pytest.mark.parametrize(("query", "variables"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_is_refused_to_the_role_is_forbidden(
    serve: Callable[..., Client], keys: dict[str, str], query: str, variables: dict[str, Any]
) -> None:
    client, asked = serve(), {"query": query, "variables": variables}
    refused = client.post("/graphql", json=asked, headers={"x-api-key": keys["analyst"]})
    assert (refused.status_code, code(refused)) == (403, "FORBIDDEN")
    assert "not for the role analyst" in refused.text
    assert "FORBIDDEN" not in client.post("/graphql", json=asked, headers={"x-api-key": keys["admin"]}).text


def test_body_that_does_not_arrive_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "BODY_S", 0.05)
    sent = asyncio.run(_stalled(client.app))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["errors"][0]["extensions"]["code"] == "TIMED_OUT"


async def _stalled(app: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    said = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> dict[str, Any]:
        return next(said, None) or await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    await app({"type": "http", "method": "POST", "path": "/graphql", "headers": headers}, receive, send)
    return sent
