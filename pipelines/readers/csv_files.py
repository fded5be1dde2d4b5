"""CSV as a delivery: every cell is read as text and cast later by the plan's types.

Plain UTF-8 files without cells of several lines are the engine's own to read, in parallel. All else, packed or in
another encoding, streams through memory in pieces (`csv_chunks`): gzip too, since the engine does not compare its check
sum and knows no limit, and cells of several lines, which make its parallel reader give up and its other one lose rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.readers.csv_chunks import Pieces, has_long_cells, utf_8_blocks
from pipelines.readers.csv_dialect import Dialect, Header, read_header, read_options, scan
from pipelines.readers.engine_tables import read
from pipelines.readers.failures import ENGINE_ERRORS, bad_row, engine_told
from pipelines.readers.limits import Limits
from pipelines.readers.parts import Part, find_parts
from pipelines.readers.source import BATCH_ROWS, Source

SUFFIXES = (".csv", ".tsv", ".txt")


def open_csv(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """Options: `delimiter`, `quote`, `escape` (one character each), `encoding`, `null` (text that stands for a missing
    value), `columns` (names, for files without a header).
    """
    dialect = read_options(options)
    delivery = find_parts(location, SUFFIXES, limits)
    connection = connect(limits.memory, limits.threads)
    tables = {t: CsvTable(t, parts, dialect, limits, connection) for t, parts in delivery.tables.items()}
    return Source(tables, delivery.digests, connection.close, delivery.check_unchanged)


@dataclass(frozen=True)
class CsvTable:
    """One table, in one file or several with the same header."""

    name: str
    parts: tuple[Part, ...]
    dialect: Dialect
    limits: Limits
    connection: duckdb.DuckDBPyConnection

    @cached_property
    def header(self) -> Header:
        """The header all parts share; raises SourceError if they do not."""
        first, *others = [read_header(part, self.dialect, self.limits) for part in self.parts]
        differing = next((p for p, h in zip(self.parts[1:], others, strict=True) if h != first), None)
        if differing is not None:
            raise SourceError(
                f"{differing.name}: its header differs from that of {self.parts[0].name}. Make them equal."
            )
        return first

    def columns(self) -> Mapping[str, str]:
        return dict.fromkeys(self.header.names, "VARCHAR")

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        return pa.schema([(c, pa.string()) for c in columns])

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for part in self.parts:
            yield from (self._plain if part in self._simple else self._streamed)(part, columns)

    def relation(self) -> str | None:
        if len(self._simple) < len(self.parts):
            return None
        paths = sql.paths(part.file.resolve() for part in self.parts)
        return self._scan(paths)

    def size(self) -> int | None:
        sizes = [part.size for part in self.parts]
        return None if None in sizes else sum(s for s in sizes if s is not None)

    @cached_property
    def _simple(self) -> tuple[Part, ...]:
        """The parts that the engine can read by itself; raises SourceError for NUL bytes in them."""
        plain = [part for part in self.parts if part.plain and self.dialect.is_utf_8]
        return tuple(part for part in plain if not has_long_cells(part, self.dialect.quote))

    def _plain(self, part: Part, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with self._told(part, self.header.lines):
            yield from read(self.connection, columns, self._scan(sql.paths([part.file.resolve()])))

    def _streamed(self, part: Part, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        def parse(path: str, headers: int) -> pa.Table:
            with self._told(part, headers):
                text = scan(sql.paths([path]), self.header, self.dialect, self.limits, parallel=False, headed=True)
                return read(self.connection, columns, text).read_all()

        pieces = Pieces(part.name, self.header, self.dialect, self.limits, parse)
        with part.open() as stream:
            for table in pieces.tables(utf_8_blocks(part.name, stream, self.dialect)):
                yield from table.to_batches(BATCH_ROWS)

    def _scan(self, paths: str) -> str:
        headed = self.header.lines > 0
        return scan(paths, self.header, self.dialect, self.limits, parallel=True, headed=headed)

    @contextmanager
    def _told(self, part: Part, headers: int) -> Iterator[None]:
        try:
            yield
        except ENGINE_ERRORS as failure:
            row = bad_row(failure, part.name, headers, self.limits)
            if row is not None:
                raise row from None
            with engine_told(f"{part.name} cannot be read"):
                raise
