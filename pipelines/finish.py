"""Second pass, bucket by bucket: persons known, rows ranked in keyed-hash order, sorted, written as stored files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.schema import Table, TableKind, index_columns
from pipelines import sqltext as sql
from pipelines.errors import NotPersonLevel, without_engine_text
from pipelines.mapped import MappedTable
from pipelines.plan import TablePlan
from pipelines.quality.rows import SEVERAL_ROWS, UNKNOWN_PERSON, passes
from pipelines.readers import ROW_NUMBER
from pipelines.store.arrow import stored_schema
from pipelines.store.files import ROW_GROUP, WrittenFile, write_file
from pipelines.workbench import Bench


@dataclass(frozen=True)
class FinishedTable:
    """Stored files of a table, and parts of its quarantine that only a whole bucket could tell."""

    mapped: MappedTable
    files: tuple[WrittenFile, ...]
    set_aside: tuple[Path, ...] = field(default=())


def finish_lookup(mapped: MappedTable, described: Table, bench: Bench) -> FinishedTable:
    """One file, sorted by all columns."""
    columns = ", ".join(sql.name(c.name) for c in described.columns)
    file = None
    if mapped.files():
        with without_engine_text(f"table {described.name!r} could not be written"):
            rows = bench.connection.cursor().sql(
                f"SELECT {columns} FROM read_parquet({sql.paths(mapped.files())}) WHERE {passes(mapped.rules)}"
                " ORDER BY ALL"
            )
            path = bench.folder / "stored" / described.name / "all.parquet"
            file = write_file(rows.to_arrow_reader(ROW_GROUP), path, stored_schema(described), None)
    return FinishedTable(mapped, (file,) if file else ())


def finish_persons(
    mapped: MappedTable, described: Table, bench: Bench, buckets: int, order_key: bytes, persons: FinishedTable | None
) -> FinishedTable:
    """One file a bucket, sorted by person key and row rank; `persons` is the finished table of persons, if any."""
    known = {f.bucket: f.path for f in persons.files} if persons else None
    files, aside = [], []
    for bucket in range(buckets):
        delivered = mapped.files(bucket)
        if not delivered:
            continue
        with without_engine_text(f"table {described.name!r} could not be written"):
            keep, part = _membership(mapped, bench, delivered, bucket, known)
            file = _write_bucket(mapped, described, bench, delivered, bucket, keep, order_key)
        if part:
            aside.append(part)
        if file:
            _check_person_level(mapped.plan, bench, file.path)
            files.append(file)
    return FinishedTable(mapped, tuple(files), tuple(aside))


def _membership(
    mapped: MappedTable, bench: Bench, delivered: list[Path], bucket: int, known: Mapping[int | None, Path] | None
) -> tuple[str, Path | None]:
    """SQL that holds for rows of persons that can be kept, and the file of those that cannot."""
    source, whole = f"read_parquet({sql.paths(delivered)})", passes(mapped.rules)
    if mapped.plan.kind is TableKind.PERSONS:
        several = f"SELECT person_key FROM {source} WHERE {whole} GROUP BY person_key HAVING count(*) > 1"
        keep, reason = f"person_key NOT IN ({several})", SEVERAL_ROWS
    elif known is None:
        return "true", None
    elif bucket in known:
        keep = f"person_key IN (SELECT person_key FROM read_parquet({sql.paths([known[bucket]])}))"
        reason = UNKNOWN_PERSON
    else:
        keep, reason = "false", UNKNOWN_PERSON
    part = bench.folder / "aside" / mapped.plan.name / f"{bucket}.parquet"
    part.parent.mkdir(parents=True, exist_ok=True)
    bench.connection.execute(
        f"COPY (SELECT {ROW_NUMBER}, '' AS \"column\", {sql.text(reason)} AS reason FROM {source}"
        f" WHERE {whole} AND NOT ({keep})) TO {sql.text(str(part))} (FORMAT parquet)"
    )
    return keep, part


def _write_bucket(
    mapped: MappedTable,
    described: Table,
    bench: Bench,
    delivered: list[Path],
    bucket: int,
    keep: str,
    order_key: bytes,
) -> WrittenFile | None:
    columns = [sql.name(c.name) for c in described.columns]
    rows = bench.connection.cursor().sql(
        f"SELECT {', '.join([*columns, 'person_key', *_indexes(described, columns)])}"
        f" FROM read_parquet({sql.paths(delivered)})"
        f" WHERE {passes(mapped.rules)} AND {keep} ORDER BY person_key, {_keyed_order(columns)}",
        params=[order_key.hex()],
    )
    path = bench.folder / "stored" / described.name / f"{bucket}.parquet"
    return write_file(rows.to_arrow_reader(ROW_GROUP), path, stored_schema(described), bucket)


def _indexes(described: Table, columns: list[str]) -> list[str]:
    """SQL of the contribution indexes' columns; each is a function of the person's own rows."""
    made = []
    for position, dimensions in enumerate(described.dimensions, start=1):
        names = [sql.name(name) for name in dimensions]
        group, row, cell = index_columns(position)
        cells = f"PARTITION BY person_key ORDER BY {_keyed_order(names)}, {', '.join(names)}"
        within = f"PARTITION BY person_key, {', '.join(names)} ORDER BY {_keyed_order(columns)}"
        rank, first = f"dense_rank() OVER ({cells})", f"row_number() OVER ({within})"
        made += [f"CASE WHEN {first} = 1 THEN {rank} ELSE -({rank}) END AS {group}", f"{first} AS {row}"]
        values = described.index_values(dimensions)
        made += [] if values is None else [f"{_cell(names, values)} AS {cell}"]
    return made


def _cell(names: list[str], values: tuple[tuple[str | int | None, ...], ...]) -> str:
    """SQL of a group's number: one digit a dimension, the position of its value in the closed list, NULL last."""
    number = "0"
    for name, listed in zip(names, values, strict=True):
        codes = [sql.text(code) if isinstance(code, str) else str(code) for code in listed if code is not None]
        digit = f"coalesce(list_position([{', '.join(codes)}], {name}) - 1, {len(codes)})"
        number = f"({number} * {len(listed)} + {digit})"
    return number


def _keyed_order(columns: list[str]) -> str:
    """SQL of the keyed hash of a row's content; rows that tie are equal in every column."""
    # 31 and 30 are separators that no stored text can hold
    parts = ", ".join(f"coalesce(CAST({c} AS VARCHAR), chr(30)), chr(31)" for c in columns)
    return f"left(sha256(concat($1, person_key, chr(31), {parts})), 24)" if parts else "1"


def _check_person_level(table: TablePlan, bench: Bench, file: Path) -> None:
    if table.kind is TableKind.PERSONS:
        return
    for column in table.columns:
        if not column.column.person_level:
            continue
        name = sql.name(column.name)
        with without_engine_text(f"column {table.name}.{column.name} could not be checked"):
            persons = bench.connection.execute(
                f"SELECT count(*) FROM (SELECT person_key FROM read_parquet({sql.paths([file])}) GROUP BY person_key"
                f" HAVING min({name}) <> max({name}) OR count({name}) NOT IN (0, count(*)))"
            ).fetchall()[0][0]
        if persons:
            raise NotPersonLevel(
                f"Column {table.name}.{column.name} is declared person-level, and some persons have two values. "
                "Remove person_level from the plan, or mend the delivery."
            )
