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
from dataspace.dp.measures import ChannelKind, Stream
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.rows import Rows

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class IndexedTotals:
    """Totals of one bucket: for each channel of the plan an array (cells, numbers)."""

    cells: tuple[Cell, ...]
    channels: tuple[Ints, ...]


def is_indexed(plan: MeasurementPlan) -> bool:
    """True if the index alone bounds this plan: no stream picks one row of several for its value's sake."""
    return plan.query.indexed is not None and not any(stream.single for stream in plan.streams)


def read_index(rows: Rows, plan: MeasurementPlan, bucket: int) -> IndexedTotals:
    """Totals of the plan's channels over one bucket."""
    found: dict[Cell, list[dict[str, int]]] = {}
    for sql in _statements(plan):
        for row in rows.scan(sql, bucket).to_pylist():
            cell = tuple(row.pop(f"k{i}") for i, _ in enumerate(plan.query.keys))
            found.setdefault(cell, []).append(row)
    cells = plan.cells if plan.cells is not None else tuple(found)
    channels = tuple(np.zeros((len(cells), _width(plan, c)), np.int64) for c, _ in enumerate(plan.channels))
    for place, cell in enumerate(cells):
        for row in found.get(cell, ()):
            _put(plan, channels, place, row)
    return IndexedTotals(cells, channels)


def _statements(plan: MeasurementPlan) -> Iterator[str]:
    """One statement for all plain totals, one for each histogram."""
    query, groups = plan.query, plan.bounds.groups
    plain = [(c, channel) for c, channel in enumerate(plan.channels) if channel.kind is not ChannelKind.HISTOGRAM]
    if plain:
        rows = 1 if all(channel.stream is None for _, channel in plain) else plan.bounds.rows
        totals = [f"{_total(plan, channel.kind, channel.stream)} AS c{c}" for c, channel in plain]
        yield _grouped(query, totals, f"g <= {groups} AND r <= {rows}", ())
    for c, channel in enumerate(plan.channels):
        if channel.kind is ChannelKind.HISTOGRAM and channel.stream is not None:
            stream = plan.streams[channel.stream]
            width = stream.bins.width if stream.bins else 1
            place = f"({_fixed(stream.value, stream.grid)} - {stream.grid.low}) // {width}"
            kept = f"g <= {groups} AND r <= {plan.bounds.rows} AND {_present(stream)}"
            yield _grouped(query, [f"count(*) AS c{c}"], kept, (f"{place} AS bin",))


def _grouped(query: Query, totals: list[str], kept: str, more: tuple[str, ...]) -> str:
    if query.indexed is None:
        raise ValueError("the query reads no contribution index")
    keys = [_key(i, key.type) for i, key in enumerate(query.keys)]
    chosen = ", ".join([*keys, *more, *totals])
    return f"SELECT {chosen} FROM ({query.indexed}) AS ranked WHERE {kept} GROUP BY ALL"


def _key(position: int, kind: ColumnType) -> str:
    name = f"k{position}"
    return f"CAST({name} AS BIGINT) AS {name}" if kind is ColumnType.INTEGER else name


def _total(plan: MeasurementPlan, kind: ChannelKind, number: int | None) -> str:
    """A channel's whole number over the kept rows of a group; no sum passes 64 bits (see `bounding`)."""
    if number is None:
        return "count(*) FILTER (WHERE r = 1)"
    stream = plan.streams[number]
    if kind is ChannelKind.COUNT:
        return f"count(*) FILTER (WHERE {_present(stream)})"
    if kind is ChannelKind.DENOMINATOR:
        return _sum(_fixed(stream.denominator, stream.denominator_grid))
    distance = f"({_fixed(stream.value, stream.grid)} - {stream.grid.centre})"
    if kind is ChannelKind.SUM:
        return _sum(distance)
    grid = stream.grid
    return _sum(f"((({distance} * {distance}) >> {grid.square_shift}) - {grid.square_centre})")


def _sum(expression: str) -> str:
    return f"CAST(coalesce(sum({expression}), 0) AS BIGINT)"


def _present(stream: Stream) -> str:
    """Rows where the value, or with a denominator either of the two, is there."""
    columns = [f"v{n}" for n in (stream.value, stream.denominator) if n is not None]
    return " OR ".join(f"coalesce(isfinite({column}), false)" for column in columns) or "true"


def _fixed(column: int | None, grid: Grid) -> str:
    """Nearest multiple of the step, clamped; NULL where the value is missing. The kernel's `fixed_point` in SQL."""
    if column is None:
        return "0"
    scaled = f"v{column} / CAST({float(grid.step)!r} AS DOUBLE)"
    clamped = f"least(greatest({scaled}, {grid.low}), {grid.high})"
    return f"CASE WHEN isfinite(v{column}) THEN CAST(round_even({clamped}, 0) AS BIGINT) END"


def _width(plan: MeasurementPlan, channel: int) -> int:
    described = plan.channels[channel]
    bins = None if described.stream is None else plan.streams[described.stream].bins
    return bins.count if bins and described.kind is ChannelKind.HISTOGRAM else 1


def _put(plan: MeasurementPlan, channels: tuple[Ints, ...], place: int, row: dict[str, Any]) -> None:
    """Add the numbers of one result row where they belong."""
    for c, _ in enumerate(plan.channels):
        number = row.get(f"c{c}")
        if number is not None:
            channels[c][place, int(row.get("bin") or 0)] += int(number)
