"""Windows over the records of one person."""


def test_row_number_finds_the_first_record(answers):
    sql = (
        "SELECT condition_concept_id AS c, COUNT(*) FROM (SELECT person, condition_concept_id, row_number() OVER "
        "(PARTITION BY person ORDER BY condition_start_date) AS n FROM condition_occurrence) "
        "WHERE n = 1 AND condition_concept_id IN (10, 11, 12) GROUP BY c"
    )
    assert answers(sql) == [(10, 2), (11, 0), (12, 1)]


def test_qualify_says_the_same_in_the_sub_query(answers):
    sql = (
        "SELECT COUNT(*) FROM (SELECT person, condition_concept_id AS c FROM condition_occurrence "
        "QUALIFY row_number() OVER (PARTITION BY person ORDER BY condition_start_date) = 1) WHERE c = 10"
    )
    assert answers(sql) == [(2,)]


def test_lag_gives_the_time_since_the_record_before(answers):
    sql = (
        "SELECT SUM(CLAMP(gap, 0, 1000)) FROM (SELECT person, condition_start_date - lag(condition_start_date) "
        "OVER (PARTITION BY person ORDER BY condition_start_date) AS gap FROM condition_occurrence)"
    )
    assert answers(sql) == [(19 + 836,)]


def test_sums_and_counts_run_along_the_order(answers):
    sql = (
        "SELECT SUM(CLAMP(running, 0, 10)) FROM (SELECT person, COUNT(*) OVER "
        "(PARTITION BY person ORDER BY condition_start_date) AS running FROM condition_occurrence)"
    )
    assert answers(sql) == [(1 + 2 + 3 + 1 + 1,)]


def test_frames_are_counted_in_rows(answers):
    sql = (
        "SELECT SUM(CLAMP(n, 0, 10)) FROM (SELECT person, COUNT(*) OVER (PARTITION BY person "
        "ORDER BY condition_start_date "
        "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM condition_occurrence)"
    )
    assert answers(sql) == [(1 + 2 + 2 + 1 + 1,)]


def test_a_window_may_have_a_name(answers):
    sql = (
        "SELECT COUNT(*) FROM (SELECT person, rank() OVER w AS r, first_value(condition_concept_id) OVER w AS f "
        "FROM condition_occurrence WINDOW w AS (PARTITION BY person ORDER BY "
        "condition_start_date)) WHERE r = 3 AND f = 10"
    )
    assert answers(sql) == [(1,)]
