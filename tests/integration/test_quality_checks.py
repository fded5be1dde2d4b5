"""The holder's own checks, every kind, asked by Great Expectations over stored files; the proof of the row order."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan import Check
from pipelines.plan_checks import KINDS
from pipelines.plan_file import load_plan
from pipelines.quality.suite import CONDITIONS, QUESTIONS, RANKS, suite
from pipelines.store.reader import Store
from tests.unit.pipelines.deliveries import PLAN, STAYS, write_clinic, write_plan

OUTCOMES = {
    # check: (holds, rows asked, rows that fail), on five stays of which the last has neither ward, cost nor nights
    Check("costs are usual", "between", ("cost",), low=Decimal(1), high=Decimal("10.25")): (False, 4, 1),
    Check("most costs are usual", "between", ("cost",), Decimal("0.7"), low=1): (True, 4, 1),
    Check("days in range", "between", ("day",), low=date(2020, 1, 2)): (False, 5, 2),
    Check("wards have this form", "matches", ("ward",), text="C[A-Z]{3}"): (False, 4, 1),
    Check("the whole ward has this form", "matches", ("ward",), text="C[A-Z]"): (False, 4, 4),
    Check("one of two wards", "one_of", ("ward",), values=("CARD", "NEUR")): (True, 4, 0),
    Check("one of few nights", "one_of", ("nights",), values=(1,)): (False, 4, 1),
    Check("a night costs something", "holds", text="nights = 0 OR cost > 0.5"): (False, 4, 1),
    Check("wards are known", "found_in", ("ward",), table="ward", keys=("code",)): (True, 4, 0),
    Check("first nights of a life", "found_in", ("nights",), table="person", keys=("year_of_birth",)): (False, 4, 4),
    Check("nights are filled", "complete", ("nights",), Decimal("0.8")): (True, 5, 1),
    Check("no fresh stay", "fresh", ("day",), high=1): (False, None, None),
    Check("a stay of this century", "fresh", ("day",), high=36_500): (True, None, None),
    Check("some rows", "rows", low=1, high=5): (True, None, None),
    Check("more rows", "rows", low=6, high=9): (False, None, None),
    Check("a person's days and wards", "unique", ("day", "ward"), per_person=True): (False, 5, 2),
    Check("days do not run backwards", "order", ("day", "day")): (True, 5, 0),
    Check("fails on a row", "holds", text=f"nights * {2**63 - 1} * {2**63 - 1} > 0"): (False, None, None),
}


def test_every_kind_of_a_plan_has_its_question() -> None:
    assert set(KINDS) == set(QUESTIONS) | set(CONDITIONS)
    assert {check.kind for check in OUTCOMES} == set(KINDS)


@pytest.mark.slow
def test_every_kind_of_check_finds_what_is_wrong(tmp_path: Path) -> None:
    write_clinic(tmp_path)
    plan = load_plan(write_plan(tmp_path, PLAN))
    checked = tuple(replace(t, checks=tuple(OUTCOMES)) if t.name == "stay" else t for t in plan.tables)
    store = Store(tmp_path / "store")
    snapshot = ingest(replace(plan, tables=checked), store, Keystore(tmp_path / "keys")).snapshot
    found = {
        o["name"]: (o["success"], o["checked"], o["failed"]) for o in snapshot.metrics["expectations"] if o["kind"]
    }
    assert found == {check.name: outcome for check, outcome in OUTCOMES.items()}
    # what the plan implies holds, with the proof of order and ranks among it
    implied = [o for o in snapshot.metrics["expectations"] if not o["kind"]]
    assert {"row ranks are unique", "one row for each person"} <= {o["name"] for o in implied}
    assert all(o["success"] for o in implied)
    kept = store.folder("clinic").record(snapshot.id).read_text(encoding="utf-8")
    assert not [day for _, day, *_ in STAYS if day in kept]


def test_the_suite_asks_for_the_last_day_of_the_bounds_too(tmp_path: Path) -> None:
    plan = load_plan(write_plan(tmp_path))
    table = plan.table["stay"].table()
    asked = {e.name: e.arguments for e in suite(plan, table, 5, date(2024, 1, 1))}
    within = asked["day is within its bounds"]
    assert (within["min_value"], within["max_value"], within["strict_max"]) == ("2000-01-01", "2026-01-01", True)


def holds_everywhere(rows: list[tuple[int, int]]) -> bool:
    values = ", ".join(f"({place}, {key}, {rank})" for place, (key, rank) in enumerate(rows))
    asked = f"SELECT ({RANKS}) FROM (SELECT * FROM (VALUES {values}) AS r(place, person_key, row_rank) ORDER BY place)"
    return all(holds for (holds,) in duckdb.connect().execute(asked).fetchall())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 3)), min_size=1, max_size=8))
def test_the_proof_of_order_accepts_exactly_sorted_and_ranked_rows(rows: list[tuple[int, int]]) -> None:
    counted: dict[int, int] = {}
    expected = []
    for key in sorted(key for key, _ in rows):
        counted[key] = counted.get(key, 0) + 1
        expected.append((key, counted[key]))
    assert holds_everywhere(expected)
    assert holds_everywhere(rows) == (rows == expected)
