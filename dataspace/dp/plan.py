"""From a query, the data dictionary and a price to what will be measured. No data are touched.

Everything here depends on public metadata alone, so a plan, its price and its refusals tell nothing about anyone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from itertools import product
from math import prod

from catalog.schema import DatasetSchema, Scalar, TableKind
from dataspace.domain.analyses import Analysis
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.populations import Population
from dataspace.domain.privacy import ContributionBounds, Guarantee, Price, PrivacyLoss
from dataspace.domain.queries import AggregateKind, Query
from dataspace.dp import notes
from dataspace.dp.accuracy import half_width
from dataspace.dp.analyses.catalogue import method_of
from dataspace.dp.analyses.method import PERSONS
from dataspace.dp.levels import MOST_CELLS, Level, levels_of
from dataspace.dp.measures import Channel, ChannelKind, Measure, Need, Stream, needs_of
from dataspace.dp.noise import threshold_for
from dataspace.dp.pricing import Priced, price_channels, price_vectors

MAX_CELLS = 10_000
"""Groups of one query with public keys."""

MAX_DRAWS = 100_000
"""Noise draws that histograms may take in one query, about two seconds."""

MAX_BINS = 1024

MAX_UNKNOWN = 2
"""Group keys without a public list of values in one query."""

UNKNOWN_BINS = 128
"""Bins of a quantile where the number of groups is not public."""

Cell = tuple[Scalar | None, ...]


@dataclass(frozen=True)
class Selection:
    """Partition selection for unknown keys: a group is released if its noisy person count reaches `threshold`."""

    channel: int
    threshold: int
    delta: Fraction


@dataclass(frozen=True)
class MeasurementPlan:
    """All that is needed to measure, and all that may be shown before.

    `bounds` are the effective ones. `cells` is the public grid of groups, None if some key is unknown. `expected` is
    the half width of each aggregate's 95 % interval, in the value's unit, None where it depends on the answer. With
    `levels` (ROLLUP), `level_channels` are the channels of each, and `channels` those of the first. With `min_cell`,
    the permit's minimum cell size, `judge` is the channel that counts each cell's persons; None in an analysis. The
    rows it is measured on are those of `population` alone, None for everybody's.
    """

    query: Query
    bounds: ContributionBounds
    streams: tuple[Stream, ...]
    channels: tuple[Channel, ...]
    measures: tuple[Measure, ...]
    selection: Selection | None
    cells: tuple[Cell, ...] | None
    loss: PrivacyLoss
    expected: tuple[float | None, ...]
    notes: tuple[str, ...]
    levels: tuple[Level, ...] = ()
    level_channels: tuple[tuple[Channel, ...], ...] = ()
    min_cell: int = 0
    judge: int | None = None
    population: Population | None = None

    def width(self, channel: int) -> int:
        """How many numbers a channel has for each cell: one, or one a bin of a histogram."""
        described = self.channels[channel]
        bins = None if described.stream is None else self.streams[described.stream].bins
        return bins.count if bins and described.kind is ChannelKind.HISTOGRAM else 1

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of what is asked: equal for equal questions under equal bounds and limits, whatever is paid."""
        text = f"{self.query.canonical}\n{self.bounds.groups} groups, {self.bounds.rows} rows"
        text += f"\nat least {self.min_cell} persons" if self.min_cell else ""
        text += f"\namong\n{self.population.canonical}" if self.population else ""
        return sha256(text.encode()).hexdigest()


def plan_query(
    query: Query,
    dictionary: Mapping[str, DatasetSchema],
    price: Price,
    guarantee: Guarantee,
    bounds: ContributionBounds | None = None,
    min_cell: int = 0,
    population: Population | None = None,
) -> MeasurementPlan:
    """Bounds, sensitivities, noise scales and price of a query under a permit's guarantee.

    With `min_cell`, the persons of each cell are counted, as one more aggregate unless the query counts them anyway.
    A `population` changes no sensitivity: see there. Raises InvalidQuery (too many groups, values without bounds) or
    InvalidPrice, naming what would work.
    """
    if query.analysis is None:
        plan = _plan_aggregates(query, dictionary, price, guarantee, bounds, min_cell)
    else:
        plan = _plan_analysis(query, query.analysis, price, guarantee, min_cell)
    return replace(plan, population=population, notes=(*plan.notes, *notes.of_population(population)))


def _plan_aggregates(
    query: Query,
    dictionary: Mapping[str, DatasetSchema],
    price: Price,
    guarantee: Guarantee,
    bounds: ContributionBounds | None,
    min_cell: int,
) -> MeasurementPlan:
    cells = public_cells(query)
    effective = effective_bounds(query, dictionary, bounds)
    needs = _needs(query, cells)
    _check_unknown(query, needs)
    merged, measures = _share(needs, query, min_cell)
    _check_draws(cells, merged)
    levels = _levels(query, cells, effective, min_cell)
    leveled = tuple(replace(need, coarser=not level.finest) for level in levels for need in merged) or merged
    priced = price_channels(leveled, query.aggregates, effective, price, guarantee, cells is None)
    streams, drawn = _channels(leveled, priced, effective)
    channels, *_ = by_level = [drawn[i : i + len(merged)] for i in range(0, len(drawn), len(merged))]
    selection = _selection(channels, effective, priced, min_cell) if cells is None else None
    judge = _persons_of(channels) if min_cell else None
    added = next((channel for need, channel in zip(merged, channels, strict=True) if need.added), None)
    return MeasurementPlan(
        query=query,
        bounds=effective,
        streams=streams,
        channels=channels,
        measures=measures,
        selection=selection,
        cells=cells,
        loss=priced.loss,
        expected=tuple(_expected(m, streams, by_level) for m in measures),
        notes=(
            *notes.of_query(query, effective, streams, selection.threshold if selection else None, min_cell),
            *notes.of_min_cell(min_cell, added),
        ),
        levels=levels,
        level_channels=tuple(by_level) if levels else (),
        min_cell=min_cell,
        judge=judge,
    )


def _plan_analysis(
    query: Query, analysis: Analysis, price: Price, guarantee: Guarantee, min_cell: int
) -> MeasurementPlan:
    """One row of each person, in one group: each part of the analysis is one vector with its own noise."""
    cells, method = public_cells(query), method_of(analysis)
    if cells is None or not query.one_row_per_person:
        raise InvalidQuery(
            "An analysis needs one row of each person, and groups that are known beforehand.",
            hint="Group by person in a sub-query, and by columns with a code list around it.",
        )
    parts = (*method.parts, PERSONS) if min_cell and not method.counts_persons else method.parts
    numbers = len(cells) * sum(part.width for part in parts)
    if numbers > method.most_numbers:
        raise InvalidQuery(
            f"The analysis measures {numbers:,} numbers; {method.most_numbers:,} is the limit.",
            hint="Use fewer groups, or coarser steps.",
        )
    squares = tuple(Fraction(part.l2_squared) for part in parts)
    priced = price_vectors(squares, tuple(part.weight for part in parts), price, guarantee)
    channels = tuple(
        Channel(ChannelKind.VECTOR, None, *numbers) for numbers in zip(squares, priced.rhos, priced.scales, strict=True)
    )
    added = channels[-1] if parts != method.parts else None
    return MeasurementPlan(
        query=query,
        bounds=ContributionBounds(1, 1),
        streams=(),
        channels=channels,
        measures=(),
        selection=None,
        cells=cells,
        loss=priced.loss,
        expected=method.expected(priced.scales),
        notes=(
            "One row of each person counts.",
            *method.notes,
            *notes.of_min_cell(min_cell, added),
        ),
        min_cell=min_cell,
    )


def public_cells(query: Query) -> tuple[Cell, ...] | None:
    """Every combination of the keys' public values, in their order; None if a key has no public domain."""
    domains = [key.domain for key in query.keys]
    if any(domain is not None and len(set(domain)) < len(domain) for domain in domains):
        raise InvalidQuery("A group key names a value twice. Name each group once.")
    if any(domain is None for domain in domains):
        return None
    count = prod(len(domain) for domain in domains if domain is not None)
    if count > MAX_CELLS:
        raise InvalidQuery(
            f"The query has {count:,} groups; at most {MAX_CELLS:,} are released at once.",
            hint="Group by fewer keys, or by coarser bins.",
        )
    if count == 0:
        raise InvalidQuery("A group key has an empty list of values, so no group could ever be released.")
    return tuple(product(*(domain for domain in domains if domain is not None)))


def effective_bounds(
    query: Query, dictionary: Mapping[str, DatasetSchema], asked: ContributionBounds | None
) -> ContributionBounds:
    """The bounds asked for, else the dictionary's defaults, tightened by what the query's form already guarantees."""
    tables = [dictionary[dataset].table[table] for dataset, table in query.weighing or query.tables]
    persons = [table for table in tables if table.kind is not TableKind.LOOKUP]
    groups = asked.groups if asked else max((t.groups_per_person for t in persons), default=1)
    rows = asked.rows if asked else max((t.rows_per_person for t in persons), default=1)
    return ContributionBounds(min(groups, _most_groups(query)), 1 if query.one_row_counts else rows)


def _check_draws(cells: tuple[Cell, ...] | None, needs: tuple[Need, ...]) -> None:
    """Each number that is released takes a draw of noise, some 20 microseconds."""
    bins = [need.stream.bins.nodes if need.stream and need.stream.bins else 1 for need in needs]
    draws = len(cells or ()) * sum(bins)
    if draws > 2 * MAX_DRAWS:
        raise InvalidQuery(
            f"The query measures {draws:,} numbers; {2 * MAX_DRAWS:,} is the limit.",
            hint="Ask for fewer groups, or for fewer aggregates at once.",
        )


def _check_unknown(query: Query, needs: list[tuple[Need, ...]]) -> None:
    """What cannot be afforded while groups are not known: their number is data, so work must not multiply with it."""
    unknown = [key.name for key in query.keys if key.domain is None]
    if len(unknown) > MAX_UNKNOWN:
        raise InvalidQuery(
            f"{len(unknown)} group keys have no public list of values; at most {MAX_UNKNOWN} can be found at once.",
            hint="Group by fewer of them, or name their values: WHERE x IN (…).",
        )
    if unknown and any(need.kind is ChannelKind.HISTOGRAM for group in needs for need in group):
        raise InvalidQuery(
            f"Quantiles need groups that are known beforehand, and {unknown[0]!r} has no public list of values.",
            hint="Name the groups: WHERE x IN (…).",
        )


def _most_groups(query: Query) -> int:
    """Groups one person can be in at all: one, if their rows cannot differ in the keys."""
    if query.one_row_per_person:
        return 1
    varying = [key.domain for key in query.keys if not key.person_level]
    return min(10_000, prod(10_000 if domain is None else len(domain) for domain in varying))


def _needs(query: Query, cells: tuple[Cell, ...] | None) -> list[tuple[Need, ...]]:
    quantiles = sum(a.kind is AggregateKind.QUANTILE for a in query.aggregates)
    share = MAX_DRAWS // (2 * len(cells or ()) * max(1, quantiles) or 1)
    most_bins = UNKNOWN_BINS if cells is None else min(MAX_BINS, max(2, share))
    return [needs_of(aggregate, most_bins) for aggregate in query.aggregates]


def _share(needs: list[tuple[Need, ...]], query: Query, min_cell: int) -> tuple[tuple[Need, ...], tuple[Measure, ...]]:
    """Equal channels become one; its weight is the largest that was asked for it."""
    merged: dict[tuple[ChannelKind, Stream | None], Fraction] = {}
    for need in (n for group in needs for n in group):
        place = (need.kind, need.stream)
        merged[place] = max(need.weight, merged.get(place, need.weight))
    asked = frozenset(merged)
    if min_cell or any(key.domain is None for key in query.keys):
        # partition selection and the minimum cell size need the person count, asked for or not
        merged.setdefault((ChannelKind.PERSONS, None), Fraction(1))
    places = list(merged)
    measures = tuple(
        Measure(aggregate, tuple(places.index((n.kind, n.stream)) for n in group))
        for aggregate, group in zip(query.aggregates, needs, strict=True)
    )
    shared = (Need(*place, weight, added=bool(min_cell) and place not in asked) for place, weight in merged.items())
    return tuple(shared), measures


def _channels(
    needs: tuple[Need, ...], priced: Priced, bounds: ContributionBounds
) -> tuple[tuple[Stream, ...], tuple[Channel, ...]]:
    streams = tuple(dict.fromkeys(need.stream for need in needs if need.stream is not None))
    channels = tuple(
        Channel(
            need.kind, None if need.stream is None else streams.index(need.stream), need.l2_squared(bounds), rho, scale
        )
        for need, rho, scale in zip(needs, priced.rhos, priced.scales, strict=True)
    )
    return streams, channels


def _selection(channels: tuple[Channel, ...], bounds: ContributionBounds, priced: Priced, min_cell: int) -> Selection:
    """A threshold above what delta wants only makes fewer groups show up, so the minimum cell size raises it."""
    position = _persons_of(channels)
    threshold = threshold_for(channels[position].scale, bounds.groups, priced.loss.delta)
    return Selection(position, max(threshold, min_cell), priced.loss.delta)


def _persons_of(channels: tuple[Channel, ...]) -> int:
    """The channel that counts the persons of each cell."""
    return next(i for i, channel in enumerate(channels) if channel.kind is ChannelKind.PERSONS)


def _levels(
    query: Query, cells: tuple[Cell, ...] | None, bounds: ContributionBounds, min_cell: int
) -> tuple[Level, ...]:
    """The levels of ROLLUP, CUBE or GROUPING SETS; refuses what has no sums over groups."""
    if not query.sets:
        return ()
    if cells is None or len(cells) > MOST_CELLS:
        raise InvalidQuery(
            f"Totals at several levels need at most {MOST_CELLS:,} groups, known beforehand.",
            hint="Name the groups, or use wider bands: BIN(x, lo, hi, width).",
        )
    if any(a.kind is AggregateKind.QUANTILE for a in query.aggregates):
        raise InvalidQuery("Quantiles of groups do not add up to those of a total.", hint="Ask one query per level.")
    if bounds.groups > 1 and (min_cell or any(a.kind is AggregateKind.PERSONS for a in query.aggregates)):
        raise InvalidQuery(
            "A person may be in several of these groups, so their persons do not add up to a total.",
            hint="Count rows, ask one query per level, or bound each person to one group.",
        )
    return levels_of(cells, query.sets, tuple(str(position) for position in range(len(query.keys))))


def _expected(measure: Measure, streams: tuple[Stream, ...], by_level: list[tuple[Channel, ...]]) -> float | None:
    """The half width at the widest level."""
    if measure.aggregate.kind not in (AggregateKind.PERSONS, AggregateKind.ROWS, AggregateKind.SUM):
        return None
    channel = max((channels[measure.channels[0]] for channels in by_level), key=lambda channel: channel.scale)
    step = streams[channel.stream].grid.step if channel.stream is not None else Fraction(1)
    return float(half_width(channel.scale) * step)
