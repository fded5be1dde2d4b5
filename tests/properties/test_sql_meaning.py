"""What a compiled query counts is what DuckDB counts when it runs the text as it stands."""

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY, answer, database
from tests.reference.sql_generator import row_queries
from tests.spec.query_language.conftest import RECORDS


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    found = database(RECORDS)
    found.execute("SET schema = 'hospital'")
    return found


@settings(deadline=None, max_examples=200, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sql=row_queries(safe=True))
def test_counts_are_those_of_the_text(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    query = parse_query(sql.format(person="person"), DICTIONARY)
    places = [[k.name for k in query.keys].index("k"), *(_place(query, n) for n in ("n", "hits", "persons"))]
    ours = {tuple(row[p] for p in places) for row in answer(query, con)}
    plain = set(con.execute(sql.format(person="person_key")).fetchall())
    assert {row for row in ours if row[1]} == plain


def _place(query, name: str) -> int:
    return len(query.keys) + [a.name for a in query.aggregates].index(name)
