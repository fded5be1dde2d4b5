"""The compiled inner loops: fixed point, group codes, and walks over rows sorted by person.

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
    last = first + table.size - 1
    for i in range(codes.size):
        # compared before subtracting: the difference of far values would wrap around
        digit = table[values[i] - first] if first <= values[i] <= last else -1
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
def _rank_rows(
    values: Ints, below: Ints, where: Ints, size: int, seed: np.uint64, ranks: Words, table: Ints, seen: Ints
) -> None:
    """Ranks of rows `where`: a hash of each row's content and of how many equal rows came before it.

    Equal rows are interchangeable, so numbering them makes the choice fair to frequent values without making it depend
    on order. `table` is an open-addressing hash table of positions, at least four times the size.
    """
    slots = 4
    while slots < 2 * size:
        slots *= 2
    for empty in range(slots):
        table[empty] = -1
    for i in range(size):
        value, under = values[where[i]], below[where[i]]
        content = _mix(_mix(seed ^ np.uint64(value)) + np.uint64(under))
        slot = np.int64(content & np.uint64(slots - 1))
        while table[slot] >= 0 and (values[where[table[slot]]] != value or below[where[table[slot]]] != under):
            slot = (slot + 1) & (slots - 1)
        if table[slot] < 0:
            table[slot], seen[i] = i, 0
        seen[table[slot]] += 1
        ranks[i] = _mix(content + np.uint64(seen[table[slot]]) * np.uint64(0x9E3779B97F4A7C15))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def person_seed(person: int, key: Words) -> np.uint64:
    """What the order of a person's groups and rows starts from."""
    seed: np.uint64 = _mix(np.uint64(person) ^ key[0]) ^ key[1]
    return seed


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def keep_groups(persons: Ints, codes: Ints, cell_hashes: Words, groups: int, key: Words, counts: Ints) -> None:
    """Of each person at most `groups` cells; rows of the others get code -1. Adds the persons of each cell to `counts`.

    `persons` sorted and `codes` (-1: in no cell), shape (rows,); `cell_hashes` and `counts`, shape (cells,).
    """
    stamp = np.full(counts.size, -1, np.int64)
    mine = np.empty(counts.size, np.int64)
    ranks = np.empty(counts.size, np.uint64)
    chosen, chosen_ranks = np.empty(groups, np.int64), np.empty(groups, np.uint64)
    start = 0
    while start < persons.size:
        size = 0
        stop = start
        while stop < persons.size and persons[stop] == persons[start]:
            cell = codes[stop]
            if cell >= 0 and stamp[cell] != start:
                stamp[cell] = start
                mine[size] = cell
                size += 1
            stop += 1
        if size <= groups:
            for i in range(size):
                counts[mine[i]] += 1
        else:
            seed = person_seed(persons[start], key)
            for i in range(size):
                ranks[i] = _mix(seed ^ cell_hashes[mine[i]])
                stamp[mine[i]] = -1
            _smallest(ranks, size, groups, chosen, chosen_ranks)
            for i in range(groups):
                stamp[mine[chosen[i]]] = start
                counts[mine[chosen[i]]] += 1
            for row in range(start, stop):
                if codes[row] >= 0 and stamp[codes[row]] != start:
                    codes[row] = -1
        start = stop


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _choose(
    codes: Ints, values: Ints, below: Ints, start: int, stop: int, rows: int, seed: np.uint64, cell_hashes: Words,
    present: Ints, keep: NDArray[np.bool_], scratch: Ints, ranks: Words, chosen: Ints, chosen_ranks: Words,
) -> None:  # fmt: skip
    """Mark in `keep` the rows of one person that count: all of a cell, or the first `rows` in the keyed order.

    `present` is zero for every cell before and after. `scratch` has room for six, `ranks` for one number for each row.
    """
    most = stop - start
    where, seen, table = scratch[:most], scratch[most : 2 * most], scratch[2 * most :]
    for row in range(start, stop):
        keep[row - start] = codes[row] >= 0 and values[row] != MISSING and below[row] != MISSING
        if keep[row - start]:
            present[codes[row]] += 1
    for at in range(start, stop):
        cell = codes[at]
        if not keep[at - start] or present[cell] <= rows:
            continue
        size = 0
        for row in range(at, stop):
            if codes[row] == cell and keep[row - start]:
                where[size] = row
                size += 1
        _rank_rows(values, below, where, size, _mix(seed + cell_hashes[cell]), ranks, table, seen)
        _smallest(ranks, size, rows, chosen, chosen_ranks)
        for i in range(size):
            keep[where[i] - start] = False
        for i in range(rows):
            keep[where[chosen[i]] - start] = True
        # what is kept of this cell is settled
        present[cell] = 0
    for row in range(start, stop):
        if codes[row] >= 0:
            present[codes[row]] = 0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_stream(
    persons: Ints, codes: Ints, cell_hashes: Words, values: Ints, below: Ints, rows: int, key: Words,
    centre: int, shift: int, square_centre: int, low: int, width: int, bins: int,
    count: Ints, total: Ints, squares: Ints, denominator: Ints, histogram: Ints,
) -> None:  # fmt: skip
    """Add at most `rows` rows of each person in each cell, of those where value and denominator are there.

    In: `codes` as `keep_groups` left them; `values` and `below` in fixed point. `shift` < 0 means no squares, `bins` 0
    no histogram. Out, each (cells,): count, total of (value - centre), squares of the same shifted and centred,
    denominator; `histogram` (cells * bins,).
    """
    present = np.zeros(count.size, np.int64)
    room = 64
    keep, scratch, ranks = np.ones(room, np.bool_), np.empty(6 * room, np.int64), np.empty(room, np.uint64)
    chosen, chosen_ranks = np.empty(rows, np.int64), np.empty(rows, np.uint64)
    start = 0
    while start < persons.size:
        stop = start + 1
        while stop < persons.size and persons[stop] == persons[start]:
            stop += 1
        crowded = stop - start > rows
        if crowded:
            if stop - start > room:
                room = 2 * (stop - start)
                keep, scratch, ranks = np.ones(room, np.bool_), np.empty(6 * room, np.int64), np.empty(room, np.uint64)
            _choose(
                codes, values, below, start, stop, rows, person_seed(persons[start], key), cell_hashes,
                present, keep, scratch, ranks, chosen, chosen_ranks,
            )  # fmt: skip
        for row in range(start, stop):
            cell, value, under = codes[row], values[row], below[row]
            if cell < 0 or value == MISSING or under == MISSING or (crowded and not keep[row - start]):
                continue
            distance = value - centre
            count[cell] += 1
            total[cell] += distance
            denominator[cell] += under
            if shift >= 0:
                squares[cell] += ((distance * distance) >> shift) - square_centre
            if bins > 0:
                histogram[cell * bins + (value - low if width == 1 else (value - low) // width)] += 1
        start = stop
