"""What a draft makes of tables: whose rows they are, what may not be stored, how they point at each other."""

import json
from pathlib import Path

import duckdb
import pytest

from catalog.schema import TableKind
from pipelines.draft.form import Draft, DraftTable
from pipelines.draft.write import written
from pipelines.errors import SourceError
from tests.unit.pipelines.drafting import PERSONS, draft_of, only_table, persons, plan_of, write_csv

DAYS = [f"2020-01-{1 + n % 28:02}" for n in range(3 * PERSONS)]


def table_named(draft: Draft, name: str) -> DraftTable:
    return next(t for t in draft.tables if t.plan.name == name)


def clinic(folder: Path) -> Draft:
    """A draft of three tables: patients, their stays, and the wards they stay in."""
    write_csv(
        folder / "patients.csv",
        {
            "Id": persons(),
            "LAST_NAME": [f"Name{n}" for n in range(PERSONS)],
            "sex": ["F", "M"] * (PERSONS // 2),
        },
    )
    write_csv(
        folder / "stays.csv",
        {"patient": persons(repeat=3), "day": DAYS, "ward_code": ["CARD", "NEUR", "CARD"] * PERSONS},
    )
    write_csv(folder / "wards.csv", {"ward_code": ["CARD", "NEUR", "OLD"], "ward_label": ["Heart", "Nerves", "Closed"]})
    return draft_of(folder)


def test_persons_events_and_lists_are_told_apart(tmp_path: Path) -> None:
    draft = clinic(tmp_path)
    kinds = {t.plan.name: (t.plan.kind, t.plan.person) for t in draft.tables}
    assert kinds == {
        "patients": (TableKind.PERSONS, "Id"),
        "stays": (TableKind.EVENTS, "patient"),
        "wards": (TableKind.LOOKUP, None),
    }
    plan_of(draft, tmp_path)


def test_names_are_identifiers_and_are_not_stored(tmp_path: Path) -> None:
    patients = table_named(clinic(tmp_path), "patients")
    assert patients.plan.identifiers == ("LAST_NAME",)
    assert [c.plan.name for c in patients.columns] == ["sex"]


def test_a_column_takes_its_list_from_the_table_that_has_all_its_values(tmp_path: Path) -> None:
    draft = clinic(tmp_path)
    ward = next(c for c in table_named(draft, "stays").columns if c.plan.name == "ward_code")
    assert ward.plan.values_from is not None
    assert (ward.plan.values_from.table, ward.plan.values_from.label) == ("wards", "ward_label")
    assert ward.plan.column.values is None


def test_contribution_bounds_are_those_of_nearly_all_persons_rounded_up(tmp_path: Path) -> None:
    stays = table_named(clinic(tmp_path), "stays").plan
    assert (stays.rows_per_person, stays.groups_per_person) == (5, 2)


def test_a_value_of_an_event_that_another_table_lists_is_said_to_point_there(tmp_path: Path) -> None:
    stays = [f"S{n}" for n in range(PERSONS)]
    write_csv(tmp_path / "stays.csv", {"patient_id": persons(), "stay_id": stays, "day": DAYS[:PERSONS]})
    write_csv(tmp_path / "acts.csv", {"patient_id": persons(repeat=2), "stay_id": [s for s in stays for _ in "ab"]})
    acts = table_named(draft_of(tmp_path), "acts")
    assert any('foreign_key = { table = "stays", column = "stay_id" }' in r for r in acts.columns[0].remarks)


def test_rows_of_persons_without_an_identifier_wait_for_one(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "cohort.csv", {"age": [40 + n % 30 for n in range(60)], "status": [0, 1] * 30})
    draft = draft_of(file)
    table = only_table(draft)
    assert table.no_person
    assert table.plan.kind is TableKind.EVENTS
    assert plan_of(draft, tmp_path).tables[0].person == "person_id"
    assert "no column says whose rows these are" in written(draft)


def test_such_a_table_is_a_comment_where_others_can_be_loaded(tmp_path: Path) -> None:
    write_csv(tmp_path / "stays.csv", {"patient_id": persons(repeat=3), "day": DAYS})
    write_csv(tmp_path / "acts.csv", {"age": [40 + n % 30 for n in range(60)]})
    draft = draft_of(tmp_path)
    assert [t.name for t in plan_of(draft, tmp_path).tables] == ["stays"]
    assert "# [tables.acts]" in written(draft)


def test_a_list_of_persons_is_never_taken_for_a_public_list(tmp_path: Path) -> None:
    rows = {"code": [f"C{n}" for n in range(60)], "nom": [f"Name{n}" for n in range(60)], "sex": ["F", "M"] * 30}
    assert only_table(draft_of(write_csv(tmp_path / "liste.csv", rows))).plan.kind is TableKind.EVENTS


def test_nothing_to_keep_is_said_instead_of_an_empty_plan(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "liste.csv", {"code": [f"C{n}" for n in range(60)], "nom": ["Name"] * 60})
    with pytest.raises(SourceError, match="Nothing of the delivery can be kept"):
        draft_of(file)


def test_an_aggregate_over_a_full_grid_is_public(tmp_path: Path) -> None:
    rows = {
        "dep": [f"{d:02}" for d in range(1, 21) for _ in range(20)],
        "week": [w for _ in range(20) for w in range(20)],
        "admissions": [n % 17 for n in range(400)],
    }
    assert only_table(draft_of(write_csv(tmp_path / "admissions.csv", rows))).plan.kind is TableKind.LOOKUP


def test_the_holder_can_say_that_a_table_is_public(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "OPEN.csv", {"age": [40 + n % 30 for n in range(60)], "boxes": list(range(60))})
    assert only_table(draft_of(file, public=["open"])).plan.kind is TableKind.LOOKUP


def test_a_number_that_counts_rows_is_a_person_only_with_a_warning(tmp_path: Path) -> None:
    rows = {"rownames": list(range(1, 61)), "age": [40 + n % 30 for n in range(60)]}
    table = only_table(draft_of(write_csv(tmp_path / "cohort.csv", rows)))
    assert table.plan.person == "rownames"
    assert any("lasting identifier" in r for r in table.remarks)


def test_values_that_look_like_identifiers_are_not_stored_whatever_the_column_is_called(tmp_path: Path) -> None:
    rows = {
        "patient_id": persons(),
        "contact": ["", *[f"a{n}@mail.example" for n in range(PERSONS - 1)]],
        "token": [f"1007c05b-8d20-8fe6-6790-44622f83{n:04x}" for n in range(PERSONS)],
        "said": [f"she came {n} times and felt well" for n in range(PERSONS)],
        "ward": ["CARD"] * PERSONS,
    }
    table = only_table(draft_of(write_csv(tmp_path / "stays.csv", rows)))
    assert [c.plan.name for c in table.columns] == ["ward"]
    assert table.plan.identifiers == ("contact",)
    assert {o.name for o in table.left_out} == {"token", "said"}


def test_french_national_numbers_are_normalised_as_such(tmp_path: Path) -> None:
    numbers = [f"2{50 + n % 40:02}0175116{n:03}" for n in range(PERSONS)]
    spelt = [f"{n} {97 - int(n) % 97:02}" for n in numbers]
    draft = draft_of(write_csv(tmp_path / "soins.csv", {"NIR": spelt, "ward": ["CARD"] * PERSONS}))
    assert only_table(draft).plan.person == "NIR"
    assert draft.normalise == ("nir",)


def test_rows_of_unknown_persons_are_allowed_for_and_said(tmp_path: Path) -> None:
    write_csv(tmp_path / "patients.csv", {"patient_id": persons(), "sex": ["F", "M"] * (PERSONS // 2)})
    write_csv(tmp_path / "stays.csv", {"patient_id": persons(count=PERSONS + 10), "day": DAYS[: PERSONS + 10]})
    stays = table_named(draft_of(tmp_path), "stays")
    assert str(stays.plan.threshold) == "0.2"
    assert any("set aside" in r for r in stays.remarks)


def test_a_table_schema_gives_titles_types_and_says_what_is_a_code_list(tmp_path: Path) -> None:
    write_csv(tmp_path / "REG.csv", {"BEN_REG": ["5", "11"], "BEN_LIB": ["Outre-mer", "Île-de-France"]}, ";")
    fields = [
        {"name": "BEN_REG", "type": "string", "role": "code", "description": "Région"},
        {"name": "BEN_LIB", "type": "string", "role": "label"},
    ]
    (tmp_path / "REG.json").write_text(json.dumps({"title": "Régions", "fields": fields}), encoding="utf-8")
    table = only_table(draft_of(tmp_path))
    assert (table.plan.kind, table.plan.title) == (TableKind.LOOKUP, "Régions")
    assert (table.columns[0].plan.column.title, table.columns[0].plan.column.type.value) == ("Région", "code")


def test_a_database_file_is_drafted_like_files(tmp_path: Path) -> None:
    file = tmp_path / "clinic.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE TABLE stays AS SELECT range % 40 AS person_id, DATE '2020-01-01' AS day FROM range(90)"
        )
    draft = draft_of(file)
    assert draft.source.format == "duckdb"
    assert only_table(draft).plan.person == "person_id"


def test_the_same_delivery_gives_the_same_text(tmp_path: Path) -> None:
    assert written(clinic(tmp_path)) == written(draft_of(tmp_path))
