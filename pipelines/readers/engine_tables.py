"""Tables that the engine reads by itself: SQL on the delivery's own read-only connection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.readers.failures import engine_told
from pipelines.readers.source import BATCH_ROWS

UNNAMED = "hive_partitioning = false, filename = false, union_by_name = false"
"""Options by which the names of files and folders give no column: `sex=F/` would, and take the place of a column."""


@dataclass(frozen=True)
class EngineTable:
    """`text` is what follows FROM; `portable` says that other connections may read it too."""

    name: str
    connection: duckdb.DuckDBPyConnection
    text: str
    portable: bool = False
    bytes: int | None = None

    def columns(self) -> Mapping[str, str]:
        with self._told():
            return {row[0]: row[1] for row in self.connection.execute(f"DESCRIBE SELECT * FROM {self.text}").fetchall()}
        raise AssertionError("unreachable")

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        with self._told():
            return read(self.connection, columns, f"{self.text} LIMIT 0").schema
        raise AssertionError("unreachable")

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with self._told():
            yield from read(self.connection, columns, self.text)

    def relation(self) -> str | None:
        return self.text if self.portable else None

    def size(self) -> int | None:
        return self.bytes

    def _told(self) -> AbstractContextManager[None]:
        return engine_told(f"delivered table {self.name!r} cannot be read")


def read(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], relation: str) -> pa.RecordBatchReader:
    """Columns of a relation in a stream, on a cursor of its own."""
    query = f"SELECT {', '.join(map(sql.name, columns))} FROM {relation}"
    return connection.cursor().sql(query).to_arrow_reader(BATCH_ROWS)
