"""The read side of the store: snapshots opened for one query, cut to its columns, one person bucket at a time."""

from collections.abc import Collection, Iterable, Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Protocol

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.schema import PERSON_KEY, ROW_RANK, Table, TableKind
from catalog.values import is_slug
from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import NotInSnapshot, SnapshotNotFound, without_engine_text
from pipelines.store.arrow import index_names, stored_sql_types
from pipelines.store.layout import DatasetFolder
from pipelines.store.record import Key, Snapshot, StoredFile, from_json, snapshots
from pipelines.store.spare import Spare

Triple = tuple[str, str, str]
"""(dataset, table, column); an empty column opens the table with no dictionary column at all."""

PersonKeys = NDArray[np.int64] | Collection[int]
"""Person keys in any order; an array of a million takes 8 MB."""

NOBODY: Mapping[str, PersonKeys] = {}


class Population(Protocol):
    """The only persons whose rows are read: those in column `person_key` of `persons`, SQL that reads `columns`."""

    @property
    def persons(self) -> str: ...
    @property
    def columns(self) -> frozenset[Triple]: ...


EXCLUDED = "_excluded"
"""Schema of the excluded persons during a scan; no dataset can have its name."""

WITHIN = "_population"
"""Schema of the persons of a population during a scan; no dataset can have its name."""

NO_COLUMN = "0 AS no_column"
"""What a lookup table opened without any column shows: its rows can be counted, nothing else."""


class Store:
    """Every dataset under one root. `memory_limit` and `threads` hold for each opened query."""

    def __init__(self, root: Path, memory_limit: str = "1GB", threads: int = 2) -> None:
        self.root, self.memory_limit, self.threads = Path(root).resolve(), memory_limit, threads
        self.spare = Spare(lambda: connect(memory_limit, threads))

    def datasets(self) -> tuple[str, ...]:
        """Identifiers of the datasets that have a snapshot."""
        return tuple(sorted(p.parent.name for p in self.root.glob("*/_snapshots") if any(p.glob("[!.]*.json"))))

    def folder(self, dataset: str) -> DatasetFolder:
        return DatasetFolder(self.root, dataset)

    def snapshots(self, dataset: str) -> list[Snapshot]:
        """Snapshots of a dataset, oldest first."""
        return snapshots(self.folder(dataset))

    def snapshot(self, dataset: str, snapshot_id: str) -> Snapshot:
        """One snapshot; raises SnapshotNotFound."""
        record = self.folder(dataset).record(snapshot_id)
        if not (is_slug(dataset) and snapshot_id.isalnum() and record.is_file()):
            raise SnapshotNotFound(f"Dataset {dataset!r} has no snapshot {snapshot_id!r} in this store.")
        return from_json(record.read_text(encoding="utf-8"), str(record))

    def current(self, dataset: str) -> Snapshot:
        """The snapshot the last complete ingestion made current; raises SnapshotNotFound."""
        pointer = self.folder(dataset).current
        if not pointer.is_file():
            raise SnapshotNotFound(f"Dataset {dataset!r} has no current snapshot in this store. Ingest it first.")
        return self.snapshot(dataset, pointer.read_text().strip())

    def key(self, dataset: str, snapshot_id: str) -> Key:
        """Which key made the person keys of a snapshot; raises SnapshotNotFound."""
        return self.snapshot(dataset, snapshot_id).key

    def open(
        self,
        snapshots: Mapping[str, str],
        columns: frozenset[Triple],
        excluded: Mapping[str, PersonKeys] = NOBODY,
        population: Population | None = None,
    ) -> "Rows":
        """Open one snapshot for each dataset for reading `columns` and nothing else.

        `excluded` are the person keys that each dataset is read without; the same number in a dataset of another
        pseudonymisation domain is somebody else. With a `population`, all tables but public ones are read without the
        persons outside; its own columns are read to find them and by nobody else. The datasets must then be of one
        pseudonymisation domain.
        """
        opened = {dataset: self.snapshot(dataset, identifier) for dataset, identifier in snapshots.items()}
        return Rows(self, opened, columns, excluded, population)


class Rows:
    """Opened snapshots. `scan` may be called from several threads; close it, or use it as a context manager."""

    def __init__(
        self,
        store: Store,
        snapshots: Mapping[str, Snapshot],
        columns: Iterable[Triple],
        excluded: Mapping[str, PersonKeys],
        population: Population | None,
    ) -> None:
        self._root, self._snapshots = store.root, snapshots
        self._columns = _by_table(snapshots, columns)
        self._population = population
        self._told_by = _by_table(snapshots, population.columns if population else ())
        self._buckets = min((s.buckets for s in snapshots.values()), default=1)
        self._excluded = {dataset: _Excluded(keys, self._buckets) for dataset, keys in excluded.items()}
        self._numbers = count()
        self._connection = _locked_down(store, self._all_files())

    @property
    def buckets(self) -> int:
        """The smallest bucket count of the opened snapshots."""
        return self._buckets

    def scan(self, query: str, bucket: int | None, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Result of validated SQL over views "<dataset>"."<table>" of one bucket, or of all of them (None).

        `lookups` are joined by name.
        """
        if bucket is not None and not 0 <= bucket < self._buckets:
            raise ValueError(f"bucket {bucket} is not one of {self._buckets}")
        catalog = f"scan{next(self._numbers)}"
        with without_engine_text("the query could not be computed"), self._connection.cursor() as cursor:
            cursor.execute(f"ATTACH ':memory:' AS {catalog}")
            try:
                cursor.execute(f"USE {catalog}")
                self._make_views(cursor, bucket)
                for name, table in (lookups or {}).items():
                    cursor.register(name, table)
                found: pa.Table = cursor.sql(query).to_arrow_table()
                return found
            finally:
                cursor.execute("USE memory")
                cursor.execute(f"DETACH {catalog}")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Rows":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _make_views(self, cursor: duckdb.DuckDBPyConnection, bucket: int | None) -> None:
        for dataset in self._snapshots:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {sql.name(dataset)}")
        absent, within = self._make_absent(cursor, bucket), self._make_population(cursor, bucket)
        for (dataset, table), names in self._columns.items():
            described = self._snapshots[dataset].schema.table[table]
            view = _view(described, names, self._files(dataset, described, bucket))
            if dataset in absent and described.kind is not TableKind.LOOKUP:
                view = f"SELECT * FROM ({view}) AS r ANTI JOIN {absent[dataset]} USING ({PERSON_KEY})"
            if within and described.kind is not TableKind.LOOKUP:
                view = f"SELECT * FROM ({view}) AS r SEMI JOIN {within} USING ({PERSON_KEY})"
            cursor.execute(f"CREATE VIEW {sql.name(dataset)}.{sql.name(table)} AS {view}")

    def _make_absent(self, cursor: duckdb.DuckDBPyConnection, bucket: int | None) -> dict[str, str]:
        """Tables with the excluded persons of this bucket, named by dataset."""
        made = {}
        cursor.execute(f"CREATE SCHEMA {EXCLUDED}")
        for dataset, excluded in self._excluded.items():
            keys = excluded.of(bucket)
            if keys.size:
                made[dataset] = f"{EXCLUDED}.{sql.name(dataset)}"
                cursor.register("excluded_keys", pa.table({PERSON_KEY: pa.array(keys)}))
                cursor.execute(f"CREATE TABLE {made[dataset]} AS SELECT {PERSON_KEY} FROM excluded_keys")
                cursor.unregister("excluded_keys")
        return made

    def _make_population(self, cursor: duckdb.DuckDBPyConnection, bucket: int | None) -> str | None:
        """Table with the population's persons in this bucket; what tells them is not seen by the query."""
        if self._population is None:
            return None
        views = {}
        for (dataset, table), names in self._told_by.items():
            described, view = self._snapshots[dataset].schema.table[table], f"{sql.name(dataset)}.{sql.name(table)}"
            views[view] = _view(described, names, self._files(dataset, described, bucket))
        for view, rows in views.items():
            cursor.execute(f"CREATE VIEW {view} AS {rows}")
        cursor.execute(f"CREATE SCHEMA {WITHIN}")
        cursor.execute(
            f"CREATE TABLE {WITHIN}.persons AS SELECT DISTINCT {PERSON_KEY} FROM ({self._population.persons})"
        )
        for view in views:
            cursor.execute(f"DROP VIEW {view}")
        return f"{WITHIN}.persons"

    def _files(self, dataset: str, table: Table, bucket: int | None) -> list[Path]:
        snapshot = self._snapshots[dataset]
        if bucket is None:
            return [self._path(dataset, table.name, file) for file in snapshot.table[table.name].files]
        # finer buckets nest in coarser ones, because a bucket is the top bits of the person key
        shift = snapshot.buckets.bit_length() - self._buckets.bit_length()
        files = snapshot.table[table.name].files
        return [self._path(dataset, table.name, f) for f in files if f.bucket is None or f.bucket >> shift == bucket]

    def _all_files(self) -> list[Path]:
        return [
            self._path(dataset, table, file)
            for dataset, table in {*self._columns, *self._told_by}
            for file in self._snapshots[dataset].table[table].files
        ]

    def _path(self, dataset: str, table: str, file: StoredFile) -> Path:
        return self._root / dataset / table / file.path


def _by_table(snapshots: Mapping[str, Snapshot], columns: Iterable[Triple]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Dictionary columns of each opened table; raises NotInSnapshot."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for dataset, table, column in columns:
        if dataset not in snapshots or table not in snapshots[dataset].schema.table:
            raise NotInSnapshot(f"The opened snapshots have no table {dataset}.{table}.")
        names = wanted.setdefault((dataset, table), set())
        if column and column not in snapshots[dataset].schema.table[table].column:
            raise NotInSnapshot(f"Table {dataset}.{table} has no column {column!r}.")
        if column:
            names.add(column)
    return {key: tuple(sorted(names)) for key, names in sorted(wanted.items())}


class _Excluded:
    """Person keys of one dataset in the order of their buckets, so that a bucket's are a slice."""

    def __init__(self, keys: PersonKeys, buckets: int) -> None:
        array = keys if isinstance(keys, np.ndarray) else np.fromiter(keys, np.int64, len(keys))
        # buckets are the top bits of the unsigned key
        unsigned = np.sort(array.view(np.uint64))
        first = [bucket << (64 - (buckets.bit_length() - 1)) for bucket in range(1, buckets)]
        self._edges = [0, *np.searchsorted(unsigned, np.array(first, np.uint64)).tolist(), unsigned.size]
        self._keys = unsigned.view(np.int64)

    def of(self, bucket: int | None) -> NDArray[np.int64]:
        """Those of one bucket, or all of them (None)."""
        return self._keys if bucket is None else self._keys[self._edges[bucket] : self._edges[bucket + 1]]


def _view(table: Table, names: tuple[str, ...], files: list[Path]) -> str:
    """SQL of the table's rows in these files, typed even where there are none."""
    columns = names if table.kind is TableKind.LOOKUP else (*names, PERSON_KEY, ROW_RANK, *index_names(table))
    if files:
        chosen = ", ".join(sql.name(c) for c in columns) or NO_COLUMN
        return f"SELECT {chosen} FROM {sql.parquet(files)}"
    types = stored_sql_types(table)
    typed = ", ".join(f"CAST(NULL AS {types[c]}) AS {sql.name(c)}" for c in columns) or NO_COLUMN
    return f"SELECT {typed} FROM (SELECT 1) AS nothing WHERE false"


def _locked_down(store: Store, files: list[Path]) -> duckdb.DuckDBPyConnection:
    """A connection that can read exactly these files and change none of its settings; the order matters."""
    connection = store.spare.take()
    connection.execute(f"SET allowed_paths = {sql.allowed_paths(files)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
