"""The server over HTTP: who may ask, what is refused and how, the page and what it may load, health."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx
import pytest

from hub.api.context import Writer
from hub.run import Hub
from hub.server import create_app
from hub.settings import SettingError, Settings
from hub.store.engine import Store, open_store
from hub.store.schema import schema_version
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import put_customer

KEY = "k3y-of-the-tests"
HOME = "http://127.0.0.1:8000"
QUERY = {"query": "{ customers { totalCount } }"}
ANSWER = {"data": {"customers": {"totalCount": 1}}}


def _writer() -> Writer:
    def erase(public_id: str, dry_run: bool, as_of: int) -> Any:
        raise AssertionError("nobody is erased here")

    return Writer(lambda as_of: None, erase)


@dataclass
class Client:
    """Sends requests to an application, each as over HTTP."""

    app: Any

    def request(self, method: str, url: str, **said: Any) -> httpx.Response:
        return asyncio.run(self._send(method, url, said))

    def get(self, url: str, **said: Any) -> httpx.Response:
        return self.request("GET", url, **said)

    def post(self, url: str, **said: Any) -> httpx.Response:
        return self.request("POST", url, **said)

    async def _send(self, method: str, url: str, said: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            return await client.request(method, url, **said)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, migrated_file: Any) -> Iterator[Store]:
    """A store with one customer; what the server does is the same on both databases."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('server')}/hub.db")
    with store.write() as connection:
        put_customer(connection, 1, "Mike")
    yield store
    store.close()


@pytest.fixture(scope="module")
def serve(home: Store, rulebook: Rulebook) -> Callable[..., Client]:
    """A client of a server with or without a key."""
    hub = Hub(home, rulebook, load_sources(rulebook, [shipped()], {}))

    def make(key: str | None = None, host: str = "127.0.0.1") -> Client:
        app = create_app(hub, Settings(api_key=key), host, _writer())
        return Client(app)

    return make


@pytest.fixture(scope="module")
def client(serve: Callable[..., Client]) -> Client:
    """A client of a server without a key."""
    return serve()


def test_query_by_post_and_by_get(client: Client) -> None:
    assert client.post("/graphql", json=QUERY).json() == ANSWER
    assert client.get("/graphql", params=QUERY).json() == ANSWER


def test_variables_and_operation_name_by_get(client: Client) -> None:
    query = "query A($n: Int) { customers(first: $n) { totalCount } } query B { sources { name } }"
    said = {"query": query, "variables": '{"n": 1}', "operationName": "A"}
    assert client.get("/graphql", params=said).json() == ANSWER


RESPONSE = "application/graphql-response+json"
MUTATION = 'mutation { eraseCustomer(id: "cus_0001", dryRun: true) { certificate } }'
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "mutation by GET": ({"method": "GET", "params": {"query": MUTATION}}, 405, "BAD_QUERY"),
    "subscription by GET": (
        {"method": "GET", "params": {"query": "subscription { riskFlagRaised { id } }"}},
        400,
        "BAD_QUERY",
    ),
    "form": ({"method": "POST", "data": QUERY}, 415, "BAD_QUERY"),
    "plain text": ({"method": "POST", "content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "BAD_QUERY"),
    "no content type": ({"method": "POST", "content": b'{"query": "{ __typename }"}'}, 415, "BAD_QUERY"),
    "a name that only looks like JSON": (
        {"method": "POST", "content": b"{}", "headers": {"content-type": "text/plain; application/json"}},
        415,
        "BAD_QUERY",
    ),
    "multipart": ({"method": "POST", "files": {"operations": (None, "{}")}}, 415, "BAD_QUERY"),
    "no JSON": ({"method": "POST", "content": b"{", "headers": {"content-type": "application/json"}}, 400, "BAD_QUERY"),
    "bytes": (
        {"method": "POST", "content": b"\xff", "headers": {"content-type": "application/json"}},
        400,
        "BAD_QUERY",
    ),
    "a number": ({"method": "POST", "json": 1}, 400, "BAD_QUERY"),
    "null": ({"method": "POST", "content": b"null", "headers": {"content-type": "application/json"}}, 400, "BAD_QUERY"),
    "a batch": ({"method": "POST", "json": [QUERY, QUERY]}, 400, "BAD_QUERY"),
    "no query": ({"method": "POST", "json": {}}, 400, "BAD_QUERY"),
    "query no text": ({"method": "POST", "json": {"query": 1}}, 400, "BAD_QUERY"),
    "variables no object": ({"method": "POST", "json": {**QUERY, "variables": []}}, 400, "BAD_QUERY"),
    "operation name no text": ({"method": "POST", "json": {**QUERY, "operationName": ["A"]}}, 400, "BAD_QUERY"),
    "unknown operation": (
        {"method": "POST", "json": {**QUERY, "operationName": "Z"}, "headers": {"accept": RESPONSE}},
        400,
        "BAD_QUERY",
    ),
    "deep JSON": (
        {"method": "POST", "content": b"[" * 90_000, "headers": {"content-type": "application/json"}},
        400,
        "BAD_QUERY",
    ),
    "large body": ({"method": "POST", "json": {"query": "#" * 100_001}}, 413, "TOO_LARGE"),
    "PUT": ({"method": "PUT", "json": QUERY}, 405, "BAD_QUERY"),
}


@pytest.mark.parametrize(("request_", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_refusal_is_json_with_a_code(client: Client, request_: dict[str, Any], status: int, code: str) -> None:
    answer = client.request(url="/graphql", **request_)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)
    assert "Traceback" not in answer.text


def test_body_is_read_no_further_than_the_limit(client: Client) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b"x" * 10_000

    answer = client.post("/graphql", content=parts(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert sent <= 120_000


def test_mistake_of_ours_is_masked_json(home: Store, rulebook: Rulebook) -> None:
    """Also one outside the schema: here an answer that cannot be written as JSON."""

    class Rows:
        certificate = object()
        rows: tuple[()] = ()

    writer = Writer(lambda as_of: None, lambda public_id, dry_run, as_of: Rows())  # type: ignore[arg-type, return-value]
    client = Client(create_app(Hub(home, rulebook, {}), Settings(), writer=writer))
    answer = client.post("/graphql", json={"query": MUTATION})
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["message"] == f"Internal error; the log has it under {error['extensions']['id']}"


def test_long_address_is_refused(client: Client) -> None:
    """Sent by hand: the client library refuses such an address itself."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/graphql", "query_string": b"query=" + b"%23" * 50_000}
    scope |= {"headers": [(b"host", b"127.0.0.1")], "http_version": "1.1", "server": ("127.0.0.1", 8000)}
    asyncio.run(client.app({"scheme": "http", "root_path": "", **scope}, receive, send))
    assert sent[0]["status"] == 413


WITH_KEY: dict[str, Mapping[str, str]] = {
    "bearer": {"Authorization": f"Bearer {KEY}"},
    "bearer in any case": {"authorization": f"bearer {KEY}"},
    "own header": {"X-API-Key": KEY},
}
WITHOUT_KEY: dict[str, Mapping[str, str]] = {
    "nothing": {},
    "wrong": {"Authorization": "Bearer wrong"},
    "empty": {"Authorization": "Bearer "},
    "basic": {"Authorization": f"Basic {KEY}"},
    "a beginning": {"X-API-Key": KEY[:-1]},
    "more": {"X-API-Key": f"{KEY}x"},
}
GUARDED = ["/graphql?query={__typename}", "/schema.graphql"]


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("headers", WITH_KEY.values(), ids=WITH_KEY)
def test_key_lets_in(serve: Callable[..., Client], headers: Mapping[str, str], path: str) -> None:
    assert serve(KEY).get(path, headers=dict(headers)).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("headers", WITHOUT_KEY.values(), ids=WITHOUT_KEY)
def test_without_the_key_nothing_is_told(serve: Callable[..., Client], headers: Mapping[str, str], path: str) -> None:
    answer = serve(KEY).get(path, headers=dict(headers))
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert KEY not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_loopback_needs_no_key(serve: Callable[..., Client], host: str) -> None:
    assert serve(None, host).get("/healthz").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "hub.example", ""])  # noqa: S104
def test_listening_beyond_loopback_needs_a_key(serve: Callable[..., Client], host: str) -> None:
    with pytest.raises(SettingError, match="HUB_API_KEY"):
        serve(None, host)
    assert serve(KEY, host).get("/healthz").status_code == 200


def test_page_of_another_host_cannot_reach_a_server_without_a_key(client: Client) -> None:
    """A host name that was turned to loopback is not one of ours."""
    assert client.post("/graphql", json=QUERY, headers={"host": "evil.example"}).status_code == 400
    assert client.post("/graphql", json=QUERY, headers={"host": "localhost:8000"}).json() == ANSWER


def test_other_origins_get_no_leave_to_read(client: Client) -> None:
    answer = client.post("/graphql", json=QUERY, headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/graphql", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/static/")
        assert client.get(address).status_code == 200
    assert "<script>" not in page.text
    assert " style=" not in page.text


def test_policy_allows_only_this_server(client: Client) -> None:
    for path in ("/graphql?query={__typename}", "/static/page.js", "/healthz", "/nowhere"):
        headers = client.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert client.get("/graphql?query={__typename}").headers["cache-control"] == "no-store"


def test_shipped_assets_name_no_foreign_host_to_load() -> None:
    for part in files("hub.api").joinpath("static").iterdir():
        if part.name.endswith((".css", ".js", ".html")):
            text = part.read_text(encoding="utf-8")
            assert not re.search(r"""(?:url\(|@import\s+|src=|import\()\s*["']?(?:https?:)?//""", text), part.name
    assert "MIT License" in files("hub.api").joinpath("static/LICENSES.txt").read_text(encoding="utf-8")


def test_schema_and_health(client: Client) -> None:
    assert client.get("/schema.graphql").text.startswith(("type", '"""', "directive", "schema"))
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/", follow_redirects=False).headers["location"] == "/graphql"


def test_not_ready_where_the_schema_does_not_fit(serve: Callable[..., Client], home: Store) -> None:
    with home.write() as connection:
        version = schema_version(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    answer = serve().get("/readyz")
    with home.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (version,))
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert "9999" in answer.json()["reason"]
