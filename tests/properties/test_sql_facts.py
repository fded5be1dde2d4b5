"""What a query claims about itself holds on every data set that obeys the dictionary."""

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalog.schema import ColumnType
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.queries import Query
from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY, database
from tests.reference.sql_generator import Language, conditions, dates, numbers, texts

START = date(1908, 1, 1)


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """Persons and records spread over the whole ranges of the dictionary, ends included."""
    born = [1900, 1901, 1949, 1950, 1999, 2000, 2020]
    spans = [0, 1, 58, 15000, 37987, 41272, None]
    return database(
        {
            "person": [(i, [None, "F", "M"][i % 3], born[i % 7]) for i in range(21)],
            "drug_exposure": [
                (
                    i % 17,
                    [None, 10, 11, 2**40][i % 4],
                    [None, 0, 1, 180, 365][i % 5],
                    None if spans[i % 7] is None else START + timedelta(days=spans[i % 7] or 0),
                    [None, 0.0, 0.5, 33.5, 100.0][(i // 3) % 5],
                )
                for i in range(70)
            ],
            "condition_occurrence": [(i % 13, 10 + i % 3, START + timedelta(days=i * 900)) for i in range(45)],
        }
    )


FROM = (
    "person p",
    "person p JOIN drug_exposure d ON p.person = d.person",
    "person p LEFT JOIN drug_exposure d ON p.person = d.person",
    "person p LEFT JOIN drug_exposure d ON p.person = d.person AND d.dose > 1",
    "(SELECT person, MAX(dose) AS dose, COUNT(*) AS days_supply, MIN(drug_concept_id) AS drug_concept_id, "
    "MAX(drug_exposure_start_date) AS drug_exposure_start_date FROM drug_exposure GROUP BY person) AS d "
    "JOIN person p ON p.person = d.person",
    "person p LEFT JOIN (SELECT person, drug_concept_id, days_supply, dose, "
    "drug_exposure_start_date, row_number() OVER "
    "(PARTITION BY person ORDER BY dose DESC) AS rn FROM drug_exposure) AS d ON p.person = d.person AND d.rn = 1",
)


@st.composite
def grouped(draw: st.DrawFn) -> str:
    """A query with one drawn key and one drawn value."""
    place = draw(st.sampled_from(FROM))
    language = Language(aliases=("p", "d") if " d" in place else ("p",))
    kind = draw(st.sampled_from([numbers, numbers, dates, texts, conditions]))
    key, value = draw(kind(language, 2)), draw(numbers(language, 2))
    key = draw(st.sampled_from([f"floor({key} / 10)", f"BIN({key}, 0, 50, 5)"])) if kind is numbers else key
    kept = draw(conditions(language, 1))
    return f"SELECT {key} AS k, AVG({value}) AS v FROM {place} WHERE {kept} GROUP BY 1".format(person="person")


def compiled(sql: str) -> Query:
    try:
        return parse_query(sql, DICTIONARY)
    except InvalidQuery:
        # no bounds can be derived for many values; the key alone is then looked at
        return parse_query(sql.replace("AVG(", "COUNT("), DICTIONARY)


@settings(deadline=None, max_examples=250, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sql=grouped())
def test_claims_hold(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        query = compiled(sql)
    except InvalidQuery:
        assume(False)
    rows = con.execute(query.rows).fetchall()
    persons = [row[0] for row in rows]
    key, aggregate = query.keys[0], query.aggregates[0]
    if query.one_row_per_person:
        assert len(set(persons)) == len(persons)
    if key.person_level:
        assert len({(row[0], row[1]) for row in rows}) == len(set(persons))
    if key.domain is not None:
        assert {row[1] for row in rows} <= set(key.domain)
        assert len(set(key.domain)) == len(key.domain)
    # the engine clamps, so what a CLAMP at the top says of its bounds need not hold of the rows
    if aggregate.bounds is not None and "AVG(CLAMP" not in sql:
        values = [row[2 + aggregate.value] for row in rows if row[2 + aggregate.value] is not None]
        low, high = float(aggregate.bounds.low), float(aggregate.bounds.high)
        assert all(low - 1e-6 <= v <= high + 1e-6 for v in values)
        for end in (aggregate.bounds.low, aggregate.bounds.high):
            assert end % aggregate.step == 0
        assert (aggregate.bounds.high - aggregate.bounds.low) / aggregate.step <= 2**40


def test_keys_keep_their_type() -> None:
    query = parse_query("SELECT sex, floor(year_of_birth / 10) AS d, COUNT(*) FROM person GROUP BY ALL", DICTIONARY)
    assert {k.name: k.type for k in query.keys} == {"sex": ColumnType.CODE, "d": ColumnType.INTEGER}
