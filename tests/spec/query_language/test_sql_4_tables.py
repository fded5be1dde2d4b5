"""Several tables: joins on the person, lookup tables, membership, and sub-queries per person."""


def test_tables_join_on_the_person(answers):
    expected = [("F", 4), ("M", 1), (None, 0)]
    for join in (
        "condition_occurrence c JOIN person p ON c.person = p.person",
        "person p JOIN condition_occurrence c USING (person)",
        "person p, condition_occurrence c WHERE p.person = c.person",
    ):
        assert answers(f"SELECT sex, COUNT(*) FROM {join} GROUP BY sex") == expected


def test_further_conditions_may_stand_beside_the_person(answers):
    sql = (
        "SELECT COUNT(*) FROM condition_occurrence a JOIN condition_occurrence b "
        "ON a.person = b.person AND b.condition_start_date > a.condition_start_date"
    )
    assert answers(sql) == [(3,)]


def test_a_left_join_keeps_persons_without_a_match(answers):
    sql = (
        "SELECT COUNT(*), COUNT(days_supply) AS d, COUNT(DISTINCT d.person) AS p FROM person LEFT "
        "JOIN drug_exposure d USING (person)"
    )
    assert answers(sql) == [(5, 3, 3)]


def test_the_missing_person_of_a_left_join_may_be_asked_for(answers):
    sql = (
        "SELECT COUNT(*) FROM person p LEFT JOIN drug_exposure d ON p.person = d.person AND "
        "d.dose > 1 WHERE d.person IS NULL"
    )
    assert answers(sql) == [(2,)]


def test_lookup_tables_join_on_anything(answers):
    sql = (
        "SELECT concept_name, COUNT(*) FROM condition_occurrence JOIN concept ON condition_concept_id = concept_id "
        "WHERE concept_name IN ('Cough', 'Influenza') GROUP BY concept_name"
    )
    assert answers(sql) == [("Cough", 1), ("Influenza", 2)]


def test_codes_may_be_chosen_through_a_lookup_table(answers):
    sql = (
        "SELECT COUNT(DISTINCT person) FROM condition_occurrence WHERE condition_concept_id IN "
        "(SELECT concept_id FROM concept WHERE concept_name ILIKE '%haemorrhage%')"
    )
    assert answers(sql) == [(2,)]


def test_membership_says_who_also_appears_elsewhere(answers):
    assert answers("SELECT COUNT(*) FROM person WHERE person IN (SELECT person FROM drug_exposure)") == [(3,)]
    assert answers("SELECT COUNT(*) FROM person WHERE person NOT IN (SELECT person FROM drug_exposure)") == [(1,)]


def test_membership_makes_groups(answers):
    sql = (
        "SELECT CASE WHEN person IN (SELECT person FROM drug_exposure WHERE drug_concept_id = 50) THEN 'aspirin' "
        "ELSE 'none' END AS exposure, COUNT(DISTINCT person) FROM condition_occurrence "
        "WHERE condition_concept_id = 12 GROUP BY exposure"
    )
    assert answers(sql) == [("aspirin", 2), ("none", 0)]


def test_exists_compares_with_other_records_of_the_same_person(answers):
    sql = (
        "SELECT COUNT(DISTINCT person) FROM condition_occurrence c WHERE condition_concept_id = "
        "12 AND EXISTS (SELECT 1 FROM "
        "drug_exposure d WHERE d.person = c.person AND drug_exposure_start_date "
        "BETWEEN c.condition_start_date - INTERVAL 30 DAY AND c.condition_start_date)"
    )
    assert answers(sql) == [(1,)]
    assert answers(sql.replace("AND EXISTS", "AND NOT EXISTS")) == [(1,)]


def test_a_sub_query_grouped_by_person_has_one_row_a_person(answers):
    sql = (
        "WITH counts AS (SELECT person, COUNT(*) AS n, COUNT(DISTINCT condition_concept_id) AS kinds, "
        "MIN(condition_start_date) AS first_day FROM condition_occurrence GROUP BY person) "
        "SELECT AVG(CLAMP(n, 0, 10)), SUM(CLAMP(kinds, 0, 10)), COUNT(*) FILTER (WHERE first_day "
        "< '2011-01-01') AS early FROM counts"
    )
    assert answers(sql) == [(5 / 3, 5, 1)]


def test_having_chooses_persons_in_a_sub_query(answers):
    sql = (
        "SELECT COUNT(*) FROM person WHERE person IN (SELECT person FROM condition_occurrence "
        "GROUP BY person HAVING COUNT(*) >= 3)"
    )
    assert answers(sql) == [(1,)]


def test_a_sub_query_may_keep_the_records(answers):
    sql = "SELECT COUNT(*) FROM (SELECT person, dose FROM drug_exposure WHERE dose > 1) AS d WHERE dose < 10"
    assert answers(sql) == [(2,)]


def test_distinct_in_a_sub_query_drops_repeats_of_a_person(answers):
    sql = "SELECT COUNT(*) FROM (SELECT DISTINCT person, year(condition_start_date) AS y FROM condition_occurrence)"
    assert answers(sql) == [(4,)]


def test_aggregates_per_person_may_be_ordered(answers):
    sql = (
        "SELECT COUNT(*) FROM (SELECT person, first(condition_concept_id ORDER BY condition_start_date) AS a, "
        "last(condition_concept_id ORDER BY condition_start_date) AS z, "
        "arg_max(condition_concept_id, condition_start_date) AS m "
        "FROM condition_occurrence GROUP BY person) WHERE a = 10 AND z = 12 AND m = z"
    )
    assert answers(sql) == [(1,)]
