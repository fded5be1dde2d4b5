"""The slow, obvious twin of the bounding kernel and of the zero-noise answers: plain Python over dictionaries.

It shares with the engine only the definition of the order in which groups and rows are kept (SplitMix64's finaliser
over content hashes), written down a second time.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from hashlib import blake2b
from math import ceil, isfinite, sqrt
from typing import Any

from dataspace.domain.queries import Aggregate, AggregateKind
from dataspace.dp.grids import Grid
from dataspace.dp.measures import Channel, ChannelKind, Stream
from dataspace.dp.plan import Cell, MeasurementPlan

Row = Mapping[str, Any]
Pair = tuple[int, int]
"""A row's value and denominator in grid steps, 0 where the stream has none."""

WORD = 2**64 - 1


def mix(word: int) -> int:
    word &= WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return word ^ (word >> 31)


def cell_hash(cell: Cell, key: bytes) -> int:
    return int.from_bytes(blake2b(repr(cell).encode(), key=key, digest_size=8).digest(), "little")


def person_seed(person: int, key: bytes) -> int:
    words = blake2b(b"kept rows", key=key, digest_size=16).digest()
    first, second = int.from_bytes(words[:8], "little"), int.from_bytes(words[8:], "little")
    return mix((person & WORD) ^ first) ^ second


def kept_rows(rows: Sequence[Row], plan: MeasurementPlan, key: bytes) -> dict[tuple[Cell, int], list[Row]]:
    """Rows of each (cell, person) after at most `groups` cells of each person are kept."""
    by_person: dict[int, dict[Cell, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        cell = tuple(row[f"k{i}"] for i in range(len(plan.query.keys)))
        domains = [k.domain for k in plan.query.keys]
        if all(domain is None or value in domain for domain, value in zip(domains, cell, strict=True)):
            by_person[row["person_key"]][cell].append(row)
    kept = {}
    for person, cells in by_person.items():
        order = sorted(cells, key=lambda cell: mix(person_seed(person, key) ^ cell_hash(cell, key)))
        for cell in order[: plan.bounds.groups]:
            kept[cell, person] = cells[cell]
    return kept


def steps(value: float | None, grid: Grid) -> int | None:
    """Fixed point: None where missing, else the nearest multiple of the step, clamped."""
    if value is None or not isfinite(value):
        return None
    scaled = value / float(grid.step)
    return grid.low if scaled <= grid.low else grid.high if scaled >= grid.high else round(scaled)


def pairs(rows: Sequence[Row], stream: Stream) -> list[Pair]:
    found = []
    for row in rows:
        value = 0 if stream.value is None else steps(row[f"v{stream.value}"], stream.grid)
        below = 0 if stream.denominator is None else steps(row[f"v{stream.denominator}"], stream.denominator_grid)
        if stream.denominator is not None and (value is not None or below is not None):
            # a row that misses one of the two adds nothing there
            found.append((value or 0, below or 0))
        elif value is not None and below is not None:
            found.append((value, below))
    return found


def chosen(rows: Sequence[Row], stream: Stream, limit: int, seed: int) -> list[Pair]:
    """At most `limit` of the rows that have a value, by the rank of (content, how many equal ones came before)."""
    there = pairs(rows, stream)
    if len(there) <= limit:
        return there
    seen: Counter[Pair] = Counter()
    ranked = []
    for value, below in there:
        seen[value, below] += 1
        content = mix(mix(seed ^ (value & WORD)) + (below & WORD))
        ranked.append((mix(content + seen[value, below] * 0x9E3779B97F4A7C15), (value, below)))
    return [pair for _, pair in sorted(ranked)[:limit]]


def chosen_by_cell(rows: Sequence[Row], plan: MeasurementPlan, stream: Stream, key: bytes) -> dict[Cell, list[Pair]]:
    by_cell: dict[Cell, list[Pair]] = defaultdict(list)
    for (cell, person), mine in kept_rows(rows, plan, key).items():
        seed = mix(person_seed(person, key) + cell_hash(cell, key))
        by_cell[cell] += chosen(mine, stream, stream.rows(plan.bounds), seed)
    return by_cell


def persons_by_cell(rows: Sequence[Row], plan: MeasurementPlan, key: bytes) -> dict[Cell, int]:
    return Counter(cell for cell, _ in kept_rows(rows, plan, key))


def channel_totals(rows: Sequence[Row], plan: MeasurementPlan, channel: Channel, key: bytes) -> dict[Cell, list[int]]:
    """A channel's numbers of each cell; cells without anything may be absent."""
    if channel.stream is None:
        return {cell: [count] for cell, count in persons_by_cell(rows, plan, key).items()}
    stream = plan.streams[channel.stream]
    by_cell = chosen_by_cell(rows, plan, stream, key)
    return {cell: _total(there, channel.kind, stream) for cell, there in by_cell.items()}


def _total(there: list[Pair], kind: ChannelKind, stream: Stream) -> list[int]:
    grid = stream.grid
    if kind is ChannelKind.COUNT:
        return [len(there)]
    if kind is ChannelKind.SUM:
        return [sum(value - grid.centre for value, _ in there)]
    if kind is ChannelKind.SQUARES:
        return [sum(((value - grid.centre) ** 2 >> grid.square_shift) - grid.square_centre for value, _ in there)]
    if kind is ChannelKind.DENOMINATOR:
        return [sum(below for _, below in there)]
    assert stream.bins is not None
    counts = Counter((value - grid.low) // stream.bins.width for value, _ in there)
    return [counts[position] for position in range(stream.bins.count)]


def answer(rows: Sequence[Row], plan: MeasurementPlan, aggregate: Aggregate, key: bytes) -> dict[Cell, float | None]:
    """What a zero-noise release says, straight from the definition of the aggregate on the kept rows."""
    position = plan.query.aggregates.index(aggregate)
    channel = plan.channels[plan.measures[position].channels[0]]
    if channel.stream is None:
        return {cell: float(count) for cell, count in persons_by_cell(rows, plan, key).items()}
    stream = plan.streams[channel.stream]
    return {c: _answer(there, aggregate, stream) for c, there in chosen_by_cell(rows, plan, stream, key).items()}


def _answer(there: list[Pair], aggregate: Aggregate, stream: Stream) -> float | None:
    kind, grid = aggregate.kind, stream.grid
    values = sorted(value * grid.step for value, _ in there)
    if kind in (AggregateKind.PERSONS, AggregateKind.ROWS):
        return float(len(there))
    if kind is AggregateKind.SUM:
        return float(sum(values))
    if kind is AggregateKind.RATE:
        below = sum(below for _, below in there) * stream.denominator_grid.step
        return float(sum(values) / below) if below > 0 else None
    if not values:
        return None
    if kind in (AggregateKind.MEAN, AggregateKind.PROPORTION):
        return float(sum(values) / len(values))
    if kind is AggregateKind.QUANTILE:
        return _quantile(there, aggregate, stream)
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    variance = float(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return sqrt(variance) if kind is AggregateKind.STDDEV else variance


def _quantile(there: list[Pair], aggregate: Aggregate, stream: Stream) -> float:
    assert stream.bins is not None
    assert aggregate.quantile is not None
    grid, width = stream.grid, stream.bins.width
    ordered = sorted(value for value, _ in there)
    place = max(1, ceil(Fraction(aggregate.quantile) * len(ordered)))
    first = grid.low + (ordered[place - 1] - grid.low) // width * width
    return float(Fraction(first + min(first + width - 1, grid.high), 2) * grid.step)
