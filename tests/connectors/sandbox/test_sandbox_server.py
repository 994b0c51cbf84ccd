"""The four servers over real HTTP: every record exactly once, refusals and faults as the vendors word them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import EMAIL, Running, serve

ROOT = Path(__file__).parents[3]


def client(running: Running, system: str) -> httpx.Client:
    token = running.tokens[system]
    auth = {"zendesk": (f"{EMAIL}/token", token)}.get(system)
    headers = {"Authorization": f"Bearer {token}"} if system in ("hubspot", "stripe") else {}
    return httpx.Client(base_url=running.base_urls[system], auth=auth, headers=headers, trust_env=False)


def crm_pages(http: httpx.Client, stream: str) -> Iterator[dict[str, Any]]:
    params = {"limit": "100", "properties": "email,firstname", "associations": "companies"}
    while True:
        page = http.get(f"/crm/v3/objects/{stream}", params=params).raise_for_status().json()
        yield from page["results"]
        if "paging" not in page:
            return
        params["after"] = page["paging"]["next"]["after"]


def billing_pages(http: httpx.Client, stream: str) -> Iterator[dict[str, Any]]:
    params = {"limit": "100"} | ({"status": "all"} if stream == "subscriptions" else {})
    while True:
        page = http.get(f"/v1/{stream}", params=params).raise_for_status().json()
        yield from page["data"]
        if not page["has_more"]:
            return
        params["starting_after"] = page["data"][-1]["id"]


def export_pages(http: httpx.Client, stream: str) -> Iterator[dict[str, Any]]:
    params = {"start_time": "0", "per_page": "70"}
    while True:
        page = http.get(f"/api/v2/incremental/{stream}/cursor.json", params=params).raise_for_status().json()
        yield from page[stream]
        if page["end_of_stream"]:
            return
        params = {"cursor": page["after_cursor"], "per_page": "70"}


def listing_pages(http: httpx.Client, stream: str) -> Iterator[dict[str, Any]]:
    params = {"page[size]": "40"}
    while True:
        page = http.get(f"/api/v2/{stream}.json", params=params).raise_for_status().json()
        yield from page[stream]
        if not page["meta"]["has_more"]:
            return
        params["page[after]"] = page["meta"]["after_cursor"]


def web_pages(http: httpx.Client, running: Running, **extra: str) -> Iterator[dict[str, Any]]:
    offset, size = 0, 300
    while True:
        form = {
            "module": "API",
            "method": "Live.getLastVisitsDetails",
            "idSite": "1",
            "format": "JSON",
            "filter_limit": str(size),
            "filter_offset": str(offset),
            "token_auth": running.tokens["matomo"],
        }
        form |= extra
        page = http.post("/index.php", data=form).raise_for_status().json()
        yield from page
        if len(page) < size:
            return
        offset += size


PAGED: list[tuple[str, str, Callable[[httpx.Client, str], Iterator[dict[str, Any]]]]] = [
    *[("hubspot", stream, crm_pages) for stream in ("contacts", "companies", "deals")],
    *[("stripe", stream, billing_pages) for stream in ("customers", "subscriptions", "invoices", "charges", "refunds")],
    *[("zendesk", stream, export_pages) for stream in ("users", "tickets")],
    *[("zendesk", stream, listing_pages) for stream in ("users", "organizations", "tickets", "satisfaction_ratings")],
]


@pytest.mark.parametrize(("system", "stream", "pages"), PAGED, ids=[f"{s}-{n}-{p.__name__}" for s, n, p in PAGED])
def test_pages_hold_every_record_exactly_once(
    running: Running, system: str, stream: str, pages: Callable[[httpx.Client, str], Iterator[dict[str, Any]]]
) -> None:
    with client(running, system) as http:
        served = [record["id"] for record in pages(http, stream)]
    expected = [record["id"] for record in running.company.records[system][stream]]
    assert sorted(served) == sorted(expected)


@pytest.mark.parametrize("short_of", [0, 1, 2])
def test_a_last_page_of_any_size_is_offered(short_of: int) -> None:
    small = generate(30, seed=2)
    contacts = small.records["hubspot"]["contacts"]
    with serve(small, faults=False) as running, client(running, "hubspot") as http:
        page = http.get("/crm/v3/objects/contacts", params={"limit": len(contacts) - short_of}).json()
        assert ("paging" in page) == (short_of > 0)
        left = http.get("/crm/v3/objects/contacts", params={"after": page["results"][-1]["id"]}).json()["results"]
    assert len(page["results"]) + len(left) == len(contacts)


def test_records_changed_in_the_same_second_survive_a_page_break(running: Running) -> None:
    stamps = [user["updated_at"] for user in running.company.records["zendesk"]["users"]]
    assert max(stamps.count(stamp) for stamp in stamps) > 2
    with client(running, "zendesk") as http:
        served, params = [], {"start_time": "0", "per_page": "2"}
        for _ in range(len(stamps)):
            page = http.get("/api/v2/incremental/users/cursor.json", params=params).json()
            served += [user["id"] for user in page["users"]]
            if page["end_of_stream"]:
                break
            params = {"cursor": page["after_cursor"], "per_page": "2"}
    assert len(served) == len(set(served)) == len(stamps)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_visits_hold_every_visit_once_in_order(running: Running, order: str) -> None:
    with client(running, "matomo") as http:
        served = list(web_pages(http, running, filter_sort_order=order))
    times = [visit["lastActionTimestamp"] for visit in served]
    assert times == sorted(times, reverse=order == "desc")
    expected = [visit["idVisit"] for visit in running.company.records["matomo"]["visits"]]
    assert sorted(visit["idVisit"] for visit in served) == expected


def test_visits_since_an_instant_and_within_days(running: Running) -> None:
    visits = running.company.records["matomo"]["visits"]
    middle = visits[len(visits) // 2]
    with client(running, "matomo") as http:
        since = list(web_pages(http, running, minTimestamp=str(middle["lastActionTimestamp"])))
        within = list(web_pages(http, running, period="range", date=f"2025-01-01,{middle['serverDate']}"))
    assert len(since) == sum(v["lastActionTimestamp"] > middle["lastActionTimestamp"] for v in visits)
    assert len(within) == sum(v["serverDate"] <= middle["serverDate"] for v in visits)


def test_billing_filters_by_time_and_expands(running: Running) -> None:
    charges = running.company.records["stripe"]["charges"]
    since = sorted(charge["created"] for charge in charges)[-60]
    with client(running, "stripe") as http:
        newest = http.get(
            "/v1/charges", params={"limit": 100, "created[gte]": since, "expand[]": "data.balance_transaction"}
        ).json()["data"]
        plain = http.get("/v1/charges", params={"limit": 100, "created[gte]": since}).json()["data"]
        refunds = http.get("/v1/refunds", params={"expand[]": "data.charge"}).json()["data"]
    assert len(newest) == sum(charge["created"] >= since for charge in charges)
    assert [charge["created"] for charge in newest] == sorted((charge["created"] for charge in newest), reverse=True)
    whole = {c["id"]: c["balance_transaction"] for c in newest if c["paid"]}
    assert all(set(whole[key]) >= {"fee", "currency"} for key in whole)
    assert {c["id"]: c["balance_transaction"] for c in plain if c["paid"]} == {k: t["id"] for k, t in whole.items()}
    assert all(refund["charge"]["id"].startswith("ch_") for refund in refunds)


def test_cancelled_subscriptions_come_only_when_all_are_asked_for(running: Running) -> None:
    with client(running, "stripe") as http:
        usual = http.get("/v1/subscriptions", params={"limit": 100}).json()["data"]
        ended = http.get("/v1/subscriptions", params={"limit": 100, "status": "canceled"}).json()["data"]
    assert "canceled" not in {subscription["status"] for subscription in usual}
    assert {subscription["status"] for subscription in ended} == {"canceled"}


def test_the_crm_shows_only_the_properties_asked_for(running: Running) -> None:
    with client(running, "hubspot") as http:
        asked = http.get("/crm/v3/objects/contacts", params={"properties": "phone,no_such"}).json()["results"]
        usual = http.get("/crm/v3/objects/contacts").json()["results"]
    assert len(usual) == 10
    assert set(asked[0]["properties"]) == {"phone", "no_such", "createdate", "hs_object_id"}
    assert asked[0]["properties"]["no_such"] is None
    assert "email" in usual[0]["properties"]
    assert "associations" not in usual[0]


REFUSALS: list[tuple[str, str, dict[str, str], int, list[str]]] = [
    ("hubspot", "/crm/v3/objects/contacts?limit=101", {}, 400, ["category"]),
    ("hubspot", "/crm/v3/objects/ghosts", {}, 404, ["category"]),
    ("hubspot", "/crm/v3/objects/contacts", {"Authorization": "Bearer no"}, 401, ["category"]),
    ("stripe", "/v1/invoices?limit=101", {}, 400, ["error", "code"]),
    ("stripe", "/v1/invoices?updated=1", {}, 400, ["error", "code"]),
    ("stripe", "/v1/invoices?starting_after=in_none", {}, 400, ["error", "code"]),
    ("stripe", "/v1/invoices?expand[]=data.customer", {}, 400, ["error", "message"]),
    ("stripe", "/v1/invoices", {"Authorization": "Bearer no"}, 401, ["error", "message"]),
    ("zendesk", "/api/v2/users.json?page[size]=101", {}, 400, ["error"]),
    ("zendesk", "/api/v2/incremental/users/cursor.json", {}, 400, ["error"]),
    ("zendesk", "/api/v2/incremental/users/cursor.json?cursor=%25", {}, 400, ["error"]),
    ("matomo", "/index.php?module=API&method=Live.getLastVisitsDetails&idSite=1", {}, 401, ["message"]),
    ("matomo", "/index.php?method=Live.noSuch&token_auth=TOKEN", {}, 200, ["message"]),
    ("matomo", "/index.php?method=Live.getLastVisitsDetails&token_auth=TOKEN", {}, 200, ["message"]),
    ("matomo", "/index.php?method=Live.getLastVisitsDetails&idSite=9&token_auth=TOKEN", {}, 200, ["message"]),
    ("matomo", "/index.php?method=SitesManager.getAllSites&token_auth=no", {}, 401, ["message"]),
]


@pytest.mark.parametrize(
    ("system", "path", "headers", "status", "where"), REFUSALS, ids=[f"{row[3]}-{row[0]}{row[1]}" for row in REFUSALS]
)
def test_what_is_wrong_is_refused_in_the_vendors_words(
    running: Running, system: str, path: str, headers: dict[str, str], status: int, where: list[str]
) -> None:
    with client(running, system) as http:
        answer = http.get(path.replace("TOKEN", running.tokens["matomo"]), headers=headers)
    said = answer.json()
    for key in where:
        said = said[key]
    assert (answer.status_code, bool(said)) == (status, True)


def test_support_refuses_a_wrong_token_and_billing_takes_its_key_as_user(running: Running) -> None:
    wrong = httpx.get(f"{running.base_urls['zendesk']}/api/v2/users.json", auth=(EMAIL, "no"), trust_env=False)
    billing, key = running.base_urls["stripe"], running.tokens["stripe"]
    as_user = httpx.get(f"{billing}/v1/customers", auth=(key, ""), trust_env=False)
    assert (wrong.status_code, as_user.status_code) == (401, 200)


def test_faults_come_on_schedule_and_a_repeated_request_passes() -> None:
    with serve(generate(30, seed=2)) as running, client(running, "hubspot") as http:
        answers = []
        for turn in range(100):
            answer = http.get("/crm/v3/objects/contacts", params={"limit": 1, "turn": turn})
            answers.append(answer.status_code)
            if answer.status_code == 429:
                assert answer.headers["Retry-After"] in ("0", "1")
            if answer.status_code != 200:
                assert http.get("/crm/v3/objects/contacts", params={"limit": 1, "turn": turn}).status_code == 200
        assert answers.count(429) == 4
        assert answers.count(503) == 2
        assert len(running.requests["hubspot"]) == 106
        assert running.requests["stripe"] == []


@pytest.mark.parametrize(("refused", "again", "status"), [(23, 41, 429), (41, 46, 503)], ids=["429", "503"])
def test_a_refused_request_passes_even_when_its_repetition_is_due_for_a_fault(
    refused: int, again: int, status: int
) -> None:
    with serve(generate(30, seed=2)) as running, client(running, "hubspot") as http:
        seen = {}
        for turn in range(1, again + 1):
            params = {"limit": 1, "turn": refused if turn == again else turn}
            seen[turn] = http.get("/crm/v3/objects/contacts", params=params).status_code
    assert (seen[refused], seen[again]) == (status, 200)


def test_changes_are_served_at_once() -> None:
    small = generate(40, seed=5)
    with serve(small, faults=False) as running, client(running, "zendesk") as http:
        users = list(export_pages(http, "users"))
        cursor = http.get("/api/v2/incremental/users/cursor.json", params={"start_time": 0}).json()["after_cursor"]
        small.change("zendesk", "users", users[0]["id"], name="Ada Neu")
        small.add("zendesk", "users", {**users[0], "id": 9_999_999, "updated_at": "2026-06-30T20:30:00Z"})
        fresh = http.get("/api/v2/incremental/users/cursor.json", params={"cursor": cursor}).json()
        small.remove("zendesk", "users", 9_999_999)
        left = list(export_pages(http, "users"))
    assert [user["name"] for user in fresh["users"]] == ["Ada Neu", users[0]["name"]]
    assert (fresh["end_of_stream"], len(left)) == (True, len(users))


def test_a_changed_record_is_newly_encoded_in_every_variant() -> None:
    small = generate(40, seed=5)
    with serve(small, faults=False) as running, client(running, "stripe") as http:
        refund = http.get("/v1/charges", params={"limit": 1}).json()["data"][0]
        http.get("/v1/charges", params={"limit": 1, "expand[]": "data.balance_transaction"})
        small.change("stripe", "charges", refund["id"], description="changed")
        seen = [
            http.get("/v1/charges", params={"limit": 1, **extra}).json()["data"][0]["description"]
            for extra in ({}, {"expand[]": "data.balance_transaction"})
        ]
    assert seen == ["changed", "changed"]


def test_every_request_is_counted_with_its_parameters() -> None:
    with serve(generate(30, seed=2), faults=False) as running, client(running, "stripe") as http:
        http.get("/v1/customers", params={"limit": 3})
        assert running.requests["stripe"] == ["GET /v1/customers?limit=3"]


def test_the_environment_names_every_setting_the_mappings_read(running: Running) -> None:
    assert set(running.environment()) == {
        "HUBSPOT_BASE_URL",
        "HUBSPOT_TOKEN",
        "STRIPE_BASE_URL",
        "STRIPE_TOKEN",
        "ZENDESK_BASE_URL",
        "ZENDESK_EMAIL",
        "ZENDESK_TOKEN",
        "MATOMO_BASE_URL",
        "MATOMO_TOKEN",
        "HUBSPOT_RATE",
        "STRIPE_RATE",
        "ZENDESK_RATE",
    }


def test_a_taken_port_is_named(company: Company, running: Running) -> None:
    taken = int(running.base_urls["stripe"].rpartition(":")[2])
    with pytest.raises(OSError, match=f"sandbox stripe: port {taken}"):
        serve(company, ports=[0, taken, 0, 0])


SLOW = """
import signal, sys
import connectors.sandbox.__main__ as program
program.generate = lambda *_: (print("inventing", flush=True), signal.pause())
sys.exit(program.main())
"""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "sigint"])
def test_told_to_end_while_it_invents_it_goes_without_a_word(told: signal.Signals) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SLOW], cwd=ROOT, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"inventing\n"
        process.send_signal(told)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""


def test_it_ends_without_a_word_where_nobody_is_left_to_read_its_line() -> None:
    command = [sys.executable, "-m", "connectors.sandbox", "--customers", "10"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("ending", ["stdin", "sigterm"])
def test_as_a_process_it_says_where_it_is_and_ends_when_told(ending: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "connectors.sandbox", "--customers", "30", "--truth", str(tmp_path / "truth.json")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        answer = httpx.get(
            f"{ready['base_urls']['stripe']}/v1/customers",
            headers={"Authorization": f"Bearer {ready['tokens']['stripe']}"},
            trust_env=False,
        )
        if ending == "stdin":
            process.stdin.close()
        else:
            process.terminate()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""
    assert len(answer.json()["data"]) == 10
    assert len(json.loads((tmp_path / "truth.json").read_text())["persons"]) == 30
