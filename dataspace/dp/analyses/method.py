"""What every analysis states: the vectors a person adds to, how much at most, and how to read them with noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.schema import Scalar
from dataspace.domain.releases import Estimate
from dataspace.dp.accuracy import Z

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

ABSENT = np.iinfo(np.int64).min
"""In rows of whole numbers: a value that may be missing and is."""

MOST_NUMBERS = 100_000
"""Noise draws of one query, about two seconds."""

CHUNK = 2**16
"""Rows that are multiplied out at a time."""


@dataclass(frozen=True)
class Part:
    """A vector of `width` whole numbers for each group; one person changes it by at most sqrt(`l2_squared`) in L2 norm.

    `weight` is its part of the price.
    """

    width: int
    l2_squared: int
    weight: Fraction


@dataclass(frozen=True)
class Noisy:
    """A part of one group with its noise, whose standard deviation is `scale`."""

    numbers: list[int]
    scale: float

    @property
    def floats(self) -> Floats:
        return np.array(self.numbers, dtype=np.float64)


@dataclass(frozen=True)
class Line:
    """One row of an analysis' answer: its labels and its estimates.

    `persons` is the noisy number of persons it tells about, None where that is not measured. Only its first `own`
    estimates are about them alone, None if all are: the rest are of all lines together.
    """

    labels: tuple[Scalar | None, ...]
    estimates: tuple[Estimate, ...]
    persons: float | None = None
    own: int | None = None


PERSONS = Part(1, 1, Fraction(1, 10))
"""The persons of a group: measured for the permit's minimum cell size where the analysis itself does not count them."""


class Method(Protocol):
    """An analysis that is measured once: exact sums, noise, then a table for each group."""

    counts_persons: ClassVar[bool]
    """True if its lines know how many persons they tell about."""

    @property
    def parts(self) -> tuple[Part, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def most_numbers(self) -> int:
        """The most numbers that one query may measure, for the time that noise and reading take."""
        ...

    def expected(self, scales: Sequence[float], /) -> tuple[float | None, ...]:
        """Half widths of the intervals of each column, None where they depend on the answer."""
        ...

    def whole(self, values: Floats) -> tuple[Ints, Flags]:
        """Rows in whole numbers, shape (rows, …), and which of them count; each row by itself, bit for bit."""
        ...

    def sums(self, rows: Ints) -> list[Ints]:
        """What rows of whole numbers, one of each person, add to each part."""
        ...

    def lines(self, noisy: Sequence[Noisy]) -> list[Line]:
        """The answer of one group; sees nothing but noisy numbers."""
        ...


def centred(value: float, deviation: float) -> Estimate:
    """A statistic with a normal 95 % interval."""
    return Estimate(value, value - Z * deviation, value + Z * deviation)


def plain(value: float | None) -> Estimate:
    """A number without an interval of its own."""
    return Estimate(value, None, None)


def complete(values: Floats) -> Flags:
    """Rows without a missing value."""
    return np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)


def scaled(values: Floats, low: float, high: float, steps: int) -> Ints:
    """Numbers of [low, high] as whole numbers of [-steps, steps]; beyond the bounds they are clamped."""
    middle, half = (low + high) / 2, (high - low) / 2
    whole: Ints = np.rint(np.clip((values - middle) / half, -1.0, 1.0) * steps).astype(np.int64)
    return whole


def upper_triangle(size: int) -> tuple[Ints, Ints]:
    """Row and column of each entry of a symmetric matrix that is kept."""
    rows, columns = np.triu_indices(size)
    return rows.astype(np.int64), columns.astype(np.int64)


def symmetric(numbers: Floats, size: int) -> Floats:
    """The matrix of an upper triangle."""
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = numbers
    return matrix + np.triu(matrix, 1).T


def noise_of_product(vector: Floats, deviation: float) -> Floats:
    """Covariance of (symmetric matrix of independent noise) x vector.

    An entry of the matrix off its diagonal is in two entries of the product, hence the correlation.
    """
    squares = float(vector @ vector)
    return deviation**2 * (squares * np.eye(vector.size) + np.outer(vector, vector) - np.diag(vector**2))


def lost(matrix: Floats, deviation: float) -> bool:
    """True if noise of this deviation in each entry might make the matrix singular.

    The largest eigenvalue of symmetric noise is about 2 sqrt(size) deviations (Wigner 1955); the matrix is used only
    if its smallest is at least twice that, from where first-order intervals hold (measured in the tests).
    """
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    return smallest <= 0 or smallest < 4 * sqrt(matrix.shape[0]) * deviation
