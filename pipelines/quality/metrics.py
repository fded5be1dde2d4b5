"""Data quality of a load in numbers: per column, per table, and the few that describe the dataset.

These are exact and for the data holder; what is published is rounded first (`pipelines.publish`).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from catalog.schema import PERSON_KEY, Column, ColumnType, Table, TableKind
from pipelines import sqltext as sql
from pipelines.errors import without_engine_text
from pipelines.quality.expectations import Outcome

FEWEST_PERSONS = 10
"""A year counts as covered from so many persons on: no single person's dates decide the period that is published."""


def table_metrics(connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> dict[str, Any]:
    """Per column: `filled` and `distinct` (approximate) values, `in_bounds` where it has numeric bounds."""
    if not files:
        return {"rows": 0, "columns": {c.name: {"filled": 0, "distinct": 0} for c in table.columns}}
    asked = ["count(*)"]
    for column in table.columns:
        name = sql.name(column.name)
        asked += [f"count({name})", f"approx_count_distinct({name})", _in_bounds(column)]
    with without_engine_text(f"the quality of table {table.name!r} could not be measured"):
        rows, *values = connection.execute(f"SELECT {', '.join(asked)} FROM {_read(files)}").fetchall()[0]
    columns = {}
    for column, (filled, distinct, inside) in zip(table.columns, _triples(values), strict=True):
        columns[column.name] = {"filled": filled, "distinct": distinct} | (
            {} if inside is None else {"in_bounds": inside}
        )
    return {"rows": rows, "columns": columns}


def _in_bounds(column: Column) -> str:
    if column.bounds is None or not column.type.is_number:
        return "NULL"
    low, high = column.bounds.low, column.bounds.high
    return f"count(*) FILTER ({sql.name(column.name)} BETWEEN {low} AND {high})"


def _triples(values: list[Any]) -> list[tuple[Any, Any, Any]]:
    return list(zip(values[::3], values[1::3], values[2::3], strict=True))


def covered_years(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[Table, list[Path]]]
) -> tuple[int, int] | None:
    """First and last year in which FEWEST_PERSONS persons have a dated event; None if there is none."""
    years: set[int] = set()
    for table, files in tables:
        dates = [c.name for c in table.columns if c.type in (ColumnType.DATE, ColumnType.TIMESTAMP)]
        if table.kind is not TableKind.EVENTS or not dates or not files:
            continue
        with without_engine_text(f"the period of table {table.name!r} could not be measured"):
            found = connection.execute(
                f"SELECT year({sql.name(dates[0])}) FROM {_read(files)} GROUP BY ALL"
                f" HAVING count(DISTINCT {PERSON_KEY}) >= {FEWEST_PERSONS}"
            ).fetchall()
        years |= {year for (year,) in found if year is not None}
    return (min(years), max(years)) if years else None


def count_persons(connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[Table, list[Path]]]) -> int:
    """Persons with a row in any table."""
    files = [f for table, stored in tables if table.kind is not TableKind.LOOKUP for f in stored]
    if not files:
        return 0
    with without_engine_text("the persons could not be counted"):
        rows = connection.execute(f"SELECT count(DISTINCT {PERSON_KEY}) FROM {_read(files)}").fetchall()
    return int(rows[0][0])


def outcomes_as_dicts(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Outcomes as the snapshot record keeps them."""
    return [
        {
            "table": o.expectation.table,
            "name": o.expectation.name,
            "stop": o.expectation.stop,
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


def _read(files: list[Path]) -> str:
    return f"read_parquet({sql.paths(files)}, hive_partitioning = false)"
