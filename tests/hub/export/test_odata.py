"""OData: filters against an evaluator and a parser of others, pages, metadata read by a client of others, refusals."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import httpx
import pytest
import requests
from odata import ODataService
from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser
from requests.adapters import BaseAdapter
from sqlalchemy import text
from starlette.applications import Starlette

from hub.access.audit import Audit
from hub.access.gate import Gate
from hub.access.principal import Principal
from hub.access.rate import Rates
from hub.access.sight import EVERYTHING, Sight
from hub.export.column import As
from hub.export.endpoint import routes
from hub.export.views import VIEWS
from hub.run import Hub
from hub.store.engine import Store
from mappings.rulebook import Rulebook

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
CURIOUS = Sight("curious", frozenset({"bi_customers.display_name"}), frozenset({"bi_customers.contribution"}))


class Everybody(Gate):
    """A gate that takes everybody for somebody with this sight."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    async def admit(self, headers: Any, scope: str = "graphql") -> Principal:
        return Principal("somebody", self._sight)


class Service:
    """The service over a store; `rows` follows every link to a next page."""

    def __init__(self, store: Store, rulebook: Rulebook, audit: Audit, sight: Sight = EVERYTHING) -> None:
        self.app = Starlette(routes=routes(Hub(store, rulebook, {}), Everybody(sight), audit, Rates()))

    def get(self, path: str, **headers: str) -> httpx.Response:
        async def answered() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://hub.test") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(answered())

    def rows(self, path: str, **headers: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            answer = self.get(following, **headers)
            assert answer.status_code == 200, answer.text
            page = json.loads(answer.text, parse_float=Decimal)
            found += page["value"]
            following = page.get("@odata.nextLink")
        return found


@pytest.fixture
def audit(company: Store) -> Iterator[Audit]:
    audit = Audit(company)
    yield audit
    audit.close()


@pytest.fixture
def service(company: Store, rulebook: Rulebook, audit: Audit) -> Service:
    return Service(company, rulebook, audit)


# filters -------------------------------------------------------------------------------------------------------------
def _value(node: ast._Node, row: dict[str, Any]) -> Any:
    """A literal or column as the values of the rows are."""
    match node:
        case ast.Identifier(name):
            return row[name]
        case ast.Null():
            return None
        case ast.Boolean(val):
            return val == "true"
        case ast.Integer(val) | ast.Float(val):
            return Decimal(val)
        case ast.DateTime(val):
            return datetime.fromisoformat(val)
        case ast.String(val):
            return val
    raise AssertionError(node)


def _holds(node: ast._Node, row: dict[str, Any]) -> bool | None:
    """What OData 4.0 (URL conventions, 5.1.1) says of a condition: eq and ne know null, the order does not."""
    match node:
        case ast.BoolOp(ast.And(), left, right):
            return bool(_holds(left, row) and _holds(right, row))
        case ast.BoolOp(_, left, right):
            return bool(_holds(left, row) or _holds(right, row))
        case ast.UnaryOp(_, operand):
            held = _holds(operand, row)
            return None if held is None else not held
        case ast.Call(ast.Identifier(name), [column, wanted]):
            held_text = _value(column, row)
            tests: dict[str, Callable[[str, str], bool]] = {
                "contains": str.__contains__,
                "startswith": str.startswith,
                "endswith": str.endswith,
            }
            return None if held_text is None else bool(tests[name](held_text, _value(wanted, row)))
        case ast.Compare(ast.In(), left, ast.List(literals)):
            return _value(left, row) in [_value(literal, row) for literal in literals]
        case ast.Compare(comparator, left, right):
            return _compared(type(comparator).__name__, _value(left, row), _value(right, row))
        case ast.Identifier(name):
            return bool(row[name])
    raise AssertionError(node)


def _compared(comparator: str, left: Any, right: Any) -> bool:
    if comparator in ("Eq", "NotEq"):
        return bool(left == right) == (comparator == "Eq")
    if left is None or right is None:
        return False
    order = {"Lt": left < right, "LtE": left <= right, "Gt": left > right, "GtE": left >= right}
    return bool(order[comparator])


def _rows(service: Service, view: str) -> list[dict[str, Any]]:
    """All rows with Python's values."""
    read: dict[As, Callable[[Any], Any]] = {
        As.INSTANT: datetime.fromisoformat,
        As.WHOLE: Decimal,
        As.RATIO: Decimal,
        As.MONEY: Decimal,
    }
    columns = VIEWS[view].columns
    return [
        {n: v if v is None else read.get(columns[n].as_, lambda v: v)(v) for n, v in row.items()}
        for row in service.rows(f"/odata/{view}")
    ]


def _literal(value: Any, chance: random.Random) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case Decimal():
            return f"{value + Decimal(chance.choice(['0', '0', '1', '0.00000005', '-0.5'])):f}"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
    return "null"


def _random_filter(rows: list[dict[str, Any]], view: str, chance: random.Random, depth: int = 0) -> str:
    if depth < 3 and chance.random() < 0.5:
        left, right = (_random_filter(rows, view, chance, depth + 1) for _ in range(2))
        shapes = ["{0} and {1}", "{0} or {1}", "({0}) and ({1})", "({0} or {1})", "not ({0})", "not ({0} and {1})"]
        return chance.choice(shapes).format(left, right)
    name = chance.choice(list(rows[0]))
    kind, value = VIEWS[view].columns[name].as_, chance.choice(rows)[name]
    literal = _literal(value, chance)
    if kind is As.FLAG:
        return chance.choice([name, f"not {name}", f"{name} eq {literal}", f"{name} ne {literal}"])
    if kind in (As.TEXT, As.WORD) and isinstance(value, str) and chance.random() < 0.5:
        begin, end = sorted(chance.randrange(len(value) + 1) for _ in range(2))
        function = chance.choice(["contains", "startswith", "endswith"])
        return f"{function}({name},{_literal(value[begin:end], chance)})"
    if chance.random() < 0.2:
        return f"{name} in ({literal}, {_literal(chance.choice(rows)[name], chance)})"
    operator = chance.choice(["eq", "ne", "lt", "le", "gt", "ge"])
    return f"{literal} {operator} {name}" if chance.random() < 0.2 else f"{name} {operator} {literal}"


@pytest.mark.parametrize("view", VIEWS)
def test_a_filter_leaves_what_a_parser_and_an_evaluator_of_others_leave(service: Service, view: str) -> None:
    chance, rows = random.Random(view), _rows(service, view)
    key = next(iter(VIEWS[view].columns))
    sizes = set()
    for _ in range(60):
        said = _random_filter(rows, view, chance)
        tree = ODataParser().parse(ODataLexer().tokenize(said))
        expected = [row[key] for row in rows if _holds(tree, row)]
        found = [row[key] for row in service.rows(f"/odata/{view}?$select={key}&$filter={quote(said)}")]
        assert found == expected, said
        assert service.get(f"/odata/{view}/$count?$filter={quote(said)}").text == str(len(expected))
        sizes.add(len(expected))
    assert len(sizes) > 2


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param("kind eq", "stands the end", id="cut off"),
        pytest.param("kind eq 'a' 'b'", "wanted is the end", id="too much"),
        pytest.param("kind eq 5", "is a text and cannot be compared so", id="another type"),
        pytest.param("amount eq '5'", "is a number and cannot", id="a number as text"),
        pytest.param("nothing eq 1", "there is no 'nothing'", id="no column"),
        pytest.param("length(kind) eq 3", "there is no length()", id="no function"),
        pytest.param("contains(amount,'1')", "looks into texts", id="text in a number"),
        pytest.param("kind eq 'a'; DROP TABLE entry", "cannot read on at character 12", id="sql"),
        pytest.param("kind eq 'a' or 1 eq 1 --", "cannot read on", id="comment"),
        pytest.param("at gt 2026-02-30", "an instant that there is", id="no day"),
        pytest.param("not kind eq 'a'", "wanted is the end", id="not binds tighter than eq"),
        pytest.param("(" * 60 + "kind eq 'a'" + ")" * 60, "no more than 40", id="too deep"),
        pytest.param("kind eq 'a' or " * 600 + "kind eq 'b'", "longer than 8000", id="too long"),
        pytest.param("kind eq 'unended", "cannot read on", id="unended text"),
        pytest.param("kind eq\x00'a'", "cannot read on", id="null byte"),
    ],
)
def test_a_filter_that_is_none_is_refused_with_its_place(service: Service, said: str, words: str) -> None:
    answer = service.get(f"/odata/bi_money?$filter={quote(said)}")
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_a_text_in_a_filter_is_a_value_whatever_it_holds(service: Service, company: Store) -> None:
    evil = "x' OR 1=1; --:v0 %s {} \ue0000\ue001 \\"
    with company.write() as connection:
        connection.execute(text("UPDATE customer_card SET display_name = :name WHERE customer_no = 1"), {"name": evil})
    said = quote("display_name eq '" + evil.replace("'", "''") + "'")
    assert [row["customer_id"] for row in service.rows(f"/odata/bi_customers?$filter={said}")] == ["cus_ada"]


# order and pages -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "order", ["amount", "amount desc", "at desc,kind", "stage desc", "rule,amount desc", "entry_id"]
)
@pytest.mark.parametrize("view", ["bi_money"])
def test_pages_of_any_size_hold_every_row_once_in_the_order_of_the_values(
    service: Service, view: str, order: str
) -> None:
    rows = _rows(service, view)
    expected = list(rows)
    for part in reversed(order.split(",")):
        name, _, way = part.partition(" ")
        known = sorted((r for r in expected if r[name] is not None), key=lambda r: r[name], reverse=way == "desc")
        unknown = [r for r in expected if r[name] is None]
        expected = [*known, *unknown] if way == "desc" else [*unknown, *known]
    for size in (1, 2, 3, 100):
        paged = service.rows(f"/odata/{view}?$orderby={quote(order)}", prefer=f"odata.maxpagesize={size}")
        assert [row["entry_id"] for row in paged] == [row["entry_id"] for row in expected]


def test_top_skip_and_count(service: Service) -> None:
    whole = [row["entry_id"] for row in service.rows("/odata/bi_money")]
    answer = service.get("/odata/bi_money?$top=3&$skip=2&$count=true", prefer="maxpagesize=2")
    page = answer.json()
    assert (page["@odata.count"], len(page["value"])) == (7, 2)
    assert answer.headers["preference-applied"] == "maxpagesize=2"
    rows = service.rows("/odata/bi_money?$top=3&$skip=2", prefer="maxpagesize=2")
    assert [row["entry_id"] for row in rows] == whole[2:5]
    assert service.get("/odata/bi_money?$top=0&$count=true").json()["value"] == []


def test_decimals_are_the_digits_they_are(service: Service) -> None:
    said = "/odata/bi_money?$select=amount&$filter=entry_id eq 'ent_131072'"
    assert '"amount":999999999999.99999' in service.get(said).text
    as_text = service.get(said, accept="application/json;IEEE754Compatible=true")
    assert '"amount":"999999999999.99999"' in as_text.text
    assert "IEEE754Compatible=true" in as_text.headers["content-type"]


@pytest.mark.parametrize("view", VIEWS)
def test_every_entity_is_found_by_its_key(service: Service, view: str) -> None:
    key = next(iter(VIEWS[view].columns))
    for row in service.rows(f"/odata/{view}"):
        for address in (f"('{row[key]}')", f"({key}='{row[key]}')"):
            found = service.get(f"/odata/{view}{address}").json()
            assert found.pop("@odata.context").endswith(f"$metadata#{view}/$entity")
            assert set(found) == set(row)
            assert found[key] == row[key]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        pytest.param("bi_nothing", 404, "there is no 'bi_nothing'", id="entity set"),
        pytest.param("bi_money('ent_1')", 404, "no row of bi_money", id="entity"),
        pytest.param("bi_money('x'' or 1=1')", 404, "no row of bi_money", id="key"),
        pytest.param("bi_money(5)", 404, "no row of bi_money", id="key of another type"),
        pytest.param("bi_money('a)", 400, "cannot read on", id="unended key"),
        pytest.param("$batch", 404, "there is no '$batch'", id="batch"),
        pytest.param("bi_money?$expand=x", 501, "$expand is not supported", id="expand"),
        pytest.param("bi_money?$search=x", 501, "$search is not supported", id="search"),
        pytest.param("bi_money?$selct=x", 400, "$selct: there are $select", id="option"),
        pytest.param("bi_money?$top=1&$top=2", 400, "each at most once", id="twice"),
        pytest.param("bi_money?$top=-1", 400, "'-1' is no number", id="top"),
        pytest.param("bi_money?$orderby=amount up", 400, "is not a column with asc or desc", id="order"),
        pytest.param("bi_money?$skiptoken=x", 400, "is none of ours", id="token"),
        pytest.param("bi_money?$skiptoken=W251bGwsMSwyXQ", 400, "belongs to another $orderby", id="another token"),
        pytest.param("bi_money?$count=yes", 400, "'yes' is not true or false", id="count"),
    ],
)
def test_what_there_is_not_is_an_error_of_the_standard(service: Service, path: str, status: int, words: str) -> None:
    answer = service.get(f"/odata/{path}")
    assert (answer.status_code, answer.headers["odata-version"]) == (status, "4.0")
    assert set(answer.json()["error"]) == {"code", "message"}
    assert words in answer.json()["error"]["message"]


# roles ---------------------------------------------------------------------------------------------------------------
def test_what_a_role_does_not_see_it_cannot_find_out_either(company: Store, rulebook: Rulebook, audit: Audit) -> None:
    service = Service(company, rulebook, audit, CURIOUS)
    assert {row["display_name"] for row in service.rows("/odata/bi_customers")} == {None}
    assert service.rows("/odata/bi_customers?$filter=startswith(display_name,'Ada')") == []
    assert len(service.rows("/odata/bi_customers?$filter=display_name eq null")) == 4
    by_name = service.rows("/odata/bi_customers?$orderby=display_name desc")
    assert [row["customer_id"] for row in by_name] == ["cus_ada", "cus_old", "cus_acme", "cus_erased"]
    for option in ("$select=contribution", "$filter=contribution gt 0", "$orderby=contribution"):
        answer = service.get(f"/odata/bi_customers?{option}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "contribution" not in service.get("/odata/bi_customers").json()["value"][0]
    customers = ElementTree.fromstring(service.get("/odata/$metadata").text).find(f".//{EDM}EntityType")  # noqa: S314
    assert customers is not None
    assert "contribution" not in {each.get("Name") for each in customers.iter(f"{EDM}Property")}


# what others make of it ----------------------------------------------------------------------------------------------
class Bridge(BaseAdapter):
    """Lets a client that speaks through `requests` reach the application without a socket."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        place = urlsplit(request.url or "")
        answer = self._service.get(f"{place.path}?{place.query}", **{k: str(v) for k, v in request.headers.items()})
        response = requests.Response()
        response.status_code, response.request, response.url = answer.status_code, request, str(request.url)
        response.headers.update(answer.headers)
        response.raw = io.BytesIO(answer.content)
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
def test_a_client_of_others_reads_the_metadata_and_the_rows(service: Service) -> None:
    session = requests.Session()
    session.mount("http://", Bridge(service))
    client = ODataService("http://hub.test/odata/", reflect_entities=True, session=session, quiet_progress=True)
    assert set(client.entities) == set(VIEWS)
    money = client.entities["bi_money"]
    query = (
        client.query(money).filter(money.kind == "REVENUE").filter(money.currency == "EUR").order_by(money.amount.asc())
    )
    found = query.all()
    assert [(row.entry_id, row.customer_id) for row in found] == [("ent_131072", "cus_acme")]
    assert len(client.query(money).all()) == 7


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # no matter of the database
def test_the_model_is_the_same_in_xml_and_json(service: Service) -> None:
    answer = service.get("/odata/$metadata")
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.text)  # noqa: S314  (our own)
    model = service.get("/odata/$metadata?$format=json").json()
    assert root.attrib["Version"] == "4.0"
    for entity in root.iter(f"{EDM}EntityType"):
        name = str(entity.get("Name"))
        assert [key.get("Name") for key in entity.iter(f"{EDM}PropertyRef")] == model["hub"][name]["$Key"]
        for each in entity.iter(f"{EDM}Property"):
            said = model["hub"][name][each.get("Name")]
            assert said.get("$Type", "Edm.String") == each.get("Type")
            assert said.get("$Nullable", False) == (each.get("Nullable") != "false")
            assert said.get("$Scale", 0) == int(each.get("Scale", 0))
            about = each.find(f"{EDM}Annotation")
            assert about is not None
            assert said["@Core.Description"] == about.get("String") == VIEWS[name].columns[str(each.get("Name"))].about
    sets = {each.get("Name") for each in root.iter(f"{EDM}EntitySet")}
    assert sets == set(VIEWS) == {each["name"] for each in service.get("/odata/").json()["value"]}
    assert service.get("/odata").headers["location"] == "http://hub.test/odata/"
