"""One regression test for each attack that once worked."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from time import perf_counter

import numpy as np
import pyarrow as pa
import pytest

from catalog.schema import Bounds, Column, ColumnType, DatasetSchema, Table, TableKind
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.privacy import ByEpsilon, ContributionBounds, Guarantee
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.kernel import add_digit
from dataspace.dp.noise import ZeroNoise
from dataspace.dp.plan import plan_query
from dataspace.sql import parse_query
from tests.reference.rows import bucketed

NIGHTS = Column("nights", ColumnType.INTEGER, required=True, bounds=Bounds(Decimal(0), Decimal(100)))
ADMITTED = Column("admitted", ColumnType.DATE, required=True)
STAY = Table("t", TableKind.EVENTS, (NIGHTS, ADMITTED), rows_per_person=3, groups_per_person=2)
LOOKUP = Table("code", TableKind.LOOKUP, (Column("id", ColumnType.INTEGER), Column("name", ColumnType.TEXT)))
DICTIONARY = {"s": DatasetSchema("s", (STAY, LOOKUP))}
ARROW = pa.schema(
    [("person_key", pa.int64()), ("row_rank", pa.int32()), ("nights", pa.int64()), ("admitted", pa.date32())]
)


def answer(sql: str, rows: list[dict[str, object]], groups: int = 2) -> list[tuple[object, ...]]:
    """Zero-noise answer over rows that need not keep to the dictionary's bounds."""
    given = [{"row_rank": 1, "nights": 1, "admitted": date(2020, 1, 1), **row} for row in rows]
    query = parse_query(sql, DICTIONARY)
    guarantee = Guarantee(Decimal(5), Decimal("1e-6"))
    plan = plan_query(query, DICTIONARY, ByEpsilon(Decimal(1)), guarantee, ContributionBounds(groups, 3))
    table = measure(plan, aggregate(bucketed(given, ARROW, 2), plan, b"sixteen byte key"), ZeroNoise())
    return [(*row.keys, *(estimate.value for estimate in row.estimates)) for row in table.rows]


def test_a_day_after_the_last_year_makes_no_query_fail() -> None:
    sql = """
        SELECT d, COUNT(DISTINCT person) AS n
        FROM (SELECT person, DATE '9999-12-31' + row_number() OVER (PARTITION BY person ORDER BY nights) AS d FROM t)
        GROUP BY d
    """
    rows = [{"person_key": person} for person in range(3000)]
    assert answer(sql, rows) == [(None, 3000.0)]


@pytest.mark.parametrize("low", [-5_000_000, -2_000, -1, 0])
@pytest.mark.parametrize("outlier", [101, 777, 2**62])
def test_a_value_far_beyond_its_bounds_is_in_no_group(low: int, outlier: int) -> None:
    sql = f"SELECT CASE WHEN nights > 100 THEN 9223372036854775807 ELSE {low} END AS k, COUNT(*) AS n FROM t GROUP BY 1"
    rows = [{"person_key": person, "nights": outlier if person < 5 else 1} for person in range(50)]
    assert answer(sql, rows)[0] == (low, 45.0)


def test_the_kernel_reads_inside_its_table_only() -> None:
    codes = np.zeros(6, np.int64)
    values = np.array([-(2**63), 2**63 - 1, -6, -5, -4, -3], np.int64)
    add_digit(codes, values, -5, np.array([7, 8], np.int64), 10)
    assert codes.tolist() == [-1, -1, -1, 7, 8, -1]


def test_joined_tables_take_part_with_a_bounded_number_of_rows() -> None:
    joins = " ".join(f"JOIN t AS t{i} ON t{i}.person = t0.person" for i in range(1, 6))
    query = parse_query(f"SELECT COUNT(*) AS n FROM t AS t0 {joins}", DICTIONARY)
    assert query.row_cap == 10
    assert query.rows.count("row_rank <= 10") == 6
    joins = " ".join(f"JOIN t AS t{i} ON t{i}.person = t0.person" for i in range(1, 10))
    with pytest.raises(InvalidQuery, match="8 is the limit"):
        parse_query(f"SELECT COUNT(*) AS n FROM t AS t0 {joins}", DICTIONARY)


def test_sub_queries_with_one_row_a_person_multiply_nothing() -> None:
    longest = "SELECT person, MAX(nights) AS m FROM t GROUP BY person"
    query = parse_query(f"SELECT COUNT(*) AS n FROM t JOIN ({longest}) u ON u.person = t.person", DICTIONARY)
    assert (query.row_cap, query.weighing) == (None, (("s", "t"),))


def test_many_lookup_tables_are_refused() -> None:
    joins = " ".join(f"JOIN code AS c{i} ON c{i}.id = t.nights" for i in range(5))
    with pytest.raises(InvalidQuery, match="lookup tables"):
        parse_query(f"SELECT COUNT(*) AS n FROM t {joins}", DICTIONARY)


@pytest.mark.parametrize(
    "nested",
    [
        lambda inner: f"nullif(nullif({inner}, 0), 1)",
        lambda inner: f"CASE {inner} WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 5 END",
        lambda inner: f"CLAMP({inner}, 0, 5)",
    ],
)
def test_short_text_that_is_huge_when_written_out_is_refused_quickly(nested: object) -> None:
    text = "nights"
    for _ in range(18):
        text = nested(text)  # type: ignore[operator]
    start = perf_counter()
    with suppress(InvalidQuery):
        parse_query(f"SELECT SUM(CLAMP({text}, 0, 9)) AS s FROM t", DICTIONARY)
    assert perf_counter() - start < 5


def test_many_huge_values_are_refused_before_they_are_paid_for() -> None:
    text = "nights"
    for level in range(9):
        text = f"CLAMP({text} + {level}, 0, {50 + level})"
    sums = ", ".join(f"SUM(CLAMP({text} * {i}, 0, {90 + i})) AS s{i}" for i in range(1, 40))
    with pytest.raises(InvalidQuery, match="too large"):
        parse_query(f"SELECT {sums} FROM t", DICTIONARY)


def planned(sql: str) -> object:
    query = parse_query(sql, DICTIONARY)
    return plan_query(query, DICTIONARY, ByEpsilon(Decimal(1)), Guarantee(Decimal(5), Decimal("1e-6")))


def test_quantiles_of_unknown_groups_are_refused() -> None:
    with pytest.raises(InvalidQuery, match="known beforehand"):
        planned("SELECT admitted, MEDIAN(nights) AS m FROM t GROUP BY admitted")


def test_three_unknown_keys_are_refused() -> None:
    keys = ", ".join(f"admitted + {i} AS d{i}" for i in range(3))
    with pytest.raises(InvalidQuery, match="at most 2"):
        planned(f"SELECT {keys}, COUNT(*) AS n FROM t GROUP BY ALL")


def test_noise_draws_are_bounded_over_all_aggregates() -> None:
    quantiles = ", ".join(f"QUANTILE(nights, {i / 100}) AS q{i}" for i in range(1, 50))
    plan = planned(f"SELECT BIN(nights, 0, 100, 1) AS b, {quantiles} FROM t GROUP BY b")
    draws = sum(
        len(plan.cells)
        * (plan.streams[c.stream].bins.nodes if c.stream is not None and plan.streams[c.stream].bins else 1)  # type: ignore[attr-defined]
        for c in plan.channels  # type: ignore[attr-defined]
    )
    assert draws <= 200_000


def test_too_many_groups_are_refused_at_the_first_key_that_makes_them() -> None:
    keys = ", ".join(f"BIN(nights + {i}, 0, 1000, 1) AS b{i}" for i in range(40))
    start = perf_counter()
    with pytest.raises(InvalidQuery, match="more than"):
        parse_query(f"SELECT {keys}, COUNT(*) AS n FROM t GROUP BY ALL", DICTIONARY)
    assert perf_counter() - start < 2


@pytest.mark.parametrize("on", ["c.id > 0", "c.id = 5", "c.id = c.id + 0", "c.id > t.nights"])
def test_a_lookup_table_that_is_not_tied_to_the_row_is_refused(on: str) -> None:
    with pytest.raises(InvalidQuery, match="without an equality"):
        parse_query(f"SELECT COUNT(*) AS n FROM t JOIN code AS c ON {on}", DICTIONARY)
    parse_query("SELECT COUNT(*) AS n FROM t JOIN code AS c ON c.id = t.nights AND c.name > 'a'", DICTIONARY)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS n FROM t JOIN (SELECT id FROM code) c ON c.id > 0",
        "SELECT COUNT(*) AS n FROM t JOIN (SELECT a.id FROM code a JOIN code b ON a.id > b.id) c ON c.id = t.nights",
        "SELECT COUNT(*) AS n FROM t WHERE nights IN (SELECT a.id FROM code a JOIN code b ON a.id > b.id)",
    ],
)
def test_a_sub_query_is_no_way_round_the_tie_of_a_lookup(sql: str) -> None:
    with pytest.raises(InvalidQuery, match="without an equality"):
        parse_query(sql, DICTIONARY)


def test_joins_inside_a_condition_are_capped_too() -> None:
    inner = "SELECT a.person FROM t a JOIN t b ON a.person = b.person JOIN t c ON c.person = a.person"
    query = parse_query(f"SELECT COUNT(*) AS n FROM t WHERE person IN ({inner})", DICTIONARY)
    assert query.rows.count("row_rank <= 100") == 3
