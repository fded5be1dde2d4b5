"""Kaplan-Meier: the exact curve without noise, and what the noisy one promises."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspace.dp.analyses.method import Noisy
from dataspace.dp.analyses.survival import Survival, decreasing
from tests.reference.analyses import kaplan_meier

TIMES = st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.7, 1.0, 1.1, 2.0, 2.05, 5.9, 6.0, 6.1, 99.0])
ROWS = st.lists(st.tuples(TIMES, st.booleans()), min_size=1, max_size=40)


def exact(method: Survival, rows: list[tuple[float, bool]]) -> list[int]:
    whole, keep = method.whole(np.array(rows, dtype=np.float64))
    return method.sums(whole[keep])[0].tolist()


@given(ROWS, st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(1), Decimal(3)]))
def test_without_noise_it_is_the_product_limit_estimate(rows: list[tuple[float, bool]], step: Decimal) -> None:
    bins = int(Decimal(6) / step)
    method = Survival(step, bins)
    lines = method.lines([Noisy(exact(method, rows), 0.0)])
    for line, (survival, at_risk, events) in zip(lines, kaplan_meier(rows, Fraction(step), bins), strict=True):
        curve, risk, deaths = line.estimates
        assert (risk.value, deaths.value) == (at_risk, events)
        if at_risk > 0 and curve.value is not None:
            assert curve.value == pytest.approx(survival)


def test_a_textbook_curve() -> None:
    # Kaplan and Meier's own kind of example: deaths at 1, 3, 4, 5, losses at 2 and 4
    rows = [(1.0, True), (2.0, False), (3.0, True), (4.0, True), (4.0, False), (5.0, True)]
    method = Survival(Decimal(1), 6)
    values = [line.estimates[0].value for line in method.lines([Noisy(exact(method, rows), 0.0)])]
    assert values[:4] == pytest.approx([5 / 6, 5 / 6, 5 / 8, 5 / 12])
    assert values[4] == 0.0


def test_times_are_labelled_by_the_end_of_their_bin() -> None:
    lines = Survival(Decimal("0.5"), 4).lines([Noisy([10] * 9, 0.0)])
    assert [line.labels[0] for line in lines] == [Decimal("0.5"), 1, Decimal("1.5"), 2]


def test_missing_times_and_events_do_not_count() -> None:
    method = Survival(Decimal(1), 3)
    _, keep = method.whole(np.array([[1.0, 1.0], [np.nan, 1.0], [1.0, np.nan], [np.inf, 0.0]]))
    assert keep.tolist() == [True, False, False, False]


@given(st.lists(st.integers(-60, 200), min_size=9, max_size=9), st.sampled_from([0.0, 1.0, 7.5]))
def test_any_noisy_numbers_make_a_curve(numbers: list[int], scale: float) -> None:
    lines = Survival(Decimal(1), 4).lines([Noisy(numbers, scale)])
    curve = [line.estimates[0] for line in lines]
    known = [e.value for e in curve if e.value is not None]
    assert known == sorted(known, reverse=True)
    assert all(0 <= e.low <= (e.low if e.value is None else e.value) <= e.high <= 1 for e in curve)  # type: ignore[operator]
    risks = [line.estimates[1].value for line in lines]
    assert risks == sorted(risks, reverse=True)
    assert min(risks) >= 0


def test_noise_widens_the_interval() -> None:
    numbers = [30, 30, 30, 10, 10, 10, 400]
    quiet, loud = (Survival(Decimal(1), 3).lines([Noisy(numbers, scale)]) for scale in (0.0, 10.0))
    for a, b in zip(quiet, loud, strict=True):
        assert a.estimates[0].value == b.estimates[0].value
        assert b.estimates[0].high - b.estimates[0].low > a.estimates[0].high - a.estimates[0].low


@given(st.lists(st.floats(-100, 100), max_size=20))
def test_pooling_keeps_the_total_and_never_rises(values: list[float]) -> None:
    pooled = decreasing(np.array(values))
    assert (np.diff(pooled) <= 1e-9).all()
    assert pooled.sum() == pytest.approx(sum(values))
