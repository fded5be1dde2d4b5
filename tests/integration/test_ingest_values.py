"""What a plan may do to values on their way in: keys within the person, coarser codes, shifted dates, free text."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import PlanError
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore, Rotation
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store

Load = Callable[..., IngestReport]

VISITS = """
[dataset]
id = "ward"
title = "Visits and drugs"

[dataset.holder]
name = "A hospital"

[source]
format = "csv"
location = "delivery"

[pseudonyms]
domain = "tests"
shift_days = 100

[quarantine]
threshold = 0.9

[tables.visit]
kind = "events"
person = "patient"

[tables.visit.columns.visit_id]
type = "integer"

[tables.visit.columns.postcode]
type = "code"
generalise = "department-fr"

[tables.visit.columns.diagnosis]
type = "code"
coarser = { table = "icd", code = "code", into = "parent", keep = ["I21"] }

[tables.drug]
kind = "events"
person = "patient"

[tables.drug.columns.visit_id]
type = "integer"
foreign_key = { table = "visit", column = "visit_id" }

[tables.drug.columns.given]
type = "date"
shift = true
bounds = [2020-01-01, 2020-12-31]

[tables.drug.columns.note]
type = "text"
free_text = "Doses are written in words only, and no names occur in them."

[tables.icd]
kind = "lookup"

[tables.icd.columns.code]
type = "code"

[tables.icd.columns.parent]
type = "code"
"""

FILES = {
    "visit": "patient;visit_id;postcode;diagnosis\nP000001;1;75013;I21\nP000001;2;20137;I22\n"
    "P000002;3;97411;I50\nP000002;4;1000;\n",
    "drug": "patient;visit_id;given;note\nP000001;1;2020-01-01;one  in\tthe morning\nP000001;2;2020-03-01;\n"
    "P000002;1;2020-05-01;of another's visit\nP000002;9;2020-05-01;\nP000002;;2020-05-05;\nP000002;4;2021-05-01;\n",
    "icd": "code;parent\nI21;I2\nI22;I2\nI50;I5\n",
}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def run(files: dict[str, str] = FILES, plan: str = VISITS, dataset: str = "ward") -> IngestReport:
        (tmp_path / "delivery").mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / "delivery" / f"{name}.csv").write_text(text, encoding="utf-8")
        file = tmp_path / f"{dataset}.toml"
        file.write_text(plan.replace('id = "ward"', f'id = "{dataset}"'), encoding="utf-8")
        return ingest(load_plan(file), Store(tmp_path / "store"), Keystore(tmp_path / "keys"), validate=False)

    return run


def rows_of(tmp_path: Path, report: IngestReport, table: str, columns: str) -> list[tuple[object, ...]]:
    folder = tmp_path / "store" / report.snapshot.dataset / table
    files = [str(folder / f.path) for f in report.snapshot.table[table].files]
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({files}, hive_partitioning=false) ORDER BY ALL").fetchall()


def test_a_row_must_refer_to_a_row_of_the_same_person(load: Load, tmp_path: Path) -> None:
    report = load()
    assert [v for (v,) in rows_of(tmp_path, report, "drug", "visit_id")] == [1, 2, None]
    reason = "visit_id: no row of the person in visit has it as visit_id"
    assert report.snapshot.table["drug"].reasons[reason] == 2
    assert report.quarantine is not None
    listed = duckdb.sql(f"SELECT row_number, reason FROM '{report.quarantine}/drug.parquet' ORDER BY ALL").fetchall()
    assert [n for n, _ in listed] == [3, 4, 6]


def test_codes_become_coarser_by_the_lookup_and_postcodes_departments(load: Load, tmp_path: Path) -> None:
    found = rows_of(tmp_path, load(), "visit", "postcode, diagnosis")
    assert found == [("01", None), ("2A", "I2"), ("75", "I21"), ("974", "I5")]


def test_a_code_without_a_coarser_one_is_set_aside(load: Load) -> None:
    report = load(FILES | {"icd": "code;parent\nI21;I2\nI22;I2\n"})
    assert report.snapshot.table["visit"].reasons == {"diagnosis: no coarser code in lookup table icd": 1}


def test_a_persons_dates_move_together_and_stay_apart_as_they_were(load: Load, tmp_path: Path) -> None:
    one = rows_of(tmp_path, load(), "drug", "person_key, given")
    other = rows_of(tmp_path, load(dataset="other"), "drug", "person_key, given")
    # the same domain and width: the same person moves alike in both datasets
    assert one == other
    by_person: dict[object, list[date]] = {}
    for person, given in one:
        assert isinstance(given, date)
        by_person.setdefault(person, []).append(given)
    first = next(days for days in by_person.values() if len(days) == 2)
    assert (max(first) - min(first)).days == 60
    assert any(days != [date(2020, 1, 1), date(2020, 3, 1)] for days in by_person.values())
    bounds = Store(tmp_path / "store").current("ward").schema.table["drug"].column["given"].bounds
    assert bounds is not None
    assert (bounds.low, bounds.high) == (date(2019, 9, 23), date(2021, 4, 10))


def test_the_shift_outlives_a_chained_rotation(load: Load, tmp_path: Path) -> None:
    before = {given for _, given in rows_of(tmp_path, load(), "drug", "person_key, given")}
    Keystore(tmp_path / "keys").rotate("tests", Rotation.CHAINED)
    assert {given for _, given in rows_of(tmp_path, load(), "drug", "person_key, given")} == before


def test_free_text_is_kept_on_one_line_where_the_plan_says_why(load: Load, tmp_path: Path) -> None:
    assert ("one in the morning",) in rows_of(tmp_path, load(), "drug", "note")
    with pytest.raises(PlanError, match="give the reason for keeping it under free_text"):
        load(plan=VISITS.replace('free_text = "Doses are written in words only, and no names occur in them."\n', ""))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("shift_days = 100", "shift_days = 99999", "from 0 to 3650"),
        ("shift_days = 100\n", "", "Add shift_days"),
        ('table = "visit", column = "visit_id"', 'table = "icd", column = "code"', "no table about persons"),
        ('table = "visit", column = "visit_id"', 'table = "visit", column = "x"', "has not"),
        ('into = "parent"', 'into = "chapter"', "which lookup table 'icd' has not"),
        ('generalise = "department-fr"', 'generalise = "region"', "Choose one of year"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(load: Load, old: str, new: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        load(plan=VISITS.replace(old, new))


NUMBERED = '[tables.drug.columns.drug_id]\ntype = "integer"\n\n[tables.drug.columns.note]'
CHAIN = (
    VISITS.replace("[tables.drug.columns.note]", NUMBERED)
    + """
[tables.effect]
kind = "events"
person = "patient"

[tables.effect.columns.drug_id]
type = "integer"
foreign_key = { table = "drug", column = "drug_id" }
"""
)  # fmt: skip


def test_a_row_that_is_set_aside_is_nothing_to_refer_to(load: Load, tmp_path: Path) -> None:
    """The effect of a drug that was given in nobody's visit goes with it."""
    files = FILES | {
        "drug": "patient;visit_id;given;note;drug_id\nP000001;1;2020-01-01;;7\nP000001;99;2020-01-01;;8\n",
        "effect": "patient;drug_id\nP000001;7\nP000001;8\n",
    }
    report = load(files, CHAIN)
    assert rows_of(tmp_path, report, "effect", "drug_id") == [(7,)]
    assert report.snapshot.table["effect"].quarantined == report.snapshot.table["drug"].quarantined == 1


def test_a_shifted_date_is_not_made_coarser(load: Load) -> None:
    with pytest.raises(PlanError, match="shows by how much it moved"):
        load(plan=VISITS.replace("shift = true", 'shift = true\ngeneralise = "month"'))
