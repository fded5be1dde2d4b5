"""Ranks of a person's groups and of the rows in them, for the contribution index: a small compiled kernel.

Rows come sorted by person. Sorting each person's few rows by themselves is an order of magnitude faster than sorting
all rows again by person and group.
"""

import numpy as np
from numba import njit

SMALL = 24
"""Rows up to which a person's rows are sorted by insertion."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def group_ranks(starts: np.ndarray, cells: np.ndarray, orders: np.ndarray, group: np.ndarray, row: np.ndarray) -> None:
    """Write for each row the rank of its group, negative unless it is the group's first row, and its rank within it.

    `starts` (persons + 1) are where each person's rows begin, `cells` (rows) the groups as numbers, `orders` (rows) the
    keyed hash of each group; a person's groups are ranked by it, ties by the group's number, rows in their order.
    """
    for person in range(len(starts) - 1):
        start, end = starts[person], starts[person + 1]
        if end - start == 1:
            group[start] = 1
            row[start] = 1
            continue
        sorted_ = _sorted(cells[start:end], orders[start:end])
        rank, within = 0, 0
        for n in range(end - start):
            i = start + sorted_[n]
            if n == 0 or cells[i] != cells[start + sorted_[n - 1]]:
                rank += 1
                within = 0
            within += 1
            group[i] = rank if within == 1 else -rank
            row[i] = within


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sorted(cells: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Positions in the order of the keyed hash, then the group's number, then the rows' own order."""
    n = len(cells)
    if n > SMALL:
        # stable, so the groups' numbers break ties of the hash and the rows' own order those of the number
        by_cell = np.argsort(cells, kind="mergesort")
        return by_cell[np.argsort(orders[by_cell], kind="mergesort")]
    positions = np.arange(n)
    for i in range(1, n):
        current = positions[i]
        j = i - 1
        while j >= 0 and _after(positions[j], current, cells, orders):
            positions[j + 1] = positions[j]
            j -= 1
        positions[j + 1] = current
    return positions


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _after(one: int, other: int, cells: np.ndarray, orders: np.ndarray) -> bool:
    if orders[one] != orders[other]:
        return bool(orders[one] > orders[other])
    return bool(cells[one] > cells[other])
