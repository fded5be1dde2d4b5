"""View definitions: rows, columns and refusals, case by case; and what the built-in views promise."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import SourceError
from pipelines.readers.fhir.compiler import compile_view
from pipelines.readers.fhir.definition import load_view, read_view
from pipelines.readers.fhir.library import BUILT_IN, built_in_views, chosen_views
from tests.unit.pipelines.fhir_rows import faults, rows

PATIENTS: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "1",
        "gender": "female",
        "name": [{"use": "official", "family": "A", "given": ["x", "y"]}, {"use": "usual", "family": "B"}],
        "telecom": [{"value": "t1"}, {"value": "t2"}],
        "contact": [{"telecom": [{"value": "c1"}]}],
    },
    {"resourceType": "Patient", "id": "2", "gender": "male", "name": [{"family": "C", "given": ["z"]}]},
    {"resourceType": "Patient", "id": "3"},
]


def column(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "path": path, **more}


ID = column("id", "getResourceKey()")


def table(*select: dict[str, Any], **more: Any) -> list[tuple[Any, ...]]:
    """Rows of a view over PATIENTS, sorted, in the order of its columns."""
    found = rows({"resource": "Patient", "select": list(select), **more}, PATIENTS)
    return sorted((tuple(row.values()) for row in found), key=repr)


def test_one_row_a_resource_with_columns_in_order() -> None:
    select = {"column": [ID], "select": [{"column": [column("sex", "gender")]}]}
    assert table(select) == [("1", "female"), ("2", "male"), ("3", None)]


def test_where_keeps_rows_for_which_every_condition_is_true() -> None:
    kept = [{"path": "name.exists()"}, {"path": "gender = %wanted"}]
    constants = [{"name": "wanted", "valueCode": "male"}]
    assert table({"column": [ID]}, where=kept, constant=constants) == [("2",)]
    assert table({"column": [ID]}, where=[{"path": "gender"}]) == [("1",), ("2",)]
    assert table({"column": [ID]}, where=[{"path": "nothing"}]) == []


def test_for_each_gives_a_row_for_each_element_and_none_without() -> None:
    select = {"forEach": "name", "column": [column("family", "family")]}
    assert table({"column": [ID]}, select) == [("1", "A"), ("1", "B"), ("2", "C")]


def test_for_each_or_null_keeps_resources_without_an_element() -> None:
    select = {"forEachOrNull": "name", "column": [column("family", "family"), column("has", "given.exists()")]}
    assert table({"column": [ID]}, select) == [
        ("1", "A", "true"), ("1", "B", "false"), ("2", "C", "true"), ("3", None, None),
    ]  # fmt: skip


def test_for_each_inside_for_each() -> None:
    inner = {"forEach": "given", "column": [column("given", "$this")]}
    outer = {"forEach": "name", "column": [column("family", "family")], "select": [inner]}
    assert table({"column": [ID]}, outer) == [("1", "A", "x"), ("1", "A", "y"), ("2", "C", "z")]
    outer["select"] = [{**inner, "forEachOrNull": "given"}]
    del outer["select"][0]["forEach"]
    assert ("1", "B", None) in table({"column": [ID]}, outer)


def test_an_empty_for_each_or_null_silences_what_is_inside() -> None:
    inner = {"forEach": "given", "column": [column("given", "$this")]}
    outer = {"forEachOrNull": "name", "column": [column("family", "family")], "select": [inner]}
    assert table({"column": [ID]}, outer)[-1] == ("3", None, None)


def test_two_for_each_side_by_side_give_every_pair() -> None:
    names = {"forEach": "name", "column": [column("family", "family")]}
    phones = {"forEach": "telecom", "column": [column("phone", "value")]}
    assert table(names, phones) == [("A", "t1"), ("A", "t2"), ("B", "t1"), ("B", "t2")]


def test_for_each_over_a_longer_path() -> None:
    assert table({"column": [ID]}, {"forEach": "name.given.first()", "column": [column("g", "$this")]}) == [
        ("1", "x"), ("2", "z"),
    ]  # fmt: skip


def test_union_all_stacks_its_parts() -> None:
    parts = [
        {"forEach": "telecom", "column": [column("phone", "value"), column("whose", "'own'")]},
        {"forEach": "contact.telecom", "column": [column("phone", "value"), column("whose", "'contact'")]},
    ]
    assert table({"column": [ID]}, {"unionAll": parts}) == [
        ("1", "c1", "contact"), ("1", "t1", "own"), ("1", "t2", "own"),
    ]  # fmt: skip


def test_union_all_inside_for_each_and_inside_union_all() -> None:
    def one(path: str) -> dict[str, Any]:
        return {"column": [column("v", path)]}

    deep = {"unionAll": [one("use"), {"unionAll": [one("family"), {"forEachOrNull": "given", **one("$this")}]}]}
    found = table({"forEach": "name", "column": [column("f", "family")], **deep})
    first = [("A", "official"), ("A", "A"), ("A", "x"), ("A", "y"), ("B", "usual"), ("B", "B"), ("B", None)]
    assert sorted(found, key=repr) == sorted([*first, ("C", None), ("C", "C"), ("C", "z")], key=repr)


def test_types_of_columns() -> None:
    resource = {
        "resourceType": "Observation", "status": "final", "effectiveDateTime": "2020-02-29T23:30:00-05:00",
        "valueQuantity": {"value": 1.50, "code": "mg"}, "component": [{"valueInteger": 3}, {"valueInteger": 4}],
    }  # fmt: skip
    time = "effective.ofType(dateTime)"
    columns = [
        column("text", "status"),
        column("number", "value.ofType(Quantity).value", type="decimal"),
        column("whole", "component.value.ofType(integer).first()", type="integer"),
        column(
            "all", "component.value.ofType(integer)", type="http://hl7.org/fhirpath/System.Integer", collection=True
        ),
        column("truth", "status = 'final'", type="boolean"),
        column("written", time, type="dateTime"),
        column("day", time, type="date", tag=[{"name": "ansi/type", "value": "DATE"}]),
        column("moment", time, type="dateTime", tag=[{"name": "ansi/type", "value": "TIMESTAMP"}]),
    ]
    (row,) = rows({"resource": "Observation", "select": [{"column": columns}]}, [resource])
    assert row == {
        "text": "final",
        "number": 1.5,
        "whole": 3,
        "all": [3, 4],
        "truth": True,
        "written": "2020-02-29T23:30:00-05:00",
        # as written, where it was still the 29th
        "day": date(2020, 2, 29),
        "moment": datetime.fromisoformat("2020-02-29T23:30:00"),
    }


def test_what_has_no_value_is_missing_and_told() -> None:
    columns = [
        column("many", "name.family"),
        column("object", "name.first()"),
        column("word", "name.family.first()", type="integer"),
        column("year", "birthDate", type="date", tag=[{"name": "ansi/type", "value": "DATE"}]),
    ]
    view = {"resource": "Patient", "select": [{"column": columns}]}
    resources = [{**PATIENTS[0], "birthDate": "1970"}, PATIENTS[2], None, {"resourceType": "Device"}, {"id": "5"}, 7]
    assert rows(view, resources) == [dict.fromkeys(("many", "object", "word", "year"))] * 6
    many, other = "more than one value where one is wanted", "a value that is not of the column's type"
    assert faults(view, resources) == [
        (1, "many", many),
        (1, "object", other),
        (1, "word", other),
        (1, "year", other),
        (3, None, "the line is not JSON"),
        (4, None, "the line is a resource of another type than the file's name says"),
        (5, None, "the line is no FHIR resource"),
        (6, None, "the line is no FHIR resource"),
    ]


def test_attachments_are_cut_out_unless_the_view_asks_for_them() -> None:
    note = {"contentType": "text/plain", "data": 'QQ\\/"=='}
    resource = {"resourceType": "DocumentReference", "content": [{"attachment": note}], "description": '"data":"x"'}
    first = column("a", "content.attachment.contentType.first()")
    view = {"resource": "DocumentReference", "select": [{"column": [first, column("b", "description")]}]}
    assert rows(view, [resource]) == [{"a": "text/plain", "b": '"data":"x"'}]
    view["select"] = [{"column": [first, column("b", "content.attachment.data")]}]
    assert rows(view, [resource]) == [{"a": "text/plain", "b": 'QQ\\/"=='}]
    assert "regexp_replace" not in compile_view(read_view(view)).query("lines")


COLUMN = {"column": [ID]}


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        ([], "is a JSON object"),
        ({"resource": "Person2", "select": [COLUMN]}, "no resource type"),
        ({"resource": "Patient"}, "`select` is missing"),
        ({"resource": "Patient", "select": [{}]}, "no column"),
        ({"resource": "Patient", "select": COLUMN}, "`select` is a list of objects"),
        ({"resource": "Patient", "name": "1; DROP", "select": [COLUMN]}, "letters, digits and underscores"),
        ({"resource": "Patient", "select": [{"column": [{"name": 'a"b', "path": "id"}]}]}, "a column's name"),
        ({"resource": "Patient", "select": [{"column": [{"name": "a"}]}]}, "`path` is missing"),
        ({"resource": "Patient", "select": [COLUMN, COLUMN]}, "two columns have this name"),
        ({"resource": "Patient", "select": [{**COLUMN, "repeat": ["item"]}]}, "key 'repeat' is not supported"),
        ({"resource": "Patient", "select": [{**COLUMN, "forEach": "a", "forEachOrNull": "b"}]}, "not both"),
        ({"resource": "Patient", "select": [{"column": [column("n", "name", type="HumanName")]}]}, "no primitive type"),
        ({"resource": "Patient", "select": [COLUMN], "constant": [{"name": "a"}]}, "a constant has"),
        ({"resource": "Patient", "select": [COLUMN], "where": [{"path": "a.b("}]}, "path 'a.b('"),
        ({"resource": "Patient", "select": [{"forEach": "foo()", **COLUMN}]}, "path 'foo()': function 'foo'"),
        (
            {"resource": "Patient", "select": [{"unionAll": [COLUMN, {"column": [column("other", "id")]}]}]},
            "the same columns",
        ),
        (
            {"resource": "Patient", "select": [{"unionAll": [COLUMN, {"column": [{**ID, "type": "integer"}]}]}]},
            "the same columns",
        ),
    ],
)
def test_views_that_cannot_be_used_say_why(view: Any, reason: str) -> None:
    with pytest.raises(SourceError) as refusal:
        compile_view(read_view(view))
    assert reason in str(refusal.value)


def test_selects_cannot_be_nested_without_end() -> None:
    select: dict[str, Any] = {**COLUMN}
    for _ in range(30):
        select = {"select": [select]}
    with pytest.raises(SourceError, match="deeper than 20"):
        read_view({"resource": "Patient", "select": [select]})


def test_a_view_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{")
    with pytest.raises(SourceError, match=r"mine\.json: the view cannot be read as JSON"):
        load_view(tmp_path / "mine.json")


def test_own_views_are_found_beside_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"resource": "Patient", "select": [COLUMN]}))
    found = chosen_views(
        ["condition", "mine.json", str(tmp_path / "mine.json").replace("mine", "./mine")][:2], tmp_path
    )
    assert [view.name for view in found] == ["condition", "mine"]
    with pytest.raises(SourceError, match=r"'conditions' is not known\. Built-in views: allergy_intolerance"):
        chosen_views(["conditions"], tmp_path)
    with pytest.raises(SourceError, match="two views that are called 'mine'"):
        chosen_views(["mine.json", "./mine.json"], tmp_path)


# --- the views that ship with the package ----------------------------------------------------------------------------

NOBODYS = {"location", "organization", "practitioner", "practitioner_role"}


@pytest.mark.parametrize("view", built_in_views(), ids=lambda view: view.name)
def test_a_built_in_view_is_called_as_its_file_and_about_somebody(view: Any) -> None:
    content = json.loads((BUILT_IN / f"{view.name}.json").read_text())
    assert content["resourceType"] == "https://sql-on-fhir.org/ig/StructureDefinition/ViewDefinition"
    names = [column.name for column in view.select.leaves()]
    person = {"patient": "id"}.get(view.name, "patient")
    assert (person in names) == (view.name not in NOBODYS)
    assert all(column.description for column in view.select.leaves())


@pytest.mark.parametrize("view", built_in_views(), ids=lambda view: view.name)
def test_a_built_in_view_has_a_null_row_for_a_line_that_is_none(view: Any) -> None:
    definition = json.loads((BUILT_IN / f"{view.name}.json").read_text())
    (row,) = rows(definition, [None])
    assert set(row.values()) == {None}


def test_no_built_in_view_reads_attachments_or_narrative() -> None:
    for view in built_in_views():
        assert not any(view.mentions(name) for name in ("data", "div", "title", "note"))
