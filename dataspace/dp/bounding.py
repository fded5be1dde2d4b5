"""Exact whole-number totals with each person's contribution bounded, bucket by bucket.

All rows of a person are in one bucket, so buckets are independent and their totals add up. `AT_ONCE` threads each read
a bucket and walk it with the compiled kernel; memory holds that many buckets whatever the size of the data. Inside a
bucket totals are 64 bit: every row adds at most `grids.LARGEST` = 2^31 to a number and a bucket has under 2^31 rows,
so no sum reaches 2^62. Across buckets they are Python's whole numbers.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from dataspace.domain.privacy import PICO, PrivacyLoss
from dataspace.dp import kernel
from dataspace.dp.accountant import epsilon_of
from dataspace.dp.analyses.logistic import warm_tables
from dataspace.dp.grids import Grid
from dataspace.dp.indexed import is_indexed, read_index
from dataspace.dp.kernel import Ints, Words
from dataspace.dp.measures import ChannelKind, Stream
from dataspace.dp.noise import OpenDPNoise
from dataspace.dp.people import aggregate_people
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.rows import Rows
from dataspace.dp.scan import numbers, rows_sql
from dataspace.dp.totals import ExactTable
from dataspace.dp.unknown import found_keys, local_cells, local_readers

MOST_ROWS = 2**31

AT_ONCE = 2
"""Threads, and so buckets in memory at the same time. `Rows.scan` is called from each of them."""


@dataclass(frozen=True)
class _Sums:
    """What the kernel adds up for a stream, shape (cells,); the histogram's bins follow each other cell by cell."""

    count: Ints
    total: Ints
    squares: Ints
    denominator: Ints
    histogram: Ints

    @classmethod
    def zero(cls, cells: int, stream: Stream) -> "_Sums":
        bins = stream.bins.count if stream.bins else 0
        one, two, three, four = (np.zeros(cells, np.int64) for _ in range(4))
        return cls(one, two, three, four, np.zeros(cells * bins, np.int64))

    @property
    def arrays(self) -> tuple[Ints, ...]:
        """In the order of the kernel's arguments."""
        return self.count, self.total, self.squares, self.denominator, self.histogram


@dataclass(frozen=True)
class Walked:
    """What the kernel made of one bucket: persons of each cell, and the sums of each stream."""

    cells: tuple[Cell, ...]
    persons: Ints
    sums: tuple[_Sums, ...]


def aggregate(rows: Rows, plan: MeasurementPlan, key: bytes) -> ExactTable:
    """Totals of the plan's channels over all buckets.

    `key` (16 bytes or more) is the snapshot's secret: with it, which groups and rows of a person are kept is fixed, so
    a repeated question meets the same sample. An analysis needs no choice: it has one row of each person.
    """
    if plan.query.analysis is not None:
        return aggregate_people(rows, plan)
    merged = _Merged(plan)
    if is_indexed(plan):
        # finding a population takes memory with its size, so it is found bucket by bucket
        for part in [None] if plan.population is None else range(rows.buckets):
            totals = read_index(rows, plan, part)
            merged.add(totals.cells, totals.channels)
        return merged.exact()
    hashes = None if plan.cells is None else cell_hashes(plan.cells, key)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for walked in pool.map(lambda bucket: walk_bucket(rows, plan, bucket, hashes, key), range(rows.buckets)):
            merged.add(walked.cells, tuple(_part(walked, plan, c) for c, _ in enumerate(plan.channels)))
    return merged.exact()


def walk_bucket(rows: Rows, plan: MeasurementPlan, bucket: int, hashes: Words | None, key: bytes) -> Walked:
    """Read one bucket and bound it; `hashes` are the public cells', None if a key is unknown."""
    keys = plan.query.keys if plan.cells is not None else found_keys(rows, plan.query, bucket)
    readers = local_readers(keys)
    table = rows.scan(rows_sql(plan.query, readers), bucket)
    if table.num_rows >= MOST_ROWS:
        raise OverflowError("a bucket has more rows than the overflow proof allows")
    if plan.cells is None or hashes is None:
        codes, cells = local_cells(table, keys, readers)
        return _walk(table, codes, cells, cell_hashes(cells, key), plan, key)
    codes = np.zeros(table.num_rows, np.int64)
    for position, reader in enumerate(readers):
        if reader is not None:
            reader.digits(table.column(f"k{position}"), codes)
    return _walk(table, codes, plan.cells, hashes, plan, key)


def _walk(
    table: pa.Table, codes: Ints, cells: tuple[Cell, ...], hashes: Words, plan: MeasurementPlan, key: bytes
) -> Walked:
    """One bucket's bounded totals."""
    # a copy, because the compiled code is another one for Arrow's read-only arrays
    persons = np.array(numbers(table, "person_key"), dtype=np.int64)
    columns = _fixed_columns(table, plan.streams)
    if not kernel.is_sorted(persons):
        order = np.argsort(persons, kind="stable")
        persons, codes = persons[order], codes[order]
        columns = {place: column[order] for place, column in columns.items()}
    counts = np.zeros(len(cells), np.int64)
    words, groups = _words(key), min(plan.bounds.groups, max(1, len(cells)))
    kernel.keep_groups(persons, codes, hashes, groups, words, counts)
    nothing = np.zeros(persons.size if plan.streams else 0, np.int64)
    sums = []
    for number, stream in enumerate(plan.streams):
        values, below = _of_stream(stream, columns, nothing)
        out = _Sums.zero(len(cells), stream)
        squared = any(c.kind is ChannelKind.SQUARES and c.stream == number for c in plan.channels)
        kernel.add_stream(
            persons, codes, hashes, values, below, stream.rows(plan.bounds), words,
            *_described(stream, squared), *out.arrays,
        )  # fmt: skip
        sums.append(out)
    return Walked(cells, counts, tuple(sums))


def cell_hashes(cells: tuple[Cell, ...], key: bytes) -> Words:
    """Keyed hash of each cell's content: the same for equal cells, whatever their position."""
    digests = (blake2b(repr(cell).encode(), key=key[:64], digest_size=8).digest() for cell in cells)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _words(key: bytes) -> Words:
    """Two 64-bit words for the kernel's hashes, made from the secret."""
    if len(key) < 16:
        raise ValueError("the secret that fixes which rows are kept has at least 16 bytes")
    return np.frombuffer(blake2b(b"kept rows", key=key[:64], digest_size=16).digest(), dtype="<u8").astype(np.uint64)


Place = tuple[int | None, Grid]
"""A value column of the query and the grid it is read on."""


def _columns_of(stream: Stream) -> tuple[Place, Place]:
    """Where a stream's values and denominators are found; the centre does not change fixed-point values."""
    pairs = (stream.value, stream.grid), (stream.denominator, stream.denominator_grid)
    value, below = ((column, Grid(grid.step, grid.low, grid.high)) for column, grid in pairs)
    return value, below


def _fixed_columns(table: pa.Table, streams: tuple[Stream, ...]) -> dict[Place, Ints]:
    """Fixed-point columns, each read once."""
    columns: dict[Place, Ints] = {}
    for value, grid in {place for stream in streams for place in _columns_of(stream)}:
        if value is not None:
            floats, out = np.asarray(numbers(table, f"v{value}"), dtype=np.float64), np.empty(table.num_rows, np.int64)
            kernel.fixed_point(floats, float(grid.step), grid.low, grid.high, out)
            columns[value, grid] = out
    return columns


def _of_stream(stream: Stream, columns: dict[Place, Ints], nothing: Ints) -> tuple[Ints, Ints]:
    """Values and denominators of a stream, zero where it has none.

    With a denominator, a row that misses one of the two adds zero there, and is missing if it misses both.
    """
    values, below = (columns.get(place, nothing) for place in _columns_of(stream))
    if stream.denominator is None:
        return values, below
    no_value, no_below = values == kernel.MISSING, below == kernel.MISSING
    values = np.where(no_value & ~no_below, 0, values)
    return values, np.where(no_below, 0, below)


def _described(stream: Stream, squared: bool) -> tuple[int, int, int, int, int, int]:
    """centre, shift, square_centre, low, width and bins of the kernel's add_stream."""
    grid, bins = stream.grid, stream.bins
    shift = grid.square_shift if squared else -1
    return grid.centre, shift, grid.square_centre, grid.low, *((bins.width, bins.count) if bins else (1, 0))


class _Merged:
    """Totals over the buckets so far: for each channel an array (cells, numbers) of Python's whole numbers."""

    def __init__(self, plan: MeasurementPlan) -> None:
        self.plan = plan
        self.index = {cell: position for position, cell in enumerate(plan.cells or ())}
        self.sums = [np.zeros((len(self.index), plan.width(c)), object) for c in range(len(plan.channels))]

    def add(self, cells: tuple[Cell, ...], channels: tuple[Ints, ...]) -> None:
        """Add a bucket's numbers, channel by channel, cell after cell."""
        places = slice(None) if self.plan.cells is not None else self._places(cells)
        for sums, added in zip(self.sums, channels, strict=True):
            sums[places] += added.reshape(len(cells), sums.shape[1]).astype(object)

    def exact(self) -> ExactTable:
        return ExactTable(tuple(self.index), tuple(tuple(sums.ravel().tolist()) for sums in self.sums))

    def _places(self, cells: tuple[Cell, ...]) -> Ints:
        """Where the cells of a bucket are kept; new ones get a place."""
        places = np.array([self.index.setdefault(cell, len(self.index)) for cell in cells], np.int64)
        grown = len(self.index)
        self.sums = [np.vstack([s, np.zeros((grown - len(s), s.shape[1]), object)]) for s in self.sums]
        return places


def _part(walked: Walked, plan: MeasurementPlan, channel: int) -> Ints:
    """A channel's numbers of one bucket, cell after cell."""
    kind, stream = plan.channels[channel].kind, plan.channels[channel].stream
    return walked.persons if stream is None else _TAKEN[kind](walked.sums[stream])


_TAKEN: dict[ChannelKind, Callable[[_Sums], Ints]] = {
    ChannelKind.COUNT: lambda sums: sums.count,
    ChannelKind.SUM: lambda sums: sums.total,
    ChannelKind.SQUARES: lambda sums: sums.squares,
    ChannelKind.DENOMINATOR: lambda sums: sums.denominator,
    ChannelKind.HISTOGRAM: lambda sums: sums.histogram,
}


def warm() -> None:
    """Compile or load the kernel and OpenDP, so that no query waits for them."""
    one, words = np.zeros(1, np.int64), np.zeros(2, np.uint64)
    for write in (True, False):
        floats, whole = np.zeros(1), np.zeros(1, np.int64)
        # Arrow's arrays are read-only, which is another type for the compiler
        floats.flags.writeable = whole.flags.writeable = write
        kernel.fixed_point(floats, 1.0, 0, 1, one)
        kernel.add_digit(one, whole, 0, np.zeros(1, np.int64), 1)
    kernel.is_sorted(one)
    kernel.keep_groups(one, np.zeros(1, np.int64), words[:1], 1, words, np.zeros(1, np.int64))
    stream = Stream(0)
    kernel.add_stream(
        one, one, words[:1], one, one, 1, words, *_described(stream, True), *_Sums.zero(1, stream).arrays
    )  # fmt: skip
    OpenDPNoise().gaussian([0], 1.0, Fraction(1), Fraction(1))
    epsilon_of(PrivacyLoss(PICO), Decimal("1e-6"))
    warm_tables()
