"""Linear and logistic regression: equal to slow references without noise, honest when lost in it."""

from random import Random

import numpy as np
import pytest

from dataspace.dp.analyses.linear import LinearRegression, Range
from dataspace.dp.analyses.logistic import ROUNDS, SHARES, LogisticRegression
from dataspace.dp.analyses.method import Ints, Line, Noisy
from tests.reference.analyses import least_squares, logistic

AGE, BMI, SMOKER = Range("age", 20, 80), Range("bmi", 15, 45), Range("smoker", 0, 1)
COVARIATES = (AGE, BMI, SMOKER)
PRESSURE = Range("pressure", 60, 220)


def people(count: int, seed: int = 7) -> np.ndarray:
    """Pressure, age, bmi, smoker."""
    random = Random(seed)  # noqa: S311
    rows = []
    for _ in range(count):
        age, bmi, smoker = random.uniform(20, 80), random.uniform(15, 45), random.random() < 0.3
        rows.append([90 + 0.5 * age + 0.4 * bmi + 6 * smoker + random.gauss(0, 8), age, bmi, float(smoker)])
    return np.array(rows)


def without_noise(_round: int, totals: Ints) -> Noisy:
    return Noisy(totals.tolist(), 0.0)


def numbers(lines: list[Line]) -> list[float | None]:
    return [line.estimates[0].value for line in lines]


def test_without_noise_linear_regression_is_least_squares() -> None:
    data = people(300)
    method = LinearRegression(PRESSURE, COVARIATES)
    whole, keep = method.whole(data)
    lines = method.lines([Noisy(method.sums(whole[keep])[0].tolist(), 0.0)])
    assert [line.labels[0] for line in lines] == ["(intercept)", "age", "bmi", "smoker"]
    assert numbers(lines) == pytest.approx(least_squares(data[:, 0], data[:, 1:].tolist()), rel=1e-3)


def test_without_noise_the_interval_is_the_usual_one() -> None:
    data = people(300)
    method = LinearRegression(PRESSURE, COVARIATES)
    whole, _ = method.whole(data)
    age = method.lines([Noisy(method.sums(whole)[0].tolist(), 0.0)])[1].estimates[0]
    design = np.column_stack([np.ones(300), data[:, 1:]])
    residual = data[:, 0] - design @ np.linalg.lstsq(design, data[:, 0], rcond=None)[0]
    variance = residual @ residual / (300 - 4) * np.linalg.inv(design.T @ design)[1, 1]
    assert (age.high - age.low) / 2 == pytest.approx(1.96 * variance**0.5, rel=1e-3)  # type: ignore[operator]


def test_values_beyond_the_bounds_are_clamped_and_missing_ones_dropped() -> None:
    method = LinearRegression(PRESSURE, (AGE,))
    whole, keep = method.whole(np.array([[500.0, 0.0], [140.0, 50.0], [np.nan, 50.0], [140.0, np.inf]]))
    assert keep.tolist() == [True, True, False, False]
    steps = int(whole[0, 0])
    assert whole[:2].tolist() == [[steps, -steps, steps], [steps, 0, 0]]


def test_without_noise_logistic_regression_is_the_largest_likelihood() -> None:
    data = people(400)
    outcome = data[:, 0] > 125
    method = LogisticRegression("high", COVARIATES)
    whole, keep = method.whole(np.column_stack([outcome, data[:, 1:]]))
    lines = method.fit(whole[keep], without_noise)
    expected = logistic(outcome.tolist(), ((data[:, 1:] - [50, 30, 0]) / [30, 15, 1]).tolist())
    # the reference has centred and scaled covariates, so that its own Newton steps are well conditioned
    slopes = [b / s for b, s in zip(expected[1:], [30, 15, 1], strict=True)]
    found = numbers(lines)
    assert found[1:] == pytest.approx(slopes, rel=0.01)
    assert found[0] == pytest.approx(expected[0] - 50 * slopes[0] - 30 * slopes[1], rel=0.01)
    assert lines[3].estimates[1].value == pytest.approx(np.exp(found[3]))


def test_a_rare_outcome_is_reached_in_the_public_number_of_rounds() -> None:
    random = Random(3)  # noqa: S311
    data = np.array([[float(random.random() < 0.004), random.random()] for _ in range(20_000)])
    method = LogisticRegression("rare", (Range("x", 0, 1),))
    found = numbers(method.fit(method.whole(data)[0], without_noise))
    expected = logistic((data[:, 0] == 1).tolist()[:], data[:, 1:].tolist())
    assert found == pytest.approx(expected, abs=0.01)


def test_what_is_lost_in_noise_is_not_given() -> None:
    method = LinearRegression(PRESSURE, COVARIATES)
    whole, _ = method.whole(people(30))
    assert numbers(method.lines([Noisy(method.sums(whole)[0].tolist(), 1e11)])) == [None] * 4
    rounds = LogisticRegression("high", (AGE,))
    nobody = np.zeros((0, 3), np.int64)
    assert numbers(rounds.fit(nobody, lambda _, totals: Noisy(totals.tolist(), 1e9))) == [None, None]


def test_perfect_separation_gives_no_coefficients() -> None:
    data = np.array([[float(x > 50), float(x)] for x in range(20, 81)])
    method = LogisticRegression("old", (AGE,))
    values = numbers(method.fit(method.whole(data)[0], without_noise))
    assert values == [None, None]


def test_collinear_covariates_give_no_coefficients() -> None:
    data = people(50)[:, [0, 1, 1]]
    method = LinearRegression(PRESSURE, (AGE, Range("again", 20, 80)))
    whole, _ = method.whole(data)
    assert numbers(method.lines([Noisy(method.sums(whole)[0].tolist(), 10.0)])) == [None] * 3


def test_a_row_adds_the_same_wherever_it_stands() -> None:
    data = people(1000)
    method = LogisticRegression("high", COVARIATES)
    whole, _ = method.whole(np.column_stack([data[:, 0] > 125, data[:, 1:]]))
    at = np.array([0.3, -0.7, 0.11, 0.05])
    alone = sum(method.derivatives(whole[i : i + 1], at) for i in range(1000))
    assert (method.derivatives(whole, at) == alone).all()
    assert (method.derivatives(whole[::-1], at) == alone).all()


def test_the_rounds_share_one_price() -> None:
    assert len(SHARES) == ROUNDS
    assert sum(SHARES) == 1
