"""Over repeated samples and releases, intervals of statistics hold the truth in 19 of 20, and tests reject 1 in 20.

Unlike intervals of counts, those of survival, rates and coefficients cover sampling too, so every repetition draws new
persons and new noise. Prices are those of epsilon around one half to two.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from dataspace.dp.analyses.contingency import Independence
from dataspace.dp.analyses.incidence import YEAR, Incidence
from dataspace.dp.analyses.linear import LinearRegression, Range
from dataspace.dp.analyses.logistic import LogisticRegression
from dataspace.dp.analyses.method import Ints, Line, Method, Noisy, Part
from dataspace.dp.analyses.survival import Survival

TIMES = 600
LEAST, MOST = 0.93, 0.985
"""With 600 repetitions, a little more than two standard deviations around 0.95; means over many lines."""


def released(method: Method, values: np.ndarray, rho: float, random: np.random.Generator) -> list[Line]:
    whole, keep = method.whole(values)
    sums = method.sums(whole[keep])
    return method.lines([noisy(s, part, rho, random) for s, part in zip(sums, method.parts, strict=True)])


def noisy(exact: Ints, part: Part, rho: float, random: np.random.Generator) -> Noisy:
    scale = float(np.sqrt(part.l2_squared / (2 * rho * float(part.weight))))
    return Noisy((exact + np.rint(random.normal(0, scale, exact.size)).astype(np.int64)).tolist(), scale)


def covered(once: Callable[[np.random.Generator], list[Line]], truth: Sequence[float], column: int = 0) -> np.ndarray:
    """Share of repetitions whose interval holds the truth, line by line, and share of estimates that were given."""
    random = np.random.default_rng(20261123)
    held, given = np.zeros(len(truth)), np.zeros(len(truth))
    for _ in range(TIMES):
        for place, line in enumerate(once(random)):
            estimate = line.estimates[column]
            assert estimate.low is None or estimate.high is not None
            given[place] += estimate.value is not None
            held[place] += estimate.low is None or estimate.low <= truth[place] <= estimate.high  # type: ignore[operator]
    assert (given / TIMES > 0.9).all()
    return held / TIMES


def test_survival() -> None:
    bins, hazard = 24, 0.04

    def once(random: np.random.Generator) -> list[Line]:
        death, loss = np.ceil(random.exponential(1 / hazard, 1500)), np.floor(random.exponential(1 / 0.02, 1500))
        values = np.column_stack([np.minimum(death, loss), death <= loss]).astype(np.float64)
        # lost on the day of entry: nobody saw them
        return released(Survival(Decimal(1), bins), values[loss > 0], 0.05, random)

    shares = covered(once, [float(np.exp(-hazard * (j + 1))) for j in range(bins)])
    assert LEAST <= shares.mean() <= MOST
    assert shares.min() > 0.9


def test_incidence_rates() -> None:
    starts = tuple(date(year, 1, 1) for year in range(2010, 2016))
    edges, rates = Incidence(starts).edges, [0.02, 0.05, 0.05, 0.1, 0.2]

    def once(random: np.random.Generator) -> list[Line]:
        entry = random.integers(edges[0], edges[-1] - 400, 3000)
        leave = entry + random.integers(100, 1500, 3000)
        event = np.full(3000, np.nan)
        for start, after, rate in zip(edges[:-1], edges[1:], rates, strict=True):
            wait = np.floor(random.exponential(YEAR / rate, 3000))
            day = np.maximum(entry, start) + wait
            now = np.isnan(event) & (day < after) & (np.maximum(entry, start) < after)
            event[now] = day[now]
        event[event >= leave] = np.nan
        return released(Incidence(starts), np.column_stack([entry, leave, event]).astype(np.float64), 0.05, random)

    shares = covered(once, rates)
    assert LEAST <= shares.mean() <= MOST


@pytest.mark.parametrize(("persons", "shape"), [(300, (2, 2)), (2000, (3, 4))])
def test_the_test_of_independence_rejects_one_in_twenty(persons: int, shape: tuple[int, int]) -> None:
    random, rejected = np.random.default_rng(5), 0
    method = Independence(tuple(range(shape[0])), tuple(range(shape[1])))
    for _ in range(TIMES):
        down, across = (random.choice(size, persons, p=_uneven(size)) for size in shape)
        values = np.column_stack([down, across]).astype(np.float64)
        rejected += (released(method, values, 0.02, random)[0].estimates[4].value or 1.0) <= 0.05
    assert 0.02 <= rejected / TIMES <= 0.08


def test_the_plain_test_would_take_noise_for_dependence() -> None:
    random, rejected = np.random.default_rng(5), 0
    method = Independence((0, 1), (0, 1))
    for _ in range(TIMES):
        values = np.column_stack([random.choice(2, 80), random.choice(2, 80)]).astype(np.float64)
        whole, _ = method.whole(values)
        told = noisy(method.sums(whole)[0], method.parts[0], 0.02, random)
        rejected += (method.lines([Noisy(told.numbers, 0.0)])[0].estimates[4].value or 1.0) <= 0.05
    assert rejected / TIMES > 0.15


def test_dependence_is_found() -> None:
    random = np.random.default_rng(5)
    first = random.choice(3, 3000)
    second = np.where(random.random(3000) < 0.15, first, random.choice(3, 3000))
    method = Independence((0, 1, 2), (0, 1, 2))
    lines = released(method, np.column_stack([first, second]).astype(np.float64), 0.02, random)
    assert lines[0].estimates[4].value == pytest.approx(0.0, abs=0.01)


def test_linear_regression() -> None:
    method = LinearRegression(Range("y", 60, 220), (Range("age", 20, 80), Range("smoker", 0, 1)))
    truth = [100.0, 0.5, 8.0]

    def once(random: np.random.Generator) -> list[Line]:
        age, smoker = random.uniform(20, 80, 2000), (random.random(2000) < 0.3).astype(float)
        pressure = truth[0] + truth[1] * age + truth[2] * smoker + random.normal(0, 10, 2000)
        return released(method, np.column_stack([pressure, age, smoker]), 0.05, random)

    shares = covered(once, truth)
    assert LEAST <= shares.mean() <= MOST
    assert shares.min() > 0.9


@pytest.mark.parametrize(("intercept", "persons"), [(-2.0, 3000), (-4.0, 10_000)])
def test_logistic_regression(intercept: float, persons: int) -> None:
    method = LogisticRegression("ill", (Range("age", 20, 80), Range("smoker", 0, 1)))
    truth = [intercept, 0.03, 0.7]

    def once(random: np.random.Generator) -> list[Line]:
        age, smoker = random.uniform(20, 80, persons), (random.random(persons) < 0.4).astype(float)
        ill = random.random(persons) < 1 / (1 + np.exp(-(truth[0] + truth[1] * age + truth[2] * smoker)))
        whole, _ = method.whole(np.column_stack([ill, age, smoker]))
        return method.fit(whole, lambda number, exact: noisy(exact, method.parts[number], 0.05, random))

    shares = covered(once, truth)
    assert LEAST <= shares.mean() <= MOST
    assert shares.min() > 0.9


def _uneven(size: int) -> np.ndarray:
    weights = np.arange(1, size + 1)
    return weights / weights.sum()
