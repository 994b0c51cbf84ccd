"""A statement that takes too long is ended in the database, and the connection stays good."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.api.errors import ApiError
from hub.api.read.deadline import within
from hub.store.engine import Store

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT count(*) FROM n"
ENDLESS = text(COUNT).bindparams(last=1_000_000_000)
SHORT = text(COUNT).bindparams(last=100_000)


def test_statement_beyond_its_time_is_ended(store: Store) -> None:
    with pytest.raises(ApiError) as ended, store.read() as connection, within(connection, 0.1):
        connection.execute(ENDLESS)
    assert (ended.value.extensions or {})["code"] == "TIMED_OUT"
    assert ended.value.message == "the operation took more than 0.1 s; ask for less: first, a filter"


def test_next_transaction_has_all_the_time(store: Store) -> None:
    with store.read() as connection, within(connection, 0.001):
        pass
    with store.read() as connection:
        assert connection.execute(SHORT).scalar() == 100_000
