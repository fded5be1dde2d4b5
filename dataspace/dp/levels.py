"""ROLLUP, CUBE and GROUPING SETS: totals at several levels, each measured, then made to add up.

Every level is a sum over the finest groups, measured with its own noise. Post-processing replaces all levels by the
nearest numbers, in squares weighted by their noise, for which each total is the sum of its groups (least squares, as
for trees of counts: Hay, Rastogi, Miklau and Suciu 2010): no number gets less accurate, most get more.

Sensitivity: a person adds at most c to one number of at most g of the finest groups, so sqrt(g) c in L2 norm there. At
a coarser level all of these may fall into one group: g c.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catalog.schema import Scalar

Floats = NDArray[np.float64]
Cell = tuple[Scalar | None, ...]

EVERYTHING = "all"
"""Level of one total over everything. A rolled-up key is None, as in SQL."""

MOST_CELLS = 1_000
"""Finest groups of a query with levels: least squares over more would take seconds."""


@dataclass(frozen=True)
class Level:
    """One grouping set: its rows' labels, and which of them each of the finest groups belongs to."""

    labels: tuple[Cell, ...]
    members: tuple[int, ...]

    @property
    def finest(self) -> bool:
        return len(self.labels) == len(self.members)

    def sums(self, numbers: Sequence[int]) -> list[int]:
        """Totals of this level from whole numbers of the finest groups."""
        totals = [0] * len(self.labels)
        for place, number in zip(self.members, numbers, strict=True):
            totals[place] += int(number)
        return totals


def levels_of(cells: tuple[Cell, ...], sets: tuple[tuple[int, ...], ...], names: tuple[str, ...]) -> tuple[Level, ...]:
    """The levels of grouping sets (positions of the keys that are kept), each with the keys' `names` as its label."""
    return tuple(_level(cells, kept, names) for kept in sets)


def _level(cells: tuple[Cell, ...], kept: tuple[int, ...], names: tuple[str, ...]) -> Level:
    label = ", ".join(names[position] for position in kept) or EVERYTHING
    places: dict[Cell, int] = {}
    members = []
    for cell in cells:
        rolled = tuple(value if position in kept else None for position, value in enumerate(cell))
        members.append(places.setdefault((*rolled, label), len(places)))
    return Level(tuple(places), tuple(members))


@dataclass(frozen=True)
class Fitted:
    """Numbers of all levels, one after the other, that add up; and the deviation of each."""

    numbers: Floats
    scales: Floats


def fitted(levels: tuple[Level, ...], noisy: Sequence[Sequence[int]], scales: Sequence[float]) -> Fitted:
    """The nearest consistent numbers to noisy ones, level by level with noise of these deviations."""
    least = min(scales)
    weights = tuple(round(least / scale, 12) if least > 0 else 1.0 for scale in scales)
    each = np.repeat(weights, [len(level.labels) for level in levels])
    basis = _basis(levels, weights)
    weighted = np.concatenate([np.array(numbers, dtype=np.float64) for numbers in noisy]) * each
    numbers: Floats = basis @ (basis.T @ weighted) / each
    deviations: Floats = np.sqrt((basis**2).sum(axis=1)) / each * least
    return Fitted(numbers, deviations)


@lru_cache(maxsize=16)
def _basis(levels: tuple[Level, ...], weights: tuple[float, ...]) -> Floats:
    """An orthonormal basis of the consistent numbers, weighted: least squares is the projection on it."""
    blocks = []
    for level, weight in zip(levels, weights, strict=True):
        block = np.zeros((len(level.labels), len(level.members)))
        block[level.members, np.arange(len(level.members))] = weight
        blocks.append(block)
    left, values, _ = np.linalg.svd(np.vstack(blocks), full_matrices=False)
    return left[:, values > 1e-9 * values[0]]
