"""Small deliveries for the tests of the draft, and the draft of one."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.draft.draft import make_draft
from pipelines.draft.form import About, Draft, DraftTable
from pipelines.draft.write import written
from pipelines.plan import Plan
from pipelines.plan_file import parse_plan

PERSONS = 40


def write_csv(file: Path, columns: Mapping[str, Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """A CSV file with these columns."""
    with file.open("w", encoding=encoding, newline="") as opened:
        rows = csv.writer(opened, delimiter=delimiter)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return file


def draft_of(*files: Path, public: Iterable[str] = ()) -> Draft:
    """The draft of a delivery, for a plan beside it."""
    about = About("tests", "Tests", {"name": "Tests"}, "tests", frozenset(public))
    return make_draft(files, about, files[0].parent)


def plan_of(draft: Draft, folder: Path) -> Plan:
    """The plan as it is read back from its text."""
    return parse_plan(written(draft), folder / "plan.toml")


def only_table(draft: Draft) -> DraftTable:
    (table,) = draft.tables
    return table


def persons(*, count: int = PERSONS, repeat: int = 1) -> list[str]:
    """Identifiers, each `repeat` times."""
    return [f"P{1000 + 7 * n}" for n in range(count) for _ in range(repeat)]
