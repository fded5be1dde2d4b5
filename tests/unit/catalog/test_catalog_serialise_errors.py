"""A stored data dictionary that cannot be read says where."""

import copy
from typing import Any

import pytest

from catalog.errors import MalformedSchema
from catalog.schema import CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from catalog.serialise import schema_from_dict, schema_to_dict

SCHEMA = DatasetSchema(
    "d", (Table("person", TableKind.PERSONS, (Column("sex", ColumnType.CODE, values=(CodedValue("F", "Female"),)),)),)
)


def broken(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    record: Any = copy.deepcopy(schema_to_dict(SCHEMA))
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return record


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), 2, "format 2"),
        (("dataset",), None, "dataset is text"),
        (("tables",), "person", "tables is a list"),
        (("tables", 0, "kind"), "people", r"tables\[0\]"),
        (("tables", 0, "rows_per_person"), True, r"tables\[0\].rows_per_person"),
        (("tables", 0, "columns", 0, "name"), "person_key", "reserved"),
        (("tables", 0, "columns", 0, "step"), "many", "step"),
        (("tables", 0, "columns", 0, "step"), "NaN", "step|columns"),
        (("tables", 0, "columns", 0, "bounds"), {"of": "colour", "low": "1", "high": "2"}, "bounds.of"),
        (("tables", 0, "columns", 0, "bounds"), {"of": "date", "low": "2021-13-01", "high": "2022-01-01"}, "bounds"),
        (("tables", 0, "columns", 0, "values"), [["F"]], "coded value"),
        (("tables", 0, "columns", 0, "values"), [[True, "yes"]], "coded value"),
        (("tables", 0, "columns", 0, "colour"), "red", "unknown fields: colour"),
    ],
)
def test_the_error_names_the_place(path: tuple[str | int, ...], value: object, said: str) -> None:
    with pytest.raises(MalformedSchema, match=said):
        schema_from_dict(broken(path, value))


def test_a_schema_that_is_no_object_is_refused() -> None:
    with pytest.raises(MalformedSchema, match="object"):
        schema_from_dict([])  # type: ignore[arg-type]
