"""In: nothing. Out: a stocked support desk that is served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.desk import Desk, served, stocked


@pytest.fixture
def desk() -> Iterator[Desk]:
    with served(stocked()) as desk:
        yield desk
