"""Logistic regression by noisy Newton steps: a fixed public number of rounds, each one measurement of all rows.

A round measures the gradient and the Hessian of the log-likelihood at the coefficients found so far. Everything of a
row is whole numbers, tables included, so that a row's part does not depend on its neighbours in an array: scores are
exact integers, the logistic function is a table over scores.

Sensitivity: with m variables in [-STEPS, STEPS] and a probability from the table, a row's gradient has norm at most
|residual| STEPS sqrt(m), its Hessian's upper triangle that of |weight| STEPS² sqrt(m (m + 1) / 2). A row that the model
is unsure of has a large Hessian and a small gradient, so the two together cost hardly more than the gradient alone: the
bound is the largest sum over the table, computed exactly. The early rounds need only come near; most of the price goes
into the last two, and the noise of the very last is the answer's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import exp
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dataspace.domain.releases import Estimate
from dataspace.dp.analyses.linear import INTERCEPT, Range, clamped, in_own_units
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

ROUNDS = 8
SHARES = (Fraction(1, 24),) * (ROUNDS - 2) + (Fraction(1, 4), Fraction(1, 2))
"""Each round's part of the price."""

STEPS = 2**10
"""Whole steps from the middle of a covariate's range to its end."""

CERTAIN = 2**20
"""A probability of one."""

FINE = 2**16
"""Coefficients are kept in this fraction of one while they are applied to rows."""

EDGE, PER_UNIT = 16, 2**12
"""Scores of the table of probabilities: from -EDGE to EDGE in PER_UNIT steps a unit."""

SETTLED = 0.5
"""Coefficients are given if the last step changed scores by no more, root mean square; its own error is smaller."""

FARTHEST = 2.5
"""A step changes no score by more: Newton's method overshoots far from the solution."""

LARGEST = 24.0
"""No coefficient on the scale [-1, 1] grows beyond."""


Whole = NDArray[np.int64] | NDArray[np.int16]


@dataclass(frozen=True)
class LogisticRegression:
    """`outcome` names a condition."""

    outcome: str
    covariates: tuple[Range, ...]
    counts_persons: ClassVar[bool] = False

    @property
    def size(self) -> int:
        return len(self.covariates) + 1

    @property
    def parts(self) -> tuple[Part, ...]:
        """One part a round: the gradient, then the Hessian's upper triangle."""
        width = self.size + self.size * (self.size + 1) // 2
        squared = row_norm_squared(self.size, self.shift)
        return tuple(Part(width, squared, share) for share in SHARES)

    @property
    def shift(self) -> int:
        """Bits dropped from the Hessian: as few as cost next to nothing on top of the gradient."""
        gradient = self.size * (CERTAIN * STEPS) ** 2
        return next(bits for bits in range(8, 20) if row_norm_squared(self.size, bits) <= gradient * 1.02)

    @property
    def notes(self) -> tuple[str, ...]:
        return (
            "Persons where the outcome or a covariate is missing are not counted.",
            *(clamped(variable) for variable in self.covariates),
            f"Found in {ROUNDS} rounds, all paid for; coefficients are log odds ratios per unit of the variable, and "
            "their intervals cover sampling and noise.",
        )

    @property
    def most_numbers(self) -> int:
        return MOST_NUMBERS

    def expected(self, _scales: Sequence[float], /) -> tuple[float | None, ...]:
        return None, None

    def whole(self, values: Floats) -> tuple[Ints, Flags]:
        """One and the covariates in steps, and last the outcome as 0 or 1; `values` has the outcome first."""
        keep = complete(values)
        values = np.where(keep[:, None], values, 0.0)
        columns = [np.full(len(values), STEPS, np.int64)]
        for place, variable in enumerate(self.covariates, start=1):
            columns.append(scaled(values[:, place], variable.low, variable.high, STEPS))
        return np.column_stack([*columns, (values[:, 0] == 1.0).astype(np.int64)]), keep

    def derivatives(self, rows: Whole, coefficients: Floats) -> Ints:
        """A round's part: gradient and Hessian of the rows at the coefficients, in whole numbers."""
        first, second = upper_triangle(self.size)
        applied = np.rint(coefficients * FINE).astype(np.int64)
        gradient, hessian = np.zeros(self.size, np.int64), np.zeros((self.size, self.size), np.int64)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK].astype(np.int64)
            covariates, outcome = part[:, :-1], part[:, -1]
            place = _place(covariates @ applied)
            residual = outcome * CERTAIN - _table()[place]
            gradient += residual @ covariates
            weight = _weights()[place]
            hessian += covariates.T @ _dropped(weight[:, None] * covariates, self.shift)
        return np.concatenate([gradient, hessian[first, second]])

    def fit(self, rows: Whole, draw: Callable[[int, Ints], Noisy]) -> list[Line]:
        """The answer of one group; `draw(round, totals)` adds the noise of a round."""
        coefficients = np.zeros(self.size)
        for number in range(ROUNDS):
            step = self._step(draw(number, self.derivatives(rows, coefficients)))
            moved = np.clip(coefficients + step.moved, -LARGEST, LARGEST)
            # what is applied to rows has this resolution, and the next step starts from there
            coefficients = moved if number == ROUNDS - 1 else np.rint(moved * FINE) / FINE
        names = (INTERCEPT, *(variable.name for variable in self.covariates))
        if not step.settled:
            return [Line((name,), (UNKNOWN, UNKNOWN)) for name in names]
        back = in_own_units(self.covariates, None)[:, :-1]
        values, spread = back @ coefficients, np.sqrt(np.diag(back @ step.covariance @ back.T))
        found = [centred(float(value), float(deviation)) for value, deviation in zip(values, spread, strict=True)]
        return [Line((name,), (estimate, _odds(estimate))) for name, estimate in zip(names, found, strict=True)]

    def _step(self, noisy: Noisy) -> "_Step":
        """One Newton step from a round's noisy derivatives."""
        gradient_unit, hessian_unit = float(CERTAIN * STEPS), float(CERTAIN * STEPS**2) / 2**self.shift
        gradient, hessian = noisy.floats[: self.size] / gradient_unit, noisy.floats[self.size :] / hessian_unit
        return newton(gradient, symmetric(hessian, self.size), noisy.scale / gradient_unit, noisy.scale / hessian_unit)


@dataclass(frozen=True)
class _Step:
    """A Newton step; after the last one, `covariance` is that of the coefficients, `settled` if they may be given."""

    moved: Floats
    covariance: Floats
    settled: bool


def newton(gradient: Floats, hessian: Floats, gradient_noise: float, hessian_noise: float) -> _Step:
    """The step, no longer than `FARTHEST`, with a Hessian that noise cannot make singular."""
    values, vectors = np.linalg.eigh(hessian)
    floor = max(2 * hessian_noise * float(np.sqrt(values.size)), 1e-9)
    inverse = vectors @ np.diag(1 / np.maximum(values, floor)) @ vectors.T
    moved = inverse @ gradient
    length = float(np.abs(moved).sum())
    noise = gradient_noise**2 * np.eye(values.size) + noise_of_product(moved, hessian_noise)
    covariance = inverse @ noise @ inverse + inverse
    settled = not lost(hessian, hessian_noise) and float(moved @ hessian @ moved / hessian[0, 0]) <= SETTLED**2
    return _Step(moved * min(1.0, FARTHEST / max(length, 1e-300)), covariance, settled)


def _odds(estimate: Estimate) -> Estimate:
    """The odds ratio of a log odds ratio."""
    value, low, high = (
        None if n is None else exp(min(700.0, n)) for n in (estimate.value, estimate.low, estimate.high)
    )
    return Estimate(value, low, high)


@lru_cache(maxsize=512)
def row_norm_squared(size: int, shift: int) -> int:
    """The largest squared norm of what one row adds in a round: over every probability of the table, in the corner."""
    residual, weight = np.maximum(_table(), CERTAIN - _table()), _weights()
    pairs = size * (size + 1) // 2
    # less than 2^48 as STEPS² is taken out
    squares = size * residual**2 + pairs * ((weight * STEPS >> shift) + 1) ** 2
    return int(squares.max()) * STEPS**2


def warm_tables() -> None:
    """Make the tables and the bounds of every size, so that no query waits for them."""
    for covariates in range(1, 11):
        LogisticRegression("", (Range("", 0, 1),) * covariates).parts  # noqa: B018  cached


def _place(scores: Ints) -> Ints:
    """Positions in the table of scores in units of 1 / (FINE x STEPS), to the nearest step."""
    bits = (FINE * STEPS // PER_UNIT).bit_length() - 1
    places: Ints = np.clip(((scores + (1 << (bits - 1))) >> bits) + EDGE * PER_UNIT, 0, 2 * EDGE * PER_UNIT)
    return places


def _dropped(numbers: Ints, bits: int) -> Ints:
    """Numbers without their last bits, to the nearest."""
    return (numbers + (1 << (bits - 1))) >> bits


@lru_cache(maxsize=1)
def _table() -> Ints:
    """Probabilities of the scores, in whole numbers."""
    scores = np.arange(-EDGE * PER_UNIT, EDGE * PER_UNIT + 1) / PER_UNIT
    table: Ints = np.rint(CERTAIN / (1 + np.exp(-scores))).astype(np.int64)
    return table


@lru_cache(maxsize=1)
def _weights() -> Ints:
    """p (1 - p) of the same scores."""
    scores = np.arange(-EDGE * PER_UNIT, EDGE * PER_UNIT + 1) / PER_UNIT
    chance = 1 / (1 + np.exp(-scores))
    weights: Ints = np.rint(CERTAIN * chance * (1 - chance)).astype(np.int64)
    return weights
