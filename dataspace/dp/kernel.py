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


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _add(stream: Ints, value: int, below: int, cell: int, totals: Ints, histogram: Ints) -> None:
    """One row's weight in the totals of its cell; the count is added elsewhere."""
    distance = value - stream[CENTRE]
    totals[SUM, cell] += distance
    totals[SQUARES, cell] += ((distance * distance) >> stream[SHIFT]) - stream[SQUARE_CENTRE]
    totals[DENOMINATOR, cell] += below
    if stream[BINS] > 0:
        histogram[stream[OFFSET] + cell * stream[BINS] + (value - stream[LOW]) // stream[WIDTH]] += 1


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
    size = persons.size
    cells = counts.size
    stamp = np.full(cells, -1, np.int64)
    present = np.zeros(cells, np.int64)
    mine = np.empty(cells, np.int64)
    kept = np.empty(groups, np.int64)
    kept_ranks = np.empty(groups, np.uint64)
    cell_ranks = np.empty(0, np.uint64)
    room = 64
    first, second = np.empty(room, np.int64), np.empty(room, np.int64)
    ranks, seen, table = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(4 * room, np.int64)
    chosen, chosen_ranks = np.empty(rows, np.int64), np.empty(rows, np.uint64)
    start = 0
    while start < size:
        person = persons[start]
        stop = start
        mine_size = 0
        while stop < size and persons[stop] == person:
            cell = codes[stop]
            if cell >= 0 and stamp[cell] != start:
                stamp[cell] = start
                mine[mine_size] = cell
                mine_size += 1
            stop += 1
        seed = _mix(np.uint64(person) ^ key[0]) ^ key[1]
        if mine_size > groups:
            if cell_ranks.size == 0:
                cell_ranks = np.empty(cells, np.uint64)
            for i in range(mine_size):
                cell_ranks[i] = _mix(seed ^ cell_hashes[mine[i]])
                stamp[mine[i]] = -1
            _smallest(cell_ranks, mine_size, groups, kept, kept_ranks)
            for i in range(groups):
                kept[i] = mine[kept[i]]
            mine[:groups] = kept
            mine_size = groups
            for i in range(groups):
                stamp[mine[i]] = start
        for i in range(mine_size):
            counts[mine[i]] += 1
        for s in range(streams.shape[0]):
            stream = streams[s]
            value_column, below_column = stream[VALUE], stream[BELOW]
            if mine_size == 0:
                break
            for i in range(mine_size):
                present[mine[i]] = 0
            for t in range(start, stop):
                cell = codes[t]
                if cell < 0 or stamp[cell] != start:
                    continue
                if value_column >= 0 and columns[value_column, t] == MISSING:
                    continue
                if below_column >= 0 and columns[below_column, t] == MISSING:
                    continue
                present[cell] += 1
            for i in range(mine_size):
                totals[s, COUNT, mine[i]] += min(present[mine[i]], rows)
            if stream[CHOOSES] == 0:
                continue
            crowded = False
            for t in range(start, stop):
                cell = codes[t]
                if cell < 0 or stamp[cell] != start:
                    continue
                if present[cell] > rows:
                    crowded = True
                    continue
                value = columns[value_column, t]
                below = columns[below_column, t] if below_column >= 0 else 0
                if value != MISSING and below != MISSING:
                    _add(stream, value, below, cell, totals[s], histogram)
            if not crowded:
                continue
            if stop - start > room:
                while room < stop - start:
                    room *= 2
                first, second = np.empty(room, np.int64), np.empty(room, np.int64)
                ranks, seen, table = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(4 * room, np.int64)
            for i in range(mine_size):
                cell = mine[i]
                if present[cell] <= rows:
                    continue
                many = 0
                for t in range(start, stop):
                    if codes[t] != cell:
                        continue
                    value = columns[value_column, t]
                    below = columns[below_column, t] if below_column >= 0 else 0
                    if value != MISSING and below != MISSING:
                        first[many], second[many] = value, below
                        many += 1
                _rank_rows(first, second, many, _mix(seed + cell_hashes[cell]), ranks, table, seen)
                _smallest(ranks, many, rows, chosen, chosen_ranks)
                for j in range(rows):
                    _add(stream, first[chosen[j]], second[chosen[j]], cell, totals[s], histogram)
        start = stop
