"""Tables that the engine reads by itself: SQL on the delivery's own read-only connection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.readers.failures import engine_told
from pipelines.readers.source import BATCH_ROWS, ROW_NUMBER


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

    def schema(self, columns: Sequence[str], *, numbered: bool) -> pa.Schema:
        with self._told():
            return self._reader(columns, f"{self.text} LIMIT 0", numbered).schema
        raise AssertionError("unreachable")

    def batches(self, columns: Sequence[str], *, numbered: bool) -> Iterator[pa.RecordBatch]:
        with self._told():
            yield from self._reader(columns, self.text, numbered)

    def relation(self) -> str | None:
        return self.text if self.portable else None

    def size(self) -> int | None:
        return self.bytes

    def _reader(self, columns: Sequence[str], relation: str, numbered: bool) -> pa.RecordBatchReader:
        query = f"SELECT {selected(columns, numbered)} FROM {relation}"
        return self.connection.cursor().sql(query).to_arrow_reader(BATCH_ROWS)

    def _told(self) -> AbstractContextManager[None]:
        return engine_told(f"delivered table {self.name!r} cannot be read")


def selected(columns: Sequence[str], numbered: bool, before: int = 0) -> str:
    """A SELECT list: the columns, and the row number after `before` earlier rows if wanted."""
    number = [f"row_number() OVER () + {before} AS {ROW_NUMBER}"] if numbered else []
    return ", ".join([*(sql.name(c) for c in columns), *number]) or "1"
