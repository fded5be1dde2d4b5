"""What will be measured: streams of rows, channels of whole numbers, and how aggregates read them.

A *stream* is a choice of rows: those where its columns have a value, at most `rows` of each person in each group. A
*channel* is one whole number (a histogram: several) for each group, with a known sensitivity, that gets its own noise.
Aggregates that need the same number share a channel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from dataspace.domain.privacy import ContributionBounds
from dataspace.domain.queries import Aggregate, AggregateKind
from dataspace.dp.grids import PRESENCE, Bins, Grid, bins_of, grid_of


class ChannelKind(StrEnum):
    """What is added up over the chosen rows of a group."""

    PERSONS = "persons"  # 1 for each person
    COUNT = "count"  # 1 for each row
    SUM = "sum"  # value - centre
    SQUARES = "squares"  # (value - centre)², shifted right, minus its own centre
    DENOMINATOR = "denominator"  # denominator
    HISTOGRAM = "histogram"  # 1 in the value's bin, and in each block above it
    VECTOR = "vector"  # a part of an analysis, see dataspace.dp.analyses


@dataclass(frozen=True)
class Stream:
    """Rows where `value` is present; None counts every row.

    With a `denominator`, rows where either is present; the other then adds nothing to its sum. A `single` stream takes
    one row of each person in a group, so its count is of persons.
    """

    value: int | None
    grid: Grid = PRESENCE
    denominator: int | None = None
    denominator_grid: Grid = PRESENCE
    bins: Bins | None = None
    single: bool = False

    def rows(self, bounds: ContributionBounds) -> int:
        """Rows of one person that count in one group."""
        return 1 if self.single else bounds.rows


@dataclass(frozen=True)
class Need:
    """A channel before it is priced; `weight` is its part of its aggregate's share.

    A `coarser` one is of a level (ROLLUP) where all of a person's groups may be one. An `added` one was not asked
    for: it judges the permit's minimum cell size.
    """

    kind: ChannelKind
    stream: Stream | None
    weight: Fraction
    coarser: bool = False
    added: bool = False

    @property
    def reach(self) -> int:
        """The most that one row (for PERSONS: one person) adds to one number."""
        if self.stream is None or self.kind in (ChannelKind.COUNT, ChannelKind.HISTOGRAM):
            return 1
        if self.kind is ChannelKind.SQUARES:
            return self.stream.grid.square_reach
        grid = self.stream.denominator_grid if self.kind is ChannelKind.DENOMINATOR else self.stream.grid
        return grid.reach

    def l2_squared(self, bounds: ContributionBounds) -> Fraction:
        """Square of the L2 norm of the most that one person adds: groups x blocks x (rows x reach)²; see `levels`."""
        levels = len(self.stream.bins.blocks) if self.kind is ChannelKind.HISTOGRAM and self.stream.bins else 1  # type: ignore[union-attr]
        rows = 1 if self.stream is None else self.stream.rows(bounds)
        groups = bounds.groups**2 if self.coarser else bounds.groups
        return Fraction(groups * levels * (rows * self.reach) ** 2)


@dataclass(frozen=True)
class Channel:
    """A priced channel. `stream` is a position in the plan's streams; the sensitivity is exact, squared."""

    kind: ChannelKind
    stream: int | None
    l2_squared: Fraction
    rho: Fraction
    scale: float


@dataclass(frozen=True)
class Measure:
    """One aggregate and the positions of the channels it is computed from, in the order of `needs_of`."""

    aggregate: Aggregate
    channels: tuple[int, ...]


def needs_of(aggregate: Aggregate, most_bins: int) -> tuple[Need, ...]:
    """The channels of an aggregate. The parts of the weight are public constants."""
    kind = aggregate.kind
    if kind is AggregateKind.PERSONS and aggregate.value is None:
        return (Need(ChannelKind.PERSONS, None, Fraction(1)),)
    stream = _stream(aggregate, most_bins)
    return tuple(Need(channel, stream, part) for channel, part in _parts(kind))


def _parts(kind: AggregateKind) -> Iterator[tuple[ChannelKind, Fraction]]:
    yield from {
        AggregateKind.PERSONS: ((ChannelKind.COUNT, Fraction(1)),),
        AggregateKind.ROWS: ((ChannelKind.COUNT, Fraction(1)),),
        AggregateKind.SUM: ((ChannelKind.SUM, Fraction(1)),),
        # a mean's error is dominated by its numerator, unless it lies at the end of the clamp
        AggregateKind.MEAN: ((ChannelKind.COUNT, Fraction(1, 3)), (ChannelKind.SUM, Fraction(2, 3))),
        AggregateKind.PROPORTION: ((ChannelKind.COUNT, Fraction(1, 3)), (ChannelKind.SUM, Fraction(2, 3))),
        AggregateKind.VARIANCE: _SPREAD,
        AggregateKind.STDDEV: _SPREAD,
        AggregateKind.RATE: ((ChannelKind.SUM, Fraction(1, 2)), (ChannelKind.DENOMINATOR, Fraction(1, 2))),
        AggregateKind.QUANTILE: ((ChannelKind.HISTOGRAM, Fraction(1)),),
    }[kind]


_SPREAD = (
    (ChannelKind.COUNT, Fraction(1, 4)),
    (ChannelKind.SUM, Fraction(1, 4)),
    (ChannelKind.SQUARES, Fraction(1, 2)),
)

_CENTRED = (AggregateKind.MEAN, AggregateKind.PROPORTION, AggregateKind.VARIANCE, AggregateKind.STDDEV)


def _stream(aggregate: Aggregate, most_bins: int) -> Stream:
    kind, name = aggregate.kind, f"{aggregate.kind.upper()} {aggregate.name!r}"
    if kind in (AggregateKind.PERSONS, AggregateKind.ROWS):
        return Stream(aggregate.value, single=kind is AggregateKind.PERSONS)
    if kind is AggregateKind.PROPORTION:
        # half steps, so that the centre 1/2 is on the grid and a row weighs half
        return Stream(aggregate.value, Grid(Fraction(1, 2), 0, 2, 1))
    grid = grid_of(aggregate.bounds, aggregate.step, name, centred=kind in _CENTRED)
    if kind is AggregateKind.RATE:
        below = grid_of(aggregate.denominator_bounds, aggregate.denominator_step, name, centred=False)
        return Stream(aggregate.value, grid, aggregate.denominator, below)
    return Stream(aggregate.value, grid, bins=bins_of(grid, most_bins) if kind is AggregateKind.QUANTILE else None)
