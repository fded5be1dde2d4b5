"""Equal questions have equal canonical texts, however they are written; different questions never do."""

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataspace.domain.queries import Query
from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY, answer, database
from tests.spec.query_language.conftest import RECORDS

ATOMS: tuple[tuple[str, ...], ...] = (
    ("p.sex = 'F'", "'F' = p.sex", "p.sex IN ('F')", "(p.sex = 'F')", "NOT p.sex <> 'F'"),
    ("p.year_of_birth > 1950", "1950 < p.year_of_birth", "NOT (p.year_of_birth <= 1950.0)", "p.YEAR_OF_BIRTH > 1.95e3"),
    (
        "c.condition_start_date >= '2011-01-01'",
        "DATE '2011-01-01' <= c.condition_start_date",
        "c.condition_start_date >= CAST('2011-01-01' AS DATE)",
        "NOT c.condition_start_date < '2011-01-01'",
    ),
    (
        "p.year_of_birth BETWEEN 1900 AND 1979",
        "p.year_of_birth <= 1979 AND 1900 <= p.year_of_birth",
        "p.year_of_birth >= 1900 AND p.year_of_birth <= 1979.00",
    ),
    (
        "c.condition_concept_id IN (10, 12)",
        "c.condition_concept_id IN (12, 10, 12)",
        "c.condition_concept_id = 12 OR c.condition_concept_id = 10",
        "10 = c.condition_concept_id OR c.condition_concept_id IN (12)",
    ),
    ("p.year_of_birth + c.condition_concept_id > 1970", "1970 < c.condition_concept_id + p.year_of_birth"),
    ("p.sex IS NULL", "NOT (p.sex IS NOT NULL)"),
)
Tree = tuple


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> Tree:
    """AND, OR and NOT over atoms, by number."""
    if depth == 0 or draw(st.booleans()):
        return ("atom", draw(st.integers(0, len(ATOMS) - 1)))
    kind = draw(st.sampled_from(["and", "or", "not"]))
    parts = 1 if kind == "not" else draw(st.integers(2, 3))
    return (kind, *(draw(trees(depth - 1)) for _ in range(parts)))


def written(draw: st.DrawFn, tree: Tree) -> str:
    """One of the ways to write a condition."""
    if tree[0] == "atom":
        return f"({draw(st.sampled_from(ATOMS[tree[1]]))})"
    parts = [written(draw, t) for t in tree[1:]]
    if tree[0] == "not":
        return f"(NOT {parts[0]})"
    parts = list(draw(st.permutations(parts)))
    return "(" + draw(st.sampled_from([" {} ", "\n{}  "])).format(tree[0].upper()).join(parts) + ")"


def spelling(draw: st.DrawFn, tree: Tree) -> str:
    """One of the ways to write a query: order of tables, aliases, case, comments, output names and order."""
    p, c = draw(st.sampled_from([("p", "c"), ("x1", "y1"), ("person", "condition_occurrence"), ("c", "p")]))
    condition = written(draw, tree)
    for old, new in (("p.", "\x01."), ("c.", "\x02."), ("\x01", p), ("\x02", c)):
        condition = condition.replace(old, new)
    tables = draw(
        st.sampled_from(
            [
                f"person AS {p} JOIN condition_occurrence AS {c} ON {p}.person = {c}.person WHERE {condition}",
                f"condition_occurrence {c} INNER JOIN hospital.person {p} USING (person) WHERE {condition}",
                f"condition_occurrence {c}, person {p} WHERE {condition} AND {c}.person = {p}.person",
                f"person {p} JOIN condition_occurrence {c} ON {condition} AND {c}.person = {p}.person",
                f"(person {p} JOIN condition_occurrence {c} ON {c}.person = {p}.person) WHERE {condition}".replace(
                    "(person", "person", 1
                ).replace(") WHERE", " WHERE", 1),
                f"condition_occurrence {c} JOIN w AS {p} ON {p}.person = {c}.person WHERE {condition}",
            ]
        )
    )
    items = list(draw(st.permutations([f"{p}.sex", "COUNT(*) AS n", f"COUNT(DISTINCT {c}.person) AS persons"])))
    start = "" if " w AS" not in tables else "WITH unused AS (SELECT person FROM person) "
    tables = tables.replace("JOIN w AS", "JOIN person AS")
    tail = draw(st.sampled_from(["", " ORDER BY n DESC", " ORDER BY 1 LIMIT 3", " -- a comment", " /* another */"]))
    return f"{start}SELECT {', '.join(items)} FROM {tables} GROUP BY {p}.sex{tail}"


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    tree = draw(trees())
    return spelling(draw, tree), spelling(draw, tree)


def parse(sql: str) -> Query:
    return parse_query(sql, DICTIONARY)


@settings(deadline=None, max_examples=200, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pair=pairs())
def test_other_words_make_no_other_question(pair: tuple[str, str]) -> None:
    first, second = (parse(sql) for sql in pair)
    assert first.canonical == second.canonical
    assert first.fingerprint == second.fingerprint
    assert [k.name for k in first.keys] == [k.name for k in second.keys]


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return database(RECORDS)


@settings(deadline=None, max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_equal_texts_are_equal_answers(con: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    queries = [parse(spelling(data.draw, data.draw(trees(1)))) for _ in range(4)]
    for a in queries:
        for b in queries:
            if a.canonical == b.canonical:
                assert sorted(map(repr, answer(a, con))) == sorted(map(repr, answer(b, con)))


DIFFERENT = (
    ("SELECT COUNT(*) FROM person", "SELECT COUNT(DISTINCT person) FROM person"),
    ("SELECT COUNT(*) FROM person WHERE sex = 'F'", "SELECT COUNT(*) FROM person WHERE sex = 'f'"),
    ("SELECT COUNT(*) FROM person WHERE sex = 'F'", "SELECT COUNT(*) FROM person WHERE sex LIKE 'F'"),
    ("SELECT SUM(CLAMP(days_supply, 0, 10)) FROM drug_exposure", "SELECT SUM(days_supply) FROM drug_exposure"),
    ("SELECT QUANTILE(dose, 0.5) FROM drug_exposure", "SELECT QUANTILE(dose, 0.25) FROM drug_exposure"),
    ("SELECT AVG(days_supply - dose) FROM drug_exposure", "SELECT AVG(dose - days_supply) FROM drug_exposure"),
    ("SELECT COUNT(*) FROM drug_exposure WHERE dose < 1", "SELECT COUNT(*) FROM drug_exposure WHERE dose <= 1"),
    (
        "SELECT COUNT(*) FROM person p LEFT JOIN drug_exposure d USING (person)",
        "SELECT COUNT(*) FROM person p JOIN drug_exposure d USING (person)",
    ),
    (
        "SELECT COUNT(*) FROM person p LEFT JOIN drug_exposure d ON p.person = d.person AND d.dose > 1",
        "SELECT COUNT(*) FROM person p LEFT JOIN drug_exposure d ON p.person = d.person WHERE d.dose > 1",
    ),
    (
        "SELECT COUNT(*) FROM condition_occurrence a JOIN condition_occurrence b ON a.person = b.person "
        "AND a.condition_concept_id = 10 AND b.condition_concept_id = 11 AND "
        "a.condition_start_date < b.condition_start_date",
        "SELECT COUNT(*) FROM condition_occurrence a JOIN condition_occurrence b ON a.person = b.person "
        "AND a.condition_concept_id = 10 AND b.condition_concept_id = 11 AND "
        "a.condition_start_date > b.condition_start_date",
    ),
    (
        "SELECT sex, COUNT(*) FROM person WHERE sex IN ('F') GROUP BY sex",
        "SELECT sex, COUNT(*) FROM person GROUP BY sex",
    ),
    ("SELECT RATE(dose, days_supply) FROM drug_exposure", "SELECT RATE(days_supply, dose) FROM drug_exposure"),
    (
        "SELECT COUNT(*) FROM (SELECT person, row_number() OVER (PARTITION BY person ORDER BY "
        "dose) n FROM drug_exposure) WHERE n = 1",
        "SELECT COUNT(*) FROM (SELECT person, row_number() OVER (PARTITION BY person ORDER BY "
        "dose DESC) n FROM drug_exposure) WHERE n = 1",
    ),
)


@pytest.mark.parametrize("pair", DIFFERENT)
def test_other_questions_have_other_texts(pair: tuple[str, str]) -> None:
    assert parse(pair[0]).canonical != parse(pair[1]).canonical


SAME = (
    (
        "SELECT COUNT(*) FROM condition_occurrence a JOIN condition_occurrence b ON a.person = b.person "
        "AND a.condition_concept_id = 10 AND b.condition_concept_id = 11",
        "SELECT COUNT(*) FROM condition_occurrence x JOIN condition_occurrence y USING (person) "
        "WHERE y.condition_concept_id = 10 AND x.condition_concept_id = 11",
    ),
    (
        "WITH f AS (SELECT person, COUNT(*) AS n, MIN(dose) AS unused FROM drug_exposure GROUP BY person) "
        "SELECT AVG(CLAMP(n, 0, 9)) FROM f",
        "SELECT AVG(CLAMP(q.number, 0.0, 9)) AS mean FROM (SELECT count(*) AS number, person FROM "
        "hospital.drug_exposure "
        "GROUP BY ALL) AS q",
    ),
    (
        "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM drug_exposure d WHERE d.person "
        "= p.person AND d.dose > 1)",
        "SELECT COUNT(*) FROM person x WHERE EXISTS (SELECT * FROM drug_exposure WHERE 1 < dose AND x.person = person)",
    ),
    (
        "SELECT SUM(days_supply * dose), COUNT(*) FROM drug_exposure",
        "SELECT COUNT(1) AS c, SUM(dose * days_supply) AS s FROM drug_exposure ORDER BY c",
    ),
    (
        "SELECT MEDIAN(dose) FROM drug_exposure",
        "SELECT PERCENTILE_CONT(0.50) WITHIN GROUP (ORDER BY dose) FROM drug_exposure",
    ),
)


@pytest.mark.parametrize("pair", SAME)
def test_these_are_the_same_question(pair: tuple[str, str]) -> None:
    assert parse(pair[0]).canonical == parse(pair[1]).canonical


def test_the_text_of_the_researcher_is_not_in_the_rows() -> None:
    query = parse("/* secret */ SELECT sex AS my_name, COUNT(*) AS cnt FROM person AS my_alias GROUP BY 1 -- secret")
    assert not any(word in query.canonical for word in ("secret", "my_name", "my_alias", "cnt"))
