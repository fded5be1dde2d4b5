"""Tables of a PostgreSQL database as a delivery, all read from one snapshot and in an order that does not change.

The first connection holds a read-only, repeatable-read transaction open and exports its snapshot; every read has a
connection of its own that takes the snapshot up, so that all see the same rows. Rows come by primary key; without one
by their place in the table (which a snapshot fixes), rows of views by all their columns. The server does the sorting,
if any, and may use its own disk for it: the data are there already.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.csv

from pipelines import sqltext as sql
from pipelines.errors import SourceError
from pipelines.readers.databases import database_told, schema_of
from pipelines.readers.limits import Limits
from pipelines.readers.postgresql_connection import BEGIN, SETTINGS, Database, database_of, rows, run
from pipelines.readers.source import Source, SourceFile, small

LISTED = """
SELECT c.oid::bigint, c.relname::text, c.relkind::text, c.relhassubclass,
    CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) END,
    array_to_string(ARRAY(SELECT quote_ident(a.attname::text) FROM pg_catalog.pg_index i,
        unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND a.attrelid = c.oid AND i.indisprimary ORDER BY k.place), ', ')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND has_table_privilege(c.oid, 'SELECT')
ORDER BY c.relname"""

COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, NULL)::text FROM pg_catalog.pg_attribute a
WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""

TYPES = {
    "smallint": "BIGINT", "integer": "BIGINT", "bigint": "BIGINT", "double precision": "DOUBLE",
    "boolean": "BOOLEAN", "bytea": "BLOB",
}  # fmt: skip
"""What is not read as text. Dates are: they may be infinite."""

READ_AS = {"BIGINT": "{}::bigint", "DOUBLE": "{}", "BOOLEAN": "{}", "BLOB": "{}", "VARCHAR": "{}::text"}


def open_postgresql(location: str, options: Mapping[str, Any], limits: Limits) -> Source:
    """`location` is a libpq URL without a password, which comes from the environment: the variable that option
    `password_env` names, else libpq's PGPASSWORD or PGPASSFILE. Option `schema` is "public" unless given.
    """
    database = database_of(str(location), options)
    mend = "Check the address, the account, and its password (option password_env, or PGPASSWORD)."
    with ExitStack() as held:
        with database_told(f"{database.shown} cannot be opened", mend):
            first = held.enter_context(closing(postgresql.connect(database.url, autocommit=True)))
            run(first, BEGIN)
            for setting in SETTINGS:
                run(first, setting)
            ((snapshot,),) = rows(first, "SELECT pg_export_snapshot()")
            listed = rows(first, LISTED.format(schema=sql.text(database.schema)))
        database = replace(database, snapshot=snapshot)
        tables = {name: _table(database, limits, oid, name, *rest) for oid, name, *rest in listed}
        close = held.pop_all().close
    return Source(tables, lambda: (t.digest() for t in tables.values() if t.read), close)


def _table(
    database: Database, limits: Limits, oid: int, name: str, kind: str, parent: bool, size: int | None, key: str
) -> "PostgresqlTable":
    order = "" if kind in "vf" else "tableoid, ctid"
    # a key holds for the table itself, and not for tables that inherit from it
    return PostgresqlTable(database, limits, oid, name, size, key if key and not (kind == "r" and parent) else order)


@dataclass(frozen=True)
class PostgresqlTable:
    """One table or view; `order` is what its rows are sorted by, "" for all columns; `read` the columns read so far."""

    database: Database
    limits: Limits
    oid: int
    name: str
    bytes: int | None
    order: str
    read: set[str] = field(default_factory=set)

    def columns(self) -> Mapping[str, str]:
        return {name: TYPES.get(type_, "VARCHAR") for name, type_ in self._described.items()}

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        return schema_of(self.columns(), columns)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        types = self.columns()
        read = ", ".join(self._read(c, types[c]) for c in columns)
        table = f"{sql.name(self.database.schema)}.{sql.name(self.name)}"
        self.read.update(columns)
        with self._told(), self.database.reading() as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f"SELECT {read} FROM {table} ORDER BY {self._order()}")
            yield from cursor.fetch_record_batch()

    def relation(self) -> str | None:
        return None

    def size(self) -> int | None:
        return self.bytes

    def digest(self) -> SourceFile:
        """Hash over the columns that were read, as lines of CSV in row order, sorted by name; read once more for it."""
        hashed = _Hashed()
        columns = sorted(c for c in self.read if self.columns()[c] != "BLOB")
        for batch in small(self.batches(columns), self.schema(columns), numbered=False):
            pyarrow.csv.write_csv(
                batch, pa.PythonFile(hashed, mode="w"), pyarrow.csv.WriteOptions(include_header=False)
            )
        return SourceFile(f"{self.database.schema}.{self.name}", hashed.hash.hexdigest(), hashed.size)

    @cached_property
    def _described(self) -> dict[str, str]:
        """PostgreSQL's types by column."""
        with self._told(), self.database.reading() as connection:
            found = dict(rows(connection, COLUMNS.format(oid=self.oid)))
        if len(found) > self.limits.columns:
            raise SourceError(f"Table {self.name!r} has more than {self.limits.columns:,} columns.")
        return found

    def _read(self, column: str, type_: str) -> str:
        zoned = self._described[column] == "timestamp with time zone"
        name = f"({sql.name(column)} AT TIME ZONE 'UTC')" if zoned else sql.name(column)
        return READ_AS[type_].format(name)

    def _order(self) -> str:
        return self.order or ", ".join(f'{sql.name(c)}::text COLLATE "C"' for c in self._described)

    def _told(self) -> AbstractContextManager[None]:
        return database_told(f"delivered table {self.name!r} cannot be read from {self.database.shown}")


class _Hashed:
    """A file that only counts and hashes what is written."""

    def __init__(self) -> None:
        self.hash, self.size, self.closed = sha256(), 0, False

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass
