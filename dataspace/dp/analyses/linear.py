"""Linear regression from noisy moments: all products of two of (1, covariates, outcome), measured once.

Each variable is moved to [-1, 1] in `STEPS` whole steps, so that every product of a row is at most STEPS² and the upper
triangle of p(p + 1) / 2 products has squared norm at most STEPS⁴ p (p + 1) / 2, reached by a row in a corner.

The normal equations are solved as they are, without a ridge: a ridge would move the coefficients to zero and the
intervals off the truth. Where noise could make them singular, no coefficient is given. Intervals add the noise of both
sides of the equations (to first order) to the usual variance of least squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from dataspace.dp.analyses.method import (
    CHUNK,
    MOST_NUMBERS,
    Flags,
    Floats,
    Ints,
    Line,
    Noisy,
    Part,
    centred,
    complete,
    lost,
    noise_of_product,
    scaled,
    symmetric,
    upper_triangle,
)
from dataspace.dp.intervals import UNKNOWN

STEPS = 2**15
"""Whole steps from the middle of a variable's range to its end; a product of two is at most 2^30."""

INTERCEPT = "(intercept)"


@dataclass(frozen=True)
class Range:
    """A variable's name and public bounds."""

    name: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class LinearRegression:
    outcome: Range
    covariates: tuple[Range, ...]
    counts_persons: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """One, the covariates, the outcome."""
        return len(self.covariates) + 2

    @property
    def parts(self) -> tuple[Part, ...]:
        entries = self.size * (self.size + 1) // 2
        return (Part(entries, entries * STEPS**4, Fraction(1)),)

    @property
    def notes(self) -> tuple[str, ...]:
        return (
            "Persons where the outcome or a covariate is missing are not counted.",
            *(clamped(variable) for variable in (self.outcome, *self.covariates)),
            "Coefficients are in the variables' own units; their intervals cover sampling and noise.",
        )

    @property
    def most_numbers(self) -> int:
        return MOST_NUMBERS

    def expected(self, _scales: Sequence[float], /) -> tuple[float | None, ...]:
        return (None,)

    def whole(self, values: Floats) -> tuple[Ints, Flags]:
        """One, the covariates, the outcome, each in steps of its half range; `values` has the outcome first."""
        keep = complete(values)
        values = np.where(keep[:, None], values, 0.0)
        columns = [np.full(len(values), STEPS, np.int64)]
        for place, variable in (*enumerate(self.covariates, start=1), (0, self.outcome)):
            columns.append(scaled(values[:, place], variable.low, variable.high, STEPS))
        return np.column_stack(columns), keep

    def sums(self, rows: Ints) -> list[Ints]:
        first, second = upper_triangle(self.size)
        products = np.zeros((self.size, self.size), np.int64)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            products += part.T @ part
        return [products[first, second]]

    def lines(self, noisy: Sequence[Noisy]) -> list[Line]:
        unit = float(STEPS) ** 2
        moments, deviation = symmetric(noisy[0].floats / unit, self.size), noisy[0].scale / unit
        names = (INTERCEPT, *(variable.name for variable in self.covariates))
        # the first moment is that of one with one
        persons = float(moments[0, 0])
        fitted = least_squares(moments, deviation)
        if fitted is None:
            return [Line((name,), (UNKNOWN,), persons) for name in names]
        back = in_own_units(self.covariates, self.outcome)
        values = back @ np.append(fitted[0], 1.0)
        spread = np.sqrt(np.diag(back[:, :-1] @ fitted[1] @ back[:, :-1].T))
        return [
            Line((name,), (centred(float(value), float(deviation)),), persons)
            for name, value, deviation in zip(names, values, spread, strict=True)
        ]


def clamped(variable: Range) -> str:
    return f"{variable.name} is clamped to {variable.low:g} to {variable.high:g}."


def least_squares(moments: Floats, deviation: float) -> tuple[Floats, Floats] | None:
    """Coefficients and their covariance from noisy moments of (covariates, outcome); None if lost in the noise."""
    inner, towards = moments[:-1, :-1], moments[:-1, -1]
    if lost(inner, deviation):
        return None
    size = inner.shape[0]
    inverse = np.linalg.inv(inner)
    found = inverse @ towards
    direction = np.append(-found, 1.0)
    residual = _residual(moments, direction, deviation) / max(1.0, float(moments[0, 0]) - size)
    noise = noise_of_product(direction, deviation)[:-1, :-1]
    return found, inverse @ (noise + residual * inner) @ inverse


def _residual(moments: Floats, direction: Floats, deviation: float) -> float:
    """Sum of squared residuals; not below the deviation of its own noise."""
    squares = direction**2
    off_diagonal = float(squares.sum()) ** 2 - float((squares**2).sum())
    spread = deviation * float(np.sqrt((squares**2).sum() + 2 * off_diagonal))
    return max(float(direction @ moments @ direction), spread, 0.0)


def in_own_units(covariates: tuple[Range, ...], outcome: Range | None) -> Floats:
    """The linear map from coefficients on [-1, 1], and a last 1, to coefficients in the variables' own units.

    Without an outcome (logistic regression) only the covariates have units.
    """
    size = len(covariates) + 1
    rise, level = (1.0, 0.0) if outcome is None else (outcome.half, outcome.middle)
    back = np.zeros((size, size + 1))
    back[0, 0], back[0, -1] = rise, level
    for place, variable in enumerate(covariates, start=1):
        back[place, place] = rise / variable.half
        back[0, place] = -rise * variable.middle / variable.half
    return back
