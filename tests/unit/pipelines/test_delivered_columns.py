"""What is said of a column that was not delivered: nothing of a delivered first line that may be a person's data."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.collected import delivered
from pipelines.errors import SourceError
from pipelines.plan import TablePlan
from pipelines.plan_file import load_plan
from pipelines.readers import open_source
from tests.unit.pipelines.deliveries import write_plan


@pytest.fixture
def person(tmp_path: Path) -> TablePlan:
    """It reads person_id, full_name, sex and birth_date."""
    return replace(load_plan(write_plan(tmp_path)).table["person"], source="t")


def said(folder: Path, table: TablePlan, text: str) -> str:
    (folder / "t.csv").write_text(text)
    with open_source("csv", folder / "t.csv", {}) as source, pytest.raises(SourceError) as caught:
        delivered(source, table)
    return str(caught.value)


def test_a_first_line_of_data_is_never_told(tmp_path: Path, person: TablePlan) -> None:
    message = said(tmp_path, person, "185057800608436,Jean Dupont,jean@x.fr,Sexe\n")
    assert "none of the columns the plan reads" in message
    assert "the option `columns`" in message
    assert not any(cell in message for cell in ("185057800608436", "Jean", "jean@x.fr", "Sexe"))


def test_names_like_the_missing_one_are_told_and_others_counted(tmp_path: Path, person: TablePlan) -> None:
    message = said(tmp_path, person, "person_id,full_name,sex,BirthDate,Jean Dupont,185057800608436\n")
    assert "no column 'birth_date', which the plan reads, among its 6. Did you mean 'BirthDate'?" in message
    assert "Dupont" not in message
    assert "1850578" not in message


@pytest.mark.parametrize("cell", ["birth.date", "birth date", "2birth_date", "birth_date" + "x" * 40, "Dupont"])
def test_a_cell_that_is_no_name_or_unlike_it_is_not_told(tmp_path: Path, person: TablePlan, cell: str) -> None:
    message = said(tmp_path, person, f"person_id,full_name,sex,{cell}\n")
    assert "Check the name in the plan" in message
    assert cell not in message.replace("'birth_date'", "")
