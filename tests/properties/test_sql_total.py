"""No data can make a query fail, and no one else's data can change what a person contributes."""

from collections import Counter
from math import isfinite

import duckdb
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from dataspace.domain.errors import InvalidQuery
from dataspace.domain.queries import Query
from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY, database
from tests.reference.sql_generator import person_queries, row_queries

NUMBERS = ("NULL", "0", "-1", "9223372036854775807", "-9223372036854775808", "50")
DOUBLES = ("NULL", "'nan'", "'inf'", "'-inf'", "1.7976931348623157e308", "-0.0", "5e-324", "0.5")
DAYS = ("NULL", "'infinity'", "'-infinity'", "'5881580-07-10'", "'5877642-06-25 (BC)'", "'2012-02-29'", "'9999-12-31'")
TEXTS = ("NULL", "''", "'F'", "'nan'", "'1e999'", "'2012-13-45'", "repeat('F', 3000)", "'\x01é'")


def parsed(sql: str) -> Query:
    """The query; drawn constants that are refused (CAST('F' AS DATE), a third of a day) make another draw."""
    try:
        return parse_query(sql.format(person="person"), DICTIONARY)
    except InvalidQuery:
        reject()


@pytest.fixture(scope="module")
def hostile() -> duckdb.DuckDBPyConnection:
    """Persons whose records are at every limit of their types."""
    con = database({"concept": [(10, None, None), (None, "x", "y")]})
    key = 0
    for sex in TEXTS:
        for number in NUMBERS:
            key += 1
            con.execute(f"INSERT INTO hospital.person VALUES ({key}, 1, {sex}, {number})")
            for rank, day in enumerate(DAYS[key % 2 :], 1):
                double, other = DOUBLES[(key + rank) % len(DOUBLES)], NUMBERS[(key * rank) % len(NUMBERS)]
                con.execute(
                    f"INSERT INTO hospital.drug_exposure VALUES ({key}, {rank}, {number}, {other}, {day}, "
                    f"{double}::DOUBLE)"
                )
            con.execute(f"INSERT INTO hospital.condition_occurrence VALUES ({key}, 1, {number}, {DAYS[key % 7]})")
    return con


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sql=st.one_of(row_queries(), person_queries()))
def test_no_data_makes_a_query_fail(hostile: duckdb.DuckDBPyConnection, sql: str) -> None:
    query = parsed(sql)
    rows = hostile.execute(query.rows).fetchall()
    first = 1 + len(query.keys)
    assert all(row[0] is not None for row in rows)
    assert all(v is None or isfinite(v) for row in rows for v in row[first:])


@pytest.fixture(scope="module")
def worlds() -> tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]:
    """The same persons 1 and 2, among different others."""
    shared = {
        "person": [(1, "F", 1950), (2, None, 1980)],
        "drug_exposure": [
            (1, 50, 30, None, 1.5),
            (1, 50, 30, None, 1.5),
            (1, 51, 3, None, 0.5),
            (1, 51, None, None, 7.0),
            (2, 50, 365, None, 100.0),
        ],
        "condition_occurrence": [(1, 11, "2010-01-01"), (1, 12, "2011-01-01")],
    }
    others = {
        "person": [(0, "M", 1900), (3, "F", 1999), (4, "M", 1950)],
        "drug_exposure": [(0, 50, 1, None, 3.0), (3, 51, 30, None, 1.5), (4, 50, 2, None, 9.0), (4, 51, 4, None, 9.5)],
        "condition_occurrence": [(3, 11, "2010-01-01"), (4, 10, "2012-01-01")],
    }
    together = {name: [*others[name], *rows] for name, rows in shared.items()}
    return database(shared), database(together)


@settings(deadline=None, max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sql=st.one_of(row_queries(), person_queries()))
def test_others_never_change_what_a_person_contributes(
    worlds: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection], sql: str
) -> None:
    rows = parsed(sql).rows
    alone, among = (Counter(r for r in con.execute(rows).fetchall() if r[0] in (1, 2)) for con in worlds)
    assert alone == among
