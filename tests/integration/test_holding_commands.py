"""What a holder types: a dry run, the rows in quarantine as a file, mended rows, a plan with a mistake."""

import csv
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from catalog.spreadsheets import neutral
from pipelines import options
from pipelines.cli import main_app
from tests.unit.pipelines.deliveries import STAYS, write_clinic, write_plan

BAD = [("AB2", "2021-13-45", "NEUR", "2", "1"), ("AB9", "2021-01-01", "NEUR", "2", "1")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATASPACE_KEY_ROOT", str(tmp_path / "keys"))
    monkeypatch.setattr(options.out, "width", 200)
    write_clinic(tmp_path, stays=[*STAYS, *BAD])
    write_plan(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main_app(), list(arguments))


def ingest(folder: Path, *arguments: str) -> Result:
    return run("ingest", str(folder / "clinic.toml"), "--quick", *arguments)


def test_a_dry_run_tells_what_would_happen_and_stores_nothing(folder: Path) -> None:
    done = ingest(folder, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "Nothing was stored" in done.output
    assert "day: not a date (1)" in done.output
    assert not list((folder / "home/store/clinic").glob("_snapshots/*.json"))
    assert not (folder / "home/store/clinic/stay").exists()
    listed = run("quarantine", "clinic", "dry-run")
    assert "stay,6,day,not a date" in listed.output


def test_rows_in_quarantine_come_as_a_file_without_values(folder: Path) -> None:
    assert ingest(folder).exit_code == 0
    target = folder / "quarantine.csv"
    assert run("quarantine", "clinic", "--out", str(target)).exit_code == 0
    with target.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(r["source_table"], r["row_number"], r["column"], r["reason"]) for r in rows] == [
        ("stay", "6", "day", "not a date"),
        ("stay", "7", "", "the person is not in the table of persons"),
    ]
    assert "2021-13-45" not in target.read_text()


def test_mended_rows_are_added(folder: Path) -> None:
    assert ingest(folder).exit_code == 0
    mended = folder / "mended.duckdb"
    with duckdb.connect(str(mended)) as connection:
        connection.execute("CREATE TABLE stay AS SELECT 'AB2' AS person_id, '2021-12-15' AS day, 'NEUR' AS ward,"
                           " '2' AS cost, '1' AS nights")  # fmt: skip
    done = ingest(folder, "--correct", "--source", str(mended))
    assert done.exit_code == 0, done.output
    line = next(line for line in done.output.splitlines() if "│ stay " in line)
    assert [cell.strip() for cell in line.split("│")[2:5]] == ["7", "6", "1"]
    again = ingest(folder, "--correct", "--source", str(mended))
    assert again.exit_code == 1
    assert "already" in again.output


def test_adding_and_correcting_exclude_each_other(folder: Path) -> None:
    done = ingest(folder, "--append", "--correct")
    assert done.exit_code == 2
    assert "exclude each other" in done.output


def test_a_plan_is_checked_without_a_delivery(folder: Path) -> None:
    (folder / "clinic.duckdb").unlink()
    assert "3 tables and 9 columns" in run("check", str(folder / "clinic.toml")).output
    file = folder / "clinic.toml"
    file.write_text(file.read_text().replace('type = "date"', 'type = "dat"'))
    done = run("check", str(file))
    assert done.exit_code == 1
    assert f"{file}:" in done.output.replace("\n", "")
    assert "Choose one of" in done.output


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_written_csv_is_a_formula(start: str) -> None:
    assert neutral(f"{start}cmd|' /C calc'!A0").startswith("'")
    assert neutral("day") == "day"


def test_a_table_whose_name_is_a_formula_is_neutralised(folder: Path) -> None:
    text = (folder / "clinic.toml").read_text().replace("[tables.stay]\n", '[tables.stay]\nsource = "=cmd()"\n')
    (folder / "clinic.toml").write_text(text)
    with duckdb.connect(str(folder / "clinic.duckdb")) as connection:
        connection.execute('ALTER TABLE stay RENAME TO "=cmd()"')
    assert ingest(folder).exit_code == 0
    assert "'=cmd(),6,day" in run("quarantine", "clinic").output
