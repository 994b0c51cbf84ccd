"""In: nothing. Out: one small company, and its servers without faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import Running, serve


@pytest.fixture(scope="session")
def company() -> Company:
    return generate(400, seed=11)


@pytest.fixture(scope="module")
def running(company: Company) -> Iterator[Running]:
    with serve(company, faults=False) as servers:
        yield servers
