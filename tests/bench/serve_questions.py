"""What the contenders are asked. In: a question and who is asked. Out: request bodies whose variables differ.

Ids are drawn at random; cursors are those that the asked server gives, page by page.
"""

from __future__ import annotations

import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from hub.store.engine import open_store
from tests.bench.serve_contenders import HERE, HOUSE, Contender
from tests.bench.serve_database import Database
from tests.bench.serve_load import write_bodies

IDS, DAYS, PAGES = 2_000, 400, 30
Variables = list[dict[str, Any]]
Draw = Callable[[str, Contender, Database, int, Random], Variables]


@dataclass(frozen=True)
class Question:
    """A document and how its variables are drawn; the contract's own documents stand in the hub."""

    name: str
    operation: str
    about: str
    draw: Draw
    contract: bool = False

    def document(self, contender: Contender) -> str:
        """The words that this contender is asked with."""
        folder = HOUSE / "hub/api/examples" if self.contract else HERE / contender.documents
        return (folder / f"{self.name}.graphql").read_text(encoding="utf-8")


@contextmanager
def asked(question: Question, contender: Contender, database: Database, port: int, random: Random) -> Iterator[Path]:
    """A file of request bodies for wrk. Raises SystemExit where the contender's answer has errors."""
    document = question.document(contender)
    variables = question.draw(document, contender, database, port, random)
    answer = _ask(port, document, question.operation, variables[0])
    if answer.get("errors"):
        raise SystemExit(f"{contender.name}, {question.name}: {answer['errors'][0]['message']}")
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        yield write_bodies(Path(folder) / "bodies.jsonl", document, question.operation, variables)


def _ids(_document: str, _contender: Contender, database: Database, _port: int, random: Random) -> Variables:
    store = open_store(database.url, migrate=False)
    with store.read() as connection:
        most = connection.execute(text("SELECT MAX(customer_no) FROM customer_card")).scalar_one()
        numbers = random.sample(range(1, most + 1), min(IDS, most))
        found = connection.execute(
            text(f"SELECT public_id FROM customer_card WHERE customer_no IN ({', '.join(map(str, numbers))})")  # noqa: S608
        )
        ids = [{"id": public_id} for public_id in found.scalars()]
    store.close()
    random.shuffle(ids)
    return ids


def _days(_document: str, contender: Contender, _database: Database, _port: int, _random: Random) -> Variables:
    days = [date(2025, 1, 1) + timedelta(days=day) for day in range(DAYS)]
    if not contender.plain_time:
        return [{"from": day.isoformat()} for day in days]
    return [{"from": str(int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) * 1_000_000)} for d in days]


def _cursors(document: str, _contender: Contender, _database: Database, port: int, _random: Random) -> Variables:
    variables: Variables = [{"after": None}]
    while len(variables) < PAGES:
        data = _ask(port, document, "", variables[-1])["data"]
        ends = next(iter(data.values()))["pageInfo"]
        if not ends["hasNextPage"]:
            break
        variables.append({"after": ends["endCursor"]})
    return variables


def _ask(port: int, document: str, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
    named = operation or document.partition("query ")[2].partition("(")[0]
    body = json.dumps({"query": document, "operationName": named, "variables": variables}).encode()
    asked_with = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json", "Accept": "application/json"}
    )
    try:
        with urllib.request.urlopen(asked_with, timeout=60) as answer:  # noqa: S310  (our own server)
            said: dict[str, Any] = json.load(answer)
            return said
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{named}: status {refused.code}: {refused.read(500).decode(errors='replace')}") from None


QUESTIONS = (
    Question("one", "One", "one customer, 20 interactions", _ids),
    Question("page", "Page", "100 customers by band, totals, flags, 5 interactions each", _days),
    Question("flat", "Flat", "1,000 customers, 10 fields", _cursors),
)
CONTRACT = (
    Question("customer_360", "Customer360", "the contract's customer_360", _ids, contract=True),
    Question("customers_page", "CustomersPage", "the contract's customers_page", _cursors, contract=True),
    Question("at_risk", "AtRisk", "the contract's at_risk", _cursors, contract=True),
)
