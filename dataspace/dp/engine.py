"""Noise on the exact totals, and the released table with its intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dataspace.domain.queries import Aggregate, AggregateKind
from dataspace.domain.releases import Estimate, ReleaseRow, ReleaseTable
from dataspace.dp import intervals
from dataspace.dp.analysed import analysed
from dataspace.dp.grids import Grid
from dataspace.dp.levels import fitted
from dataspace.dp.measures import Channel, ChannelKind, Measure, Stream
from dataspace.dp.noise import Noise
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.quantiles import Floats, bins_from, nodes_of, quantile
from dataspace.dp.shape import released, sort_cells
from dataspace.dp.smallest import judged_row
from dataspace.dp.totals import ExactTable

_COUNTS = (ChannelKind.PERSONS, ChannelKind.COUNT, ChannelKind.HISTOGRAM)


def measure(plan: MeasurementPlan, totals: ExactTable, noise: Noise) -> ReleaseTable:
    """Add the noise the plan paid for and attach the intervals.

    Raises NoiseTooSmall, with nothing released, if the noise would cost more than its share of the charge.
    """
    if plan.query.analysis is not None:
        return released(plan, analysed(plan, totals, noise))
    cells, channels = _at_levels(plan, totals, noise) if plan.levels else _noisy(plan, totals, noise)
    columns = [_estimates(measure, plan, channels, len(cells)) for measure in plan.measures]
    rows = [ReleaseRow(cell, tuple(column[i] for column in columns)) for i, cell in enumerate(cells)]
    return released(plan, rows if plan.judge is None else _judged(rows, plan, channels, channels[plan.judge]))


@dataclass(frozen=True)
class _Noisy:
    """A channel with its noise: one number for each cell or, for a histogram, least-squares bins (cells, count)."""

    channel: Channel
    numbers: Sequence[float]
    bins: Floats | None = None
    scales: Sequence[float] | None = None

    @property
    def counts(self) -> bool:
        """True if it counts persons or rows."""
        return self.channel.kind in _COUNTS

    def number_at(self, cell: int) -> float:
        """The number of a cell, all bins of a histogram together."""
        return self.numbers[cell] if self.bins is None else float(self.bins[cell].sum())

    def scale_at(self, cell: int) -> float:
        """Standard deviation of the noise of one cell's number."""
        return self.channel.scale if self.scales is None else self.scales[cell]


def _at_levels(plan: MeasurementPlan, totals: ExactTable, noise: Noise) -> tuple[tuple[Cell, ...], list["_Noisy"]]:
    """Rows of all levels, and each channel on them: measured level by level, then made to add up."""
    found = []
    for position, exact in enumerate(totals.channels):
        channels = [channels[position] for channels in plan.level_channels]
        drawn = [
            noise.gaussian(level.sums(exact), channel.scale, channel.l2_squared, channel.rho)
            for level, channel in zip(plan.levels, channels, strict=True)
        ]
        found.append(_as_measured(plan, drawn, channels) if plan.min_cell else _adding_up(plan, drawn, channels))
    return tuple(label for level in plan.levels for label in level.labels), found


def _adding_up(plan: MeasurementPlan, drawn: list[list[int]], channels: list[Channel]) -> _Noisy:
    consistent = fitted(plan.levels, drawn, [channel.scale for channel in channels])
    return _Noisy(channels[0], consistent.numbers.tolist(), scales=consistent.scales.tolist())


def _as_measured(plan: MeasurementPlan, drawn: list[list[int]], channels: list[Channel]) -> _Noisy:
    """Levels that do not add up: a number that is withheld could be computed from the rest if they did."""
    scales = [channel.scale for level, channel in zip(plan.levels, channels, strict=True) for _ in level.labels]
    return _Noisy(channels[0], [number for level in drawn for number in level], scales=scales)


def _noisy(plan: MeasurementPlan, totals: ExactTable, noise: Noise) -> tuple[tuple[Cell, ...], list[_Noisy]]:
    """The cells that may be shown, and each channel on them."""
    if plan.selection is None:
        return totals.cells, [_drawn(plan, c, totals.channels[i], noise) for i, c in enumerate(plan.channels)]
    chosen = plan.channels[plan.selection.channel]
    counts = dict(enumerate(totals.channels[plan.selection.channel]))
    shown = noise.threshold(
        counts, chosen.scale, plan.selection.threshold, plan.bounds.groups, chosen.rho, plan.selection.delta
    )
    places = sort_cells(totals.cells, list(shown))
    channels = [
        _Noisy(channel, [shown[place] for place in places])
        if position == plan.selection.channel
        else _drawn(plan, channel, _taken(totals, position, places), noise)
        for position, channel in enumerate(plan.channels)
    ]
    return tuple(totals.cells[place] for place in places), channels


def _taken(totals: ExactTable, channel: int, places: list[int]) -> tuple[int, ...]:
    """A channel's numbers at some of the cells."""
    numbers = totals.channels[channel]
    width = len(numbers) // max(1, len(totals.cells))
    return tuple(n for place in places for n in numbers[place * width : (place + 1) * width])


def _drawn(plan: MeasurementPlan, channel: Channel, exact: tuple[int, ...], noise: Noise) -> _Noisy:
    stream = None if channel.stream is None else plan.streams[channel.stream]
    if channel.kind is not ChannelKind.HISTOGRAM or stream is None or stream.bins is None:
        return _Noisy(channel, noise.gaussian(exact, channel.scale, channel.l2_squared, channel.rho))
    bins = stream.bins
    nodes = nodes_of(np.array(exact, dtype=object).reshape(-1, bins.count), bins)
    noisy = noise.gaussian(nodes, channel.scale, channel.l2_squared, channel.rho)
    return _Noisy(channel, [], bins_from(np.array(noisy, dtype=np.float64).reshape(-1, bins.nodes), bins))


def _judged(rows: list[ReleaseRow], plan: MeasurementPlan, channels: list[_Noisy], persons: _Noisy) -> list[ReleaseRow]:
    """Each row without what tells about fewer persons than the permit's minimum cell size."""
    counted = [next((channels[c] for c in measure.channels if channels[c].counts), None) for measure in plan.measures]
    return [
        judged_row(
            row,
            persons.number_at(place),
            [None if found is None else found.number_at(place) for found in counted],
            plan.min_cell,
        )
        for place, row in enumerate(rows)
    ]


@dataclass(frozen=True)
class _Reading:
    """One aggregate of one cell: its channels' noisy numbers with the standard deviations of their noise."""

    aggregate: Aggregate
    stream: Stream
    numbers: tuple[float, ...]
    bins: Floats | None
    scales: tuple[float, ...]

    @property
    def grid(self) -> Grid:
        return self.stream.grid


def _estimates(measure: Measure, plan: MeasurementPlan, channels: list[_Noisy], cells: int) -> list[Estimate]:
    """One aggregate over all cells."""
    parts = [channels[position] for position in measure.channels]
    place = parts[0].channel.stream
    stream = Stream(None) if place is None else plan.streams[place]
    read = _READERS[measure.aggregate.kind]
    return [
        read(_Reading(measure.aggregate, stream, *_at(parts, cell), tuple(part.scale_at(cell) for part in parts)))
        for cell in range(cells)
    ]


def _at(parts: list[_Noisy], cell: int) -> tuple[tuple[float, ...], Floats | None]:
    """The channels' numbers of one cell, or its bins."""
    bins = parts[0].bins
    return ((), bins[cell]) if bins is not None else (tuple(part.numbers[cell] for part in parts), None)


def _count(reading: _Reading) -> Estimate:
    return intervals.counted(reading.numbers[0], reading.scales[0])


def _sum(reading: _Reading) -> Estimate:
    unit, floor = float(reading.grid.step), reading.grid.low >= 0
    return intervals.counted(reading.numbers[0], reading.scales[0], unit, floor=floor)


def _mean(reading: _Reading) -> Estimate:
    grid, (rows, total), (rows_scale, total_scale) = reading.grid, reading.numbers, reading.scales
    low, high = grid.as_number(grid.low), grid.as_number(grid.high)
    offset = intervals.ratio(total, total_scale, rows, rows_scale)
    return intervals.within(intervals.moved(offset, grid.as_number(grid.centre), float(grid.step)), low, high)


def _rate(reading: _Reading) -> Estimate:
    (above, below), (above_scale, below_scale) = reading.numbers, reading.scales
    stream = reading.stream
    raw = intervals.ratio(above, above_scale, below, below_scale)
    estimate = intervals.moved(raw, 0.0, float(stream.grid.step / stream.denominator_grid.step))
    never_negative = stream.grid.low >= 0 and stream.denominator_grid.low >= 0
    return intervals.within(estimate, 0.0, None) if never_negative else estimate


def _variance(reading: _Reading) -> Estimate:
    grid, unit = reading.grid, 2**reading.grid.square_shift
    count, total, squares = zip(reading.numbers, reading.scales, strict=True)
    centre, most = float(grid.square_centre * unit), intervals.most_variance(grid.low, grid.high)
    scaled = float(squares[0] * unit), squares[1] * unit
    return intervals.moved(intervals.variance(count, total, scaled, centre, most), 0.0, float(grid.step) ** 2)


def _deviation(reading: _Reading) -> Estimate:
    return intervals.root(_variance(reading))


def _quantile(reading: _Reading) -> Estimate:
    bins, share = reading.stream.bins, reading.aggregate.quantile
    if bins is None or reading.bins is None or share is None:
        return intervals.UNKNOWN
    return quantile(reading.bins, float(share), reading.scales[0], reading.grid, bins)


_READERS: dict[AggregateKind, Callable[[_Reading], Estimate]] = {
    AggregateKind.PERSONS: _count,
    AggregateKind.ROWS: _count,
    AggregateKind.SUM: _sum,
    AggregateKind.MEAN: _mean,
    AggregateKind.PROPORTION: _mean,
    AggregateKind.RATE: _rate,
    AggregateKind.VARIANCE: _variance,
    AggregateKind.STDDEV: _deviation,
    AggregateKind.QUANTILE: _quantile,
}
