"""Parts of the query compiler on their own."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlglot import exp

from dataspace.domain.errors import InvalidQuery
from dataspace.domain.queries import AggregateKind
from dataspace.sql import facts, functions, grammar, parse_query
from dataspace.sql.reference import language_reference
from dataspace.sql.scalars import RULES
from dataspace.sql.text import name_problem
from tests.reference.sql_cases import DICTIONARY, database


def test_every_function_node_is_in_the_grammar_and_has_an_entry() -> None:
    for node, (name, *keys) in functions.ARGUMENTS.items():
        assert set(keys) <= set(grammar.GRAMMAR[node])
        assert name in functions.FUNCTIONS


def test_every_scalar_rule_is_in_the_grammar() -> None:
    assert set(RULES) <= set(grammar.GRAMMAR)


def test_dangerous_nodes_are_not_in_the_grammar() -> None:
    for node in (exp.Command, exp.Copy, exp.Attach, exp.Insert, exp.Union, exp.Rand, exp.Unnest, exp.Lambda, exp.Star):
        assert (node in grammar.GRAMMAR) == (node is exp.Star)


def test_the_reference_lists_every_function() -> None:
    page = language_reference()
    assert all(f.usage.replace("|", "\\|") in page for f in functions.FUNCTIONS.values())


@pytest.mark.parametrize("name", ["age", "Âge_2", "ασθενείς", "пол", "two words"])
def test_names_of_one_alphabet_are_fine(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["", "x" * 65, "p\u0430ge", "\uff41ge", "\u212b", "年齢"])
def test_names_that_look_like_others_are_not(name: str) -> None:
    assert name_problem(name) is not None


def test_steps_and_bounds_of_expressions() -> None:
    asked = {
        "dose": ("0", "100", "0.5"),
        "days_supply * dose": ("0", "36500", "0.5"),
        "days_supply - dose": ("-100", "365", "0.5"),
        "dose / 4": ("0", "25", "0.125"),
        "days_supply / 3": ("0", "121.67", "0.01"),
        "CASE WHEN dose > 1 THEN 10 ELSE -2 END": ("-2", "10", "1"),
        "COALESCE(dose, 200)": ("0", "200", "0.5"),
        "LEAST(COALESCE(dose, 0), 10)": ("0", "10", "0.5"),
        "GREATEST(days_supply, 30)": ("30", "365", "1"),
        "date_diff('day', DATE '2020-01-01', drug_exposure_start_date)": ("-40908", "365", "1"),
        "CLAMP(dose, 1, 2, 0.25)": ("1", "2", "0.25"),
        "CLAMP(drug_concept_id, 0, 1000000000000)": ("0", "1000000000000", "1"),
    }
    for expression, (low, high, step) in asked.items():
        found = parse_query(f"SELECT AVG({expression}) FROM drug_exposure", DICTIONARY).aggregates[0]
        assert found.bounds is not None
        assert (found.bounds.low, found.bounds.high, found.step) == (Decimal(low), Decimal(high), Decimal(step)), (
            expression
        )


def test_resolution_is_coarser_for_wide_ranges() -> None:
    assert facts.resolution(Fraction(0), Fraction(2**41), Fraction(1)) == 10


def test_touched_columns_are_all_and_only_those_read() -> None:
    query = parse_query(
        "WITH f AS (SELECT person, MIN(dose) AS a, MAX(days_supply) AS unused FROM drug_exposure GROUP BY person) "
        "SELECT sex, COUNT(*) FROM person p JOIN f USING (person) WHERE a > 1 AND EXISTS (SELECT "
        "1 FROM condition_occurrence "
        "c WHERE c.person = p.person AND c.condition_start_date > '2010-01-01') GROUP BY sex",
        DICTIONARY,
    )
    assert query.columns == {
        ("hospital", "person", "sex"),
        ("hospital", "drug_exposure", "dose"),
        ("hospital", "condition_occurrence", "condition_start_date"),
    }
    assert [t for _, t in query.tables] == ["condition_occurrence", "drug_exposure", "person"]


def test_only_the_permitted_dictionary_is_seen() -> None:
    with pytest.raises(InvalidQuery, match="no table"):
        parse_query("SELECT COUNT(*) FROM person", {})


def test_filters_of_persons_have_a_value_without_bounds() -> None:
    query = parse_query("SELECT COUNT(DISTINCT person) FILTER (WHERE sex = 'F') FROM person", DICTIONARY)
    assert query.aggregates[0].kind is AggregateKind.PERSONS
    assert query.aggregates[0].value == 0
    assert query.aggregates[0].bounds is None


def test_sums_per_person_do_not_depend_on_threads_or_order() -> None:
    con = database({})
    con.execute(
        "INSERT INTO hospital.drug_exposure SELECT i % 50, i, i, 1, NULL, (i * 7919 % 1000) / 3.0 "
        "FROM range(300000) t(i)"
    )
    rows = parse_query(
        "SELECT SUM(CLAMP(s + a, 0, 1000000)) FROM (SELECT person, SUM(dose * 0.1) AS s, "
        "AVG(dose) AS a FROM drug_exposure "
        "GROUP BY person) AS x",
        DICTIONARY,
    ).rows
    seen = set()
    for threads, order in ((1, ""), (4, ""), (4, " ORDER BY hash(row_rank)")):
        con.execute(f"SET threads = {threads}")
        con.execute(f"CREATE OR REPLACE TABLE copy AS FROM hospital.drug_exposure{order}")
        found = con.execute(rows.replace('"hospital"."drug_exposure"', "copy")).fetchall()
        seen.add(frozenset(Counter(found).items()))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("key", "level"),
    [
        ("p.sex", True),
        ("d.dose > 1", False),
        ("p.year_of_birth + d.days_supply > 2000", False),
        ("p.person IN (SELECT person FROM condition_occurrence)", True),
        ("EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.person = p.person)", True),
        (
            "EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.person = p.person "
            "AND c.condition_start_date < d.drug_exposure_start_date)",
            False,
        ),
        ("d.drug_concept_id IN (SELECT concept_id FROM concept)", False),
        ("CASE WHEN d.dose > 1 THEN p.sex END", False),
    ],
)
def test_a_key_is_person_level_if_all_it_reads_is(key: str, level: bool) -> None:
    sql = f"SELECT {key} AS k, COUNT(*) FROM person p JOIN drug_exposure d ON p.person = d.person GROUP BY 1"
    assert parse_query(sql, DICTIONARY).keys[0].person_level is level
