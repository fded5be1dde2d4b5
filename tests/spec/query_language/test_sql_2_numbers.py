"""Sums, means, spread, quantiles, proportions and rates."""

import pytest


def test_sum_and_mean_pass_over_null(answers):
    assert answers("SELECT SUM(days_supply), AVG(days_supply) FROM drug_exposure") == [(127, pytest.approx(127 / 3))]


def test_variance_and_standard_deviation_are_those_of_a_sample(answers):
    [(variance, deviation)] = answers("SELECT VARIANCE(days_supply), STDDEV_SAMP(days_supply) FROM drug_exposure")
    assert variance == pytest.approx(1836.333, abs=0.001)
    assert deviation == pytest.approx(variance**0.5)


def test_median_and_quantiles_have_three_spellings(answers):
    assert answers("SELECT MEDIAN(days_supply) FROM drug_exposure") == [(30,)]
    assert answers("SELECT QUANTILE(days_supply, 0.75) FROM drug_exposure") == [(60,)]
    assert answers("SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY days_supply) FROM drug_exposure") == [(18.5,)]
    assert answers("SELECT QUANTILE_CONT(days_supply, 0.75) FROM drug_exposure") == [(60,)]


def test_a_descending_order_turns_the_quantile_round(answers):
    sql = "SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY days_supply DESC) FROM drug_exposure"
    assert answers(sql) == [(60,)]


def test_proportion_is_the_share_of_records_where_the_condition_is_known(answers):
    assert answers("SELECT PROPORTION(sex = 'F') FROM person") == [(pytest.approx(2 / 3),)]


def test_rate_divides_two_sums(answers):
    assert answers("SELECT RATE(1, days_supply) FROM drug_exposure") == [(pytest.approx(4 / 127),)]
    assert answers("SELECT SUM(dose) / SUM(days_supply) FROM drug_exposure") == [(pytest.approx(43.5 / 127),)]
    assert answers("SELECT COUNT(*) / SUM(days_supply) FROM drug_exposure") == [(pytest.approx(4 / 127),)]


def test_arithmetic_stands_inside_aggregates(answers):
    assert answers("SELECT SUM(days_supply * dose) FROM drug_exposure") == [(30 * 1.5 + 90 * 40,)]
    assert answers("SELECT AVG(2020 - year_of_birth) FROM person") == [(47.75,)]


def test_a_division_by_zero_is_null(answers):
    sql = "SELECT COUNT(CLAMP(days_supply / (dose - 2), 0, 10)) FROM drug_exposure"
    assert answers(sql) == [(2,)]


def test_a_case_makes_a_number_of_a_condition(answers):
    assert answers("SELECT SUM(CASE WHEN sex = 'F' THEN 1 ELSE 0 END) FROM person") == [(2,)]
