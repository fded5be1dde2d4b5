"""The compiled inner loops: fixed point, group codes, and one walk over rows sorted by person.

Everything is whole numbers. Nothing here knows what a column means; `bounding` prepares the arrays and gives the proof
that no sum can overflow. Hashes are keyed mixings of the row's or the group's content with the person, so which rows
are kept depends on that person's rows and the snapshot's secret alone, not on the order in which rows arrive.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

MISSING = np.iinfo(np.int64).min
"""In fixed-point columns: NULL, NaN or an infinity."""

COUNT, SUM, SQUARES, DENOMINATOR = 0, 1, 2, 3
"""Rows of the totals of a stream."""

# columns of the stream description
VALUE, BELOW, CENTRE, SHIFT, SQUARE_CENTRE, LOW, WIDTH, BINS, OFFSET, CHOOSES = range(10)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fixed_point(values: NDArray[np.float64], step: float, low: int, high: int, out: Ints) -> None:
    """Nearest multiple of the step, clamped to [low, high]; MISSING stays missing and is never clamped."""
    for i in range(values.size):
        scaled = values[i] / step
        if not np.isfinite(values[i]):
            out[i] = MISSING
        elif scaled <= low:
            out[i] = low
        elif scaled >= high:
            out[i] = high
        else:
            out[i] = np.int64(np.rint(scaled))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_digit(codes: Ints, values: Ints, first: int, table: Ints, radix: int) -> None:
    """codes = codes * radix + table[value - first]; -1, for good, where the value has no place in the table."""
    for i in range(codes.size):
        place = values[i] - first
        digit = table[place] if values[i] >= first and place < table.size else -1
        codes[i] = codes[i] * radix + digit if digit >= 0 and codes[i] >= 0 else -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def is_sorted(persons: Ints) -> bool:
    for i in range(1, persons.size):  # noqa: SIM110  compiled
        if persons[i] < persons[i - 1]:
            return False
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _mix(word: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _smallest(ranks: Words, size: int, keep: int, chosen: Ints, chosen_ranks: Words) -> None:
    """Positions of the `keep` smallest of the first `size` ranks, by insertion into a sorted buffer."""
    held = 0
    for i in range(size):
        rank = ranks[i]
        if held == keep and rank >= chosen_ranks[held - 1]:
            continue
        place = held if held < keep else held - 1
        while place > 0 and chosen_ranks[place - 1] > rank:
            chosen[place], chosen_ranks[place] = chosen[place - 1], chosen_ranks[place - 1]
            place -= 1
        chosen[place], chosen_ranks[place] = i, rank
        held = min(held + 1, keep)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rank_rows(first: Ints, second: Ints, size: int, seed: np.uint64, ranks: Words, table: Ints, seen: Ints) -> None:
    """A hash of each row's content and of how many equal rows came before it.

    Equal rows are interchangeable, so numbering them makes the choice fair to frequent values without making it depend
    on order. `table` is an open-addressing hash table of positions, at least twice the size and a power of two.
    """
    slots = 4
    while slots < 2 * size:
        slots *= 2
    table[:slots] = -1
    for i in range(size):
        content = _mix(_mix(seed ^ np.uint64(first[i])) + np.uint64(second[i]))
        slot = np.int64(content & np.uint64(slots - 1))
        while table[slot] >= 0 and (first[table[slot]] != first[i] or second[table[slot]] != second[i]):
            slot = (slot + 1) & (slots - 1)
        if table[slot] < 0:
            table[slot], seen[i] = i, 0
        seen[table[slot]] += 1
        ranks[i] = _mix(content + np.uint64(seen[table[slot]]) * np.uint64(0x9E3779B97F4A7C15))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(streams: Ints, s: int, value: int, below: int, cell: int, totals: Ints, histogram: Ints) -> None:
    """One row's weight in the totals of its cell; the count is added elsewhere."""
    distance = value - streams[s, CENTRE]
    totals[s, SUM, cell] += distance
    if streams[s, SHIFT] >= 0:
        totals[s, SQUARES, cell] += ((distance * distance) >> streams[s, SHIFT]) - streams[s, SQUARE_CENTRE]
    if streams[s, BELOW] >= 0:
        totals[s, DENOMINATOR, cell] += below
    if streams[s, BINS] > 0:
        histogram[streams[s, OFFSET] + cell * streams[s, BINS] + (value - streams[s, LOW]) // streams[s, WIDTH]] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _there(streams: Ints, s: int, columns: Ints, row: int) -> bool:
    """Whether the row has all the values that the stream needs."""
    value, below = streams[s, VALUE], streams[s, BELOW]
    return (value < 0 or columns[value, row] != MISSING) and (below < 0 or columns[below, row] != MISSING)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_row(streams: Ints, s: int, columns: Ints, row: int, cell: int, totals: Ints, histogram: Ints) -> None:
    value = columns[streams[s, VALUE], row]
    below = columns[streams[s, BELOW], row] if streams[s, BELOW] >= 0 else 0
    _add(streams, s, value, below, cell, totals, histogram)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_all(
    streams: Ints, s: int, codes: Ints, stamp: Ints, columns: Ints, start: int, stop: int, totals: Ints, histogram: Ints
) -> None:
    """A person who has no more rows than count in one group: every row of the kept cells."""
    for row in range(start, stop):
        cell = codes[row]
        if cell >= 0 and stamp[cell] == start and _there(streams, s, columns, row):
            totals[s, COUNT, cell] += 1
            if streams[s, CHOOSES]:
                _add_row(streams, s, columns, row, cell, totals, histogram)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cells_of(codes: Ints, stamp: Ints, start: int, stop: int, mine: Ints) -> int:
    """The distinct cells of rows start to stop, into `mine`; their stamp becomes `start`."""
    size = 0
    for row in range(start, stop):
        cell = codes[row]
        if cell >= 0 and stamp[cell] != start:
            stamp[cell] = start
            mine[size] = cell
            size += 1
    return size


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _keep_cells(
    mine: Ints, size: int, groups: int, start: int, seed: np.uint64, hashes: Words, stamp: Ints, ranks: Words
) -> None:
    """Of a person's cells the `groups` that come first in the keyed order, to the front of `mine`; others unstamped."""
    for i in range(size):
        ranks[i] = _mix(seed ^ hashes[mine[i]])
        stamp[mine[i]] = -1
    chosen, chosen_ranks = np.empty(groups, np.int64), np.empty(groups, np.uint64)
    _smallest(ranks, size, groups, chosen, chosen_ranks)
    for i in range(groups):
        chosen[i] = mine[chosen[i]]
    mine[:groups] = chosen
    for i in range(groups):
        stamp[mine[i]] = start


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_crowded(
    streams: Ints,
    s: int,
    codes: Ints,
    cell: int,
    columns: Ints,
    start: int,
    stop: int,
    keep: int,
    seed: np.uint64,
    totals: Ints,
    histogram: Ints,
    room: tuple[Ints, Ints, Words, Ints, Ints, Ints, Words],
) -> None:
    """The `keep` rows that come first in the keyed order, of a cell where the person has more."""
    first, second, ranks, seen, table, chosen, chosen_ranks = room
    size = 0
    for row in range(start, stop):
        if codes[row] == cell and _there(streams, s, columns, row):
            first[size] = columns[streams[s, VALUE], row]
            second[size] = columns[streams[s, BELOW], row] if streams[s, BELOW] >= 0 else 0
            size += 1
    _rank_rows(first, second, size, seed, ranks, table, seen)
    _smallest(ranks, size, keep, chosen, chosen_ranks)
    for i in range(keep):
        _add(streams, s, first[chosen[i]], second[chosen[i]], cell, totals, histogram)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_rows(
    streams: Ints,
    s: int,
    codes: Ints,
    stamp: Ints,
    columns: Ints,
    start: int,
    stop: int,
    mine: Ints,
    size: int,
    present: Ints,
) -> None:
    """Rows of each kept cell that have the stream's values, into `present`."""
    for i in range(size):
        present[mine[i]] = 0
    for row in range(start, stop):
        cell = codes[row]
        if cell >= 0 and stamp[cell] == start and _there(streams, s, columns, row):
            present[cell] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _room(rows: int, keep: int) -> tuple[Ints, Ints, Words, Ints, Ints, Ints, Words]:
    """Scratch arrays for a person of up to `rows` rows."""
    return (
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
        np.empty(rows, np.uint64),
        np.empty(rows, np.int64),
        np.empty(4 * rows, np.int64),
        np.empty(keep, np.int64),
        np.empty(keep, np.uint64),
    )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def walk(
    persons: Ints,
    codes: Ints,
    cell_hashes: Words,
    columns: Ints,
    streams: Ints,
    groups: int,
    rows: int,
    key: Words,
    counts: Ints,
    totals: Ints,
    histogram: Ints,
) -> None:
    """Add each person's bounded contribution to the totals.

    `persons` sorted, shape (n,); `codes` the cell of each row or -1, (n,); `columns` fixed point, (grids, n); `streams`
    (streams, 10); out: `counts` persons in each cell, (cells,); `totals` (streams, 4, cells); `histogram` flat.
    """
    stamp = np.full(counts.size, -1, np.int64)
    present = np.zeros(counts.size, np.int64)
    mine = np.empty(counts.size, np.int64)
    cell_ranks = np.empty(counts.size, np.uint64)
    room = _room(64, rows)
    start = 0
    while start < persons.size:
        stop = start + 1
        while stop < persons.size and persons[stop] == persons[start]:
            stop += 1
        size = _cells_of(codes, stamp, start, stop, mine)
        seed = _mix(np.uint64(persons[start]) ^ key[0]) ^ key[1]
        if size > groups:
            _keep_cells(mine, size, groups, start, seed, cell_hashes, stamp, cell_ranks)
            size = groups
        for i in range(size):
            counts[mine[i]] += 1
        for s in range(streams.shape[0] if size > 0 else 0):
            if stop - start <= rows:
                _add_all(streams, s, codes, stamp, columns, start, stop, totals, histogram)
                continue
            _count_rows(streams, s, codes, stamp, columns, start, stop, mine, size, present)
            for i in range(size):
                totals[s, COUNT, mine[i]] += min(present[mine[i]], rows)
            if not streams[s, CHOOSES]:
                continue
            for row in range(start, stop):
                cell = codes[row]
                if cell >= 0 and stamp[cell] == start and present[cell] <= rows and _there(streams, s, columns, row):
                    _add_row(streams, s, columns, row, cell, totals, histogram)
            if stop - start > room[0].size:
                room = _room(2 * (stop - start), rows)
            for i in range(size):
                if present[mine[i]] > rows:
                    row_seed = _mix(seed + cell_hashes[mine[i]])
                    _add_crowded(
                        streams, s, codes, mine[i], columns, start, stop, rows, row_seed, totals, histogram, room
                    )
        start = stop
