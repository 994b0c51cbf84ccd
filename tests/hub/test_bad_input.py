"""Bad input and an operator's accidents, end to end: one clear line, the others whole, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import Running, serve
from hub import status
from hub.demo import DEMO_AS_OF
from hub.erasure.erase import StillReadError, erase
from hub.export.views import create_views
from hub.run import Hub, Report
from hub.store.engine import Store, open_store
from hub.store.errors import DiskFullError, StoreError
from hub.sync import remap, sync
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

PEOPLE = 12
WEEK = 7 * 86_400 * 1_000_000
LONG = "".join(chr(97 + (7 * n * n + n // 3) % 26) for n in range(20_000))  # does not compress into an index row

Answer = tuple[int, bytes]
Tamper = Callable[[str, Answer], Answer]
Record = dict[str, Any]
Graph = dict[str, list[tuple[Any, ...]]]

# What a person would notice, named by profiles, since numbers come in the order of arrival.
GRAPH = {
    "cards": "SELECT {who}, kind, display_name, emails, phones, stage, stage_since, interaction_count, risk_points,"
    " value_at_risk, contribution FROM customer_card t",
    "flags": "SELECT {who}, rule, since, message FROM risk_flag t WHERE state = 'OPEN'",
    "money": "SELECT {who}, currency, revenue, refunds, direct_cost, cost_to_serve, coverage FROM profitability t",
    "entries": "SELECT {who}, kind, currency, amount, CASE WHEN organization_no IS NULL THEN 0 ELSE 1 END FROM entry t",
}
WHO = (
    "(SELECT MIN(l.source || ' ' || l.stream || ' ' || l.key) FROM profile_ledger l"
    " WHERE l.customer_no = t.customer_no)"
)


# the tampered world --------------------------------------------------------------------------------------------------
@contextmanager
def between(base_url: str, tamper: Tamper) -> Iterator[str]:
    """A server in front of a vendor's, whose answers `tamper` may change; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urllib.request.Request(base_url + self.path)  # noqa: S310
            asked.add_header("Authorization", self.headers.get("Authorization", ""))
            try:
                with urllib.request.urlopen(asked) as got:  # noqa: S310
                    answer = got.status, got.read()
            except urllib.error.HTTPError as refused:
                answer = refused.code, refused.read()
            code, body = tamper(self.path.partition("?")[0], answer)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def first_record(stream: str, change: Callable[[Record], None]) -> Tamper:
    """Changes the first record of the stream's first page."""

    def tamper(path: str, answer: Answer) -> Answer:
        code, body = answer
        if not path.endswith(stream) or code != 200:
            return answer
        whole = json.loads(body)
        change(whole["data" if "data" in whole else "results"][0])
        return code, json.dumps(whole).encode()

    return tamper


def raw_record(stream: str, record: bytes) -> Tamper:
    """Puts more records, byte for byte, before the others."""

    def tamper(path: str, answer: Answer) -> Answer:
        code, body = answer
        return (
            (code, body.replace(b'"results":[', b'"results":[' + record + b",", 1)) if path.endswith(stream) else answer
        )

    return tamper


def put(path: str, value: Any) -> Callable[[Record], None]:
    """Sets (or with KeyError takes away) what a dotted path leads to."""

    def change(record: Record) -> None:
        *way, last = path.split(".")
        at: Any = record
        for step in way:
            at = at[int(step)] if step.isdecimal() else at[step]
        if value is KeyError:
            del at[last]
        else:
            at[last] = value

    return change


@pytest.fixture(scope="module")
def company() -> Company:
    return generate(PEOPLE)


@pytest.fixture(scope="module")
def running(company: Company) -> Iterator[Running]:
    with serve(company, faults=False) as servers:
        yield servers


@pytest.fixture
def world(store: Store, rulebook: Rulebook, running: Running) -> World:
    return World(store, rulebook, running)


class World:
    """One store, and the sandbox's systems as they are or tampered with."""

    def __init__(self, store: Store, rulebook: Rulebook, running: Running) -> None:
        self.store, self.rulebook, self.running = store, rulebook, running
        with store.write() as connection:
            create_views(connection, rulebook.company.reporting_currency)
        self.hub = self.with_settings({})

    def with_settings(self, changed: dict[str, str], *folders: Path) -> Hub:
        environment = self.running.environment() | changed
        sources = load_sources(self.rulebook, [*folders, shipped()], environment)
        return Hub(self.store, self.rulebook, sources)

    def with_sources(self, names: dict[str, str]) -> Hub:
        """The company with these sources alone: name to name of the source whose settings it has."""
        told = {name: self.rulebook.company.sources[own] for name, own in names.items()}
        book = self.rulebook.model_copy(update={"company": self.rulebook.company.model_copy(update={"sources": told})})
        environment = self.running.environment()
        environment |= {
            f"{name}_{setting}".upper(): environment[f"{own}_{setting}".upper()]
            for name, own in names.items()
            for setting in ("base_url", "token")
        }
        return Hub(self.store, book, load_sources(book, [shipped()], environment))

    @contextmanager
    def tampered(self, system: str, tamper: Tamper) -> Iterator[Hub]:
        with between(self.running.base_urls[system], tamper) as url:
            yield self.with_settings({f"{system}_BASE_URL".upper(): url})

    def rows(self, sql: str, **bound: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(sql), bound)]

    def dead(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT source, stream, path, reason FROM dead_letter ORDER BY landing_no")

    def graph(self) -> Graph:
        return {name: sorted(self.rows(sql.format(who=WHO)), key=repr) for name, sql in GRAPH.items()}

    def differences(self) -> list[Any]:
        with self.store.read() as connection:
            return [row for row in status.reconciliation(connection, self.hub.sources) if row.difference]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, rulebook: Rulebook, running: Running) -> Graph:
    """The graph of one quiet sync."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('undisturbed') / 'hub.db'}")
    world = World(store, rulebook, running)
    well(sync(world.hub, DEMO_AS_OF))
    found = world.graph()
    store.close()
    return found


def well(report: Report) -> Report:
    assert report.errors == {}
    return report


# one bad record ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dialect", "system", "stream", "change", "path", "reason"),
    [
        ("sqlite", "hubspot", "contacts", put("id", KeyError), "$.id", "a value is needed"),
        ("postgresql", "hubspot", "contacts", put("id", LONG), "$.id", "more than 500 letters"),
        ("sqlite", "hubspot", "contacts", put("createdAt", "gestern"), "$.createdAt", "no ISO 8601 time"),
        (
            "postgresql",
            "hubspot",
            "contacts",
            put("properties.firstname", LONG),
            "$.properties.firstname",
            "more than 300 letters",
        ),
        ("sqlite", "hubspot", "deals", put("properties.amount", "1.234,56 €"), "$.properties.amount", "not an amount"),
        ("sqlite", "stripe", "invoices", put("currency", "xxz"), "$.total", "`XXZ` is no ISO 4217 currency"),
        ("postgresql", "stripe", "invoices", put("customer", LONG), "$.customer", "more than 500 letters"),
        (
            "postgresql",
            "stripe",
            "customers",
            put("metadata", {"hubspot_id": LONG}),
            "$.metadata.hubspot_id",
            "more than 500 letters",
        ),
    ],
    ids=["no key", "endless key", "no date", "endless name", "letters", "no currency", "endless owner", "endless id"],
)
def test_a_bad_record_is_a_dead_letter_and_stops_no_other(
    new_store: Callable[[str], Store],
    rulebook: Rulebook,
    running: Running,
    dialect: str,  # what is endless is no trouble for SQLite, the rest is the mapping's own matter
    system: str,
    stream: str,
    change: Callable[[Record], None],
    path: str,
    reason: str,
) -> None:
    world = World(new_store(dialect), rulebook, running)
    with world.tampered(system, first_record(stream, change)) as hub:
        report = well(sync(hub, DEMO_AS_OF, [system]))
    (found,) = world.dead()
    assert found[:3] == (system, stream, path)
    assert reason in found[3]
    with world.store.read() as connection:
        (shown,) = status.dead_letters(connection, 5)
    assert (shown.source, shown.stream, shown.path) == (system, stream, path)
    assert report.counts["mapped"] == report.counts["pulled"] - 1


def test_json_that_cannot_be_held_stops_no_other_record(world: World) -> None:
    values = {"deep": b"[" * 900 + b"]" * 900, "endless": b"9" * 5_000, "infinite": b"1e999"}
    shape = b'{"id":"%s","createdAt":"2026-01-01T00:00:00Z","properties":{"firstname":"Odd","x":%s}}'
    records = b",".join(shape % (name.encode(), value) for name, value in values.items())
    with world.tampered("hubspot", raw_record("contacts", records)) as hub:
        report = well(sync(hub, DEMO_AS_OF, ["hubspot"]))
        again = well(sync(hub, DEMO_AS_OF, ["hubspot"]))
    assert (again.counts["changed"], again.counts["mapped"]) == (0, 0)
    failed = world.rows("SELECT l.key, d.path FROM dead_letter d JOIN landing l ON l.landing_no = d.landing_no")
    assert set(failed) >= {("endless", "$"), ("infinite", "$")}
    assert report.counts["mapped"] == report.counts["pulled"] - len(failed)
    assert world.rows("SELECT COUNT(*) FROM landing WHERE key IN ('deep', 'endless', 'infinite')") == [(3,)]


def test_a_missing_rate_leaves_amounts_unknown_and_says_so(world: World) -> None:
    with world.tampered("stripe", first_record("invoices", put("currency", "sek"))) as hub:
        well(sync(hub, DEMO_AS_OF))
    assert world.dead() == []
    assert world.differences() == []
    ((coverage,),) = world.rows(
        "SELECT coverage FROM profitability WHERE currency = 'EUR' AND customer_no IN"
        " (SELECT customer_no FROM money_entry WHERE currency = 'SEK' AND kind = 'REVENUE')"
    )
    assert 0 < coverage < 1_000_000
    with world.store.read() as connection:
        assert status.unrated(connection, "EUR").keys() == {"SEK"}


def test_a_failed_update_keeps_what_was_known_until_it_heals(world: World, tmp_path: Path) -> None:
    well(sync(world.hub, DEMO_AS_OF))
    before = world.graph()
    with world.tampered("stripe", first_record("invoices", put("status", "curious"))) as hub:
        report = well(sync(hub, DEMO_AS_OF))
        assert (report.counts["mapped"], report.counts["dead_letters"]) == (0, 1)
        assert world.graph() == before
        assert world.rows("SELECT COUNT(*) FROM invoice WHERE stale") == [(1,)]
        remap(hub, DEMO_AS_OF)  # landing does not hold any more what the facts still say
        assert world.graph() == before
        fixed = _copied(tmp_path, "void: VOID}", "void: VOID, curious: OPEN}")
        url = hub.sources["stripe"].settings["base_url"]
        well(sync(world.with_settings({"STRIPE_BASE_URL": url}, fixed), DEMO_AS_OF))
        assert world.dead() == []
        assert world.rows("SELECT COUNT(*) FROM invoice WHERE stale") == [(0,)]
    well(sync(Hub(world.store, world.hub.rulebook, world.hub.sources), DEMO_AS_OF))
    assert world.graph() == before


def _copied(folder: Path, said: str, instead: str) -> Path:
    """A folder of mappings with the billing system's, one thing in it said otherwise."""
    shipped_file = shipped() / "sources" / "billing" / "stripe.yml"
    copy = folder / "sources" / "billing" / "stripe.yml"
    copy.parent.mkdir(parents=True)
    written = shipped_file.read_text()
    assert said in written
    copy.write_text(written.replace(said, instead))
    return folder


# one bad source ------------------------------------------------------------------------------------------------------
def _html(path: str, answer: Answer) -> Answer:
    return 200, b"<html><body>Please log in</body></html>"


def _refused(path: str, answer: Answer) -> Answer:
    return 401, b'{"error": {"message": "no"}}'


def _bottomless(path: str, answer: Answer) -> Answer:
    return 200, b'{"data": [{"id": "x", "y": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_html, "HTML instead of JSON"),
        (_refused, "check STRIPE_TOKEN"),
        (_bottomless, "nested too deep"),
    ],
    ids=["HTML", "wrong token", "bottomless"],
)
def test_a_source_that_answers_nonsense_leaves_the_others_whole(
    new_store: Callable[[str], Store], rulebook: Rulebook, running: Running, tamper: Tamper, words: str
) -> None:
    world = World(new_store("sqlite"), rulebook, running)
    with world.tampered("stripe", tamper) as hub:
        report = sync(hub, DEMO_AS_OF)
    assert report.status == "PARTIAL"
    assert {name.split(".")[0] for name in report.errors} == {"stripe"}
    assert all(words in line and "\n" not in line for line in report.errors.values())
    assert world.rows("SELECT COUNT(*) FROM customer_card") > [(PEOPLE // 2,)]
    secret = world.hub.sources["stripe"].settings["token"]
    assert not any(secret in str(row) for row in world.rows("SELECT error FROM stream_run"))


def test_a_source_without_any_record_is_no_error(world: World) -> None:
    empty = b'{"data": [], "has_more": false}'
    with world.tampered("stripe", lambda path, answer: (200, empty)) as hub:
        report = well(sync(hub, DEMO_AS_OF, ["stripe"]))
    assert (report.status, report.counts["pulled"]) == ("OK", 0)


# what operators do ---------------------------------------------------------------------------------------------------
def test_a_source_taken_out_keeps_its_graph_and_comes_back_whole(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    well(sync(world.hub, DEMO_AS_OF))
    before = world.graph()
    capsys.readouterr()
    less = world.with_sources({"hubspot": "hubspot", "matomo": "matomo"})
    well(sync(less, DEMO_AS_OF))
    assert "no source in rules/company.yml" in "".join(capsys.readouterr())
    assert world.graph() == before
    remap(less, DEMO_AS_OF)
    assert world.rows("SELECT COUNT(*) FROM money_entry") == [(0,)]
    well(sync(world.hub, DEMO_AS_OF))
    assert world.graph()["entries"] == before["entries"]
    assert world.differences() == []


def test_an_earlier_instant_takes_nothing_back_and_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    well(sync(world.hub, DEMO_AS_OF))
    before = world.graph()
    capsys.readouterr()
    well(sync(world.hub, DEMO_AS_OF - 4 * WEEK))
    assert "an earlier run was later" in "".join(capsys.readouterr())
    well(sync(world.hub, DEMO_AS_OF))
    assert world.graph() == before


def test_syncs_at_one_moment_end_well_with_the_right_graph(world: World, undisturbed: Graph) -> None:
    hubs = [world.with_settings({}) for _ in range(3)]
    ended: list[Report | BaseException] = []

    def run(hub: Hub) -> None:
        try:
            ended.append(sync(hub, DEMO_AS_OF))
        except StoreError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, args=(hub,)) for hub in hubs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [end.status if isinstance(end, Report) else end for end in ended] == ["OK"] * 3
    assert world.graph() == undisturbed
    assert world.differences() == []
    assert world.rows("SELECT COUNT(*) FROM landing WHERE state <> 1") == [(0,)]
    assert world.rows("SELECT DISTINCT status FROM sync_run") == [("OK",)]


@pytest.mark.parametrize(
    "step", ["intake.mapping.write.write_mapped", "sync.resolve", "sync.derive"], ids=["map", "resolve", "derive"]
)
def test_a_kill_in_any_step_is_made_good_by_the_next_sync(world: World, undisturbed: Graph, step: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, step],
        env=os.environ | world.running.environment() | {"HUB_DATABASE_URL": world.store.url},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert well(sync(world.hub, DEMO_AS_OF)).status == "OK"
    assert world.graph() == undisturbed
    assert world.differences() == []


# Dies inside the second transaction of a step, and what is tested is that nothing of it counts.
_KILLED = """
import os, signal, sys
from functools import partial, reduce
import hub
from hub.cli import main

hub.intake.mapping.RECORDS_A_CHUNK, hub.sync.CUSTOMERS_A_CHUNK = 40, 5
*rooms, name = sys.argv[1].split(".")
room = reduce(getattr, rooms, hub)
real, times = getattr(room, name), []

def dies(*given, **named):
    done = real(*given, **named)
    times.append(name)
    if len(times) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(room, name, dies)
sys.argv = ["hub", "sync", "--as-of", "2026-06-30"]
main()
"""


def test_a_full_disk_keeps_nothing_half_and_the_next_run_is_whole(
    new_store: Callable[[str], Store], rulebook: Rulebook, running: Running, undisturbed: Graph
) -> None:
    world = World(new_store("sqlite"), rulebook, running)
    narrow = World(open_store(world.store.url), rulebook, running)
    ((pages,),) = world.rows("SELECT page_count FROM pragma_page_count")
    narrow.store.engine.dispose()
    event.listen(narrow.store.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages + 150}"))
    with pytest.raises(DiskFullError, match=r"the disk is full; .* free some space"):
        sync(narrow.hub, DEMO_AS_OF)
    narrow.store.close()
    assert world.rows("SELECT status FROM sync_run WHERE status = 'OK'") == []
    well(sync(world.hub, DEMO_AS_OF))
    assert world.graph() == undisturbed
    assert world.differences() == []


# erasure -------------------------------------------------------------------------------------------------------------
def _busiest(world: World, condition: str) -> tuple[str, str]:
    """Public id and first e-mail address of the customer with most interactions among those that fulfil it."""
    asked = (
        "SELECT public_id, emails FROM customer_card k WHERE emails <> '[]' AND {}"
        " ORDER BY interaction_count DESC, customer_no LIMIT 1"
    )
    ((public_id, emails),) = world.rows(asked.format(condition))
    return public_id, json.loads(emails)[0]


MEMBER = "EXISTS (SELECT 1 FROM member m WHERE m.person_no = k.customer_no)"
EMPLOYER = "EXISTS (SELECT 1 FROM member m WHERE m.organization_no = k.customer_no)"


@pytest.mark.parametrize("who", [MEMBER, EMPLOYER], ids=["a member", "an organization"])
def test_after_an_erasure_the_graph_is_what_a_rebuild_gives(world: World, who: str) -> None:
    well(sync(world.hub, DEMO_AS_OF))
    public_id, _ = _busiest(world, who)
    erase(world.store, public_id, dry_run=False, as_of=DEMO_AS_OF)
    well(sync(world.hub, DEMO_AS_OF))
    synced = world.graph()
    remap(world.hub, DEMO_AS_OF)
    assert world.graph() == synced
    assert erase(world.store, public_id, dry_run=False, as_of=DEMO_AS_OF).rows == [("identity_log", 1), ("outbox", 1)]


def test_an_erased_address_keeps_newcomers_out_but_nobody_who_is_known(world: World) -> None:
    well(sync(world.hub, DEMO_AS_OF))
    public_id, email = _busiest(world, "kind = 'PERSON'")
    erase(world.store, public_id, dry_run=False, as_of=DEMO_AS_OF)
    ((known, key),) = world.rows(
        "SELECT k.public_id, l.key FROM customer_card k JOIN profile_ledger l ON l.customer_no = k.customer_no"
        " WHERE l.source = 'hubspot' AND l.stream = 'contacts' ORDER BY k.customer_no LIMIT 1"
    )

    def tamper(path: str, answer: Answer) -> Answer:
        code, body = answer
        if not path.endswith("contacts"):
            return answer
        whole = json.loads(body)
        for record in whole["results"]:
            if record["id"] == key:
                record["properties"]["email"] = email
        own = {"id": "newcomer", "createdAt": "2026-06-01T00:00:00Z", "properties": {"email": email.upper()}}
        whole["results"].append(own)
        return code, json.dumps(whole).encode()

    with world.tampered("hubspot", tamper) as hub:
        well(sync(hub, DEMO_AS_OF))
    assert world.rows("SELECT COUNT(*) FROM landing WHERE key = 'newcomer'") == [(0,)]
    assert world.rows("SELECT COUNT(*) FROM profile_ledger WHERE key = 'newcomer'") == [(0,)]
    ((emails,),) = world.rows("SELECT emails FROM customer_card WHERE public_id = :id", id=known)
    assert email in json.loads(emails)


def test_erasure_leaves_no_byte_in_the_file_and_says_where_a_reader_keeps_some(
    new_store: Callable[[str], Store], rulebook: Rulebook, running: Running
) -> None:
    world = World(new_store("sqlite"), rulebook, running)
    well(sync(world.hub, DEMO_AS_OF))
    public_id, email = _busiest(world, "kind = 'PERSON'")
    hasty = open_store(world.store.url, wait_s=0.2)
    with world.store.read() as reading:
        reading.execute(text("SELECT COUNT(*) FROM landing")).scalar_one()
        with pytest.raises(StillReadError, match="run the same command again"):
            erase(hasty, public_id, dry_run=False, as_of=DEMO_AS_OF)
    erase(hasty, public_id, dry_run=False, as_of=DEMO_AS_OF)
    hasty.close()
    path = Path(world.store.url.removeprefix("sqlite:///"))
    files = [path, path.with_name(path.name + "-wal")]
    assert [file.name for file in files if file.exists() and email.encode() in file.read_bytes().lower()] == []
