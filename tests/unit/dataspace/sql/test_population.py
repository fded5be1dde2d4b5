"""The population of a permit: one table and a condition, and nothing else."""

import pytest

from dataspace.domain.errors import InvalidQuery
from dataspace.sql import parse_population
from tests.reference.sql_cases import DICTIONARY

[SCHEMA] = DICTIONARY.values()
HERE = SCHEMA.dataset


def population(condition: str, table: str = "person") -> str:
    return f"{HERE}.{table} WHERE {condition}"


def test_what_it_reads() -> None:
    found = parse_population(population("year_of_birth < 1960 AND sex = 'F'"), DICTIONARY)
    assert found.dataset == HERE
    assert found.columns == {(HERE, "person", name) for name in ("year_of_birth", "sex", "")}
    assert found.persons.count("SELECT") == 1
    assert "person_key AS person_key" in found.persons


@pytest.mark.parametrize(
    "text",
    [
        "{0}.person WHERE sex = 'F' AND year_of_birth < 1960",
        "{0}.person where 1960 > YEAR_OF_BIRTH and (sex IN ('F'))",
        " {0}.person p\nWHERE p.year_of_birth < 1960 -- born before\n AND p.sex = 'F' ",
    ],
)
def test_other_words_mean_the_same(text: str) -> None:
    first = parse_population(population("year_of_birth < 1960 AND sex = 'F'"), DICTIONARY)
    again = parse_population(text.format(HERE), DICTIONARY)
    assert (again.canonical, again.persons, again.columns) == (first.canonical, first.persons, first.columns)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one table and a condition"),
        ("age > 17", "one table and a condition"),
        ("{0}.person", "one table and a condition"),
        ("person WHERE sex = 'F'", "without its dataset"),
        ("elsewhere.person WHERE sex = 'F'", "no table 'person'"),
        ("{0}.nothing WHERE sex = 'F'", "no table 'nothing'"),
        ("{0}.person WHERE shoe_size > 40", "no column 'shoe_size'"),
        ("{0}.person WHERE sex", "A value is used where a condition"),
        ("{0}.person WHERE sex > 3", "kinds are mixed"),
        ("{0}.person WHERE EXISTS (SELECT 1 FROM drug_exposure d WHERE d.person = person.person)", "no sub-query"),
        ("{0}.person WHERE person IN (SELECT person FROM drug_exposure)", "no sub-query"),
        ("{0}.person WHERE year_of_birth > (SELECT 1)", "no sub-query"),
        ("{0}.person, {0}.drug_exposure WHERE sex = 'F'", "one table and a condition"),
        ("{0}.person JOIN {0}.drug_exposure USING (person) WHERE sex = 'F'", "one table and a condition"),
        ("(SELECT person, sex FROM {0}.person) AS p WHERE sex = 'F'", "one table and a condition"),
        ("{0}.person WHERE sex = 'F' LIMIT 5", "one table and a condition"),
        ("{0}.person WHERE sex = 'F' ORDER BY 1", "one table and a condition"),
        ("{0}.person WHERE sex = 'F' GROUP BY ALL", "one table and a condition"),
        ("{0}.person WHERE sex = 'F' QUALIFY row_number() OVER () = 1", "one table and a condition"),
        ("{0}.person WHERE sex = 'F' HAVING COUNT(*) > 3", "one table and a condition"),
        ("{0}.person WHERE sex = 'F' UNION SELECT COUNT(*) FROM {0}.person", "one table and a condition"),
        ("{0}.person WHERE sex = 'F'; DROP TABLE person", "one table and a condition"),
        ("{0}.person WHERE COUNT(*) > 3", "aggregate count.. cannot stand here"),
        ("{0}.person WHERE row_number() OVER (PARTITION BY person ORDER BY sex) = 1", "window function cannot stand"),
        ("{0}.person WHERE person = 5", "Persons are compared only"),
        ("{0}.person WHERE random() < 0.5", "not part of the query language"),
        ("{0}.person TABLESAMPLE 5% WHERE sex = 'F'", "sample is not part"),
        ("{0}.concept WHERE concept_id = 10", "lookup tables only"),
    ],
)
def test_anything_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidQuery, match=said):
        parse_population(text.format(HERE), DICTIONARY)


def test_the_place_is_that_of_the_text_as_it_was_written() -> None:
    with pytest.raises(InvalidQuery) as refusal:
        parse_population(population("sex = 'F'\n  AND shoe_size > 40"), DICTIONARY)
    assert (refusal.value.line, refusal.value.column) == (2, 7)
    assert refusal.value.message.startswith("line 2, column 7: There is no column 'shoe_size'")
    assert refusal.value.message.count("line") == 1
