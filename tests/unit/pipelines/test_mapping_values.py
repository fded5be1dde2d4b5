"""How one delivered cell becomes one stored value: nothing fails, nothing is rounded silently."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from catalog.schema import Column, ColumnType
from pipelines.errors import SourceError
from pipelines.mapping import Family, family, identifier, value
from pipelines.plan import ColumnPlan


def stored(cell: str, sql_type: str, type_: ColumnType, **facts: Any) -> Any:
    step = facts.pop("step", Decimal(1))
    plan = ColumnPlan(Column("c", type_, step=step), "d", **facts)
    kind = family(sql_type, "d")
    cast = value(plan, "d", kind)
    halves = f"SELECT {cast.first} AS half, d FROM (SELECT CAST({cell} AS {sql_type}) AS d)"
    return duckdb.execute(f"SELECT {cast.made_of('half', 'd')} FROM ({halves})").fetchall()[0][0]


@pytest.mark.parametrize(
    ("cell", "sql_type", "expected"),
    [
        ("'12'", "VARCHAR", 12), ("' 12 '", "VARCHAR", 12), ("'-3.0'", "VARCHAR", -3), ("'1.5'", "VARCHAR", None),
        ("'1e3'", "VARCHAR", None), ("'x'", "VARCHAR", None), ("''", "VARCHAR", None), ("2.0", "DOUBLE", 2),
        ("2.5", "DOUBLE", None), ("'nan'", "DOUBLE", None), ("'inf'", "DOUBLE", None), ("1e300", "DOUBLE", None),
        ("7.00", "DECIMAL(9,2)", 7), ("7.01", "DECIMAL(9,2)", None), ("9223372036854775808", "HUGEINT", None),
        ("'99999999999999999999'", "VARCHAR", None), ("true", "BOOLEAN", 1), ("'2020-01-01'", "DATE", None),
    ],
)  # fmt: skip
def test_whole_numbers(cell: str, sql_type: str, expected: int | None) -> None:
    assert stored(cell, sql_type, ColumnType.INTEGER) == expected


@pytest.mark.parametrize(
    ("cell", "sql_type", "step", "expected"),
    [
        ("'0.1'", "VARCHAR", "0.1", 0.1), ("'0.3'", "VARCHAR", "0.1", 0.3), ("'0.25'", "VARCHAR", "0.1", 0.3),
        ("'10.256'", "VARCHAR", "0.01", 10.26), ("'7'", "VARCHAR", "5", 5.0), ("'nan'", "VARCHAR", "1", None),
        ("'-inf'", "DOUBLE", "1", None), ("'1e300'", "VARCHAR", "1", None), ("'1e15'", "VARCHAR", "0.001", None),
        ("3", "BIGINT", "1", 3.0), ("'1_000'", "VARCHAR", "1", None),
    ],
)  # fmt: skip
def test_decimals_are_multiples_of_their_step(cell: str, sql_type: str, step: str, expected: float | None) -> None:
    assert stored(cell, sql_type, ColumnType.DECIMAL, step=Decimal(step)) == expected


@pytest.mark.parametrize(
    ("cell", "sql_type", "expected"),
    [
        ("'1234,56'", "VARCHAR", 1234.56), ("' -0,5 '", "VARCHAR", -0.5), ("'12'", "VARCHAR", 12.0),
        ("'1.234,56'", "VARCHAR", None), ("'1.5'", "VARCHAR", None), ("'1,2,3'", "VARCHAR", None),
        ("'1 234,56'", "VARCHAR", None), ("2.25", "DOUBLE", 2.25), ("','", "VARCHAR", None),
    ],
)  # fmt: skip
def test_decimals_with_a_comma(cell: str, sql_type: str, expected: float | None) -> None:
    found = stored(cell, sql_type, ColumnType.DECIMAL, step=Decimal("0.01"), decimal_comma=True)
    assert found == expected


@pytest.mark.parametrize(
    ("cell", "sql_type", "formats", "expected"),
    [
        ("'2020-02-29'", "VARCHAR", (), date(2020, 2, 29)), ("'2021-02-29'", "VARCHAR", (), None),
        ("'2020-02-29 11:00:00'", "VARCHAR", (), date(2020, 2, 29)), ("'infinity'", "DATE", (), None),
        ("'01JAN1996:00:00:00'", "VARCHAR", ("%d%b%Y:%H:%M:%S",), date(1996, 1, 1)),
        ("20200131", "INTEGER", ("%Y%m%d",), date(2020, 1, 31)), ("20200132", "INTEGER", ("%Y%m%d",), None),
        ("'31/12/1999'", "VARCHAR", ("%Y-%m-%d", "%d/%m/%Y"), date(1999, 12, 31)),
        ("'2020-01-01 23:30:00-05'", "TIMESTAMP WITH TIME ZONE", (), date(2020, 1, 2)), ("5", "INTEGER", (), None),
        ("'20-01-05'", "VARCHAR", (), None), ("'01/02/20'", "VARCHAR", ("%d/%m/%Y",), None),
        ("'epoch'", "VARCHAR", (), None),
        ("'1970-01-01'", "VARCHAR", (), date(1970, 1, 1)), ("'1012020'", "VARCHAR", ("%d%m%Y",), None),
    ],
)  # fmt: skip
def test_dates(cell: str, sql_type: str, formats: tuple[str, ...], expected: date | None) -> None:
    assert stored(cell, sql_type, ColumnType.DATE, formats=formats) == expected


def test_other_types() -> None:
    assert stored("'2020-01-01 10:00:01'", "VARCHAR", ColumnType.TIMESTAMP) == datetime(2020, 1, 1, 10, 0, 1)  # noqa: DTZ001
    assert stored("'Yes'", "VARCHAR", ColumnType.BOOLEAN) is True
    assert [stored(f"'{o}'", "VARCHAR", ColumnType.BOOLEAN) for o in ("O", "Oui", "non", "N", "nope")] == [
        True, True, False, False, None,
    ]  # fmt: skip
    assert stored("0", "INTEGER", ColumnType.BOOLEAN) is False
    assert stored("'maybe'", "VARCHAR", ColumnType.BOOLEAN) is None
    assert stored("'007'", "VARCHAR", ColumnType.CODE) == "007"
    assert stored("8507.0", "DOUBLE", ColumnType.CODE) == "8507"
    assert stored("0.5", "DOUBLE", ColumnType.CODE) is None
    assert stored("'1'", "VARCHAR", ColumnType.CODE, recode={"1": "M", "2": "F"}) == "M"
    assert stored("'9'", "VARCHAR", ColumnType.CODE, recode={"1": "M"}) == "9"


def test_no_text_of_a_plan_is_taken_for_a_placeholder() -> None:
    assert stored("'a'", "VARCHAR", ColumnType.CODE, recode={"a": "{}", "b": "{cell}"}) == "{}"


@pytest.mark.parametrize(
    ("postcode", "department"),
    [("75013", "75"), ("1000", "01"), ("20137", "2A"), ("20200", "2B"), ("2A004", "2A"), ("97411", "974"),
     ("750011", None),
     ("75001 PARIS", None), ("97105X", None), ("1", None)],
)  # fmt: skip
def test_a_postcode_gives_its_department_or_nothing(postcode: str, department: str | None) -> None:
    assert stored(f"'{postcode}'", "VARCHAR", ColumnType.CODE, generalise="department-fr") == department


def test_generalisation_keeps_the_coarse_value_only() -> None:
    assert stored("'1950-03-01'", "VARCHAR", ColumnType.INTEGER, generalise="year") == 1950
    assert stored("'1950-03-17'", "DATE", ColumnType.DATE, generalise="month") == date(1950, 3, 1)
    assert stored("'75013'", "VARCHAR", ColumnType.CODE, generalise="first-2") == "75"


def test_an_identifier_reads_the_same_however_it_was_delivered() -> None:
    for cell, sql_type in (("12", "BIGINT"), ("12.0", "DOUBLE"), ("'12'", "VARCHAR"), ("12", "DECIMAL(5,0)")):
        text = identifier("d", family(sql_type, "d"))
        assert duckdb.execute(f"SELECT {text} FROM (SELECT CAST({cell} AS {sql_type}) AS d)").fetchall() == [("12",)]


def test_nested_columns_are_refused_by_name() -> None:
    assert family("DECIMAL(18,3)", "c") is Family.EXACT
    for sql_type in ("STRUCT(a INTEGER)", "INTEGER[]", "BLOB"):
        with pytest.raises(SourceError, match="'payload'"):
            family(sql_type, "payload")
