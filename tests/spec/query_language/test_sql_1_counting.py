"""Counting persons and records."""


def test_count_distinct_person_counts_persons(answers):
    assert answers("SELECT COUNT(DISTINCT person) FROM condition_occurrence") == [(3,)]


def test_count_star_counts_records(answers):
    assert answers("SELECT COUNT(*) FROM condition_occurrence") == [(5,)]
    assert answers("SELECT COUNT(1) FROM condition_occurrence") == [(5,)]


def test_count_of_a_column_counts_records_where_it_is_known(answers):
    assert answers("SELECT COUNT(days_supply), COUNT(*) AS all_rows FROM drug_exposure") == [(3, 4)]


def test_count_if_and_filter_count_records_that_fulfil_a_condition(answers):
    assert answers("SELECT COUNT_IF(days_supply > 20) FROM drug_exposure") == [(2,)]
    assert answers("SELECT COUNT(*) FILTER (WHERE days_supply > 20) FROM drug_exposure") == [(2,)]


def test_filter_also_works_for_persons(answers):
    sql = (
        "SELECT COUNT(DISTINCT person) FILTER (WHERE condition_concept_id = 12) AS bleeding, COUNT(DISTINCT person) p "
    )
    assert answers(sql + "FROM condition_occurrence") == [(2, 3)]


def test_where_keeps_records(answers):
    sql = "SELECT COUNT(DISTINCT person) FROM person WHERE sex = 'F' AND year_of_birth BETWEEN 1955 AND 1999"
    assert answers(sql) == [(1,)]


def test_null_is_neither_equal_nor_different(answers):
    assert answers("SELECT COUNT(*) FROM person WHERE sex <> 'F'") == [(1,)]
    assert answers("SELECT COUNT(*) FROM person WHERE sex IS NULL") == [(1,)]
    assert answers("SELECT COUNT(*) FROM person WHERE sex IS DISTINCT FROM 'F'") == [(2,)]
