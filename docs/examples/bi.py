"""Read a Parquet export with pandas, polars and DuckDB. In: files of `hub export`. Out: the same sums, exact.

    hub export bi_money --format parquet --output bi_money.parquet
    hub export bi_customers --format parquet --output bi_customers.parquet
    python bi.py

Each part is a cell of a notebook.
"""

# %%
import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

# %% pandas: amounts stay exact decimals where Arrow's types are kept
money = pd.read_parquet("bi_money.parquet", dtype_backend="pyarrow")
print(money.groupby("kind")["reporting_amount"].sum())

# %% polars: lazily, so that only the columns in question are read
by_kind = (
    pl.scan_parquet("bi_money.parquet").group_by("kind").agg(pl.col("reporting_amount").sum()).sort("kind").collect()
)
print(by_kind)

# %% DuckDB: SQL over the files, several at once
best = duckdb.sql(
    """
    SELECT c.display_name, c.country, SUM(m.reporting_amount) AS revenue, ANY_VALUE(c.currency) AS currency
    FROM 'bi_money.parquet' m JOIN 'bi_customers.parquet' c USING (customer_id)
    WHERE m.kind = 'REVENUE' AND c.state = 'CURRENT'
    GROUP BY ALL ORDER BY revenue DESC NULLS LAST LIMIT 5
    """
)
print(best)

# %% the watermark to go on from is in the file
print(pq.read_schema("bi_money.parquet").metadata[b"watermark"].decode())
