"""What a draft makes of the cells of a column: type, formats, bounds, lists, code systems."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.schema import Bounds, ColumnType
from pipelines.draft.form import DraftColumn
from tests.unit.pipelines.drafting import PERSONS, draft_of, only_table, persons, plan_of, write_csv


def column_of(folder: Path, cells: list[Any], name: str = "x") -> DraftColumn:
    """The drafted column of a delivery with one row for each of PERSONS persons; cells are repeated to fill it."""
    filled = [cells[n % len(cells)] for n in range(PERSONS)]
    file = write_csv(folder / "events.csv", {"patient_id": persons(), name: filled})
    draft = draft_of(file)
    plan_of(draft, folder)
    (column,) = only_table(draft).columns
    return column


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (["yes", "no"], ColumnType.BOOLEAN),
        (["True", "False", ""], ColumnType.BOOLEAN),
        (["F"], ColumnType.CODE),
        (["1", "2", "-3"], ColumnType.INTEGER),
        (["97.0", "3.0"], ColumnType.INTEGER),
        (["1.5", "2"], ColumnType.DECIMAL),
        (["014", "2A"], ColumnType.CODE),
        (["01", "02"], ColumnType.CODE),
        (["2020-01-31", "2021-02-01"], ColumnType.DATE),
        (["2020-01-31 10:20:30", "2021-02-01 00:00:00"], ColumnType.TIMESTAMP),
    ],
)
def test_the_narrowest_type_that_reads_every_cell_is_chosen(
    tmp_path: Path, cells: list[str], type_: ColumnType
) -> None:
    assert column_of(tmp_path, cells).plan.column.type is type_


def test_numbers_with_a_decimal_comma_are_numbers(tmp_path: Path) -> None:
    column = column_of(tmp_path, ["12,5", "1,25", "7"])
    assert (column.plan.column.type, column.plan.decimal_comma) == (ColumnType.DECIMAL, True)
    assert column.plan.column.step == Decimal("0.01")
    assert column.plan.column.bounds == Bounds(Decimal(0), Decimal(20))


def test_commas_that_may_mark_thousands_are_asked_about(tmp_path: Path) -> None:
    cells = ["1,250", "12,000", "7"]
    numbers = [cells[n % 3] for n in range(PERSONS)]
    file = write_csv(tmp_path / "events.csv", {"patient_id": persons(), "x": numbers, "sex": ["F"] * PERSONS})
    (left,) = (left for left in only_table(draft_of(file)).left_out if left.name == "x")
    assert "decimal_comma = true" in left.why


@pytest.mark.parametrize(
    ("cells", "format_"),
    [
        (["31/12/1999", "01/02/2000"], "%d/%m/%Y"),
        (["12/31/1999", "02/01/2000"], "%m/%d/%Y"),
        (["19991231", "20000102"], "%Y%m%d"),
        (["01JAN1996:00:00:00", "30JUL1997:00:00:00"], "%d%b%Y:%H:%M:%S"),
        (["31.12.1999", "24.12.2000"], "%d.%m.%Y"),
    ],
)
def test_dates_are_read_as_they_are_spelt(tmp_path: Path, cells: list[str], format_: str) -> None:
    column = column_of(tmp_path, cells)
    assert column.plan.column.type is ColumnType.DATE
    assert column.plan.formats == (format_,)


def test_days_and_months_that_could_be_exchanged_are_to_be_checked(tmp_path: Path) -> None:
    assert any("Day and month" in r for r in column_of(tmp_path, ["01/02/1999", "03/04/2000"]).remarks)
    assert not column_of(tmp_path, ["31/12/1999", "01/02/2000"]).remarks


def test_an_odd_cell_among_few_makes_a_column_of_numbers_one_of_codes(tmp_path: Path) -> None:
    cells = [str(n % 30) for n in range(PERSONS - 1)] + ["many"]
    assert PERSONS < 200
    assert column_of(tmp_path, cells, "wards").plan.column.type is ColumnType.CODE


@pytest.mark.parametrize(
    ("cells", "odd", "type_"),
    [
        ([str(n % 30) for n in range(399)], "many", ColumnType.INTEGER),
        ([str(n % 30) for n in range(399)], "1.5", ColumnType.DECIMAL),
        ([f"{n % 30},5" for n in range(399)], "lourd", ColumnType.DECIMAL),
        (["oui", "non"] * 200, "peut-être", ColumnType.BOOLEAN),
        ([f"{n % 28 + 1:02d}/0{n % 9 + 1}/19{n % 60 + 20}" for n in range(399)], "pas connue", ColumnType.DATE),
        ([f"19{n % 60 + 20}-0{n % 9 + 1}-{n % 28 + 1:02d}" for n in range(399)], "pas connue", ColumnType.DATE),
    ],
)
def test_a_slip_among_many_cells_is_set_aside(tmp_path: Path, cells: list[str], odd: str, type_: ColumnType) -> None:
    """What would be kept whole as a code for the sake of one cell, dates of birth among them."""
    written = [*cells, odd]
    file = write_csv(tmp_path / "events.csv", {"patient_id": [f"P{n:05d}" for n in range(len(written))], "x": written})
    draft = draft_of(file)
    (column,) = only_table(draft).columns
    assert column.plan.column.type is type_
    assert any("set aside" in remark for remark in column.remarks) is (odd != "1.5")
    plan_of(draft, tmp_path)


def test_a_word_for_missing_values_is_found_and_the_numbers_beside_it_are_numbers(tmp_path: Path) -> None:
    values = ["NA", "12", "14"] * PERSONS
    file = write_csv(tmp_path / "events.csv", {"patient_id": persons(repeat=3), "weight": values})
    draft = draft_of(file)
    assert draft.source.options["null"] == "NA"
    (column,) = only_table(draft).columns
    assert column.plan.column.type is ColumnType.INTEGER
    assert not column.plan.column.required


def test_bounds_are_round_and_no_single_person_decides_them(tmp_path: Path) -> None:
    cells = [str(30 + n) for n in range(PERSONS - 1)] + ["48213"]
    column = column_of(tmp_path, cells, "weight")
    assert column.plan.column.bounds == Bounds(Decimal(0), Decimal(100))
    assert any("beyond these bounds" in r for r in column.remarks)


def test_bounds_below_zero_are_rounded_away_from_zero(tmp_path: Path) -> None:
    cells = [str(n - 23) for n in range(PERSONS)]
    assert column_of(tmp_path, cells, "difference").plan.column.bounds == Bounds(Decimal(-20), Decimal(10))


def test_ages_and_years_have_the_bounds_everybody_knows(tmp_path: Path) -> None:
    assert column_of(tmp_path, [str(31 + n) for n in range(30)], "age").plan.column.bounds == Bounds(
        Decimal(0), Decimal(120)
    )
    assert column_of(tmp_path, [str(1990 + n) for n in range(20)], "seen_in").plan.column.bounds == Bounds(
        Decimal(1900), Decimal(2050)
    )


def test_bounds_of_dates_hold_every_date_in_decades_or_centuries(tmp_path: Path) -> None:
    usual = [f"201{n % 3}-05-06" for n in range(PERSONS - 1)]
    column = column_of(tmp_path, [*usual, "2013-01-01"], "day").plan.column
    assert column.bounds == Bounds(date(2010, 1, 1), date(2019, 12, 31))
    column = column_of(tmp_path, [*usual, "1987-01-01"], "day").plan.column
    assert column.bounds == Bounds(date(1900, 1, 1), date(2019, 12, 31))


def test_a_list_is_written_if_none_of_its_values_is_rare(tmp_path: Path) -> None:
    listed = column_of(tmp_path, ["CARD", "NEUR"], "ward").plan.column.values
    assert [v.code for v in listed or ()] == ["CARD", "NEUR"]


def test_a_list_with_a_rare_value_is_not_written(tmp_path: Path) -> None:
    column = column_of(tmp_path, ["CARD"] * (PERSONS - 1) + ["LEPR"], "ward")
    assert column.plan.column.values is None
    assert any("documentation" in r for r in column.remarks)


def test_many_rows_of_few_persons_do_not_make_a_value_common(tmp_path: Path) -> None:
    rows = {"patient_id": [*persons(), *["P1000"] * 60], "ward": ["CARD"] * PERSONS + ["LEPR"] * 60}
    (column,) = only_table(draft_of(write_csv(tmp_path / "events.csv", rows))).columns
    assert column.plan.column.values is None


@pytest.mark.parametrize(
    ("name", "cells", "system"),
    [
        ("DGN_PAL", ["E11.9", "I10", "C509"], "ICD-10"),
        ("pha_atc_c07", ["A10BA02", "N02BE01"], "ATC"),
        ("test", ["2345-7", "718-7"], "LOINC"),
        ("act", ["AHQP001", "AHQP002"], "CCAM"),
        ("ward", ["CARD", "NEUR"], None),
    ],
)
def test_classifications_are_suggested_by_name_and_shape(
    tmp_path: Path, name: str, cells: list[str], system: str | None
) -> None:
    assert column_of(tmp_path, cells, name).plan.column.code_system == system


def test_a_step_keeps_the_digits_that_are_there_and_no_more_than_the_range_allows(tmp_path: Path) -> None:
    assert column_of(tmp_path, ["1.25", "3.5"], "dose").plan.column.step == Decimal("0.01")
    assert column_of(tmp_path, ["30.295148395575513", "42.3611871646041"], "dose").plan.column.step == Decimal("0.0001")


def test_of_a_birth_date_the_year_is_kept_and_of_a_postcode_the_beginning(tmp_path: Path) -> None:
    birth = column_of(tmp_path, ["1950-03-01", "1961-07-09"], "date_naissance")
    assert (birth.plan.generalise, birth.plan.column.type) == ("year", ColumnType.INTEGER)
    assert column_of(tmp_path, ["75011", "13005"], "code_postal").plan.generalise == "first-2"


@pytest.mark.parametrize(
    "name",
    [
        "family_name_1",
        "given_name_4",
        "nom_1",
        "identifier_3",
        "telecom_2",
        "contact_telecom_2",
        "contact_family_name_1",
    ],
)
def test_numbered_identifiers_are_identifiers(name: str) -> None:
    from pipelines.draft.names import forbidden

    found = forbidden(name)
    assert found is not None
    assert found.is_identifier
