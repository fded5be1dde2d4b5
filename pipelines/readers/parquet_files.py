"""Parquet files as a delivery. On disk the engine reads them; packed ones must fit into memory, since reading jumps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.readers.engine_tables import UNNAMED, EngineTable
from pipelines.readers.limits import MIB, Limits
from pipelines.readers.magic import BEGINNING, check_kind
from pipelines.readers.memory_files import memory_file
from pipelines.readers.parts import Part, find_parts
from pipelines.readers.source import Source

MAGIC = b"PAR1"
"""Begins and ends every Parquet file."""


def open_parquet(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """No options: the files say everything themselves."""
    if options:
        raise SourceError(f"Parquet has no option {next(iter(options))!r}. Remove it from the plan.")
    delivery = find_parts(location, (".parquet",), limits)
    connection = connect(limits.memory, limits.threads)
    tables = {t: ParquetTable(t, parts, limits, connection) for t, parts in delivery.tables.items()}
    return Source(tables, delivery.digests, connection.close, delivery.check_unchanged)


@dataclass(frozen=True)
class ParquetTable:
    """One table, in one file or several of one schema. Packed files are in memory only while they are read."""

    name: str
    parts: tuple[Part, ...]
    limits: Limits
    connection: duckdb.DuckDBPyConnection

    def columns(self) -> Mapping[str, str]:
        return self._types

    @cached_property
    def _types(self) -> Mapping[str, str]:
        """Types all parts share; raises SourceError if they do not, since the engine would cast to the first's."""
        with self._paths() as paths:
            first, *others = [self._read([path]).columns() for path in paths]
        self._check_alike(first, others)
        return first

    def _check_alike(self, found: Mapping[str, str], others: Sequence[Mapping[str, str]]) -> None:
        kinds = list(found.items())
        differing = next((p for p, o in zip(self.parts[1:], others, strict=True) if list(o.items()) != kinds), None)
        if differing is not None:
            raise SourceError(
                f"{differing.name}: its columns or their types differ from those of {self.parts[0].name}. "
                "Make them equal, in one order."
            )
        if len(found) > self.limits.columns:
            raise SourceError(
                f"{self.parts[0].name}: there are more than {self.limits.columns:,} columns. Deliver a narrower table."
            )

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        with self._opened() as table:
            return table.schema(columns)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with self._opened() as table:
            yield from table.batches(columns)

    def relation(self) -> str | None:
        if not all(part.plain for part in self.parts):
            return None
        with self._opened() as table:
            return table.text

    def size(self) -> int | None:
        sizes = [part.size for part in self.parts]
        return None if None in sizes else sum(s for s in sizes if s is not None)

    @contextmanager
    def _opened(self) -> Iterator[EngineTable]:
        self.columns()
        with self._paths() as paths:
            yield self._read(paths)

    @contextmanager
    def _paths(self) -> Iterator[list[Path]]:
        with ExitStack() as held:
            yield [_on_disk(p) if p.plain else held.enter_context(_in_memory(p, self.limits)) for p in self.parts]

    def _read(self, paths: Sequence[Path]) -> EngineTable:
        # binary_as_string: older writers leave the annotation of text columns out
        text = f"read_parquet({sql.paths(paths)}, binary_as_string = true, {UNNAMED})"
        return EngineTable(self.name, self.connection, text)


def _on_disk(part: Part) -> Path:
    with part.open() as opened:
        check_kind(part.name, opened.read(BEGINNING), "Parquet", "Parquet")
    with part.file.open("rb") as file:
        file.seek(-len(MAGIC), 2)
        _check_end(part, file.read())
    return part.file.resolve()


@contextmanager
def _in_memory(part: Part, limits: Limits) -> Iterator[Path]:
    with part.open() as opened:
        data = opened.read(limits.parquet_bytes + 1)
    check_kind(part.name, data[:BEGINNING], "Parquet", "Parquet")
    if len(data) > limits.parquet_bytes:
        raise SourceError(
            f"{part.name}: a packed Parquet file must fit into memory, and this one is larger than "
            f"{limits.parquet_bytes // MIB} MiB. Deliver it as a file of its own: Parquet is packed already."
        )
    _check_end(part, data[-len(MAGIC) :])
    with memory_file([data]) as path:
        yield Path(path)


def _check_end(part: Part, end: bytes) -> None:
    if end != MAGIC:
        raise SourceError(f"{part.name}: the Parquet file is cut off. Deliver it again, whole.")
