"""Data quality of a load in numbers, counted by the engine over the stored files: a few passes a table.

These are exact and for the data holder; what is published is rounded first (`pipelines.publish`). Each pass holds
counters, or one bucket's persons, whatever the number of rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from catalog.schema import PERSON_KEY, ROW_RANK, Column, ColumnType, Table, TableKind
from pipelines import sqltext as sql
from pipelines.errors import without_engine_text
from pipelines.quality.expectations import Outcome

FEWEST_PERSONS = 10
"""A year or month counts as covered from so many persons on: no single person's dates decide what is shown."""

CELLS = 1_024
"""Persons of a month are counted by the last ten bits of their keys, which is cheap and never too many."""

DATES = (ColumnType.DATE, ColumnType.TIMESTAMP)


def table_metrics(
    connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path], today: date
) -> dict[str, Any]:
    """`rows`, `persons`, `duplicates` (rows equal to another of the same person), and counts for each column.

    `filled`, `distinct` (approximate); `in_bounds` for numbers with bounds; `future` (after `today`) and `first_days`
    (on a first of the month) for dates; `round_ends` (last digit 0 or 5) for numbers that are counted or measured.
    """
    if not files:
        return {"rows": 0, "columns": {c.name: {"filled": 0, "distinct": 0} for c in table.columns}}
    about_persons = table.kind is not TableKind.LOOKUP
    asked = {"rows": "count(*)"} | ({"persons": f"count(*) FILTER ({ROW_RANK} = 1)"} if about_persons else {})
    by_column = [(column.name, what, count) for column in table.columns for what, count in _counts(column, today)]
    select = ", ".join([*asked.values(), *(count for _, _, count in by_column)])
    with without_engine_text(f"the quality of table {table.name!r} could not be measured"):
        found = connection.execute(f"SELECT {select} FROM {sql.parquet(files)}").fetchall()[0]
        measured: dict[str, Any] = dict(zip(asked, found, strict=False))
        if table.kind is TableKind.EVENTS:
            measured["duplicates"] = _duplicates(connection, table, files)
    columns: dict[str, dict[str, int]] = {column.name: {} for column in table.columns}
    for (column, what, _), value in zip(by_column, found[len(asked) :], strict=True):
        columns[column][what] = value
    return measured | {"columns": columns}


def _counts(column: Column, today: date) -> list[tuple[str, str]]:
    name = sql.name(column.name)
    counts = [("filled", f"count({name})"), ("distinct", f"approx_count_distinct({name})")]
    if column.bounds is not None and column.type.is_number:
        low, high = column.bounds.low, column.bounds.high
        counts.append(("in_bounds", f"count(*) FILTER ({name} BETWEEN {low} AND {high})"))
    if column.type in DATES:
        counts.append(("future", f"count(*) FILTER (CAST({name} AS DATE) > {sql.literal(today)})"))
        counts.append(("first_days", f"count(*) FILTER (day({name}) = 1)"))
    if column.type.is_number and column.values is None and column.code_system is None:
        steps = name if column.step == 1 else f"CAST(round({name} / {column.step}) AS BIGINT)"
        counts.append(("round_ends", f"count(*) FILTER ({steps} % 5 = 0)"))
    return counts


def _duplicates(connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> int:
    """Rows equal to the one before: a person's rows are stored in an order under which equal rows are neighbours."""
    content = ", ".join(sql.name(c.name) for c in table.columns)
    # one file after the other: a person's rows are in one file
    same = f"{ROW_RANK} > 1 AND content = lag(content) OVER ()"
    return sum(
        int(
            connection.execute(
                f"SELECT count(*) FILTER (same) FROM (SELECT {same} AS same FROM"
                f" (SELECT {ROW_RANK}, hash({content}) AS content FROM {sql.parquet([file])}))"
            ).fetchall()[0][0]
        )
        for file in files
    )


def event_date(table: Table) -> str | None:
    """The column that dates a table's events: its first date."""
    return next((c.name for c in table.columns if c.type in DATES), None)


def periods(connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> dict[str, dict[str, list[int]]]:
    """Rows, and at least how many persons, of each of the `months` ("2019-03") and `years` a table of events has."""
    day = event_date(table)
    if table.kind is not TableKind.EVENTS or day is None or not files:
        return {}
    cells = (
        f"SELECT year({sql.name(day)}) * 12 + month({sql.name(day)}) - 1 AS month, {PERSON_KEY} & {CELLS - 1} AS cell,"
        f" count(*) AS n FROM {sql.parquet(files)} WHERE {sql.name(day)} IS NOT NULL GROUP BY ALL"
    )
    with without_engine_text(f"the period of table {table.name!r} could not be measured"):
        found = connection.execute(
            f"WITH cells AS MATERIALIZED ({cells}),"
            " named AS (SELECT printf('%04d-%02d', month // 12, month % 12 + 1) AS month, cell, n FROM cells)"
            " SELECT left(month, part) AS period, sum(n), count(DISTINCT cell)"
            " FROM named, (VALUES (4), (7)) AS parts(part) GROUP BY ALL ORDER BY period"
        ).fetchall()
    split: dict[str, dict[str, list[int]]] = {"months": {}, "years": {}}
    for period, rows, persons in found:
        split["years" if len(period) == 4 else "months"][period] = [int(rows), int(persons)]
    return split


def covered(counts: Mapping[str, Sequence[int]], fewest: int = FEWEST_PERSONS) -> list[str]:
    """The periods with enough persons, in order."""
    return sorted(period for period, (_, persons) in counts.items() if persons >= fewest)


def count_persons(connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[Table, list[Path]]]) -> int:
    """Persons with a row in any table; every one has a row of rank 1 in a table they are in."""
    files = [f for table, stored in tables if table.kind is not TableKind.LOOKUP for f in stored]
    if not files:
        return 0
    with without_engine_text("the persons could not be counted"):
        rows = connection.execute(
            f"SELECT count(DISTINCT {PERSON_KEY}) FROM {sql.parquet(files)} WHERE {ROW_RANK} = 1"
        ).fetchall()
    return int(rows[0][0])


def outcomes_as_dicts(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Outcomes as the snapshot record keeps them."""
    return [
        {
            "table": o.expectation.table,
            "name": o.expectation.name,
            "stop": o.expectation.stop,
            "kind": o.expectation.kind,
            "success": o.success,
            "checked": o.checked,
            "failed": o.failed,
        }
        for o in outcomes
    ]


def summary(tables: Mapping[str, Mapping[str, Any]], delivered: int, quarantined: int) -> dict[str, float]:
    """Shares from 0 to 1 for the dataset as a whole: `completeness` of cells, `validity` of delivered rows."""
    cells = sum(t["rows"] * len(t["columns"]) for t in tables.values())
    filled = sum(c["filled"] for t in tables.values() for c in t["columns"].values())
    bounded = [
        (c["in_bounds"], c["filled"]) for t in tables.values() for c in t["columns"].values() if "in_bounds" in c
    ]
    return {
        "completeness": filled / cells if cells else 1.0,
        "validity": 1 - quarantined / delivered if delivered else 1.0,
        "plausibility": sum(i for i, _ in bounded) / max(1, sum(n for _, n in bounded)) if bounded else 1.0,
    }
