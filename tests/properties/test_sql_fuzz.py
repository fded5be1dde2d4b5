"""Whatever is sent, the outcome is a query or a refusal with advice, never another error."""

import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataspace.domain.errors import InvalidQuery
from dataspace.domain.queries import Query
from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY
from tests.reference.sql_generator import person_queries, row_queries

WORDS = """
SELECT FROM WHERE GROUP BY ORDER LIMIT HAVING QUALIFY WITH AS JOIN LEFT RIGHT FULL CROSS NATURAL ON USING UNION ALL
DISTINCT CASE WHEN THEN ELSE END AND OR NOT IN IS NULL LIKE BETWEEN EXISTS OVER PARTITION ROWS CAST INTERVAL DATE
person sex dose d p drug_exposure concept COUNT SUM AVG MIN first row_number BIN CLAMP RATE ( ( ) ) , , . * + - / = <
> :: [ ] { } ; ? $1 :x @x 'F' 'x' "q" 1 0 2.5 1e400 TRUE PIVOT UNNEST LATERAL VALUES TABLESAMPLE RECURSIVE FILTER
WITHIN ROLLUP GROUPING SETS lambda -> ~ || // % ** # /* */ -- SET DROP TABLE COPY ATTACH PRAGMA EXPLAIN DESCRIBE
""".split()  # noqa: SIM905


def outcome(sql: str) -> None:
    """Fails with anything but an answer or a refusal."""
    refusal = None
    try:
        assert isinstance(parse_query(sql, DICTIONARY), Query)
    except InvalidQuery as error:
        refusal = error
    if refusal is not None:
        assert refusal.message
        assert (refusal.line is None) == (refusal.column is None)


@settings(deadline=None, max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(words=st.lists(st.sampled_from(WORDS), max_size=25))
def test_soup_of_words(words: list[str]) -> None:
    outcome("SELECT " + " ".join(words))


@settings(deadline=None, max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sql=st.one_of(row_queries(depth=1), person_queries(depth=1)), data=st.data())
def test_damaged_queries(sql: str, data: st.DataObject) -> None:
    words = sql.format(person="person").replace("(", " ( ").replace(")", " ) ").split()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(words) - 1))
        change = data.draw(st.sampled_from(["drop", "repeat", "insert", "swap"]))
        if change == "drop":
            words[place : place + 1] = []
        elif change == "insert":
            words.insert(place, data.draw(st.sampled_from(WORDS)))
        else:
            other = data.draw(st.integers(0, len(words) - 1)) if change == "swap" else place
            words[place : place + 1] = [words[other], *([words[place]] if change == "repeat" else [])]
        words = words or ["SELECT"]
    outcome(" ".join(words))


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    outcome(text)
    outcome(f"SELECT COUNT(*) FROM person WHERE sex = '{text}'")
    outcome(f'SELECT COUNT(*) AS "{text}" FROM person')


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.text(alphabet=string.printable, max_size=100))
def test_any_condition(text: str) -> None:
    outcome(f"SELECT COUNT(*) FROM person WHERE {text}")
