"""BI over HTTP: who is let in, what streams out, what a role sees of it, and what is refused with which words."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import Message

from hub.access.audit import Audit
from hub.access.gate import Gate
from hub.access.principal import Principal, Rate
from hub.access.rate import Rates
from hub.access.sight import EVERYTHING, Sight
from hub.export.door import MOST_AT_ONCE
from hub.export.endpoint import routes
from hub.export.reading import Asked
from hub.export.stream import FORMATS, Export
from hub.export.views import VIEWS
from hub.expression import Name, Scope, compile_condition
from hub.run import Hub
from hub.settings import Settings
from hub.store.engine import Store
from mappings.rulebook import Rulebook

KEY = "a-key-of-the-environment"
SENSITIVE = Sight(
    "analyst", masked=frozenset({"bi_customers.display_name"}), refused=frozenset({"bi_customers.contribution"})
)


@dataclass
class Site:
    """The routes over a store, and who everybody is there, if not whom the gate lets in."""

    store: Store
    app: Starlette
    audit: Audit

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def answered() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(answered())


class Everybody(Gate):
    """A gate that takes everybody for one principal."""

    def __init__(self, principal: Principal) -> None:
        self._principal_is = principal

    async def admit(self, headers: Mapping[str, Any], scope: str = "graphql") -> Principal:
        assert scope == "bi"
        return self._principal_is


@pytest.fixture
def site_of(company: Store, rulebook: Rulebook) -> Iterator[Callable[..., Site]]:
    """Makes a site for a principal; without one, for whom the gate lets in by HUB_API_KEY."""
    audits: list[Audit] = []

    def make(principal: Principal | None = None) -> Site:
        audits.append(Audit(company))
        gate = Everybody(principal) if principal else Gate(Settings(api_key=KEY), rulebook, company)
        hub = Hub(company, rulebook, {})
        return Site(company, Starlette(routes=routes(hub, gate, audits[-1], Rates())), audits[-1])

    yield make
    for audit in audits:
        audit.close()


def sees(kind: str) -> Sight:
    """A role that sees the customers of one kind only."""
    scope = Scope("a card", {"kind": Name("seen.kind", "text")})
    return Sight("agent", seen=compile_condition(f"kind = '{kind}'", scope))


@pytest.fixture
def site(site_of: Callable[..., Site]) -> Site:
    return site_of(Principal("local", EVERYTHING))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_streams_in_every_format_as_the_command_writes_it(site: Site, view: str, format_: str) -> None:
    answer = site.get(f"/bi/{view}.{format_}")
    with Export(site.store, Asked(view), format_) as export:
        assert answer.content == b"".join(export)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FORMATS[format_].media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{view}.{format_}"'
    assert (answer.headers["hub-watermark"], answer.headers["hub-complete"]) == (export.reading.watermark, "true")


def test_columns_and_limit_and_the_way_on(site: Site) -> None:
    first = site.get("/bi/bi_money.csv?columns=entry_id,kind&limit=5")
    assert first.text.splitlines()[:2] == ["entry_id,kind", "ent_-65536,COST_TO_SERVE"]
    assert first.headers["hub-complete"] == "false"
    rest = site.get(f"/bi/bi_money.csv?columns=entry_id,kind&since={first.headers['hub-watermark']}")
    assert rest.text == "entry_id,kind\nent_131076,FEE\nent_131077,COGS\n"
    after = site.get(f"/bi/bi_money.csv?columns=entry_id,kind&since={rest.headers['hub-watermark']}")
    assert after.text == "change,customer_id,entry_id,kind\n"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_text_is_compressed_for_who_accepts_it(site: Site, format_: str) -> None:
    plain = site.get(f"/bi/bi_money.{format_}", **{"accept-encoding": "gzip;q=0"})
    packed = site.get(f"/bi/bi_money.{format_}", **{"accept-encoding": "br, gzip"})
    assert packed.content == plain.content
    assert packed.headers.get("content-encoding") == ("gzip" if format_ == "csv" else None)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
def test_a_head_says_what_a_get_would(site: Site) -> None:
    answer = site.get("/bi/bi_money.csv", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["hub-watermark"]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
def test_what_there_is_is_listed_with_its_meaning(site: Site) -> None:
    said = site.get("/bi/").json()
    assert [view["name"] for view in said["views"]] == list(VIEWS)
    assert said["views"][1]["columns"][6] == {
        "name": "amount",
        "type": "money",
        "description": "The amount, positive as its kind says.",
        "masked": False,
    }


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        pytest.param("/bi/bi_nothing.csv", 404, "there is no bi_nothing.csv", id="view"),
        pytest.param("/bi/bi_money.xlsx", 404, "there is no bi_money.xlsx", id="format"),
        pytest.param("/bi/bi_money.csv?columns=amount,nothing", 400, "has no column 'nothing'", id="column"),
        pytest.param("/bi/bi_money.csv?columns=at,at", 400, "stands there twice", id="twice"),
        pytest.param("/bi/bi_money.csv?columns=at;DROP TABLE entry", 400, "has no column 'at;DROP", id="sql"),
        pytest.param("/bi/bi_money.csv?limit=-1", 400, "'-1' is no number of rows", id="limit"),
        pytest.param("/bi/bi_money.csv?limit=0", 400, "limit: 0 is not between", id="no rows"),
        pytest.param("/bi/bi_money.csv?updatedSince=yesterday", 400, "updatedSince: 'yesterday'", id="instant"),
        pytest.param("/bi/bi_money.csv?since=x'--", 400, "since: is no watermark", id="watermark"),
        pytest.param("/bi/bi_money.csv?offset=3", 400, "parameter 'offset'", id="parameter"),
        pytest.param("/bi/bi_money.csv?limit=1&limit=2", 400, "each at most once", id="parameter twice"),
    ],
)
def test_a_wrong_word_is_refused_in_one_line(site: Site, path: str, status: int, words: str) -> None:
    answer = site.get(path)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="nobody"),
        pytest.param({"authorization": "Bearer wrong"}, 401, id="a wrong key"),
        pytest.param({"authorization": "Basic !"}, 401, id="no base64"),
        pytest.param({"authorization": f"Bearer {KEY}"}, 200, id="bearer"),
        pytest.param({"x-api-key": KEY}, 200, id="header"),
        pytest.param({"authorization": f"Basic {base64.b64encode(f'excel:{KEY}'.encode()).decode()}"}, 200, id="basic"),
    ],
)
@pytest.mark.parametrize("path", ["/bi/", "/bi/bi_money.csv", "/odata/", "/odata/$metadata", "/odata/bi_money"])
def test_a_key_opens_every_door(site_of: Callable[..., Site], path: str, headers: dict[str, str], status: int) -> None:
    answer = site_of().get(path, **headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert KEY not in answer.text


def test_masked_columns_are_empty_and_refused_ones_are_an_error_by_name(site_of: Callable[..., Site]) -> None:
    site = site_of(Principal("key:1", SENSITIVE))
    whole = site.get("/bi/bi_customers.csv").text
    assert "contribution" not in whole.splitlines()[0]
    assert "Countess" not in whole
    refused = site.get("/bi/bi_customers.csv?columns=contribution")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "bi_customers.contribution" in refused.json()["error"]["message"]
    assert [c["name"] for c in site.get("/bi/").json()["views"][0]["columns"] if c["masked"]] == ["display_name"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_role_sees_the_rows_of_its_customers_only(site_of: Callable[..., Site], view: str) -> None:
    every = [
        json.loads(line) for line in site_of(Principal("local", EVERYTHING)).get(f"/bi/{view}.ndjson").text.splitlines()
    ]
    some = site_of(Principal("key:1", sees("ORGANIZATION"))).get(f"/bi/{view}.ndjson")
    rows = [json.loads(line) for line in some.text.splitlines()]
    assert rows == [row for row in every if row["customer_id"] == "cus_acme"]


def test_what_leaves_a_roles_sight_is_told_by_its_opaque_id_alone(site_of: Callable[..., Site]) -> None:
    site = site_of(Principal("key:1", sees("ORGANIZATION")))
    with site.store.write() as connection:
        connection.execute(text("INSERT INTO customer (customer_no, dirty, derived_as_of) VALUES (1, FALSE, 5)"))
    told = site.get("/bi/bi_customers.ndjson?updatedSince=1970-01-01T00:00:00.000005Z").text.splitlines()
    assert [json.loads(line)["customer_id"] for line in told] == ["cus_ada", "cus_old"]
    for line in told:
        assert {name for name, value in json.loads(line).items() if value is not None} == {"change", "customer_id"}


def test_what_is_read_is_logged_with_its_classes(site_of: Callable[..., Site]) -> None:
    site = site_of(Principal("key:abc", EVERYTHING))
    site.get("/bi/bi_customers.csv?columns=customer_id,state")
    site.get("/bi/bi_customers.csv?columns=customer_id,display_name")
    site.get("/odata/bi_customers?$select=state&$filter=display_name eq 'x'")
    site.audit.close()
    with site.store.read() as connection:
        logged = connection.execute(text("SELECT principal, operation, root, customers, classes FROM audit_log")).all()
    assert [tuple(row) for row in logged if "NAME" in row.classes] == [
        ("key:abc", "export", "bi_customers", None, "NAME"),
        ("key:abc", "odata rows", "bi_customers", None, "NAME"),
    ]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
def test_beyond_its_rate_a_reader_is_told_when_to_come_back(site_of: Callable[..., Site]) -> None:
    site = site_of(Principal("key:1", EVERYTHING, rate=Rate(2, 100)))
    answers = [site.get("/bi/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 40


def _ask(site: Site, send: Callable[[Message], Any]) -> None:
    """One request whose answers go to `send`."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/bi/bi_customers.csv",
        "query_string": b"",
        "headers": [],
    }
    scope |= {"scheme": "http", "server": ("hub.test", 80), "root_path": "", "asgi": {"spec_version": "2.4"}}

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def asked() -> None:
        await site.app(scope, receive, send)

    asyncio.run(asked())


def test_a_reader_that_goes_away_leaves_nothing_open(site: Site) -> None:
    async def gone(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError

    for _ in range(MOST_AT_ONCE + 1):
        with pytest.raises(ClientDisconnect):
            _ask(site, gone)
    assert site.get("/bi/bi_money.csv").status_code == 200


def test_too_many_at_once_are_asked_to_come_back(site: Site) -> None:
    answers: list[int] = []

    async def deeper(message: Message) -> None:
        """Before the first bytes of an answer leave, another one is asked for."""
        if message["type"] == "http.response.start":
            answers.append(message["status"])
            if message["status"] == 200:
                await asyncio.to_thread(_ask, site, deeper)

    _ask(site, deeper)
    assert answers == [200] * MOST_AT_ONCE + [429]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
def test_gzip_is_gzip(site: Site) -> None:
    raw: list[bytes] = []

    async def keep(message: Message) -> None:
        raw.append(message.get("body", b""))

    scope_headers = [(b"accept-encoding", b"gzip")]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/bi/bi_money.csv",
        "query_string": b"",
        "headers": scope_headers,
    }
    scope |= {"scheme": "http", "server": ("hub.test", 80), "root_path": "", "asgi": {"spec_version": "2.4"}}

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(site.app(scope, receive, keep))
    assert gzip.decompress(b"".join(raw)).decode() == site.get("/bi/bi_money.csv").text
