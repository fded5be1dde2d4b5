"""What is refused: by name, with the position, and with what to write instead."""

import pytest

from dataspace.domain.errors import InvalidQuery
from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY, HOSPITAL, REGISTRY

PER_PERSON = "FROM (SELECT person, {} FROM drug_exposure) AS x"
REFUSED = (
    # rows and persons
    ("SELECT * FROM person", "SELECT *", "Name groups"),
    ("SELECT sex FROM person", "releases rows", "Aggregate"),
    ("SELECT person, COUNT(*) FROM person GROUP BY person", "person key is never released", "COUNT(DISTINCT person)"),
    ("SELECT COUNT(*) FROM person GROUP BY person", "Groups of one person", "sub-query"),
    ("SELECT COUNT(*) FROM person WHERE person = 5", "Persons are compared", "ON a.person = b.person"),
    ("SELECT AVG(person) FROM person", "person key is never", "COUNT(DISTINCT person)"),
    ("SELECT COUNT(*) FROM person WHERE person + 1 > 2", "person key is never", "COUNT(DISTINCT person)"),
    ("SELECT COUNT(person) FROM person", "counts rows", "COUNT(DISTINCT person)"),
    ("SELECT COUNT(*) FROM person WHERE person_key = 1", "no column 'person_key'", ""),
    ("SELECT COUNT(*) FROM drug_exposure WHERE row_rank = 1", "no column 'row_rank'", "Columns"),
    # joins
    ("SELECT COUNT(*) FROM person a JOIN drug_exposure b ON a.year_of_birth = b.dose", "different persons", "a.person"),
    ("SELECT COUNT(*) FROM person a, drug_exposure b", "different persons", "a.person = b.person"),
    ("SELECT COUNT(*) FROM person a CROSS JOIN drug_exposure b", "different persons", "a.person = b.person"),
    ("SELECT COUNT(*) FROM person a JOIN drug_exposure b ON a.person = b.person OR TRUE", "Persons are compared", "ON"),
    ("SELECT COUNT(*) FROM person a JOIN drug_exposure b ON NOT a.person = b.person", "Persons are compared", "ON"),
    ("SELECT COUNT(*) FROM person a JOIN drug_exposure b ON a.person <> b.person", "Persons are compared", "ON"),
    ("SELECT COUNT(*) FROM person a LEFT JOIN drug_exposure b ON b.dose > 1", "different persons", "a.person"),
    ("SELECT COUNT(*) FROM person RIGHT JOIN drug_exposure USING (person)", "RIGHT JOIN", "LEFT JOIN"),
    ("SELECT COUNT(*) FROM person FULL JOIN drug_exposure USING (person)", "FULL JOIN", "LEFT JOIN"),
    ("SELECT COUNT(*) FROM person NATURAL JOIN drug_exposure", "method", "ON a.person"),
    ("SELECT COUNT(*) FROM person SEMI JOIN drug_exposure USING (person)", "SEMI JOIN", "IN (SELECT person"),
    ("SELECT COUNT(*) FROM concept", "lookup tables only", "Join"),
    ("SELECT COUNT(*) FROM concept LEFT JOIN person ON TRUE", "different persons", "a.person"),
    (
        "SELECT COUNT(*) FROM person a LEFT JOIN drug_exposure b USING (person) "
        "LEFT JOIN condition_occurrence c ON c.person = b.person",
        "always there",
        "first table",
    ),
    # sub-queries
    ("SELECT COUNT(*) FROM (SELECT sex FROM person) AS x", "loses the person", "Add person"),
    ("SELECT COUNT(*) FROM (SELECT COUNT(*) AS n FROM person) AS x", "several persons", "GROUP BY person"),
    ("SELECT COUNT(*) FROM (SELECT sex, COUNT(*) AS n FROM person GROUP BY sex) AS x", "several persons", "person"),
    ("SELECT COUNT(*) FROM (SELECT MAX(person) AS person FROM person) AS x", "keeps its name", "alias"),
    ("SELECT COUNT(*) FROM (SELECT person AS p FROM person) AS x", "keeps its name", "alias"),
    ("SELECT COUNT(*) FROM (SELECT sex AS person FROM person) AS x", "keeps its name", "alias"),
    (
        "SELECT COUNT(*) FROM person WHERE year_of_birth > (SELECT AVG(year_of_birth) FROM person)",
        "mix persons",
        "Join",
    ),
    ("SELECT COUNT(*) FROM person WHERE sex IN (SELECT sex FROM person)", "other persons", "EXISTS"),
    ("SELECT COUNT(*) FROM person WHERE EXISTS (SELECT 1 FROM drug_exposure)", "all persons", "b.person = a.person"),
    (
        "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM drug_exposure d WHERE d.person "
        "= p.person OR d.dose > 1)",
        "Persons are compared",
        "AND",
    ),
    (
        "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM drug_exposure d WHERE d.person "
        "= p.person GROUP BY d.person)",
        "plain SELECT",
        "HAVING",
    ),
    (
        "SELECT COUNT(*) FROM person WHERE person IN (SELECT concept_id FROM concept)",
        "must give persons",
        "SELECT person",
    ),
    ("SELECT COUNT(*) FROM (SELECT person FROM person LIMIT 3) AS x", "LIMIT inside", "row_number"),
    ("SELECT COUNT(*) FROM (SELECT person FROM person ORDER BY sex) AS x", "ORDER BY inside", "row_number"),
    ("WITH RECURSIVE r AS (SELECT person FROM person) SELECT COUNT(*) FROM r", "recursive", "window"),
    ("SELECT COUNT(*) FROM LATERAL (SELECT person FROM person) AS x", "LATERAL", "grouped by person"),
    ("SELECT COUNT(*) FROM (SELECT person, * FROM person) AS x", "SELECT *", "Name the columns"),
    # windows
    (
        "SELECT COUNT(n) " + PER_PERSON.format("row_number() OVER (ORDER BY dose) AS n"),
        "several persons",
        "PARTITION BY",
    ),
    ("SELECT COUNT(n) " + PER_PERSON.format("lag(dose) OVER (PARTITION BY person) AS n"), "needs an order", "ORDER BY"),
    ("SELECT COUNT(n) " + PER_PERSON.format("ntile(4) OVER (PARTITION BY person ORDER BY dose) AS n"), "ntile", "BIN"),
    (
        "SELECT COUNT(n) " + PER_PERSON.format("last_value(dose) OVER (PARTITION BY person ORDER BY dose) AS n"),
        "current row",
        "first_value",
    ),
    ("SELECT SUM(row_number() OVER (PARTITION BY person)) FROM person", "window function cannot", "sub-query"),
    # aggregates
    ("SELECT COUNT(DISTINCT sex) FROM person", "Different values", "GROUP BY"),
    ("SELECT MAX(dose) FROM drug_exposure", "max() is not", "QUANTILE(x, 0.99)"),
    ("SELECT MODE(sex) FROM person", "mode()", "LIMIT 1"),
    ("SELECT STRING_AGG(sex) FROM person", "not part", "Lists"),
    ("SELECT SUM(dose) * 2 FROM drug_exposure", "computes with aggregates", "RATE"),
    ("SELECT AVG(drug_concept_id) FROM drug_exposure", "no bounds", "CLAMP(x, lo, hi)"),
    ("SELECT AVG(dose / days_supply) FROM drug_exposure", "no bounds", "CLAMP(x, lo, hi)"),
    ("SELECT QUANTILE(dose, 1.5) FROM drug_exposure", "between 0 and 1", "0.25"),
    ("SELECT AVG(sex) FROM person", "Text is used", "CAST"),
    ("SELECT AVG(sex = 'F') FROM person", "condition is used", "CASE"),
    ("SELECT COUNT(*), COUNT(*) AS again FROM person", "same aggregate", "once"),
    ("SELECT COUNT(*) FROM person WHERE COUNT(*) > 1", "cannot stand here", "sub-query"),
    ("SELECT VAR_POP(dose) FROM drug_exposure", "not part", "VARIANCE"),
    # groups
    ("SELECT sex, COUNT(*) FROM person", "neither grouped", "GROUP BY"),
    ("SELECT COUNT(*) FROM person GROUP BY sex", "missing in the SELECT list", "Select it"),
    ("SELECT dose, COUNT(*) FROM drug_exposure GROUP BY dose", "decimals", "BIN"),
    ("SELECT sex, COUNT(*) FROM person GROUP BY sex HAVING COUNT(*) > 5", "HAVING", "sub-query"),
    ("SELECT DISTINCT sex, COUNT(*) FROM person GROUP BY sex", "DISTINCT", "drop"),
    ("SELECT sex AS year_of_birth, COUNT(*) FROM person GROUP BY year_of_birth", "also the name", "alias"),
    ("SELECT year_of_birth a, year_of_birth + 1 b, sex, COUNT(*) FROM person GROUP BY ALL", "10,000", "bands"),
    # the language
    ("SELECT COUNT(*) FROM person; DROP TABLE person", "more than one statement", "one SELECT"),
    ("DROP TABLE person", "starts with SELECT", "For example"),
    ("SELECT COUNT(*) FROM person UNION ALL SELECT COUNT(*) FROM person", "UNION", "query of its own"),
    ("SELECT COUNT(*) FROM read_csv('/etc/passwd')", "read_csv", ""),
    ("SELECT COUNT(*) FROM 'people.parquet'", "no table", "Tables"),
    ("SELECT COUNT(*) FROM information_schema.tables", "no table", "Tables"),
    ("SELECT COUNT(*) FROM person WHERE getenv('HOME') = 'x'", "getenv()", "Functions"),
    ("SELECT COUNT(*) FROM person WHERE random() < 0.5", "rand()", "repeatable"),
    ("SELECT COUNT(*) FROM person WHERE year_of_birth < year(current_date)", "current_date", "write the date"),
    ("SELECT COUNT(*) FROM person WHERE now() > DATE '2020-01-01'", "not part", "literal"),
    ("SELECT COUNT(*) FROM person WHERE regexp_matches(sex, 'F')", "not part", "LIKE"),
    ("SELECT COUNT(*) FROM person WHERE sex = 1", "different kinds", "Quote codes"),
    ("SELECT COUNT(*) FROM person WHERE sex = NULL", "never true", "IS NULL"),
    ("SELECT COUNT(*) FROM person WHERE sex IN ('F', NULL)", "constants only", "IS NULL"),
    ("SELECT COUNT(*) FROM person WHERE year_of_birth", "condition is needed", "Compare"),
    ("SELECT COUNT(*) FROM condition_occurrence WHERE condition_start_date > '1.1.2020'", "not a date", "2020-12-31"),
    ("SELECT COUNT(*) FROM person TABLESAMPLE 10%", "sample", "drop the clause"),
    ("SELECT COUNT(*) FROM person LIMIT 5 OFFSET 5", "offset", "released table"),
    ("SELECT COUNT(*) FROM person ORDER BY sex", "own columns", "Select it"),
    ("SELECT COUNT(*) FROM persn", "no table 'persn'", "person"),
    ("SELECT COUNT(sx) FROM person", "no column 'sx'", "sex"),
    ("SELECT COUNT(*) AS n FROM person WHERE x.sex = 'F'", "no table or alias", "person"),
    ("SELECT COUNT(*) AS p\u0430tients FROM person", "confused", "plain letters"),
    ("SELECT COUNT(*) FROM person WHERE sex = '\u202eF'", "U+202E", "control characters"),
    ("SELECT COUNT(*) FROM person WHERE sex = 'F\x00'", "U+0000", "control characters"),
    ("SELECT COUNT(*\nFROM person", "not valid SQL", "parentheses"),
)


@pytest.mark.parametrize(("sql", "what", "advice"), REFUSED)
def test_a_refusal_names_the_construct_and_a_way_that_works(sql: str, what: str, advice: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_query(sql, DICTIONARY)
    assert what.lower() in caught.value.message.lower()
    assert advice.lower() in (caught.value.hint or caught.value.message).lower()
    if "more than one statement" not in what:
        assert caught.value.line is not None


def test_the_position_is_that_of_the_construct() -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_query("SELECT COUNT(*)\nFROM person\nWHERE sex = 'F'\n  AND sx = 'M'", DICTIONARY)
    assert (caught.value.line, caught.value.column) == (4, 7)


def test_a_table_of_two_datasets_needs_its_dataset() -> None:
    both = {"hospital": HOSPITAL, "cancer-registry": REGISTRY}
    with pytest.raises(InvalidQuery, match="several datasets"):
        parse_query("SELECT COUNT(*) FROM person", both)
    query = parse_query('SELECT COUNT(*) FROM "cancer-registry".person JOIN tumour USING (person)', both)
    assert query.datasets == ("cancer-registry",)
    linked = parse_query("SELECT COUNT(*) FROM hospital.person JOIN tumour USING (person)", both)
    assert linked.datasets == ("cancer-registry", "hospital")


LONG = "SELECT COUNT(*) FROM person WHERE "
TOO_MUCH = (
    "SELECT COUNT(*) FROM person -- " + "x" * 70_000,
    LONG + "(" * 200 + "1 = 1" + ")" * 200,
    LONG + "NOT " * 200 + "sex = 'F'",
    LONG + " AND ".join(f"year_of_birth <> {i}" for i in range(1000)),
    LONG + "year_of_birth" + " + 1" * 500 + " > 1",
    LONG + f"year_of_birth IN ({', '.join(map(str, range(1001)))})",
    LONG + "sex LIKE '%a%b%c%d%e%f%g%h%i%'",
    "WITH c0 AS (SELECT person FROM person), "
    + ", ".join(f"c{i} AS (SELECT a.person FROM c{i - 1} a JOIN c{i - 1} b USING (person))" for i in range(1, 12))
    + " SELECT COUNT(*) FROM c11",
)


@pytest.mark.parametrize("sql", TOO_MUCH, ids=range(len(TOO_MUCH)))
def test_queries_have_a_size(sql: str) -> None:
    with pytest.raises(InvalidQuery):
        parse_query(sql, DICTIONARY)


def test_numbers_that_multiply_themselves_do_not_grow_without_end() -> None:
    steps = ", ".join(f"c{i} AS (SELECT person, x * x AS x FROM c{i - 1})" for i in range(1, 45))
    query = parse_query(
        f"WITH c0 AS (SELECT person, year_of_birth AS x FROM person), {steps} SELECT COUNT(x) FROM c44", DICTIONARY
    )
    assert query.one_row_per_person
