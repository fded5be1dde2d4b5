"""GROUP BY: which groups are reported, and in which words they may be asked for."""

from datetime import date


def test_a_coded_column_reports_every_code_and_null_where_values_may_miss(answers):
    sql = "SELECT sex, COUNT(*) FROM person WHERE year_of_birth < 1970 GROUP BY sex"
    assert answers(sql) == [("F", 2), ("M", 0), (None, 0)]


def test_null_is_no_group_once_where_excludes_it(answers):
    assert answers("SELECT sex, COUNT(*) FROM person WHERE sex IS NOT NULL GROUP BY sex") == [("F", 2), ("M", 1)]


def test_positions_aliases_and_all_name_the_groups(answers):
    expected = answers("SELECT sex, COUNT(*) FROM person GROUP BY sex")
    for spelling in ("1", "ALL", "s", "person.sex"):
        assert answers(f"SELECT sex AS s, COUNT(*) FROM person GROUP BY {spelling}") == expected


def test_numbers_are_banded_with_bin(answers):
    sql = "SELECT BIN(year_of_birth, 1940, 2000, 20) AS born, COUNT(*) FROM person GROUP BY born"
    assert answers(sql) == [("<1940", 0), ("1940-1959", 2), ("1960-1979", 0), ("1980-1999", 1), ("2000+", 1)]


def test_bin_takes_its_range_from_the_dictionary(answers):
    found = answers("SELECT BIN(year_of_birth, 50) AS born, COUNT(*) FROM person GROUP BY born")
    assert found == [("1900-1949", 0), ("1950-1999", 3), ("2000-2049", 1)]


def test_age_band_is_ten_years_wide_unless_told_otherwise(answers):
    sql = "SELECT AGE_BAND(AGE_AT(year_of_birth, DATE '2020-06-30'), 50) AS age, COUNT(*) FROM person GROUP BY age"
    assert answers(sql) == [("0-49", 2), ("50-99", 2), ("100+", 0)]


def test_arithmetic_on_bounded_numbers_has_a_known_list_of_results(answers):
    sql = "SELECT floor(year_of_birth / 50) * 50 AS half, COUNT(*) FROM person GROUP BY half"
    assert answers(sql) == [(1900, 0), (1950, 3), (2000, 1)]


def test_where_narrows_the_list(answers):
    sql = (
        "SELECT floor(year_of_birth / 10) * 10 AS decade, COUNT(*) FROM person WHERE "
        "year_of_birth >= 1980 GROUP BY decade"
    )
    assert answers(sql) == [(1980, 1), (1990, 0), (2000, 1), (2010, 0), (2020, 0)]


def test_named_groups_replace_an_unknown_list(answers):
    sql = (
        "SELECT condition_concept_id AS c, COUNT(*) FROM condition_occurrence WHERE "
        "condition_concept_id IN (10, 99) GROUP BY c"
    )
    assert answers(sql) == [(10, 2), (99, 0)]


def test_years_and_months_come_from_the_bounds_of_the_date(answers):
    sql = (
        "SELECT year(condition_start_date) AS y, COUNT(*) FROM condition_occurrence "
        "WHERE condition_start_date BETWEEN '2010-01-01' AND '2012-12-31' GROUP BY y"
    )
    assert answers(sql) == [(2010, 2), (2011, 2), (2012, 1)]


def test_dates_are_truncated_to_days(answers):
    sql = (
        "SELECT date_trunc('quarter', condition_start_date) AS q, COUNT(*) FROM condition_occurrence "
        "WHERE condition_start_date >= '2011-01-01' AND condition_start_date < '2011-07-01' GROUP BY q"
    )
    assert answers(sql) == [(date(2011, 1, 1), 1), (date(2011, 4, 1), 1)]


def test_conditions_and_cases_list_their_own_results(answers):
    sql = (
        "SELECT CASE WHEN dose >= 10 THEN 'high' WHEN dose > 0 THEN 'low' END AS dose_level, "
        "COUNT(*) FROM drug_exposure GROUP BY 1"
    )
    assert answers(sql) == [("high", 1), ("low", 2), (None, 1)]
    sql = "SELECT year_of_birth > 1979 AS young, COUNT(*) FROM person GROUP BY young"
    assert answers(sql) == [(False, 2), (True, 2)]


def test_several_keys_make_all_combinations(answers):
    sql = "SELECT sex, year_of_birth > 1979 AS young, COUNT(*) FROM person WHERE sex IN ('F', 'M') GROUP BY ALL"
    assert sorted(answers(sql)) == [("F", False, 2), ("F", True, 0), ("M", False, 0), ("M", True, 1)]


def test_other_keys_are_found_in_the_data_and_cost_delta(answers):
    sql = "SELECT condition_concept_id, COUNT(DISTINCT person) FROM condition_occurrence GROUP BY 1"
    assert sorted(answers(sql)) == [(10, 2), (11, 1), (12, 2)]


def test_a_named_group_outside_of_the_dictionary_is_reported_as_empty(answers):
    assert answers("SELECT sex, COUNT(*) FROM person WHERE sex = 'X' GROUP BY sex") == [("X", 0)]


def test_a_histogram_is_short_for_bands_and_their_counts(answers):
    counted = answers("SELECT BIN(days_supply, 0, 90, 30) AS bin, COUNT(*) AS count FROM drug_exposure GROUP BY bin")
    assert counted == [("0-29", 1), ("30-59", 1), ("60-89", 0), ("90+", 1), (None, 1)]
    assert answers("SELECT HISTOGRAM(days_supply, 0, 90, 30) FROM drug_exposure") == counted
    by_sex = "SELECT {} FROM person p JOIN drug_exposure d ON p.person = d.person WHERE sex IS NOT NULL GROUP BY {}"
    bands = answers(by_sex.format("sex, BIN(dose, 0, 100, 50) AS h, COUNT(*)", "sex, h"))
    for groups in ("sex", "ALL"):
        assert answers(by_sex.format("sex, HISTOGRAM(dose, 0, 100, 50) AS h", groups)) == bands
