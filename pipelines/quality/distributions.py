"""How the values of columns are spread, in forms that show no value of the data: codes of the dictionary, and bins
between its bounds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from catalog.schema import Column, Table, TableKind
from pipelines import sqltext as sql
from pipelines.errors import without_engine_text

MOST_CODES = 40
"""Longer lists of values are not counted code by code."""

BINS = 10
"""Equal parts between the bounds of a number, as the dictionary has them; what lies beyond counts in the outermost."""


def distributions(connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> dict[str, dict[str, Any]]:
    """Rows of each code, in the dictionary's order (`codes`), or of each bin (`bins`), by column.

    Only columns with a short list of values or with bounds have one.
    """
    kinds = {c.name: expression for c in table.columns if (expression := _group(c)) is not None}
    if table.kind is TableKind.LOOKUP or not kinds or not files:
        return {}
    names = [sql.name(name) for name in kinds]
    # one scan for all columns: each is a grouping set of its own
    groups = ", ".join(f"{expression} AS {name}" for name, expression in zip(names, kinds.values(), strict=True))
    sets = ", ".join(f"({name})" for name in names)
    texts = [f"CAST({name} AS VARCHAR)" for name in names]
    which = ", ".join(f"grouping({name})" for name in names)
    with without_engine_text(f"the distributions of table {table.name!r} could not be measured"):
        found = connection.execute(
            f"SELECT [{which}], coalesce({', '.join(texts)}), count(*) FROM"
            f" (SELECT {groups} FROM {sql.parquet(files)}) GROUP BY GROUPING SETS ({sets})"
        ).fetchall()
    counted: dict[str, dict[str, int]] = {name: {} for name in kinds}
    for groupings, value, rows in found:
        if value is not None:
            counted[list(kinds)[groupings.index(0)]][value] = int(rows)
    return {name: _shape(table.column[name], counts) for name, counts in counted.items()}


def _group(column: Column) -> str | None:
    """SQL of the group a value counts in; None if the column has no safe groups."""
    name = sql.name(column.name)
    if column.values is not None:
        return name if len(column.values) <= MOST_CODES else None
    if column.bounds is None or not column.type.is_number or column.bounds.low == column.bounds.high:
        return None
    low, high = column.bounds.low, column.bounds.high
    position = f"floor(({name} - {low}) * {BINS} / ({high} - {low}))"
    # greatest and least pass over NULL: a missing value must not become a bin
    return f"CASE WHEN {name} IS NOT NULL THEN CAST(greatest(0, least({BINS - 1}, {position})) AS INTEGER) END"


def _shape(column: Column, counts: Mapping[str, int]) -> dict[str, Any]:
    if column.values is not None:
        return {"codes": [counts.get(str(v.code), 0) for v in column.values]}
    return {"bins": [counts.get(str(n), 0) for n in range(BINS)]}
