"""Exact whole-number totals with each person's contribution bounded, bucket by bucket.

All rows of a person are in one bucket, so buckets are independent and their totals add up. One bucket at a time is read
while the previous one is walked by the compiled kernel in another thread; memory holds two buckets whatever the size of
the data. Inside a bucket totals are 64 bit: every row adds at most `grids.LARGEST` = 2^31 to a number and a bucket has
fewer than 2^31 rows, so no sum reaches 2^62. Across buckets they are Python's whole numbers.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from dataspace.domain.privacy import PICO, PrivacyLoss
from dataspace.dp import kernel
from dataspace.dp.accountant import epsilon_of
from dataspace.dp.grids import Grid
from dataspace.dp.kernel import Ints, Words
from dataspace.dp.measures import ChannelKind, Stream
from dataspace.dp.noise import OpenDPNoise
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.scan import KeyReader, numbers, reader_of, rows_sql
from dataspace.dp.totals import ExactTable
from dataspace.dp.unknown import local_cells
from dataspace.services.ports import Rows

MOST_ROWS = 2**31

AT_ONCE = 2
"""Buckets in memory at the same time."""


@dataclass(frozen=True)
class Walked:
    """What the kernel made of one bucket: persons (cells,), totals (streams, 4, cells), histograms, flat."""

    cells: tuple[Cell, ...]
    persons: Ints
    totals: Ints
    histogram: Ints
    starts: tuple[int, ...]


def aggregate(rows: Rows, plan: MeasurementPlan, key: bytes) -> ExactTable:
    """Totals of the plan's channels over all buckets.

    `key` (16 bytes or more) is the snapshot's secret: with it, which groups and rows of a person are kept is fixed, so
    a repeated question meets the same sample.
    """
    readers = [None if k.domain is None else reader_of(i, k) for i, k in enumerate(plan.query.keys)]
    sql = rows_sql(plan.query, [f"k{i}" if reader is None else reader.sql for i, reader in enumerate(readers)])
    hashes = None if plan.cells is None else cell_hashes(plan.cells, key)
    merged = _Merged(plan)
    with ThreadPoolExecutor(AT_ONCE - 1) as pool:
        waiting: list[Future[Walked]] = []
        for bucket in range(rows.buckets):
            table = rows.scan(sql, bucket)
            while len(waiting) >= AT_ONCE - 1:
                merged.add(waiting.pop(0).result())
            waiting.append(pool.submit(walk_bucket, table, plan, readers, hashes, key))
            del table
        for future in waiting:
            merged.add(future.result())
    return merged.exact()


def walk_bucket(
    table: pa.Table, plan: MeasurementPlan, readers: list[KeyReader | None], hashes: Words | None, key: bytes
) -> Walked:
    """One bucket's bounded totals."""
    if table.num_rows >= MOST_ROWS:
        raise OverflowError("a bucket has more rows than the overflow proof allows")
    persons = np.asarray(numbers(table, "person_key"), dtype=np.int64)
    if plan.cells is None or hashes is None:
        codes, cells = local_cells(table, plan.query.keys, readers)
        hashes = cell_hashes(cells, key)
    else:
        codes, cells = np.zeros(table.num_rows, np.int64), plan.cells
        for position, reader in enumerate(readers):
            if reader is not None:
                reader.digits(table.column(f"k{position}"), codes)
    columns, places = _fixed_columns(table, plan.streams)
    if not kernel.is_sorted(persons):
        order = np.argsort(persons, kind="stable")
        persons, codes, columns = persons[order], codes[order], np.ascontiguousarray(columns[:, order])
    return _walk(persons, codes, cells, hashes, columns, _described(plan, places, len(cells)), plan, key)


def _walk(
    persons: Ints,
    codes: Ints,
    cells: tuple[Cell, ...],
    hashes: Words,
    columns: Ints,
    streams: Ints,
    plan: MeasurementPlan,
    key: bytes,
) -> Walked:
    counts = np.zeros(len(cells), np.int64)
    totals = np.zeros((len(plan.streams), 4, len(cells)), np.int64)
    bins = streams[:, kernel.BINS] * len(cells)
    histogram = np.zeros(int(bins.sum()), np.int64)
    groups, rows = min(plan.bounds.groups, max(1, len(cells))), plan.bounds.rows
    kernel.walk(
        persons, codes, hashes, columns, streams, groups, rows, _words(key), counts, totals, histogram
    )  # fmt: skip
    return Walked(cells, counts, totals, histogram, tuple(streams[:, kernel.OFFSET].tolist()))


def cell_hashes(cells: tuple[Cell, ...], key: bytes) -> Words:
    """Keyed hash of each cell's content: the same for equal cells, whatever their position."""
    digests = (blake2b(repr(cell).encode(), key=key[:64], digest_size=8).digest() for cell in cells)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _words(key: bytes) -> Words:
    """Two 64-bit words for the kernel's hashes, made from the secret."""
    if len(key) < 16:
        raise ValueError("the secret that fixes which rows are kept has at least 16 bytes")
    return np.frombuffer(blake2b(b"kept rows", key=key[:64], digest_size=16).digest(), dtype="<u8").astype(np.uint64)


def _fixed_columns(table: pa.Table, streams: tuple[Stream, ...]) -> tuple[Ints, dict[tuple[int, Grid], int]]:
    """Fixed-point columns, shape (columns, rows), and which of them holds a value on a grid."""
    wanted = dict.fromkeys(place for stream in streams for place in _columns_of(stream))
    columns = np.empty((len(wanted), table.num_rows), np.int64)
    for out, (value, grid) in zip(columns, wanted, strict=True):
        floats = np.asarray(numbers(table, f"v{value}"), dtype=np.float64)
        kernel.fixed_point(floats, float(grid.step), grid.low, grid.high, out)
    return columns, {place: position for position, place in enumerate(wanted)}


def _columns_of(stream: Stream) -> Iterator[tuple[int, Grid]]:
    # the centre does not change the fixed-point values
    for value, grid in ((stream.value, stream.grid), (stream.denominator, stream.denominator_grid)):
        if value is not None:
            yield value, Grid(grid.step, grid.low, grid.high)


def _described(plan: MeasurementPlan, places: dict[tuple[int, Grid], int], cells: int) -> Ints:
    """The kernel's description of the streams, shape (streams, 10)."""
    streams, squared = plan.streams, {c.stream for c in plan.channels if c.kind is ChannelKind.SQUARES}
    table, offset = np.zeros((len(streams), 10), np.int64), 0
    for number, (row, stream) in enumerate(zip(table, streams, strict=True)):
        where = [places[place] for place in _columns_of(stream)]
        grid, bins = stream.grid, stream.bins
        width, count = (bins.width, bins.count) if bins else (1, 0)
        chooses = grid.high > grid.low or grid.reach > 0 or stream.denominator is not None
        row[:] = (
            where[0] if stream.value is not None else -1,
            where[-1] if stream.denominator is not None else -1,
            grid.centre, grid.square_shift if number in squared else -1, grid.square_centre, grid.low, width, count, offset,
            int(chooses or count > 0),
        )  # fmt: skip
        offset += count * cells
    return table


class _Merged:
    """Totals over the buckets so far: for each channel an array (cells, numbers) of Python's whole numbers."""

    def __init__(self, plan: MeasurementPlan) -> None:
        self.plan = plan
        self.index = {cell: position for position, cell in enumerate(plan.cells or ())}
        self.sums = [np.zeros((len(self.index), self._width(c)), object) for c in range(len(plan.channels))]

    def add(self, walked: Walked) -> None:
        places = slice(None) if self.plan.cells is not None else self._places(walked.cells)
        for channel, sums in enumerate(self.sums):
            sums[places] += self._part(walked, channel).reshape(len(walked.cells), sums.shape[1]).astype(object)

    def exact(self) -> ExactTable:
        return ExactTable(tuple(self.index), tuple(tuple(sums.ravel().tolist()) for sums in self.sums))

    def _places(self, cells: tuple[Cell, ...]) -> Ints:
        """Where the cells of a bucket are kept; new ones get a place."""
        places = np.array([self.index.setdefault(cell, len(self.index)) for cell in cells], np.int64)
        grown = len(self.index)
        self.sums = [np.vstack([s, np.zeros((grown - len(s), s.shape[1]), object)]) for s in self.sums]
        return places

    def _width(self, channel: int) -> int:
        """How many numbers a channel has for each cell."""
        described = self.plan.channels[channel]
        bins = None if described.stream is None else self.plan.streams[described.stream].bins
        return bins.count if bins and described.kind is ChannelKind.HISTOGRAM else 1

    def _part(self, walked: Walked, channel: int) -> Ints:
        """A channel's numbers of one bucket, cell after cell."""
        kind, stream = self.plan.channels[channel].kind, self.plan.channels[channel].stream
        if stream is None:
            return walked.persons
        if kind is ChannelKind.HISTOGRAM:
            start = walked.starts[stream]
            return walked.histogram[start : start + self._width(channel) * len(walked.cells)]
        totals: Ints = walked.totals[stream, _ROW_OF[kind]]
        return totals


_ROW_OF = {
    ChannelKind.COUNT: kernel.COUNT,
    ChannelKind.SUM: kernel.SUM,
    ChannelKind.SQUARES: kernel.SQUARES,
    ChannelKind.DENOMINATOR: kernel.DENOMINATOR,
}


def warm() -> None:
    """Compile or load the kernel and OpenDP, so that no query waits for them."""
    ints, words = np.zeros(1, np.int64), np.zeros(2, np.uint64)
    column, stream = np.zeros((1, 1), np.int64), np.array([[0, -1, 0, 0, 0, 0, 1, 1, 0, 1]], np.int64)
    kernel.fixed_point(np.zeros(1), 1.0, 0, 1, ints)
    kernel.add_digit(ints, np.zeros(1, np.int64), 0, np.zeros(1, np.int64), 1)
    kernel.is_sorted(ints)
    totals = np.zeros((1, 4, 1), np.int64)
    kernel.walk(
        ints, ints, words[:1], column, stream, 1, 1, words, np.zeros(1, np.int64), totals, np.zeros(1, np.int64)
    )
    OpenDPNoise().gaussian([0], 1.0, Fraction(1), Fraction(1))
    epsilon_of(PrivacyLoss(PICO), Decimal("1e-6"))
