"""What every reader gives, and the one way all of them read: a read-only DuckDB connection of their own."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.errors import SourceError, without_engine_text

ROW_NUMBER = "__row_number"
"""Column each batch carries last: the row's position in the delivered table, from 1."""

BATCH_ROWS = 122_880
"""Rows in a batch: one DuckDB row group, small enough that many wide batches fit into memory."""

JUNK_COLUMN = re.compile(r"column\d+")


@dataclass(frozen=True)
class Limits:
    """What a reader may use."""

    memory: str = "512MB"
    threads: int = 2


@dataclass(frozen=True)
class SourceFile:
    """One delivered file: name without its folder, SHA-256 in hex, size in bytes."""

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


class Source:
    """An open delivery.

    `relations` gives the SQL a table is read from; `files` are the delivered files. Use as a context manager.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relations: Mapping[str, str],
        files: Iterable[Path],
        *,
        shared: bool = True,
    ) -> None:
        self._connection, self._relations, self._files = connection, dict(relations), tuple(files)
        self._shared = shared

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def tables(self) -> tuple[str, ...]:
        return tuple(self._relations)

    def describe(self, table: str) -> DeliveredTable:
        """Columns of a delivered table; raises SourceError if it was not delivered."""
        relation = self._relation(table)
        with without_engine_text(f"delivered table {table!r} cannot be read", SourceError):
            rows = self._connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        columns = {row[0]: row[1] for row in rows}
        junk = all(JUNK_COLUMN.fullmatch(c) for c in columns)
        return DeliveredTable(table, columns, "its columns have no names: a header row without data" if junk else None)

    def relation(self, table: str) -> str | None:
        """SQL that any connection may read the table from; None if only this source can."""
        return self._relation(table) if self._shared else None

    def batches(self, table: str, columns: Iterable[str], *, numbered: bool = True) -> pa.RecordBatchReader:
        """Batches of the delivered columns, with ROW_NUMBER last if `numbered`; each call reads from the start."""
        wanted = [sql.name(c) for c in columns]
        if numbered:
            wanted.append(f"row_number() OVER () AS {ROW_NUMBER}")
        query = f"SELECT {', '.join(wanted)} FROM {self._relation(table)}"
        with without_engine_text(f"delivered table {table!r} cannot be read", SourceError):
            reader: pa.RecordBatchReader = self._connection.cursor().sql(query).to_arrow_reader(BATCH_ROWS)
        return reader

    def digests(self) -> tuple[SourceFile, ...]:
        """Hash and size of each delivered file."""
        return tuple(digest_file(f) for f in self._files)

    def _relation(self, table: str) -> str:
        close = [t for t in self._relations if t.lower() == table.lower()]
        if table not in self._relations and len(close) != 1:
            known = ", ".join(sorted(self._relations)[:20]) or "nothing"
            raise SourceError(f"The plan reads table {table!r}, which was not delivered. Delivered: {known}.")
        return self._relations[table if table in self._relations else close[0]]


def digest_file(file: Path) -> SourceFile:
    """Hash of one file, read in blocks."""
    with file.open("rb") as opened:
        return SourceFile(file.name, file_digest(opened, "sha256").hexdigest(), file.stat().st_size)


def tables_in(location: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Delivered files by table name (the file's name without its suffixes): one file, or all those of a folder."""
    if location.is_file():
        return {_stem(location, suffixes): location}
    found: dict[str, Path] = {}
    for file in sorted(location.iterdir()):
        if file.is_file() and file.name.lower().endswith(suffixes):
            stem = _stem(file, suffixes)
            if stem in found:
                raise SourceError(f"{location}: {found[stem].name} and {file.name} are both table {stem!r}.")
            found[stem] = file
    return found


def _stem(file: Path, suffixes: tuple[str, ...]) -> str:
    suffix = next((s for s in suffixes if file.name.lower().endswith(s)), "")
    return file.name[: len(file.name) - len(suffix)]


def relations_of(files: Mapping[str, Path], scan: Callable[[Path], str]) -> dict[str, str]:
    """The SQL each table is read from."""
    return {table: scan(file) for table, file in files.items()}
