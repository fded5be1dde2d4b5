"""Second pass, bucket by bucket: persons known, rows ranked in keyed-hash order, sorted, written as stored files.

Buckets are independent: two are worked on at a time, each by an engine of one thread, so that the bytes of a file never
depend on how threads met.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import duckdb

from catalog.schema import PERSON_KEY, Table, TableKind
from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import without_engine_text
from pipelines.journal import Journal, MadeFile
from pipelines.mapped import MappedTable
from pipelines.plan import ForeignKey
from pipelines.pseudonyms import bucket_sql
from pipelines.ranked import NEW, ORDER, Ranking, order_columns
from pipelines.store.arrow import stored_schema
from pipelines.store.files import ROW_GROUP, WrittenFile, write_file
from pipelines.workbench import Bench

WORKERS = 2
WORKER_MEMORY = "400MB"


@dataclass(frozen=True)
class Before:
    """A table as the current snapshot has it, where a delivery adds to it: its files by bucket, and of how many.

    `kept` says that a bucket without delivered rows may stay the file it is.
    """

    files: Mapping[int | None, WrittenFile]
    buckets: int
    kept: bool = True

    def of(self, bucket: int, buckets: int) -> WrittenFile | None:
        """The file with a bucket's rows; finer buckets nest in coarser ones, since a bucket is the key's top bits."""
        return self.files.get(bucket >> (buckets.bit_length() - self.buckets.bit_length()))


@dataclass(frozen=True)
class FinishedTable:
    """Stored files of a table; `rows` counts the delivered rows that were kept."""

    mapped: MappedTable
    files: tuple[WrittenFile, ...]
    rows: int


@dataclass(frozen=True)
class Finishing:
    """What the buckets of a dataset are finished with.

    `mapped` are all delivered tables about persons by name, `before` the stored ones that are added to, `persons` is
    the name of the table of persons, `secret` fixes the order of a person's rows.
    """

    folder: Path
    buckets: int
    secret: str
    mapped: Mapping[str, MappedTable]
    before: Mapping[str, Before] = field(default_factory=dict)
    persons: str | None = None

    def may_keep(self, table: str) -> bool:
        """True if a stored file may stay as it is."""
        return self.before[table].kept and self.before[table].buckets == self.buckets


def finish_lookup(mapped: MappedTable, described: Table, bench: Bench) -> FinishedTable:
    """One file, sorted by all columns."""
    columns = ", ".join(sql.name(c.name) for c in described.columns)
    file = None
    if mapped.files():
        with without_engine_text(f"table {described.name!r} could not be written"):
            rows = bench.connection.cursor().sql(f"SELECT {columns} FROM {sql.parquet(mapped.files())} ORDER BY ALL")
            path = bench.folder / "stored" / described.name / "all.parquet"
            file = write_file(rows.to_arrow_reader(ROW_GROUP), path, stored_schema(described), None)
    return FinishedTable(mapped, (file,) if file else (), mapped.rows)


def finish_persons(
    tables: Iterable[Table], work: Finishing, journal: Journal, done: Callable[[int], None]
) -> dict[str, FinishedTable]:
    """The tables about persons, that of persons first; `done` hears the rows of each bucket. Raises NotPersonLevel.

    Buckets that the journal knows are not made again.
    """
    ordered = in_order(tables, work)
    entering = Lock()

    def finish(bucket: int) -> list[MadeFile]:
        made = journal.bucket(bucket)
        if made is None:
            with closing(connect(WORKER_MEMORY, 1, spill=str(work.folder / "spill"))) as connection:
                made = list(_bucket(connection, ordered, work, bucket))
            with entering:
                journal.enter_bucket(bucket, made)
        done(sum(m.rows for m in made))
        return made

    with ThreadPoolExecutor(WORKERS) as pool:
        made = [m for bucket in pool.map(finish, range(work.buckets)) for m in bucket]
    return {t.name: _together(work.mapped[t.name], [m for m in made if m.table == t.name]) for t in ordered}


def in_order(tables: Iterable[Table], work: Finishing) -> list[Table]:
    """Persons first, then each table after those its foreign keys point to, as far as they do not run in a circle."""
    waiting = sorted(tables, key=lambda t: (t.kind is not TableKind.PERSONS, t.name))
    ordered: list[Table] = []
    while waiting:
        placed = {t.name for t in ordered}
        free = next(
            (t for t in waiting if t.kind is TableKind.PERSONS or _targets(t, work) <= placed | {t.name}), waiting[0]
        )
        waiting.remove(free)
        ordered.append(free)
    return ordered


def _targets(table: Table, work: Finishing) -> set[str]:
    return {c.foreign_key.table for c in work.mapped[table.name].plan.columns if c.foreign_key}


def _together(mapped: MappedTable, made: list[MadeFile]) -> FinishedTable:
    return FinishedTable(mapped, tuple(m.file for m in made if m.file), sum(m.rows for m in made))


def _bucket(
    connection: duckdb.DuckDBPyConnection,
    tables: list[Table],
    work: Finishing,
    bucket: int,
) -> Iterator[MadeFile]:
    finished: dict[str, WrittenFile | None] = {}
    for table in tables:
        with without_engine_text(f"table {table.name!r} could not be written"):
            made = _finish(connection, table, work, bucket, finished)
        finished[table.name] = made.file
        yield made


Finished = Mapping[str, WrittenFile | None]
"""Files of a bucket that are written already, by table; None for a table without rows there."""


def _finish(
    connection: duckdb.DuckDBPyConnection, table: Table, work: Finishing, bucket: int, finished: Finished
) -> MadeFile:
    path = work.folder / "stored" / table.name / f"{bucket}.parquet"
    delivered, before = work.mapped[table.name].files(bucket), _before(work, table.name, bucket)
    if not delivered and before is not None and work.may_keep(table.name):
        return MadeFile(table.name, linked(before, path), 0)
    found = rows_of(work, table, bucket)
    if found is None:
        return MadeFile(table.name, None, 0)
    source = f"({found}) AS delivered_rows"
    conditions = _kept(table, work, bucket, finished)
    return write_sorted(connection, table, f"{source} WHERE {' AND '.join(conditions)}", work.secret, path, bucket)


def write_sorted(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: str, secret: str, path: Path, bucket: int
) -> MadeFile:
    """One bucket's file of the rows that follow FROM, which hold the stored columns, person_key and NEW.

    Sorted by person, ranked and indexed in an order that `secret` fixes.
    """
    ranking = Ranking(table)
    columns = [*(sql.name(c.name) for c in table.columns), PERSON_KEY, NEW, *order_columns(table, secret)]
    found = connection.sql(f"SELECT {', '.join(columns)} FROM {rows} ORDER BY {PERSON_KEY}, {ORDER}")
    file = write_file(ranking.of(found.to_arrow_reader(ROW_GROUP)), path, stored_schema(table), bucket)
    return MadeFile(table.name, file, ranking.new_rows)


def rows_of(work: Finishing, table: Table, bucket: int) -> str | None:
    """SQL of a bucket's mapped rows and, where a delivery adds to a table, its stored ones; None if there are none."""
    columns = ", ".join([*(sql.name(c.name) for c in table.columns), "person_key"])
    delivered, before = work.mapped[table.name].files(bucket), _before(work, table.name, bucket)
    parts = [f"SELECT {columns}, true AS {NEW} FROM {sql.parquet(delivered)}"] if delivered else []
    if before is not None:
        inside = f"{bucket_sql(work.buckets)} = {bucket}"
        parts.append(f"SELECT {columns}, false AS {NEW} FROM {sql.parquet([before.path])} WHERE {inside}")
    return " UNION ALL ".join(parts) or None


def _before(work: Finishing, table: str, bucket: int) -> WrittenFile | None:
    stored = work.before.get(table)
    return stored.of(bucket, work.buckets) if stored else None


def _kept(table: Table, work: Finishing, bucket: int, finished: Finished) -> list[str]:
    """Conditions on the rows of a bucket that only the person's other rows can tell."""
    conditions = ["true"]
    if work.persons is not None and table.kind is TableKind.EVENTS:
        persons = finished.get(work.persons)
        known = f"person_key IN (SELECT person_key FROM {sql.parquet([persons.path])})" if persons else "false"
        conditions.append(known)
    for column in work.mapped[table.name].plan.columns:
        if column.foreign_key:
            name = sql.name(column.name)
            conditions.append(
                f"(NOT {NEW} OR {name} IS NULL OR {_exists(name, column.foreign_key, work, bucket, finished)})"
            )
    return conditions


def _exists(name: str, key: ForeignKey, work: Finishing, bucket: int, finished: Finished) -> str:
    """Among the rows that are kept, or, of a table that comes later in a circle of keys, among those delivered."""
    if key.table in finished:
        file = finished[key.table]
        source = f"SELECT * FROM {sql.parquet([file.path])}" if file else None
    else:
        source = rows_of(work, work.mapped[key.table].plan.table(), bucket)
    if source is None:
        return "false"
    # as text: what cannot be compared must not fail
    return (
        f"EXISTS (SELECT 1 FROM ({source}) AS target WHERE target.person_key = delivered_rows.person_key"
        f" AND CAST(target.{sql.name(key.column)} AS VARCHAR) = CAST(delivered_rows.{name} AS VARCHAR))"
    )


def linked(stored: WrittenFile, path: Path) -> WrittenFile:
    """A stored file that stays as it is, under a name of its own in the workspace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(stored.path, path)
    return WrittenFile(path, stored.bucket, stored.rows, stored.size, stored.sha256)
