"""Two-way tables with their test, and incidence by calendar time."""

from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspace.dp.analyses.contingency import Independence, independence
from dataspace.dp.analyses.incidence import EPOCH, Incidence
from dataspace.dp.analyses.method import Noisy
from tests.reference.analyses import chi_square, incidence

STARTS = (date(2019, 11, 15), date(2020, 1, 1), date(2020, 4, 1), date(2020, 4, 11))
DAYS = st.integers(0, 160).map(lambda n: date(2019, 11, 10) + timedelta(days=n))


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=2, max_size=4))
def test_without_noise_the_statistic_is_pearsons(table: list[list[int]]) -> None:
    found = independence(np.array(table, dtype=np.float64), 0.0)
    if sum(map(sum, table)) > 1:
        assert found is not None
        assert found.statistic == pytest.approx(chi_square(table))


def test_the_p_value_without_noise_is_near_the_chi_square_distributions() -> None:
    # 1 degree of freedom: P(X > 3.84) = 0.05
    found = independence(np.array([[256.0, 300 - 256], [232.6, 300 - 232.6]]).round(), 0.0)
    assert found is not None
    assert found.statistic == pytest.approx(5.94, abs=0.5)
    assert found.p_value == pytest.approx(0.0147, abs=0.01)


def test_equal_tables_have_equal_p_values() -> None:
    table = np.array([[40.0, 60.0], [55.0, 45.0]])
    first, second = independence(table, 5.0), independence(table, 5.0)
    assert first is not None
    assert second is not None
    assert first.p_value == second.p_value


def test_noise_makes_the_same_difference_less_surprising() -> None:
    table = np.array([[40.0, 60.0], [55.0, 45.0]])
    quiet, loud = independence(table, 0.0), independence(table, 12.0)
    assert quiet is not None
    assert loud is not None
    assert quiet.p_value < 0.06
    assert loud.p_value > 0.2


def test_a_table_lost_in_its_noise_has_no_test() -> None:
    method = Independence(("a", "b"), (1, 2))
    lines = method.lines([Noisy([3, -2, 4, 0], 20.0)])
    assert [line.labels for line in lines] == list(product(("a", "b"), (1, 2)))
    assert lines[0].estimates[2].value is None
    assert lines[0].estimates[3].value == 1
    assert lines[0].estimates[4].value is None


def test_rows_count_in_the_cell_of_their_two_values() -> None:
    method = Independence(("a", "b"), (1, 2, 3))
    whole, keep = method.whole(np.array([[0, 2], [1, 0], [1, 0], [np.nan, 1], [5, 0], [-1, 0]], dtype=np.float64))
    assert keep.tolist() == [True, True, True, False, False, False]
    assert method.sums(whole[keep])[0].tolist() == [0, 0, 1, 2, 0, 0]


@given(st.lists(st.tuples(DAYS, DAYS, st.one_of(st.none(), DAYS)), max_size=25))
def test_person_time_is_split_over_the_calendar(rows: list[tuple[date, date, date | None]]) -> None:
    method = Incidence(STARTS)
    values = np.array([[_number(day) for day in row] for row in rows], dtype=np.float64).reshape(-1, 3)
    whole, keep = method.whole(values)
    events, days = method.sums(whole[keep])
    assert list(zip(events.tolist(), days.tolist(), strict=True)) == incidence(rows, STARTS)


def test_rates_are_per_person_year() -> None:
    [first, *_] = Incidence(STARTS).lines([Noisy([20, 0, 0], 0.0), Noisy([36525, 0, 0], 0.0)])
    rate, events, years = first.estimates
    assert first.labels == (date(2019, 11, 15),)
    assert (rate.value, events.value, years.value) == (pytest.approx(0.2), 20, pytest.approx(100))
    # Poisson: 20 ± 1.96 sqrt(20)
    assert (rate.low, rate.high) == (pytest.approx(0.112, abs=0.001), pytest.approx(0.288, abs=0.001))


def test_a_period_without_person_time_has_no_rate() -> None:
    lines = Incidence(STARTS).lines([Noisy([5, 5, 5], 4.0), Noisy([-10, 100, 100000], 900.0)])
    assert [line.estimates[0].value is None for line in lines] == [True, True, False]


def _number(day: date | None) -> float:
    return float("nan") if day is None else float((day - EPOCH).days)
