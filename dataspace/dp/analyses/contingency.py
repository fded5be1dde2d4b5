"""Two-way tables with a test of independence that knows about the noise.

The plain chi-square test takes noise for dependence and rejects far too often. Here each squared difference is divided
by the variance of sampling and noise together, and the p-value comes from a Monte Carlo null distribution: tables drawn
with the noisy margins as if independent, with the same noise added (Gaboardi, Lim, Rogers and Vadhan 2016). The draws
are seeded by the released table, so that anyone can repeat them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import product
from math import sqrt
from typing import ClassVar

import numpy as np

from catalog.schema import Scalar
from dataspace.dp.accuracy import Z, half_width
from dataspace.dp.analyses.method import Flags, Floats, Ints, Line, Noisy, Part, complete, plain
from dataspace.dp.intervals import UNKNOWN, counted

DRAWS = 4_999
"""Tables of the null distribution."""

MOST_PERSONS = 2**40
"""Persons of a simulated table; noise could make up more, no data can."""

MOST_SIMULATED = 10_000
"""Numbers of one query: each is drawn once for every simulated table, about a second and a half."""


@dataclass(frozen=True)
class Independence:
    """`rows` and `columns` are the public values of the two variables; persons with neither are not counted."""

    rows: tuple[Scalar, ...]
    columns: tuple[Scalar, ...]
    counts_persons: ClassVar[bool] = True

    @property
    def parts(self) -> tuple[Part, ...]:
        return (Part(len(self.rows) * len(self.columns), 1, Fraction(1)),)

    @property
    def notes(self) -> tuple[str, ...]:
        return (
            "Persons where one of the two variables is missing are not counted.",
            f"The test accounts for the noise; its p-value comes from {DRAWS:,} simulated tables and is repeated on "
            "each row of the table.",
        )

    @property
    def most_numbers(self) -> int:
        return MOST_SIMULATED

    def expected(self, scales: Sequence[float], /) -> tuple[float | None, ...]:
        return float(half_width(scales[0])), None, None, None, None

    def whole(self, values: Floats) -> tuple[Ints, Flags]:
        """The cell that a row of (position, position) counts in."""
        keep = complete(values)
        places = np.where(keep[:, None], values, 0.0).astype(np.int64)
        limits = np.array([len(self.rows), len(self.columns)])
        keep = keep & ((places >= 0) & (places < limits)).all(axis=1)
        return (places[:, 0] * len(self.columns) + places[:, 1])[:, None], keep

    def sums(self, rows: Ints) -> list[Ints]:
        return [np.bincount(rows[:, 0], minlength=self.parts[0].width).astype(np.int64)]

    def lines(self, noisy: Sequence[Noisy]) -> list[Line]:
        numbers, scale = noisy[0].numbers, noisy[0].scale
        table = np.array(numbers, dtype=np.float64).reshape(len(self.rows), len(self.columns))
        total = float(table.sum())
        freedom = float((table.shape[0] - 1) * (table.shape[1] - 1))
        tested = independence(table, scale)
        expected = [UNKNOWN] * table.size if tested is None else [plain(float(e)) for e in tested.expected.ravel()]
        shared = (
            plain(None if tested is None else tested.statistic),
            plain(freedom),
            plain(None if tested is None else tested.p_value),
        )
        return [
            Line(labels, (counted(count, scale), expectation, *shared), persons=min(count, total), own=1)
            for labels, count, expectation in zip(product(self.rows, self.columns), numbers, expected, strict=True)
        ]


@dataclass(frozen=True)
class Tested:
    """Expected counts under independence, shape of the table, the statistic and its p-value."""

    expected: Floats
    statistic: float
    p_value: float


def independence(table: Floats, scale: float) -> Tested | None:
    """The test on a noisy table of counts; None if the table is lost in its noise."""
    total = float(table.sum())
    if total <= max(1.0, Z * scale * sqrt(table.size)):
        return None
    expected = _expected(table[None])[0]
    observed = float(_statistics(table[None], scale)[0])
    seed = int.from_bytes(sha256(repr((table.astype(np.int64).tolist(), scale)).encode()).digest()[:8], "little")
    simulated = _null(expected / expected.sum(), round(total), scale, np.random.default_rng(seed))
    # the observed table is one of those that could be drawn
    above = int((simulated >= observed * (1 - 1e-12)).sum())
    return Tested(expected, observed, (1 + above) / (DRAWS + 1))


def _null(shares: Floats, total: int, scale: float, random: np.random.Generator) -> Floats:
    """Statistics of tables of `total` persons with these shares, noise added."""
    tables = random.multinomial(min(total, MOST_PERSONS), shares.ravel() / shares.sum(), size=DRAWS).astype(np.float64)
    tables += np.rint(random.normal(0.0, scale, tables.shape)) if scale > 0 else 0.0
    return _statistics(tables.reshape(DRAWS, *shares.shape), scale)


def _expected(tables: Floats) -> Floats:
    """Counts that independence would give with the same margins, shape (tables, rows, columns)."""
    down, across = (np.maximum(tables.sum(axis=axis), 0.0) for axis in (2, 1))
    total = np.maximum(tables.sum(axis=(1, 2)), 1.0)
    products: Floats = down[:, :, None] * across[:, None, :] / total[:, None, None]
    return products


def _statistics(tables: Floats, scale: float) -> Floats:
    """Sum of squared differences from independence, each over the variance of sampling and noise."""
    expected = _expected(tables)
    variance = expected + scale**2
    terms = np.divide((tables - expected) ** 2, variance, out=np.zeros_like(tables), where=variance > 0)
    sums: Floats = terms.sum(axis=(1, 2))
    return sums
