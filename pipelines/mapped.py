"""First pass over the rows: cast, check and key them into the workspace, one folder a table, one sub-folder a bucket.

What it writes holds row numbers, person keys, stored columns and bit masks of problems: no identifier, no raw value.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines import sqltext as sql
from pipelines.crowd import Crowd, delivered
from pipelines.engine import STAGED_ROWS
from pipelines.errors import SourceError, without_engine_text
from pipelines.mapping import Family, family, identifier, raw, value
from pipelines.plan import TablePlan
from pipelines.pseudonyms import bucket_sql
from pipelines.quality.identifiers import LEAKS, identifier_name, leak_masks
from pipelines.quality.rows import PERSON_TEXT, PROBLEMS, Rule, masks, raw_name, rules
from pipelines.readers import ROW_NUMBER, Source
from pipelines.store.layout import BUCKET_COLUMN
from pipelines.workbench import Bench


@dataclass(frozen=True)
class MappedTable:
    """A table's rows in the workspace; `folder` may be without files. Row masks follow `rules`."""

    plan: TablePlan
    folder: Path
    rules: tuple[Rule, ...]
    delivered: int
    note: str | None = None

    def files(self, bucket: int | None = None) -> list[Path]:
        """Parquet files of one bucket, or of all."""
        inside = "**" if bucket is None else f"{BUCKET_COLUMN}={bucket}"
        return sorted(self.folder.glob(f"{inside}/*.parquet"))


def map_table(
    delivery: Source, table: TablePlan, bench: Bench, crowd: Crowd, domains: Mapping[str, str]
) -> MappedTable:
    """Map one delivered table; `domains` names the bench's tables of allowed codes by column."""
    described, spelling = delivered(delivery, table)
    folder = bench.folder / "mapped" / table.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    found = rules(table, domains)
    if described.note is not None:
        return MappedTable(table, folder, found, 0, described.note)
    families = {wanted: family(described.columns[name], name) for wanted, name in spelling.items()}
    query = _query(table, spelling, families, found, crowd.buckets)
    with without_engine_text(f"table {table.name!r} could not be mapped", SourceError):
        bench.connection.register("delivered", delivery.batches(table.source, list(spelling.values())))
        bench.connection.execute(
            f"COPY ({query}) TO {sql.text(str(folder))}"
            f" (FORMAT parquet, PARTITION_BY ({BUCKET_COLUMN}), COMPRESSION lz4_raw, ROW_GROUP_SIZE {STAGED_ROWS // 4})"
        )
        bench.connection.unregister("delivered")
    return MappedTable(table, folder, found, crowd.rows[table.name])


def _query(
    table: TablePlan, spelling: Mapping[str, str], families: Mapping[str, Family], found: tuple[Rule, ...], buckets: int
) -> str:
    raws = [f"{raw(spelling[c.source], families[c.source])} AS {sql.name(raw_name(c.name))}" for c in table.columns]
    casts = [f"{value(c, sql.name(raw_name(c.name)), families[c.source])} AS {sql.name(c.name)}" for c in table.columns]
    names = ", ".join(sql.name(c.name) for c in table.columns)
    if table.person is None:
        return (
            f"WITH raws AS (SELECT {ROW_NUMBER}, {', '.join(raws)} FROM delivered),"
            f" casts AS (SELECT *, {', '.join(casts)} FROM raws)"
            f" SELECT {ROW_NUMBER}, 0 AS {BUCKET_COLUMN}, {names}, {masks(found)} FROM casts"
        )
    person = identifier(spelling[table.person], families[table.person])
    others = [
        f"{identifier(spelling[i], families[i])} AS {identifier_name(n)}" for n, i in enumerate(table.identifiers)
    ]
    read = ", ".join([ROW_NUMBER, f"{person} AS {PERSON_TEXT}", *others, *raws])
    return (
        f"WITH raws AS (SELECT {read} FROM delivered),"
        f" keyed AS (SELECT raws.*, person_key FROM raws LEFT JOIN pseudonyms ON person_text = {PERSON_TEXT}),"
        f" casts AS (SELECT *, {', '.join(casts)} FROM keyed"
        " WHERE person_key IS NULL OR person_key NOT IN (SELECT person_key FROM opted_out)),"
        f" checked AS (SELECT *, {masks(found)}, {leak_masks(table)} FROM casts)"
        f" SELECT {ROW_NUMBER}, {bucket_sql(buckets).replace('person_key', 'coalesce(person_key, 0)')}"
        f" AS {BUCKET_COLUMN}, coalesce(person_key, 0) AS person_key,"
        f" COLUMNS('^({PROBLEMS}|{LEAKS})[0-9]+$'), {names} FROM checked"
    )
