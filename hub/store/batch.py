"""The batch: the customers that one transaction works on, as a table that set-based SQL joins.

In: customer numbers. Out: rows of the temporary table `batch`, of this connection and transaction only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, text

batch = Table("batch", MetaData(), Column("customer_no", BigInteger, primary_key=True, autoincrement=False))

_CREATE = {
    "sqlite": "CREATE TEMP TABLE IF NOT EXISTS batch (customer_no INTEGER PRIMARY KEY)",
    "postgresql": "CREATE TEMP TABLE IF NOT EXISTS batch (customer_no BIGINT PRIMARY KEY)",
}
_CLEAR = {"sqlite": "DELETE FROM temp.batch", "postgresql": "TRUNCATE pg_temp.batch"}
_FILL = {
    "sqlite": "INSERT INTO temp.batch SELECT value FROM json_each(:numbers)",
    "postgresql": (
        "INSERT INTO pg_temp.batch SELECT CAST(n AS BIGINT) FROM json_array_elements_text(CAST(:numbers AS JSON)) j(n)"
    ),
}
# Nobody else tells the planner how few there are: it would read whole tables and look each row up in the batch.
_MEASURE = {"sqlite": "ANALYZE temp.batch", "postgresql": "ANALYZE pg_temp.batch"}


def fill_batch(connection: Connection, customer_nos: Iterable[int]) -> int:
    """Makes `batch` hold exactly these customers, each once, and returns how many; needs a writing connection."""
    dialect = connection.dialect.name
    numbers = sorted(set(customer_nos))
    connection.execute(text(_CREATE[dialect]))
    connection.execute(text(_CLEAR[dialect]))
    connection.execute(text(_FILL[dialect]), {"numbers": json.dumps(numbers)})
    connection.execute(text(_MEASURE[dialect]))
    return len(numbers)
