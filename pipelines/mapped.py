"""First pass over the rows: cast, check and key them into the workspace, one folder a table, one sub-folder a bucket.

What it writes holds person keys, stored columns and marks of suspected leaks: no identifier, no raw value. Rows that
fail a check are left out here; `pipelines.quarantine` reads them again and says why.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from catalog.schema import ColumnType
from pipelines import sqltext as sql
from pipelines.collected import delivered
from pipelines.crowd import LEFT_OUT, MARK, PART, SHIFT, Crowd
from pipelines.engine import STAGED_ROWS
from pipelines.mapping import Cast, Family, family, identifier, is_code_as_written, is_empty, of_list, value
from pipelines.plan import ColumnPlan, TablePlan
from pipelines.pseudonyms import bucket_sql
from pipelines.quality.identifiers import LEAKS, identifier_name, leak_masks
from pipelines.quality.rows import PERSON_TEXT, Rule, passes, rules
from pipelines.readers import Source
from pipelines.store.layout import BUCKET_COLUMN
from pipelines.workbench import Bench, Benches, relation_of


@dataclass(frozen=True)
class MappedTable:
    """A table's rows in the workspace: `delivered` were read, `rows` kept; `folder` may be without files."""

    plan: TablePlan
    folder: Path
    rules: tuple[Rule, ...]
    delivered: int
    rows: int
    note: str | None = None

    def files(self, bucket: int | None = None) -> list[Path]:
        """Parquet files of one bucket, or of all."""
        inside = "**" if bucket is None else f"{BUCKET_COLUMN}={bucket}"
        return sorted(self.folder.glob(f"{inside}/*.parquet"))


@dataclass(frozen=True)
class Reading:
    """How a delivered table is read: SQL of its rows cast, with identifiers, and the rules they must pass."""

    plan: TablePlan
    columns: tuple[str, ...] = ()
    families: Mapping[str, Family] = field(default_factory=dict)
    spelling: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)
    coarser: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None

    @property
    def passes(self) -> str:
        """SQL that is true for a row of `casts` that fails no rule."""
        cells = {c.name: sql.name(cell_name(c.name)) for c in self.plan.columns}
        return passes(self.plan, self.rules, self.domains, cells)

    def casts(self, relation: str, *others: str) -> str:
        """SELECT of the stored columns, PERSON_TEXT and the other identifiers; `others` are columns passed through."""
        plan = self.plan
        made = {c.name: self._value(c) for c in plan.columns}
        first = [f"{cast.first} AS {_half(name)}" for name, cast in made.items()]
        cells = [f"{sql.name(self.spelling[c.source])} AS {sql.name(cell_name(c.name))}" for c in plan.columns]
        finals = [
            f"{cast.made_of(_half(name), sql.name(cell_name(name)))} AS {sql.name(name)}" for name, cast in made.items()
        ]
        passed = [*others, *self._identifiers()]
        through = [*others, *(name for name, _ in self._identifier_sql())]
        through += [sql.name(cell_name(c.name)) for c in plan.columns]
        text = (
            f"WITH halves AS (SELECT {', '.join([*passed, *first, *cells])} FROM {relation})"
            f" SELECT {', '.join([*through, *finals])} FROM halves"
        )
        return self._coarsened(text) if self.coarser else text

    def _value(self, column: ColumnPlan) -> Cast:
        name, family_ = self.spelling[column.source], self.families[column.source]
        listed = self.domains.get(column.name) if column.column.type is ColumnType.CODE else None
        if listed is None or column.coarser:
            return value(column, name, family_)
        return of_list(value(column, name, family_), listed, as_it_is=is_code_as_written(column, family_))

    def _identifiers(self) -> list[str]:
        return [f"{text} AS {name}" for name, text in self._identifier_sql()]

    def _identifier_sql(self) -> list[tuple[str, str]]:
        if self.plan.person is None:
            return []
        names = [(PERSON_TEXT, self.plan.person)]
        names += [(identifier_name(n), i) for n, i in enumerate(self.plan.identifiers)]
        return [(name, identifier(self.spelling[source], self.families[source])) for name, source in names]

    def _coarsened(self, casts: str) -> str:
        joins, replaced = [], []
        for column in self.plan.columns:
            if column.coarser:
                name, table = sql.name(column.name), self.coarser[column.name]
                kept = ", ".join(sql.text(code) for code in column.coarser.keep)
                keep = f"WHEN {name} IN ({kept}) THEN {name} " if kept else ""
                joins.append(f" LEFT JOIN {table} ON {table}.code = casts.{name}")
                coarse = f"CASE {keep}ELSE {table}.coarse END"
                listed = self.domains.get(column.name)
                replaced.append(f"{f'TRY_CAST({coarse} AS {listed})' if listed else coarse} AS {name}")
        return f"SELECT casts.* REPLACE ({', '.join(replaced)}) FROM ({casts}) AS casts{''.join(joins)}"


def _half(name: str) -> str:
    return sql.name(f"half.{name}")


def cell_name(name: str) -> str:
    """Name of the delivered cell beside the stored value, which no stored column can have."""
    return f"cell.{name}"


def read_as(delivery: Source, table: TablePlan, domains: Mapping[str, str], coarser: Mapping[str, str]) -> Reading:
    """How one delivered table is read; `domains` and `coarser` name tables of the clear bench by column."""
    described, spelling = delivered(delivery, table)
    if described.note is not None:
        return Reading(table, note=described.note)
    families = {wanted: family(described.columns[name], name) for wanted, name in spelling.items()}
    empty = {c.name: is_empty(cell_name(c.name), families[c.source]) for c in table.columns}
    found = rules(table, domains, empty)
    return Reading(table, tuple(spelling.values()), families, spelling, found, domains, coarser)


def map_table(delivery: Source, how: Reading, work: Benches, crowd: Crowd) -> MappedTable:
    """Map one delivered table into the workspace."""
    table = how.plan
    folder = work.clear.folder / "mapped" / table.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if how.note is not None:
        return MappedTable(table, folder, how.rules, 0, 0, how.note)
    connection = work.clear.connection
    with (
        delivery.reading(f"table {table.name!r} could not be mapped"),
        relation_of(delivery, table.source, how.columns, connection) as relation,
    ):
        kept = _write(marked(how, relation, crowd), how, work, crowd, folder)
    return MappedTable(table, folder, how.rules, crowd.rows[table.name], kept)


def marked(how: Reading, relation: str, crowd: Crowd) -> str:
    """Rows that pass, with the mark of their person and nothing else that identifies them."""
    names = [sql.name(c.name) for c in how.plan.columns]
    if how.plan.person is not None:
        names = [f"{crowd.mark} AS {MARK}", leak_masks(how.plan, crowd.rows[how.plan.name]), *names]
    return f"SELECT {', '.join(names)} FROM ({how.casts(relation)}) AS casts WHERE {how.passes}"


def _write(query: str, how: Reading, work: Benches, crowd: Crowd, folder: Path) -> int:
    if how.plan.person is None:
        return _copy(work.clear, f"SELECT 0 AS {BUCKET_COLUMN}, * FROM ({query})", folder)
    if crowd.in_memory:
        return _copy(work.clear, _keyed(how.plan, f"({query})", crowd), folder)
    return _write_parts(query, how, work, crowd, folder)


def _write_parts(query: str, how: Reading, work: Benches, crowd: Crowd, folder: Path) -> int:
    """Rows with their marks first, by part of the marks; then part by part with the keys of that part."""
    marked = folder.parent / f"marked {how.plan.name}"
    _copy(work.clear, f"SELECT *, {crowd.part} AS {PART} FROM ({query})", marked, by=PART)
    kept = 0
    for part in range(crowd.parts):
        inside = marked / f"{PART}={part}"
        files = sorted(inside.glob("*.parquet"))
        if files:
            rows = sql.parquet(files)
            kept += _copy(work.pseudonymised, _keyed(how.plan, rows, crowd, part), folder, named=f"{part}_{{i}}")
            shutil.rmtree(inside)
    shutil.rmtree(marked, ignore_errors=True)
    return kept


def _keyed(table: TablePlan, rows: str, crowd: Crowd, part: int | None = None) -> str:
    """Rows with their person key in place of the mark; without those whose identifier is not valid."""
    columns = ", ".join(
        f"{sql.name(c.name)} + {_days(c)} AS {sql.name(c.name)}" if c.shift else sql.name(c.name) for c in table.columns
    )
    return (
        f"SELECT {bucket_sql(crowd.buckets)} AS {BUCKET_COLUMN}, person_key, COLUMNS('^{LEAKS}[0-9]+$'), {columns}"
        f" FROM {rows} AS rows JOIN {crowd.keys(part)} AS keys USING ({MARK})"
        f" WHERE NOT {LEFT_OUT}"
    )


def _days(column: ColumnPlan) -> str:
    return SHIFT if column.column.type is ColumnType.DATE else f"to_days({SHIFT})"


def _copy(bench: Bench, query: str, folder: Path, by: str = BUCKET_COLUMN, named: str = "data_{i}") -> int:
    """Write rows into sub-folders, beside what is there under other names."""
    copied: duckdb.DuckDBPyConnection = bench.connection.execute(
        f"COPY ({query}) TO {sql.text(str(folder))} (FORMAT parquet, PARTITION_BY ({by}), COMPRESSION snappy,"
        f" ROW_GROUP_SIZE {STAGED_ROWS}, FILENAME_PATTERN {sql.text(named)}, OVERWRITE_OR_IGNORE)"
    )
    return int(copied.fetchall()[0][0])
