"""A SQLite database file as a delivery, opened read-only: its tables, in the order of their row numbers.

SQLite does not hold a column to its type. Each table is looked through once: columns with numbers of one kind are read
as that, all others as text.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import adbc_driver_sqlite.dbapi as sqlite
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import sqltext as sql
from pipelines.errors import SourceError
from pipelines.readers.databases import database_told, schema_of
from pipelines.readers.limits import MIB, Limits
from pipelines.readers.magic import BEGINNING, check_kind
from pipelines.readers.source import Source, SourceFile, digest_file
from pipelines.readers.unchanged import note

SAFE = ("PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF", "PRAGMA temp_store = MEMORY")
"""Nothing is written, no function hidden in the file is called, and no temporary file holds a delivered value."""

INTEGER, REAL, TEXT, BLOB = 1, 2, 4, 8
KINDS = {"integer": INTEGER, "real": REAL, "text": TEXT, "blob": BLOB}

TYPES = {INTEGER: "BIGINT", REAL: "DOUBLE"}
"""By the only kind of value in a column; a column with blobs cannot be text."""

READ_AS = {
    "BIGINT": "coalesce({0}, 0)",
    "DOUBLE": "coalesce(CAST({0} AS REAL), 0.0)",
    "VARCHAR": "coalesce(CAST({0} AS TEXT), '')",
    "BLOB": "coalesce(CAST({0} AS BLOB), x'')",
}
"""How a column is read: never NULL, since the driver takes the type of a column from its first rows."""

BATCH_BYTES = 32 * MIB
MOST_ROWS = 65_536
SLICE = 200
"""Columns looked at in one statement; SQLite limits its results to 2,000."""


def open_sqlite(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """No options. Views are not read, since their rows have no order of their own."""
    if options:
        raise SourceError(f"SQLite has no option {next(iter(options))!r}. Remove it from the plan.")
    if not location.is_file():
        raise SourceError(f"{location}: a SQLite delivery is one database file.")
    noted = note(_files(location))
    with location.open("rb") as opened:
        check_kind(location.name, opened.read(BEGINNING), "SQLite", "SQLite")
    with database_told(f"{location.name} cannot be opened as a SQLite database", "Check that it arrived whole."):
        connection = sqlite.connect(f"file:{quote(str(location.resolve()))}?mode=ro")
        for setting in SAFE:
            _rows(connection, setting)
        listed = _rows(
            connection,
            "SELECT name, wr FROM pragma_table_list"
            " WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name",
        )
    tables = {name: SqliteTable(name, bool(bare), connection, limits) for name, bare in listed}
    return Source(tables, lambda: _digests(location), connection.close, noted.check)


def _digests(location: Path) -> Iterator[SourceFile]:
    return (digest_file(file) for file in _files(location) if file.exists())


def _files(location: Path) -> tuple[Path, Path]:
    """The file, and the log with its latest changes that may have been delivered with it."""
    return location, location.with_name(location.name + "-wal")


@dataclass(frozen=True)
class SqliteTable:
    """One table; `bare` says that it has no row numbers of its own and is ordered by its key."""

    name: str
    bare: bool
    connection: sqlite.Connection
    limits: Limits

    @cached_property
    def _looked(self) -> dict[str, tuple[str, int]]:
        """Type and bytes of the longest cell by column; raises SourceError."""
        columns = [c for c, _ in self._described]
        if len(columns) > self.limits.columns:
            raise SourceError(f"Table {self.name!r} has more than {self.limits.columns:,} columns.")
        found: dict[str, tuple[str, int]] = {}
        for start in range(0, len(columns), SLICE):
            part = columns[start : start + SLICE]
            (row,) = self._rows(f"SELECT {', '.join(_looks(c) for c in part)} FROM {sql.name(self.name)}")
            found |= {c: (_type(row[2 * i]), row[2 * i + 1]) for i, c in enumerate(part)}
        return found

    @cached_property
    def _described(self) -> list[tuple[str, int]]:
        """Columns and their place in the key, 0 if they are not in it."""
        return self._rows(f"SELECT name, pk FROM pragma_table_xinfo({sql.text(self.name)}) WHERE hidden <> 1")

    def columns(self) -> Mapping[str, str]:
        return {column: type_ for column, (type_, _) in self._looked.items()}

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        return schema_of(self.columns(), columns)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        types = self.columns()
        read = ", ".join(f"{READ_AS[types[c]].format(sql.name(c))}, {sql.name(c)} IS NULL" for c in columns)
        with self._told(), closing(self.connection.cursor()) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(self._batch_rows(columns))})
            cursor.execute(f"SELECT {read} FROM {sql.name(self.name)} ORDER BY {self._order()}")
            yield from map(_with_nulls, cursor.fetch_record_batch())

    def relation(self) -> str | None:
        return None

    def size(self) -> int | None:
        return None

    def _batch_rows(self, columns: Sequence[str]) -> int:
        """Rows of a batch of these columns that fit into memory even if all are as long as the longest."""
        longest = {c: self._looked[c][1] for c in columns}
        long = next((c for c, size in longest.items() if size > self.limits.row_bytes), None)
        if long is not None:
            raise SourceError(
                f"Table {self.name!r}, column {long!r}: a cell is longer than {self.limits.row_bytes:,} bytes."
                " Shorten it, or leave the column out of the plan."
            )
        return max(1, min(MOST_ROWS, BATCH_BYTES // max(1, sum(longest.values()))))

    def _order(self) -> str:
        if self.bare:
            return ", ".join(sql.name(c) for c, place in sorted(self._described, key=lambda d: d[1]) if place)
        taken = {c.lower() for c, _ in self._described}
        # the row number has three names, in case a column is called so; a table that uses up all is read as it lies
        return next((n for n in ("rowid", "_rowid_", "oid") if n not in taken), "NULL")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._told():
            return _rows(self.connection, query)
        raise AssertionError("unreachable")

    def _told(self) -> AbstractContextManager[None]:
        return database_told(f"delivered table {self.name!r} cannot be read", "Check the file with SQLite's own tools.")


def _looks(column: str) -> str:
    """SQL for the kinds of value in a column, as a sum of bits, and the bytes of the longest."""
    quoted = sql.name(column)
    kinds = " + ".join(f"{bit} * max(typeof({quoted}) = '{kind}')" for kind, bit in KINDS.items())
    return f"coalesce({kinds}, 0), coalesce(max(octet_length({quoted})), 0)"


def _type(mask: int) -> str:
    return "BLOB" if mask & BLOB else TYPES.get(mask, "VARCHAR")


def _with_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Pairs of value and "is missing" as values that may be missing."""
    values, missing = batch.columns[::2], batch.columns[1::2]
    for value in values:
        # the driver does not check that text is UTF-8
        value.validate(full=True)
    arrays = [pc.if_else(pc.equal(m, 1), pa.scalar(None, v.type), v) for v, m in zip(values, missing, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names[::2])


def _rows(connection: sqlite.Connection, query: str) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(query)
        return list(cursor.fetchall()) if cursor.description else []
