"""The yardsticks of export: PostgreSQL's own COPY to a CSV file, and ADBC record batches to a Parquet file.

In: `csv` or `parquet`, a database URL, a view, a file. Out: the file. A program of its own, so that its memory is too.
"""

from __future__ import annotations

import sys
from pathlib import Path


def copy_csv(url: str, view: str, file: Path) -> None:
    """COPY passed through as it comes."""
    import psycopg

    statement = psycopg.sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT csv, HEADER)")
    with psycopg.connect(url) as connection, file.open("wb") as out:
        connection.execute("SET jit = off")
        with connection.cursor().copy(statement.format(psycopg.sql.Identifier(view))) as rows:
            for chunk in rows:
                out.write(chunk)


def adbc_parquet(url: str, view: str, file: Path) -> None:
    """Record batches into a streaming Parquet writer (zstd)."""
    from adbc_driver_postgresql import dbapi
    from pyarrow import parquet

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET jit = off")
        cursor.execute(f'SELECT * FROM "{view}"')  # noqa: S608  (a name of ours)
        batches = cursor.fetch_record_batch()
        with parquet.ParquetWriter(file, batches.schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)


if __name__ == "__main__":
    kind, its_url, its_view, its_file = sys.argv[1:]
    {"csv": copy_csv, "parquet": adbc_parquet}[kind](its_url, its_view, Path(its_file))
