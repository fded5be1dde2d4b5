"""Whatever the delivery: its draft is a plan that loads, and holds no value that few persons share."""

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.draft.draft import make_draft
from pipelines.draft.form import About
from pipelines.draft.rare import FEWEST
from pipelines.draft.write import written
from pipelines.errors import SourceError
from pipelines.plan_file import parse_plan
from tests.unit.pipelines.drafting import write_csv

NAMES = st.sampled_from(
    [
        "ward",
        "Âge",
        "day",
        "DGN_PAL",
        "cost",
        "code",
        "label",
        "zip",
        "group",
        "person",
        "id",
        "x.y",
        "naissance",
        "2019",
    ]
)
# values that no other part of a plan is spelt like
WORDS = st.builds("q{}z{}".format, st.integers(100, 130), st.sampled_from(["", " and more", '"', "'", "é", "\\"]))
NUMBERS = st.integers(-99_999, 99_999).map(lambda n: str(10 * n + 7))
DAYS = st.dates().map(lambda d: d.isoformat())
CELLS = st.one_of(st.lists(WORDS, min_size=1), st.lists(NUMBERS, min_size=1), st.lists(DAYS, min_size=1))


@st.composite
def deliveries(draw: st.DrawFn) -> dict[str, list[Any]]:
    """A table of up to 60 rows of few or many persons, with an identifier or without."""
    rows = draw(st.integers(1, 60))
    persons = draw(st.integers(1, 60))
    table: dict[str, list[Any]] = {}
    if draw(st.booleans()):
        table["patient_id"] = [f"P{n % persons}" for n in range(rows)]
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.lower)):
        cells = draw(CELLS)
        table[name] = [cells[n % len(cells)] for n in range(rows)]
    return table


@given(deliveries())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_draft_loads_and_holds_no_rare_value(table: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = write_csv(Path(folder) / "delivery.csv", table)
        text = text_of(file, Path(folder))
        if text.startswith("#"):
            parse_plan(text, Path(folder) / "plan.toml")
    found = set(re.findall(r"[\w.-]+", text))
    assert not {value for value in rare(table) if value in found or (value.startswith("q") and value in text)}


def text_of(file: Path, folder: Path) -> str:
    """The draft as text, or the reason why there is none."""
    try:
        return written(make_draft([file], About("tests", "Tests", {"name": "T"}, "tests"), folder))
    except SourceError as refused:
        return str(refused)


def rare(table: dict[str, list[Any]]) -> set[str]:
    """Values that fewer than FEWEST persons have; without an identifier every row is a person."""
    persons = table.get("patient_id") or list(range(len(next(iter(table.values())))))
    having: dict[str, set[Any]] = defaultdict(set)
    for name, cells in table.items():
        for person, cell in zip(persons, cells, strict=True):
            if name != "patient_id":
                having[cell].add(person)
    return {value for value, by in having.items() if len(by) < FEWEST}
