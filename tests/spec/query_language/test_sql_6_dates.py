"""Dates and times."""


def test_text_in_iso_form_is_a_date_beside_a_date(answers):
    assert answers("SELECT COUNT(*) FROM condition_occurrence WHERE condition_start_date >= '2011-06-30'") == [(2,)]
    assert answers("SELECT COUNT(*) FROM condition_occurrence WHERE condition_start_date >= DATE '2011-06-30'") == [
        (2,)
    ]


def test_a_date_moves_by_intervals_and_days(answers):
    for moved in ("condition_start_date + INTERVAL 1 YEAR", "condition_start_date + INTERVAL '12' MONTH"):
        assert answers(f"SELECT COUNT(*) FROM condition_occurrence WHERE {moved} > '2012-01-01'") == [(2,)]
    sql = "SELECT COUNT(*) FROM drug_exposure WHERE drug_exposure_start_date + days_supply = '2012-05-25'"
    assert answers(sql) == [(1,)]


def test_differences_are_in_days_or_in_units(answers):
    sql = (
        "SELECT SUM(CLAMP(condition_start_date - DATE '2010-01-01', 0, 100)) FROM "
        "condition_occurrence WHERE year(condition_start_date) = 2010"
    )
    assert answers(sql) == [(19,)]
    sql = (
        "SELECT AVG(date_diff('month', DATE '2010-01-31', condition_start_date)) FROM "
        "condition_occurrence WHERE condition_concept_id = 12"
    )
    assert answers(sql) == [((28 + 17) / 2,)]


def test_date_sub_counts_complete_units(answers):
    sql = (
        "SELECT COUNT(*) FROM condition_occurrence WHERE date_sub('year', DATE '2010-06-01', condition_start_date) = 1"
    )
    assert answers(sql) == [(2,)]


def test_parts_of_a_date(answers):
    sql = (
        "SELECT COUNT(*) FROM condition_occurrence WHERE extract(month FROM condition_start_date) "
        "= 1 AND quarter(condition_start_date) = 1"
    )
    assert answers(sql) == [(3,)]
    assert answers("SELECT COUNT(*) FROM stay WHERE hour(admitted) >= 20") == [(1,)]


def test_timestamps_compare_with_dates_and_are_cut_to_days(answers):
    assert answers("SELECT COUNT(*) FROM stay WHERE admitted > '2012-05-06'") == [(1,)]
    assert answers("SELECT COUNT(*) FROM stay WHERE CAST(admitted AS DATE) = DATE '2012-05-05'") == [(1,)]
    sql = (
        "SELECT COUNT(*) FROM stay s JOIN condition_occurrence c ON s.person = c.person AND "
        "date_diff('day', c.condition_start_date, s.admitted) = 0"
    )
    assert answers(sql) == [(1,)]
