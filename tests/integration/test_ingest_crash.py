"""An ingestion that is killed at any point leaves the snapshot before current and sound; the next run cleans up."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.verify import verify
from tests.killed import ROOT, run_killed
from tests.unit.pipelines.deliveries import PERSONS, STAYS, write_clinic, write_plan

INGESTED = """
import pipelines.store.files, pipelines.store.layout
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store

Path.rename = counted(Path.rename, False)

def run(folder):
    ingest(load_plan(folder / "clinic.toml"), Store(folder / "store"), Keystore(folder / "keys"), validate=False,
           progress=counted(lambda step: None, True))
"""


def run(*runs: tuple[Path, int]) -> list[int]:
    """Ingest in each folder, killed at the step given (0: not); exit codes, after the steps of those that end."""
    return run_killed(INGESTED, runs, timeout=200)


def prepare(folder: Path) -> tuple[Store, str]:
    """A store with one snapshot, and a changed delivery waiting."""
    write_clinic(folder)
    store = Store(folder / "store")
    before = ingest(load_plan(write_plan(folder)), store, Keystore(folder / "keys"), validate=False).snapshot.id
    write_clinic(folder, stays=STAYS[:-1])
    return store, before


def check_unharmed(store: Store, before: str) -> None:
    assert store.current("clinic").id == before
    assert verify(store, "clinic", before) == []
    for snapshot in store.snapshots("clinic"):
        assert verify(store, "clinic", snapshot.id) == []


def check_clean(store: Store, kept: int) -> None:
    """Nothing is on disk that no record names."""
    snapshots = store.snapshots("clinic")
    assert len(snapshots) == kept
    named = {
        store.folder("clinic").table(t.name) / f.path for s in snapshots for t in s.tables for f in t.files
    }  # fmt: skip
    found = {f for f in store.root.glob("clinic/*/**/*.parquet") if "_quarantine" not in f.parts}
    assert found == named
    assert not (store.folder("clinic").staging).exists()
    assert not list(store.folder("clinic").snapshots.glob(".*"))


@pytest.mark.slow
def test_killed_at_every_step_the_snapshot_before_stays_current(tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    clean.mkdir()
    _, before = prepare(clean)
    shutil.copytree(clean, tmp_path / "counted")
    steps, code = run((tmp_path / "counted", 0))
    assert (code, steps > 15) == (0, True)
    # the last two steps are the rename of the pointer and the sync after it
    runs = [(tmp_path / f"killed{at}", at) for at in range(1, steps - 1)]
    for folder, _ in runs:
        shutil.copytree(clean, folder)
    assert set(run(*runs)) == {-signal.SIGKILL}
    for folder, _ in runs:
        store = Store(folder / "store")
        check_unharmed(store, before)
        report = ingest(load_plan(folder / "clinic.toml"), store, Keystore(folder / "keys"), validate=False)
        assert store.current("clinic").id == report.snapshot.id != before
        assert verify(store, "clinic", report.snapshot.id) == []
        assert verify(store, "clinic", before) == []
        check_clean(store, 2)


def test_killed_again_and_again_the_next_run_still_succeeds(tmp_path: Path) -> None:
    store, before = prepare(tmp_path)
    assert set(run(*((tmp_path, at) for at in (2, 9, 4, 3, 5, 2)))) == {-signal.SIGKILL}
    check_unharmed(store, before)
    assert run((tmp_path, 0))[-1] == 0
    check_clean(store, 2)


def test_a_first_ingestion_that_is_killed_leaves_no_snapshot(tmp_path: Path) -> None:
    write_clinic(tmp_path)
    write_plan(tmp_path)
    store = Store(tmp_path / "store")
    assert set(run(*((tmp_path, at) for at in (3, 12, 18)))) == {-signal.SIGKILL}
    assert store.snapshots("clinic") == []
    assert run((tmp_path, 0))[-1] == 0
    assert verify(store, "clinic", store.current("clinic").id) == []
    check_clean(store, 1)


def test_an_interrupted_command_says_so_in_one_line(tmp_path: Path) -> None:
    store, before = prepare(tmp_path)
    command = [
        sys.executable, "-m", "pipelines", "ingest", str(tmp_path / "clinic.toml"),
        "--store", str(store.root), "--keys", str(tmp_path / "keys"),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = []
    # validation waits for Great Expectations: time enough to press Ctrl-C in the middle
    for line in process.stderr:
        lines.append(line)
        if line.startswith("Measuring quality"):
            time.sleep(0.2)
            os.kill(process.pid, signal.SIGINT)
            break
    lines += process.stderr.readlines()
    assert process.wait(timeout=60) == 130
    assert "Interrupted" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    check_unharmed(store, before)
    # what is finished waits for a run that goes on; identifiers are not in it
    left = [f for f in store.folder("clinic").staging.rglob("*") if f.is_file()]
    assert left
    for name in (cell for row in PERSONS for cell in row[:2]):
        assert not any(name.encode() in file.read_bytes() for file in left)
    assert run((tmp_path, 0))[-1] == 0
    check_clean(store, 2)
