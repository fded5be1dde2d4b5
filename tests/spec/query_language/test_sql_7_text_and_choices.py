"""Text functions, choices and casts."""


def test_text_is_compared_by_pattern(answers):
    assert answers(
        "SELECT COUNT(*) FROM condition_occurrence JOIN concept ON condition_concept_id = "
        "concept_id WHERE concept_name LIKE '%flu%'"
    ) == [(2,)]
    assert answers(
        "SELECT COUNT(*) FROM condition_occurrence JOIN concept ON condition_concept_id = "
        "concept_id WHERE starts_with(lower(concept_name), 'gas')"
    ) == [(2,)]


def test_text_is_cut_and_joined(answers):
    sql = "SELECT substr(sex, 1, 1) || '-' || upper('x') AS k, COUNT(*) FROM person WHERE sex IS NOT NULL GROUP BY k"
    assert answers(sql) == [("F-X", 2), ("M-X", 1)]


def test_coalesce_nullif_least_greatest(answers):
    assert answers("SELECT COALESCE(sex, 'unknown') AS s, COUNT(*) FROM person GROUP BY s") == [
        ("F", 2),
        ("M", 1),
        ("unknown", 1),
    ]
    assert answers("SELECT SUM(COALESCE(days_supply, 0)) FROM drug_exposure") == [(127,)]
    assert answers("SELECT SUM(LEAST(days_supply, 50)), SUM(GREATEST(days_supply, 50)) AS g FROM drug_exposure") == [
        (137, 240)
    ]
    assert answers("SELECT COUNT(NULLIF(days_supply, 7)) FROM drug_exposure") == [(2,)]


def test_a_cast_that_fails_is_null(answers):
    assert answers("SELECT COUNT(CAST(sex AS INTEGER)) FROM person") == [(0,)]
    assert answers("SELECT COUNT(*) FROM person WHERE CAST(year_of_birth AS VARCHAR) LIKE '19%'") == [(3,)]


def test_rounding(answers):
    sql = (
        "SELECT COUNT(*) FROM drug_exposure WHERE floor(dose) = 1 AND ceil(dose) = 2 AND "
        "round(dose * 1.1, 2) = 1.65 AND trunc(dose) = 1"
    )
    assert answers(sql) == [(1,)]


def test_simple_case_compares_one_value(answers):
    sql = "SELECT CASE ward WHEN 'A' THEN 'acute' ELSE 'other' END AS w, COUNT(*) FROM stay GROUP BY w"
    assert answers(sql) == [("acute", 1), ("other", 2)]
