"""A reader that keeps copies by watermark: after whatever happened, its tables are the views."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve
from hub.access.sight import EVERYTHING, Sight
from hub.demo import DEMO_AS_OF
from hub.erasure.erase import erase
from hub.export.reading import Asked
from hub.export.refusals import BadWatermark, ForbiddenColumn, UnknownExport
from hub.export.stream import Export
from hub.export.views import VIEWS, create_views
from hub.identity.steward import judgement
from hub.run import Hub
from hub.store import read
from hub.store.engine import Store
from hub.sync import follow, remap, sync
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

DAY = 86_400_000_000
Row = tuple[str | None, ...]


@pytest.fixture
def hub(store: Store, rulebook: Rulebook) -> Hub:
    with serve(generate(30), faults=False) as servers:
        with store.write() as connection:
            create_views(connection, rulebook.company.reporting_currency)
        hub = Hub(store, rulebook, load_sources(rulebook, [shipped()], servers.environment()))
        assert sync(hub, DEMO_AS_OF).errors == {}
    return hub


@dataclass
class Copy:
    """A copy of a view, kept as docs/bi.md says: forget the rows of each customer with a marker, add what follows."""

    store: Store
    view: str
    sight: Sight = EVERYTHING
    mark: str | None = None
    rows: Counter[Row] = field(default_factory=Counter)

    def page(self, limit: int | None = None, format_: str = "csv") -> tuple[bool, int]:
        """Reads once; whether that was all, and how many rows came."""
        with Export(self.store, Asked(self.view, since=self.mark, limit=limit), format_, self.sight) as export:
            data = b"".join(export).decode()
            read = list(_records(data, format_))
        at = list(export.reading.columns).index("customer_id")
        if "change" in export.reading.columns:
            forgotten = {row[at] for row in read if row[0] == "REPLACE"}
            self.rows = Counter({row: n for row, n in self.rows.items() if row[at - 1] not in forgotten})
            read = [row[1:] for row in read if row[0] == "ROW"]
        self.rows.update(read)
        self.mark = export.reading.watermark
        return export.reading.complete, len(read)

    def whole(self) -> Counter[Row]:
        """The view as it is."""
        with Export(self.store, Asked(self.view), "csv", self.sight) as export:
            return Counter(_records(b"".join(export).decode(), "csv"))


def _records(data: str, format_: str) -> Iterator[Row]:
    """Rows as text, null as None."""
    if format_ == "csv":
        yield from (tuple(cell or None for cell in row) for row in list(csv.reader(io.StringIO(data, newline="")))[1:])
    else:
        for line in data.splitlines():
            values = json.loads(line).values()
            yield tuple(
                None if v is None or v == "" else str(v).lower() if v in (True, False) else str(v) for v in values
            )


class Chance:
    """Things that happen to a hub, at random."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub, self.random, self.as_of = hub, random.Random(seed), DEMO_AS_OF

    def strike(self) -> str:
        """One of them; its name."""
        deeds: list[Callable[[], None]] = (
            [self.records_change] * 4 + [self.a_steward_decides] * 4 + [self.days_pass] * 2
        )
        deeds += (
            [self.somebody_is_erased] * 2 + [self.records_go] + [self.it_is_all_mapped_anew, self.the_clock_goes_back]
        )
        deed = self.random.choice(deeds)
        deed()
        return deed.__name__

    def records_change(self) -> None:
        """Some records say of themselves what another one said."""
        with self.hub.store.write() as connection:
            source, stream = self._one(connection, "SELECT source, stream FROM landing")
            sql = "SELECT landing_no, payload FROM landing WHERE source = :a AND stream = :b ORDER BY landing_no"
            rows = connection.execute(text(sql), {"a": source, "b": stream}).all()
            for _ in range(3):
                (number, mine), (_, other) = self.random.choice(rows), self.random.choice(rows)
                self._land(connection, number, _mixed(json.loads(mine), json.loads(other), self.random))
        self._run(self.as_of + self.random.randrange(2) * 3_600_000_000)

    def records_go(self) -> None:
        """Some records say nothing that can be mapped any more."""
        with self.hub.store.write() as connection:
            self._land(connection, self._one(connection, "SELECT landing_no FROM landing")[0], {})
        self._run(self.as_of)

    def a_steward_decides(self) -> None:
        """Two profiles are one, or are not, or that is withdrawn; no run is written down."""
        with self.hub.store.write() as connection:
            pair = [self._one(connection, "SELECT profile_no FROM profile")[0] for _ in range(2)]
            made = (
                connection.execute(text("SELECT judgement_no FROM judgement WHERE withdrawn_at IS NULL"))
                .scalars()
                .all()
            )
            said: dict[str, Any] = {"reason": "r", "as_of": self.as_of}
            try:
                if made and self.random.random() < 0.4:
                    judgement.withdraw(connection, self.random.choice(made), **said)
                else:
                    decide = self.random.choice([judgement.join, judgement.join, judgement.separate])
                    decide(connection, *pair, decided_by="steward", **said)
            except judgement.JudgementError:
                return
        follow(self.hub, self.as_of)

    def somebody_is_erased(self) -> None:
        with self.hub.store.write() as connection:
            (public_id,) = self._one(connection, "SELECT public_id FROM customer_card")
        erase(self.hub.store, public_id, dry_run=False, as_of=self.as_of)
        follow(self.hub, self.as_of)

    def days_pass(self) -> None:
        self.as_of += self.random.randrange(1, 20) * DAY
        self._run(self.as_of)

    def the_clock_goes_back(self) -> None:
        self.records_change()
        self._run(self.as_of - 3 * DAY)

    def it_is_all_mapped_anew(self) -> None:
        remap(self.hub, self.as_of)

    def _run(self, as_of: int) -> None:
        with self.hub.store.write() as connection:
            run_no = read.start_run(connection, "sync", as_of)
        follow(self.hub, as_of)
        with self.hub.store.write() as connection:
            read.finish_run(connection, run_no, "OK", 0)

    def _one(self, connection: Any, sql: str) -> Any:
        return self.random.choice(sorted(connection.execute(text(sql)).all()))

    def _land(self, connection: Any, number: int, record: Any) -> None:
        payload = json.dumps(record).encode()
        sql = "UPDATE landing SET payload = :payload, raw_hash = :payload, state = 0, changed_at = :at"
        connection.execute(
            text(f"{sql} WHERE landing_no = :no"),
            {"payload": payload, "no": number, "at": self.random.randrange(1 << 40)},
        )


def _mixed(mine: Any, other: Any, random_: random.Random) -> Any:
    """Mine with some of what the other has, but for its id."""
    if isinstance(mine, dict) and isinstance(other, dict):
        keep = {"id", "hs_object_id", "idVisit"}
        return {k: v if k in keep else _mixed(v, other.get(k, v), random_) for k, v in mine.items()}
    return other if random_.random() < 0.3 else mine


@pytest.mark.parametrize("seed", [1, 8])
def test_whatever_happens_a_reader_by_watermark_ends_with_the_views(hub: Hub, seed: int) -> None:
    chance = Chance(hub, seed)
    copies = [Copy(hub.store, view) for view in VIEWS]
    happened: Counter[str] = Counter()
    for _ in range(12):
        for copy in copies:  # a few pages, perhaps not all
            for _ in range(chance.random.randrange(3)):
                copy.page(chance.random.choice([None, 1, 7, 100]), chance.random.choice(["csv", "ndjson"]))
        happened[chance.strike()] += 1
    for copy in copies:
        while not copy.page(40)[0]:
            pass
        while copy.page()[1]:
            pass
        assert copy.rows == copy.whole(), (copy.view, happened)
    assert len(happened) >= 4


def test_nothing_happened_nothing_is_read(hub: Hub) -> None:
    for copy in (Copy(hub.store, view) for view in VIEWS):
        assert copy.page()[1] > 0
        for _ in range(2):
            assert copy.page() == (True, 0)


def test_a_watermark_reads_the_changed_customers_only(hub: Hub) -> None:
    copies = [Copy(hub.store, view) for view in VIEWS]
    for copy in copies:
        copy.page()
    with hub.store.write() as connection:
        no, public_id = connection.execute(text("SELECT customer_no, public_id FROM customer_card LIMIT 1")).one()
        connection.execute(text("UPDATE customer SET dirty = TRUE WHERE customer_no = :no"), {"no": no})
    Chance(hub, 0)._run(DEMO_AS_OF + 1)
    for copy in copies:
        with Export(hub.store, Asked(copy.view, since=copy.mark), "ndjson") as export:
            rows = [json.loads(line) for line in b"".join(export).splitlines()]
        assert {row["customer_id"] for row in rows if row["change"] == "REPLACE"} == {public_id}
        assert {row["customer_id"] for row in rows} == {public_id}


def test_updated_since_is_exact_to_the_microsecond(hub: Hub) -> None:
    for moment, everything in ((DEMO_AS_OF, True), (DEMO_AS_OF + 1, False)):
        with Export(hub.store, Asked("bi_money", updated_since=moment), "ndjson") as export:
            rows = [json.loads(line) for line in b"".join(export).splitlines()]
        assert bool([row for row in rows if row["change"] == "ROW"]) == everything


def test_a_full_reading_goes_on_where_its_limit_ended_it(hub: Hub) -> None:
    copy = Copy(hub.store, "bi_interactions")
    pages = 0
    while not copy.page(100)[0]:
        pages += 1
    assert pages == sum(copy.rows.values()) // 100 > 3
    assert copy.rows == copy.whole()


def test_a_page_of_changes_ends_with_a_customer(hub: Hub) -> None:
    asked = Asked("bi_money", updated_since=0, limit=1)
    with Export(hub.store, asked, "ndjson") as export:
        rows = [json.loads(line) for line in b"".join(export).splitlines()]
    assert [row["change"] for row in rows].count("REPLACE") == 1
    assert len({row["customer_id"] for row in rows}) == 1
    assert not export.reading.complete


def test_the_marker_comes_whatever_columns_are_chosen(hub: Hub) -> None:
    with Export(hub.store, Asked("bi_money", ("amount",), updated_since=0), "csv") as export:
        header, first, *_ = b"".join(export).decode().splitlines()
    assert header == "change,customer_id,amount"
    assert first.startswith("REPLACE,cus_")


@pytest.mark.parametrize(
    ("asked", "sight", "refusal", "words"),
    [
        pytest.param({"since": "!"}, EVERYTHING, BadWatermark, "is no watermark", id="no base64"),
        pytest.param({"since": "W10"}, EVERYTHING, BadWatermark, "is no watermark", id="an empty list"),
        pytest.param({"since": "WzIse31d"}, EVERYTHING, BadWatermark, "another version", id="of a later hub"),
        pytest.param({"since": "MQ", "updated_since": 1}, EVERYTHING, UnknownExport, "exclude each other", id="both"),
        pytest.param({"limit": 0}, EVERYTHING, UnknownExport, "limit: 0", id="nothing"),
        pytest.param(
            {"updated_since": 0},
            Sight("blind", masked=frozenset({"bi_money.customer_id"})),
            ForbiddenColumn,
            "which the role blind does not see",
            id="changes of masked customers",
        ),
    ],
)
def test_what_cannot_be_read_on_from_is_refused(
    company: Store, asked: dict[str, Any], sight: Sight, refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        Export(company, Asked("bi_money", **asked), "csv", sight)


def test_a_watermark_belongs_to_a_view_a_role_and_a_database(company: Store, new_store: Callable[[str], Store]) -> None:
    with company.write() as connection:
        read.finish_run(connection, read.start_run(connection, "sync", 1), "OK", 0)
    with Export(company, Asked("bi_money"), "csv") as export:
        mark = export.reading.watermark
    other = new_store(company.dialect)
    for store, view, role in (
        (company, "bi_customers", "admin"),
        (company, "bi_money", "analyst"),
        (other, "bi_money", "admin"),
    ):
        with pytest.raises(BadWatermark, match="read everything once"):
            Export(store, Asked(view, since=mark), "csv", Sight(role))
