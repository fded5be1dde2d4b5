"""What every reader gives: an open delivery, its tables, and their rows as Arrow batches."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from re import compile as pattern
from typing import Protocol
from weakref import WeakSet

import numpy as np
import pyarrow as pa

from pipelines.errors import SourceError, without_engine_text

ROW_NUMBER = "__row_number"
"""Column each batch carries last: the row's position in the delivered table, from 1."""

BATCH_ROWS = 122_880
"""Rows in a batch: one DuckDB row group, small enough that many wide batches fit into memory."""

JUNK_COLUMN = pattern(r"column\d+")


@dataclass(frozen=True)
class SourceFile:
    """One delivered file, or the rows read of one database table: name, SHA-256 in hex, size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class DeliveredTable:
    """Column types as DuckDB names them, by delivered column name.

    `note` says why a table counts as delivered empty, if it does.
    """

    name: str
    columns: Mapping[str, str]
    note: str | None = None

    def column_named(self, wanted: str) -> str | None:
        """The delivered spelling of a column: exact if there is one, else the only one that differs in case."""
        if wanted in self.columns:
            return wanted
        close = [c for c in self.columns if c.lower() == wanted.lower()]
        return close[0] if len(close) == 1 else None


class Readable(Protocol):
    """One delivered table, in whatever form. Everything here raises SourceError, at the latest while reading."""

    def columns(self) -> Mapping[str, str]:
        """DuckDB types by column name."""

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Schema of batches of these columns, of which there is at least one."""

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in delivered order, from the start."""

    def relation(self) -> str | None:
        """SQL that any DuckDB connection of this process may read, None if there is none."""

    def size(self) -> int | None:
        """Bytes of the rows as delivered, unpacked; None if not known."""


class Source:
    """An open delivery. Use as a context manager: leaving it ends every read that is under way.

    `digests` hashes what was delivered, `close` frees what the reader holds, `check` raises SourceError if a delivered
    file is no longer what it was when it was opened.
    """

    def __init__(
        self,
        tables: Mapping[str, Readable],
        digests: Callable[[], Iterable[SourceFile]],
        close: Callable[[], None] = lambda: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._tables, self._digests, self._close, self._check = dict(tables), digests, close, check
        self._reads: WeakSet[_Read] = WeakSet()

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        for read in list(self._reads):
            read.close()
        self._close()

    def tables(self) -> tuple[str, ...]:
        return tuple(self._tables)

    def describe(self, table: str) -> DeliveredTable:
        """Columns of a delivered table; raises SourceError if it was not delivered."""
        columns = self._table(table).columns()
        junk = all(JUNK_COLUMN.fullmatch(c) for c in columns)
        return DeliveredTable(table, columns, "its columns have no names: a header row without data" if junk else None)

    def batches(self, table: str, columns: Iterable[str], *, numbered: bool = True) -> pa.RecordBatchReader:
        """Batches of the delivered columns, with ROW_NUMBER last if `numbered`; each call reads from the start.

        What goes wrong while they are read is a SourceError; inside of an engine, `reading` brings it back.
        """
        readable, wanted = self._table(table), list(columns)
        schema = readable.schema(wanted)
        schema = schema.append(pa.field(ROW_NUMBER, pa.int64())) if numbered else schema
        read = _Read(small(readable.batches(wanted), schema, numbered))
        self._reads.add(read)
        return pa.RecordBatchReader.from_batches(schema, read)

    def relation(self, table: str) -> str | None:
        """SQL that any DuckDB connection of this process may read in place of `batches`, None if only `batches` works.

        Rows come in delivered order to a connection that preserves insertion order.
        """
        return self._table(table).relation()

    def size_hint(self, table: str) -> int | None:
        """Bytes of the table as delivered, unpacked, None if not known without reading it."""
        return self._table(table).size()

    def digests(self) -> tuple[SourceFile, ...]:
        """Hash and size of everything delivered."""
        return tuple(self._digests())

    def check_unchanged(self) -> None:
        """Raise SourceError if a delivered file changed since the delivery was opened.

        To be called after the last read and after hashing. A database read from one snapshot has nothing to check.
        """
        self._check()

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Around the use of `batches` or `relation` in an engine: its error becomes the reader's SourceError."""
        try:
            with without_engine_text(what, SourceError):
                yield
        except SourceError:
            # engines pass on the text of an error in a stream, not the error
            told = next((read.failure for read in self._reads if read.failure is not None), None)
            if told is not None:
                raise told from None
            raise

    def _table(self, table: str) -> Readable:
        return self._tables[self._named(table)]

    def _named(self, table: str) -> str:
        """The delivered spelling of a table's name; raises SourceError if it was not delivered."""
        close = [t for t in self._tables if t.lower() == table.lower()]
        if table not in self._tables and len(close) != 1:
            known = ", ".join(sorted(self._tables)[:20]) or "nothing"
            raise SourceError(f"The plan reads table {table!r}, which was not delivered. Delivered: {known}.")
        return table if table in self._tables else close[0]


class _Read:
    """One read of a table; an end that comes by closing is an error, and not the end of the rows."""

    def __init__(self, batches: Generator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.failure: SourceError | None = None

    def __iter__(self) -> "_Read":
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            if self.failure is not None:
                raise self.failure
            return next(self._batches)
        except SourceError as failure:
            self.failure = failure
            raise

    def close(self) -> None:
        self._batches.close()
        self.failure = self.failure or SourceError("The delivery was closed while it was read.")


def small(batches: Iterable[pa.RecordBatch], schema: pa.Schema, numbered: bool) -> Generator[pa.RecordBatch]:
    """The same rows in small batches of a schema, numbered through if wanted.

    Numbered here and not by the engine, which would read with one thread to do it.
    """
    before = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            numbers = [pa.array(np.arange(before + 1, before + part.num_rows + 1))] if numbered else []
            yield pa.RecordBatch.from_arrays([*part.columns, *numbers], schema=schema)
            before += part.num_rows


def digest_file(file: Path, name: str = "") -> SourceFile:
    """Hash of one file, read in blocks."""
    with file.open("rb") as opened:
        return SourceFile(name or file.name, file_digest(opened, "sha256").hexdigest(), file.stat().st_size)
