"""Great Expectations beside the ingestion: checked in a process of its own, counts only, and able to stop a load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import QualityFailed
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from tests.unit.pipelines.deliveries import PLAN, STAYS, write_clinic, write_plan

ROOT = Path(__file__).parents[2]
CHECKS = """
[[tables.stay.checks]]
name = "wards are filled"
complete = "ward"
at_least = 0.9
on_failure = "{on_failure}"

[[tables.stay.checks]]
name = "a person is in one ward a day"
unique = ["day", "nights"]
"""


def load(folder: Path, on_failure: str) -> tuple[Store, dict[str, dict[str, object]]]:
    write_clinic(folder)
    plan = PLAN.replace("[tables.ward]\n", CHECKS.format(on_failure=on_failure) + "\n[tables.ward]\n", 1)
    store = Store(folder / "store")
    snapshot = ingest(load_plan(write_plan(folder, plan)), store, Keystore(folder / "keys")).snapshot
    return store, {f"{o['table']}: {o['name']}": o for o in snapshot.metrics["expectations"]}


@pytest.mark.slow
def test_a_failed_check_is_noted_or_stops_the_load_as_the_plan_says(tmp_path: Path) -> None:
    store, outcomes = load(tmp_path, "note")
    noted = outcomes["stay: wards are filled"]
    assert (noted["success"], noted["checked"], noted["failed"]) == (False, 5, 1)
    assert outcomes["stay: a person is in one ward a day"]["failed"] == 2
    assert all(o["success"] for o in outcomes.values() if o["stop"])
    assert "stay: ward is in its list of values" in outcomes
    record = store.folder("clinic").record(store.current("clinic").id).read_text(encoding="utf-8")
    expectations = json.dumps(json.loads(record)["metrics"])
    assert not [cell for row in STAYS for cell in row if len(cell) > 3 and cell in expectations]
    before = store.current("clinic").id
    with pytest.raises(QualityFailed, match="stay: wards are filled"):
        load(tmp_path, "stop")
    assert store.current("clinic").id == before


def test_the_slow_library_is_not_loaded_by_the_ingestion_itself() -> None:
    code = "import sys, pipelines.ingest, pipelines.cli; print('great_expectations' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
