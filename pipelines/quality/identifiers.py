"""No direct identifier may be left: not in its own column, not under another name, not inside a code.

Three looks at every column that has no closed list of values: does it repeat an identifier of its own row, does it hold
values that the delivery's identifier columns hold, do its values look like an e-mail address, a telephone number, a
French national number or a UUID. Columns and counts are named, values never.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from catalog.schema import ColumnType
from pipelines import sqltext as sql
from pipelines.errors import IdentifierLeft, without_engine_text
from pipelines.plan import ColumnPlan, TablePlan
from pipelines.pseudonyms import nir
from pipelines.quality import bits
from pipelines.quality.rows import PERSON_TEXT

LEAKS = "_leaks"
"""Mapped columns, numbered from 0, with the columns of a row that equal one of its identifiers."""

LOOKS_LIKE = {
    "an e-mail address": r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    "a telephone number": r"(\+|00)[1-9][0-9 .()-]{7,16}|0[1-9]([ .-][0-9]{2}){4}",
    "a UUID": r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
}
"""Full-match patterns, written so that codes of medical classifications do not fit."""

NIR_LIKE = r"[1-478][0-9]{4}([0-9]{2}|2[ABab])[0-9]{8}"
"""A French national number with its check digits; a candidate counts only if the digits check."""

TELLING = r"[^0-9]"
"""Text of six characters or more with something else than digits: equal by accident to an identifier never."""

COINCIDENCE = 0.01
"""Numbers and short texts may equal an identifier of their row by accident in this share of rows."""


def candidates(table: TablePlan) -> tuple[ColumnPlan, ...]:
    """Columns whose values are not taken from a public list."""
    kinds = (ColumnType.CODE, ColumnType.TEXT, ColumnType.INTEGER)
    return tuple(
        c for c in table.columns if c.column.type in kinds and not (c.column.values or c.lookup or c.generalise)
    )


def leak_masks(table: TablePlan) -> str:
    """SELECT items with a bit set for each candidate column that equals an identifier of its row."""
    identifiers = [PERSON_TEXT, *(identifier_name(n) for n in range(len(table.identifiers)))]
    listed = ", ".join(f"lower({i})" for i in identifiers)
    return bits.columns(LEAKS, [f"lower(CAST({sql.name(c.name)} AS VARCHAR)) IN ({listed})" for c in candidates(table)])


def identifier_name(number: int) -> str:
    """Mapped column with the text of a table's identifier column, by its position in the plan."""
    return f"_identifier{number}"


def check_rows(connection: duckdb.DuckDBPyConnection, table: TablePlan, files: Iterable[Path]) -> None:
    """Raise IdentifierLeft if a mapped column repeats identifiers of its own rows, or its values look like some."""
    listed = sql.paths(files)
    if listed == "[]":
        return
    with without_engine_text(f"table {table.name!r} could not be searched for identifiers", IdentifierLeft):
        for position, column in enumerate(candidates(table)):
            _check_equal(connection, table, column, bits.is_set(LEAKS, position), listed)
            if column.column.type is not ColumnType.INTEGER:
                _check_looks(connection, table, column, listed)


def check_elsewhere(
    connection: duckdb.DuckDBPyConnection,
    table: TablePlan,
    files: Iterable[Path],
    identifiers: Iterable[tuple[str, pa.RecordBatchReader]],
) -> None:
    """Raise IdentifierLeft if a mapped column holds what an identifier column of another row holds.

    `identifiers` are pairs of SQL for an identifier's text and the batches it is read from. Runs where identifiers may
    be seen; the batches stream past the column's distinct values.
    """
    listed = sql.paths(files)
    columns = [c for c in candidates(table) if c.column.type is not ColumnType.INTEGER]
    if listed == "[]" or not columns:
        return
    with without_engine_text(f"table {table.name!r} could not be searched for identifiers", IdentifierLeft):
        parts = [_telling_values(column, listed) for column in columns]
        connection.execute(f"CREATE OR REPLACE TEMP TABLE open_values AS {' UNION ALL '.join(parts)}")
        for text, batches in identifiers:
            connection.register("delivered", batches)
            found = connection.execute(
                f"SELECT o.name, count(DISTINCT o.v) FROM (SELECT lower({text}) AS v FROM delivered) AS d"
                " JOIN open_values AS o USING (v) GROUP BY ALL ORDER BY ALL"
            ).fetchall()
            connection.unregister("delivered")
            for name, values in found:
                _refuse(table, table.column[name], f"{values} of its values hold identifiers of other rows")


def _telling_values(column: ColumnPlan, files: str) -> str:
    name = sql.name(column.name)
    return (
        f"SELECT DISTINCT {sql.text(column.name)} AS name, lower({name}) AS v FROM read_parquet({files})"
        f" WHERE length({name}) >= 6 AND regexp_matches({name}, '{TELLING}')"
    )


def _check_equal(
    connection: duckdb.DuckDBPyConnection, table: TablePlan, column: ColumnPlan, same: str, files: str
) -> None:
    name = f"CAST({sql.name(column.name)} AS VARCHAR)"
    telling, equal, filled = connection.execute(
        f"SELECT count(*) FILTER (same AND length(v) >= 6 AND regexp_matches(v, '{TELLING}')),"
        " count(*) FILTER (same), count(v)"
        f" FROM (SELECT {name} AS v, {same} AS same FROM read_parquet({files}))"
    ).fetchall()[0]
    if telling or (equal > 2 and equal > COINCIDENCE * filled):
        _refuse(table, column, f"{equal} rows repeat a direct identifier of their own row")


def _check_looks(connection: duckdb.DuckDBPyConnection, table: TablePlan, column: ColumnPlan, files: str) -> None:
    values = f"(SELECT DISTINCT {sql.name(column.name)} AS v FROM read_parquet({files}))"
    for said, pattern in LOOKS_LIKE.items():
        query = f"SELECT count(*) FROM {values} WHERE regexp_full_match(v, ?)"
        found = connection.execute(query, [pattern]).fetchall()[0][0]
        if found:
            _refuse(table, column, f"{found} values look like {said}")
    likely = connection.execute(f"SELECT v FROM {values} WHERE regexp_full_match(v, ?)", [NIR_LIKE]).fetchall()
    found = sum(nir(value) is not None for (value,) in likely)
    # three digits in a hundred pass by accident: a whole column of them does not
    if found > 2 and found > 0.5 * len(likely):
        _refuse(table, column, f"{found} values look like a French national number")


def _refuse(table: TablePlan, column: ColumnPlan, why: str) -> None:
    raise IdentifierLeft(
        f"Column {table.name}.{column.name} would carry identifiers into the store: {why}. "
        f"Take the column out of the plan, or list {column.source!r} under identifiers."
    )
