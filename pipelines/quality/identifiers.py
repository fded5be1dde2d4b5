"""No direct identifier may be left: not in its own column, not under another name, not inside a code.

Three looks. Every column is compared, row by row, with the identifiers of its row; a closed list of values gives chance
more room. Every value of a column, and every list of values whether written in the plan or delivered as a lookup table,
is compared with all identifiers of the delivery, disguised or not (`pipelines.quality.matching`). Open columns of text
(those without a list) are searched for what looks like an e-mail address, a telephone number, a French national number
or a UUID; public lists are not, since codes may well look like one. Columns and counts are named, values never.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import duckdb

from catalog.schema import ColumnType, TableKind
from pipelines import sqltext as sql
from pipelines.errors import IdentifierLeft, without_engine_text
from pipelines.generalise import generalisation
from pipelines.plan import ColumnPlan, TablePlan
from pipelines.quality import bits
from pipelines.quality.looks import looks_like
from pipelines.quality.matching import SHORTEST, Streams, find_identifiers
from pipelines.quality.rows import PERSON_TEXT

LEAKS = "_leaks"
"""Mapped columns, numbered from 0, with the columns of a row that hold one of its identifiers."""

COINCIDENCE = 0.01
"""Numbers and short texts may equal an identifier of their row by accident in this share of rows."""

LISTED_COINCIDENCE = 0.5
"""The same for columns with a closed list, where few values meet few persons more often."""

FEW = 2
"""Coincidences in an open column that are always overlooked."""

LISTED_FEW = 20
"""The same for columns with a closed list."""

ROWS_LOOKED_AT = 200_000
"""Rows of a table, about, that are compared with their own identifiers one by one."""

BATCH = 50_000

SEPARATORS = " .-/_,;:"
"""Signs that are not looked at when a value is compared with an identifier of its row."""

OTHERS = frozenset({ColumnType.CODE, ColumnType.TEXT, ColumnType.INTEGER, ColumnType.DECIMAL})
"""Types whose values are compared with all identifiers of the delivery."""


def is_open(column: ColumnPlan) -> bool:
    """True if the values are not taken from a list."""
    return column.column.values is None and column.lookup is None


def watched(table: TablePlan) -> tuple[ColumnPlan, ...]:
    """Columns that are compared with the identifiers of their row."""
    return tuple(c for c in table.columns if c.column.type in OTHERS and (not c.generalise or _is_shortened(c)))


def _is_shortened(column: ColumnPlan) -> bool:
    """True for codes made coarser: the first nine characters of an identifier are nearly all of it."""
    return column.generalise is not None and column.column.type is ColumnType.CODE


def leak_masks(table: TablePlan, rows: int) -> str:
    """SELECT items with a bit set for each watched column that holds an identifier of its row.

    The first bit says that the row was looked at: of a table of many rows, some persons' rows tell enough, since a
    column is refused for a share of its rows, and identifiers that are no accident are looked for in all of them.
    """
    identifiers = [PERSON_TEXT, *(identifier_name(n) for n in range(len(table.identifiers)))]
    found = [sql.alternatives(_holds(c, i) for i in identifiers) for c in watched(table)]
    every = max(1, rows // ROWS_LOOKED_AT)
    looked_at = "true" if every == 1 else f"hash({PERSON_TEXT}) % {every} = 0"
    return bits.columns(LEAKS, ["true", *found], where=looked_at)


def _holds(column: ColumnPlan, identifier: str) -> str:
    """The identifier itself; in an open text also with other separators, backwards, or as a word of it."""
    name = sql.name(column.name)
    if column.column.type is ColumnType.DECIMAL:
        return f"{name} = trunc({name}) AND CAST(TRY_CAST({name} AS BIGINT) AS VARCHAR) = {identifier}"
    if column.column.type is ColumnType.INTEGER or not is_open(column):
        return f"lower(CAST({name} AS VARCHAR)) = lower({identifier})"
    value, wanted = _squeezed(name), _squeezed(identifier)
    if _is_shortened(column):
        short = generalisation(column.generalise or "").sql.replace("{}", identifier)
        return f"{value} = {wanted} OR (length({name}) > 3 AND lower({name}) = lower({short}))"
    words = f"concat(' ', regexp_replace(lower({name}), '[^0-9a-z]+', ' ', 'g'), ' ')"
    return (
        f"{value} = {wanted} OR (length({wanted}) > 3 AND reverse({value}) = {wanted}) OR"
        f" CASE WHEN contains(lower({name}), lower({identifier}))"
        f" THEN contains({words}, concat(' ', lower({identifier}), ' ')) ELSE false END"
    )


def _squeezed(text: str) -> str:
    return f"ltrim(translate(lower({text}), {sql.text(SEPARATORS)}, ''), '0')"


def identifier_name(number: int) -> str:
    """Mapped column with the text of a table's identifier column, by its position in the plan."""
    return f"_identifier{number}"


def check_rows(connection: duckdb.DuckDBPyConnection, table: TablePlan, rows: str) -> None:
    """Raise IdentifierLeft if a mapped column repeats identifiers of its own rows, or its values look like some.

    `rows` is SQL of the mapped rows with their masks.
    """
    with _searching(table):
        _check_own(connection, table, rows)
        for column in watched(table):
            if is_open(column) and not column.column.type.is_number:
                name = sql.name(column.name)
                connection.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS SELECT DISTINCT {name} AS v FROM {rows}")
                found = looks_like(connection, "looked_at")
                if found:
                    refuse(table, column, f"{found[1]} values look like {found[0]}")


def check_values(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[tuple[TablePlan, list[Path]]], identifiers: Streams
) -> None:
    """Raise IdentifierLeft if a mapped column or a list of values holds an identifier of the delivery.

    `tables` are all tables of the delivery with their mapped files. Runs where identifiers may be seen.
    """
    columns = [(t, c, files) for t, files in tables for c in t.columns if c.column.type in OTHERS]
    lists = frozenset(
        n for n, (t, c, _) in enumerate(columns) if t.kind is TableKind.LOOKUP or c.column.values is not None
    )
    reading = connection.cursor()
    with without_engine_text("the delivery could not be searched for identifiers", IdentifierLeft):
        values = ((n, v) for n, (_, c, files) in enumerate(columns) for v in _values(reading, c, files))
        found = find_identifiers(connection, values, identifiers, lists)
    for number, count in found.items():
        table, column, _ = columns[number]
        refuse(table, column, f"{count} of its values hold direct identifiers of the delivery")


def _values(connection: duckdb.DuckDBPyConnection, column: ColumnPlan, files: list[Path]) -> Iterator[str]:
    """Distinct values that are long enough; those of a closed list as it is written."""
    if column.column.values is not None:
        yield from (str(v) for listed in column.column.values for v in (listed.code, listed.label))
    # values taken from a lookup table are searched there, and so are shortened ones where they come from
    elif files and column.lookup is None and (not column.generalise or _is_shortened(column)):
        yield from _distinct(connection, column, sql.parquet(files))


def _distinct(connection: duckdb.DuckDBPyConnection, column: ColumnPlan, rows: str) -> Iterator[str]:
    name = sql.name(column.name)
    text, long_enough = f"CAST({name} AS VARCHAR)", f"strlen({name}) >= {SHORTEST}"
    if column.column.type.is_number:
        # with a sign one digit less will do
        long_enough = f"{name} NOT BETWEEN -{10 ** (SHORTEST - 2) - 1} AND {10 ** (SHORTEST - 2) - 1}"
    if column.column.type is ColumnType.DECIMAL:
        # a whole number up to 2**53 is exact; other digits are no identifier's
        text, long_enough = f"CAST(TRY_CAST({name} AS BIGINT) AS VARCHAR)", f"{long_enough} AND {name} = trunc({name})"
    read = connection.sql(f"SELECT DISTINCT {text} AS v FROM {rows} WHERE {long_enough}").to_arrow_reader(BATCH)
    for batch in read:
        yield from batch.column(0).to_pylist()


def _check_own(connection: duckdb.DuckDBPyConnection, table: TablePlan, rows: str) -> None:
    columns = watched(table)
    counts = [
        f"count(*) FILTER ({bits.is_set(LEAKS, n)}), count({sql.name(c.name)})" for n, c in enumerate(columns, start=1)
    ]
    if not counts:
        return
    looked_at = f"FROM {rows} WHERE {bits.is_set(LEAKS, 0)}"
    found = connection.execute(f"SELECT {', '.join(counts)} {looked_at}").fetchall()[0]
    for column, equal, filled in zip(columns, found[::2], found[1::2], strict=True):
        few, share = (FEW, COINCIDENCE) if is_open(column) else (LISTED_FEW, LISTED_COINCIDENCE)
        if equal > few and equal > share * filled:
            refuse(table, column, f"{equal} rows repeat a direct identifier of their own row")


def _searching(table: TablePlan) -> AbstractContextManager[None]:
    return without_engine_text(f"table {table.name!r} could not be searched for identifiers", IdentifierLeft)


def refuse(table: TablePlan, column: ColumnPlan, why: str) -> NoReturn:
    """Raise IdentifierLeft for a column, and say what to do."""
    raise IdentifierLeft(
        f"Column {table.name}.{column.name} would carry identifiers into the store: {why}. "
        f"Take the column out of the plan, or list {column.source!r} under identifiers."
    )
