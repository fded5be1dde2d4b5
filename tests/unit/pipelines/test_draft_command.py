"""The command: what it writes, what it says, what it refuses."""

from pathlib import Path

import typer
from typer.testing import CliRunner

from pipelines.draft.command import draft_command
from pipelines.plan_file import load_plan
from tests.unit.pipelines.drafting import PERSONS, persons, write_csv

app = typer.Typer()
app.command()(draft_command)
run = CliRunner()


def delivery(folder: Path) -> Path:
    return write_csv(folder / "Stays 2020.csv", {"patient_id": persons(), "ward": ["CARD"] * PERSONS})


def test_a_plan_is_written_and_the_next_step_named(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    done = run.invoke(app, [str(delivery(tmp_path)), "--out", str(plan), "--title", "Séjours", "--holder", "CHU"])
    assert done.exit_code == 0, done.output
    loaded = load_plan(plan)
    assert (loaded.dataset, loaded.title, loaded.holder) == ("stays-2020", "Séjours", {"name": "CHU"})
    assert loaded.source.location == "Stays 2020.csv"
    assert "patient_id" in done.output
    assert f"dataspace ingest {plan}" in done.output


def test_a_plan_that_is_there_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("edited by hand")
    refused = run.invoke(app, [str(delivery(tmp_path)), "--out", str(plan)])
    assert refused.exit_code == 1
    assert plan.read_text() == "edited by hand"
    assert run.invoke(app, [str(delivery(tmp_path)), "--out", str(plan), "--force"]).exit_code == 0
    load_plan(plan)


def test_a_table_without_persons_is_said_on_the_terminal(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "cohort.csv", {"age": [40 + n % 30 for n in range(60)]})
    done = run.invoke(app, [str(file), "--out", str(tmp_path / "plan.toml")])
    assert done.exit_code == 0
    assert "--public cohort" in done.output


def test_what_is_no_delivery_is_refused_without_a_plan(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    assert run.invoke(app, [str(tmp_path / "absent.csv"), "--out", str(plan)]).exit_code == 1
    assert run.invoke(app, [str(delivery(tmp_path)), "--out", str(plan), "--id", "Not A Slug"]).exit_code == 1
    assert not plan.exists()
