"""The released table as it is stored, and as a query wants to see it: post-processing, free."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from math import inf

from catalog.schema import Scalar
from dataspace.domain.queries import AggregateKind, Query, SortKey
from dataspace.domain.releases import ReleaseRow, ReleaseTable
from dataspace.dp.levels import EVERYTHING
from dataspace.dp.plan import Cell, MeasurementPlan

_COUNTED = (AggregateKind.PERSONS, AggregateKind.ROWS)

Rank = tuple[int, float, str]


def released(plan: MeasurementPlan, rows: list[ReleaseRow]) -> ReleaseTable:
    """Every group that was measured, with notes on what shaped the numbers: what is stored under the charge."""
    query = plan.query
    notes = list(plan.notes)
    if any(a.kind in _COUNTED for a in query.aggregates) or {"events", "persons"} & set(_own_columns(query)):
        notes.append("Counts are as measured and may be negative; their intervals are raised to zero.")
    return ReleaseTable(query.output, query.key_names, query.aggregate_names, tuple(rows), tuple(notes))


def _level_name(stored: Scalar | None, query: Query) -> str:
    """The names of the keys at the positions that a level is stored by."""
    kept = [int(position) for position in str(stored).split(", ") if position.isdigit()]
    names = [query.keys[position].name for position in kept]
    return ", ".join(sorted(names, key=query.output.index)) or EVERYTHING


def _own_columns(query: Query) -> tuple[str, ...]:
    return query.analysis.columns if query.analysis else ()


def presented(table: ReleaseTable, query: Query) -> ReleaseTable:
    """A stored table as this query wants to see it: its names, its order, its limit.

    The same release may be asked for again in other words, so names and order are the asking query's, not the stored
    ones. All of it is post-processing and free.
    """
    names, labels = query.key_names, query.aggregate_names
    rows, notes = _in_output_order(table.rows, query), list(table.notes)
    if query.sets:
        rows = [replace(row, keys=(*row.keys[:-1], _level_name(row.keys[-1], query))) for row in rows]
    for key in reversed(query.order):
        known, unknown = _split(rows, key, names, labels)
        rows = sorted(known, key=lambda row: _rank(_cell_of(row, key, names, labels)), reverse=key.descending) + unknown
    if any(key.name in labels for key in query.order):
        notes.append("Rows are ordered by noisy numbers.")
    if query.limit is not None and len(rows) > query.limit:
        notes.append(f"Only the first {query.limit} {'rows' if query.analysis else 'groups'} are shown.")
        rows = rows[: query.limit]
    return ReleaseTable(query.output, names, labels, tuple(rows), tuple(notes))


def _in_output_order(rows: Iterable[ReleaseRow], query: Query) -> list[ReleaseRow]:
    """Rows by their keys, the first of the SELECT list first, each key's values in the order of its public domain.

    The labels of an analysis stay in its own order.
    """
    chosen = sorted(range(len(query.keys)), key=lambda i: query.output.index(query.keys[i].name))
    places = [{value: place for place, value in enumerate(key.domain or ())} for key in query.keys]

    def rank(row: ReleaseRow) -> tuple[tuple[float, bool, Rank], ...]:
        return tuple((places[i].get(row.keys[i], inf), *_null_last(row.keys[i])) for i in chosen)

    return sorted(rows, key=rank)


def sort_cells(cells: tuple[Cell, ...], places: list[int]) -> list[int]:
    """Places of cells in the order of their values, NULL last: the data's own order must not show."""
    return sorted(places, key=lambda place: tuple(_null_last(value) for value in cells[place]))


def _null_last(value: Scalar | None) -> tuple[bool, Rank]:
    return (True, (0, 0.0, "")) if value is None else (False, _rank(value))


def _split(
    rows: list[ReleaseRow], key: SortKey, names: tuple[str, ...], labels: tuple[str, ...]
) -> tuple[list[ReleaseRow], list[ReleaseRow]]:
    """Rows with something to sort by, and those without, which come last."""
    known = [row for row in rows if _cell_of(row, key, names, labels) is not None]
    return known, [row for row in rows if _cell_of(row, key, names, labels) is None]


def _cell_of(row: ReleaseRow, key: SortKey, names: tuple[str, ...], labels: tuple[str, ...]) -> Scalar | float | None:
    if key.name in names:
        return row.keys[names.index(key.name)]
    return row.estimates[labels.index(key.name)].value


def _rank(value: Scalar | float | None) -> Rank:
    """Numbers by size, dates by time, text by letters."""
    if isinstance(value, datetime):
        return (1, 0.0, value.isoformat())
    if isinstance(value, date | str):
        return (1, 0.0, str(value))
    return (0, float(value or 0), "")
