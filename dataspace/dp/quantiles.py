"""Quantiles from noisy histograms: least squares over a tree of counts, then the noise band of the cumulative counts.

The tree's levels are measured with equal noise and reconciled by ordinary least squares (Hay, Rastogi, Miklau and Suciu
2010), which is the best linear unbiased estimate of the bins. All of it is post-processing.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dataspace.domain.releases import Estimate
from dataspace.dp.accuracy import Z
from dataspace.dp.grids import Bins, Grid

Floats = NDArray[np.float64]


def nodes_of(leaves: NDArray[np.object_], bins: Bins) -> list[int]:
    """Counts of every block of every level from exact bins of shape (cells, count); flat, cell after cell."""
    parts = [np.add.reduceat(leaves, np.arange(0, bins.count, block), axis=1) for block in bins.blocks]
    return [int(n) for n in np.hstack(parts).ravel()]


def bins_from(nodes: Floats, bins: Bins) -> Floats:
    """Least-squares bins, shape (cells, count), from noisy nodes of shape (cells, nodes)."""
    return nodes @ _tree(bins).weights.T


def quantile(counts: Floats, at: float, scale: float, grid: Grid, bins: Bins) -> Estimate:
    """Smallest value that at least the share `at` of rows do not exceed, from one cell's least-squares bins.

    The interval holds every value at which the cumulative count could cross that share within its noise. Nothing is
    known (the whole range) where the rows are lost in the noise.
    """
    # how far the cumulative count is above the share of the total, bin by bin; its noise is in the same unit
    excess = np.cumsum(counts) - at * counts.sum()
    band = Z * scale * _tree(bins).deviation(at)
    low = int(np.argmax(excess + band >= 0)) if (excess + band >= 0).any() else bins.count - 1
    open_above = np.concatenate([[True], (excess - band <= 0)[:-1]])
    high = int(np.flatnonzero(open_above)[-1])
    total = float(counts.sum())
    middle = int(np.argmax(np.maximum.accumulate(excess) >= -1e-6 * max(1.0, abs(total))))
    known = total > Z * scale * _tree(bins).total_deviation
    low, high = (low, high) if known else (0, bins.count - 1)
    value = _value(min(max(middle, low), high), grid, bins, middle=True) if known else None
    return Estimate(value, _value(low, grid, bins), _value(high, grid, bins, last=True))


def _value(position: int, grid: Grid, bins: Bins, *, middle: bool = False, last: bool = False) -> float:
    """The value a bin stands for: its first, its middle or its last point."""
    first = grid.low + position * bins.width
    until = min(first + bins.width - 1, grid.high)
    return grid.as_number((first + until) / 2 if middle else until if last else first)


@dataclass(frozen=True, eq=False)
class _Tree:
    """Of a tree's shape: least-squares weights (count, nodes), and the covariance of cumulative counts."""

    weights: Floats
    covariance: Floats

    def deviation(self, at: float) -> Floats:
        """Standard deviation of (cumulative count - at x total) for noise of scale 1, bin by bin."""
        with_total = self.covariance[:, -1]
        squared = np.diag(self.covariance) - 2 * at * with_total + at**2 * self.covariance[-1, -1]
        deviations: Floats = np.sqrt(np.maximum(squared, 0.0))
        return deviations

    @property
    def total_deviation(self) -> float:
        return float(np.sqrt(self.covariance[-1, -1]))


@lru_cache(maxsize=16)
def _tree(bins: Bins) -> _Tree:
    rows = [
        (np.arange(bins.count) // block)[None, :] == np.arange(-(-bins.count // block))[:, None]
        for block in bins.blocks
    ]
    design = np.vstack(rows).astype(np.float64)
    inverse = np.linalg.inv(design.T @ design)
    return _Tree(inverse @ design.T, np.cumsum(np.cumsum(inverse, axis=0), axis=1))
