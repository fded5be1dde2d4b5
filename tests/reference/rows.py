"""Rows over in-memory tables: what the store's reader does, in a few lines, for tests of the engine."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa

_CONNECTION, _LOCK = duckdb.connect(), Lock()


class TableRows:
    """One table `s`.`t` cut into buckets by person key; `tables` are the buckets."""

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        self.tables = list(tables)

    @property
    def buckets(self) -> int:
        return len(self.tables)

    def scan(self, sql: str, bucket: int | None, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:  # noqa: ARG002
        with _LOCK, _CONNECTION.cursor() as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS s")
            connection.register("given", pa.concat_tables(self.tables) if bucket is None else self.tables[bucket])
            connection.execute("CREATE OR REPLACE TABLE s.t AS SELECT * FROM given")
            return connection.sql(sql).to_arrow_table()


def bucketed(rows: Sequence[Mapping[str, Any]], schema: pa.Schema, buckets: int) -> TableRows:
    """Rows as dictionaries with a `person_key`, in the order given."""
    parts: list[list[Mapping[str, Any]]] = [[] for _ in range(buckets)]
    for row in rows:
        parts[row["person_key"] % buckets].append(row)
    return TableRows([pa.Table.from_pylist(part, schema=schema) for part in parts])
