"""Totals of an unfiltered question over declared dimensions, read off the contribution index: a filter and a sum.

Ingestion has ranked each person's groups, and their rows within each group, in keyed-hash order. Rows with group rank
up to L0 and row rank up to r are therefore a bounded contribution, chosen once for the snapshot, and DuckDB can add
them up by itself. All sums are of whole numbers. A row without a value uses up its rank, so no more rows count than
the kernel would take.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.schema import ColumnType
from dataspace.domain.queries import Query
from dataspace.dp.grids import Grid
from dataspace.dp.measures import ChannelKind
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.rows import Rows

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class IndexedTotals:
    """For each channel of the plan an array (cells, numbers)."""

    cells: tuple[Cell, ...]
    channels: tuple[Ints, ...]


def is_indexed(plan: MeasurementPlan) -> bool:
    """True if the index alone bounds this plan: no stream picks one row of several for its value's sake."""
    return plan.query.indexed is not None and not any(stream.single for stream in plan.streams)


def read_index(rows: Rows, plan: MeasurementPlan, bucket: int | None) -> IndexedTotals:
    """Totals of the plan's channels over one bucket, or over all of them (None).

    Sums stay inside 64 bits for tables of up to 2^31 rows.
    """
    found: dict[Cell, list[dict[str, int]]] = {}
    for sql in _statements(plan):
        for row in rows.scan(sql, bucket).to_pylist():
            found.setdefault(_cell_of(plan.query, row), []).append(row)
    cells = plan.cells if plan.cells is not None else tuple(found)
    channels = tuple(np.zeros((len(cells), plan.width(c)), np.int64) for c, _ in enumerate(plan.channels))
    for place, cell in enumerate(cells):
        for row in found.get(cell, ()):
            _put(plan, channels, place, row)
    return IndexedTotals(cells, channels)


def _cell_of(query: Query, row: dict[str, Any]) -> Cell:
    """Key values of a result row."""
    if query.indexed_cells is not None:
        return query.indexed_cells[row["c"]]
    return tuple(row[f"k{i}"] for i, _ in enumerate(query.keys))


def _statements(plan: MeasurementPlan) -> Iterator[str]:
    """One statement for all plain totals, one for each histogram."""
    query, groups = plan.query, plan.bounds.groups
    plain = [(c, channel) for c, channel in enumerate(plan.channels) if channel.kind is not ChannelKind.HISTOGRAM]
    if plain:
        totals = [f"{_total(plan, channel.kind, channel.stream)} AS n{c}" for c, channel in plain]
        only_persons = all(channel.stream is None for _, channel in plain)
        kept = f"g BETWEEN 1 AND {groups}" if only_persons else _kept(plan)
        yield _grouped(query, totals, kept, ())
    for c, channel in enumerate(plan.channels):
        if channel.kind is ChannelKind.HISTOGRAM and channel.stream is not None:
            stream = plan.streams[channel.stream]
            width = stream.bins.width if stream.bins else 1
            value = _fixed(stream.value, stream.grid)
            place = f"({value} - {stream.grid.low}) // {width} AS bin"
            yield _grouped(query, [f"count({value}) AS n{c}"], _kept(plan), (place,))


def _kept(plan: MeasurementPlan) -> str:
    """Rows of the first groups of a person, and the first rows in each."""
    return f"g BETWEEN {-plan.bounds.groups} AND {plan.bounds.groups} AND r <= {plan.bounds.rows}"


def _grouped(query: Query, totals: list[str], kept: str, more: tuple[str, ...]) -> str:
    if query.indexed is None:
        raise ValueError("the query reads no contribution index")
    keys = ["c"] if query.indexed_cells is not None else [_key(i, key.type) for i, key in enumerate(query.keys)]
    chosen = ", ".join([*keys, *more, *totals])
    return f"SELECT {chosen} FROM ({query.indexed}) AS ranked WHERE {kept} GROUP BY ALL"


def _key(position: int, kind: ColumnType) -> str:
    name = f"k{position}"
    return f"CAST({name} AS BIGINT) AS {name}" if kind is ColumnType.INTEGER else name


def _total(plan: MeasurementPlan, kind: ChannelKind, number: int | None) -> str:
    """A channel's whole number over the kept rows of a group; no sum passes 64 bits (see `bounding`).

    With a denominator, a row that lacks one of the two values adds nothing to that sum.
    """
    if number is None:
        return "count(*) FILTER (WHERE g > 0)"
    stream = plan.streams[number]
    grid, value = stream.grid, _fixed(stream.value, stream.grid)
    if kind is ChannelKind.COUNT:
        return "count(*)" if stream.value is None else f"count({value})"
    if kind is ChannelKind.DENOMINATOR:
        return _sum(_fixed(stream.denominator, stream.denominator_grid))
    if kind is ChannelKind.SUM:
        # the centre is taken off once a group instead of once a row
        return _sum(value) if grid.centre == 0 else f"{_sum(value)} - {grid.centre} * count({value})"
    distance = f"({value} - {grid.centre})"
    return _sum(f"((({distance} * {distance}) >> {grid.square_shift}) - {grid.square_centre})")


def _sum(expression: str) -> str:
    return f"CAST(coalesce(sum({expression}), 0) AS BIGINT)"


def _fixed(column: int | None, grid: Grid) -> str:
    """Nearest multiple of the step, clamped; NULL where the value is missing. The kernel's `fixed_point` in SQL."""
    if column is None:
        return "0"
    scaled = f"v{column} / CAST({float(grid.step)!r} AS DOUBLE)"
    clamped = f"least(greatest({scaled}, {grid.low}), {grid.high})"
    return f"CASE WHEN isfinite(v{column}) THEN CAST(round_even({clamped}, 0) AS BIGINT) END"


def _put(plan: MeasurementPlan, channels: tuple[Ints, ...], place: int, row: dict[str, Any]) -> None:
    """Add the numbers of one result row where they belong."""
    for c, _ in enumerate(plan.channels):
        number = row.get(f"n{c}")
        if number is not None:
            channels[c][place, int(row.get("bin") or 0)] += int(number)
