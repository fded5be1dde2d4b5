"""Erasure, collection and re-keying killed at any step: all as before or all as after, and the next run finishes."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from pipelines.keystore import Keystore, Rotation, verify_key_log
from pipelines.store.reader import Store
from pipelines.store.record import content_id
from pipelines.store.verify import verify
from pipelines.store.writer import recover
from tests.killed import run_killed
from tests.unit.pipelines.clinic import Clinic
from tests.unit.pipelines.deliveries import STAYS

STEPS = """
import json, shutil
import pandas  # what Arrow would load in every child
import pipelines.store.erase as erasing, pipelines.store.delta as delta
from pipelines.keystore import Keystore
from pipelines.rekey import rekey
from pipelines.store.collect import collect
from pipelines.store.reader import Store

Path.unlink = counted(Path.unlink, True)
shutil.rmtree = counted(shutil.rmtree, True)
erasing.go_back = counted(erasing.go_back, True)
erasing.replace_buckets = counted(erasing.replace_buckets, True)
writer.go_back = counted(writer.go_back, True)
"""

ACTIONS = {
    "erase": 'erasing.erase(store, "clinic", json.loads((folder / "person.json").read_text()), "request 17", keys)',
    "collect": 'collect(store, "clinic", ())',
    "rekey": 'rekey(store, "clinic", keys)',
}

RUN = """
def run(folder):
    store, keys = Store(folder / "store"), Keystore(folder / "keys")
    {action}
"""

State = dict[str, str]
"""What a dataset holds: content by snapshot, and what is current."""


def run(action: str, *runs: tuple[Path, int]) -> list[int]:
    """Act in each folder, killed at the step given (0: not); exit codes, after the steps of those that end."""
    return run_killed(STEPS + RUN.format(action=ACTIONS[action]), runs, timeout=250)


def prepare(folder: Path) -> Clinic:
    """Two snapshots that share tables, the first of which nothing names, and a chained key version to come."""
    folder.mkdir()
    clinic = Clinic(folder, bucket_rows=1000)
    for day in (1, 2):
        clinic.deliver(stays=[*STAYS[:-1], ("AB3", f"2022-05-0{day}", "", "", "")])
    person = {key: list(found) for key, found in clinic.person("AB1").items()}
    (folder / "person.json").write_text(json.dumps(person))
    clinic.keys.rotate("tests", Rotation.CHAINED)
    return clinic


def state(store: Store) -> State:
    contents = {s.id: content_id(s) for s in store.snapshots("clinic")}
    return contents | {"current": store.current("clinic").id}


def problems(store: Store, keys: Keystore) -> list[str]:
    return [p for s in store.snapshots("clinic") for p in verify(store, "clinic", s.id, keys)]


def check_clean(store: Store) -> None:
    """Nothing is on disk that no record names."""
    folder = store.folder("clinic")
    named = {folder.table(t.name) / f.path for s in store.snapshots("clinic") for t in s.tables for f in t.files}
    assert {f for f in folder.path.rglob("*.parquet") if not {"_delta_log", "_quarantine"} & set(f.parts)} == named
    assert not folder.staging.exists()
    assert not folder.change.exists()
    assert not [*folder.path.glob("._*"), *folder.snapshots.glob(".*")]


@pytest.mark.slow
@pytest.mark.parametrize("action", ["erase", "collect", "rekey"])
def test_killed_at_every_step_it_is_all_or_nothing(tmp_path: Path, action: str) -> None:
    clean = tmp_path / "clean"
    before = state(prepare(clean).store)
    shutil.copytree(clean, tmp_path / "counted")
    steps, code = run(action, (tmp_path / "counted", 0))
    assert (code, steps > 15) == (0, True)
    after = state(Store(tmp_path / "counted" / "store"))
    assert after != before
    runs = [(tmp_path / f"killed{at}", at) for at in range(1, steps + 1)]
    for folder, _ in runs:
        shutil.copytree(clean, folder)
    assert set(run(action, *runs)) == {-signal.SIGKILL}
    met = set()
    for folder, at in runs:
        store, keys = Store(folder / "store"), Keystore(folder / "keys")
        # whatever record a reader meets, all that it names is there and as recorded
        assert [p for p in problems(store, keys) if "no record names" not in p] == [], at
        with store.folder("clinic").lock(), store.folder("clinic").workspace("test"):
            recover(store.folder("clinic"))
        met.add("before" if state(store) == before else "after")
        if action == "rekey":
            # the new snapshot is stored before it is made current
            assert before.items() - {("current", before["current"])} <= state(store).items(), at
        else:
            assert state(store) in (before, after), at
        assert problems(store, keys) == [], at
        check_clean(store)
    assert met == {"before", "after"}
    assert set(run(action, *((folder, 0) for folder, _ in runs))[1::2]) == {0}
    for folder, at in runs:
        store = Store(folder / "store")
        assert state(store) == after, at
        assert problems(store, Keystore(folder / "keys")) == [], at
        assert verify_key_log(folder / "keys") == []
        check_clean(store)


@pytest.mark.parametrize("action", ["erase", "collect", "rekey"])
def test_killed_again_and_again_the_next_run_still_succeeds(tmp_path: Path, action: str) -> None:
    clinic = prepare(tmp_path / "clinic")
    deaths = run(action, *((clinic.folder, at) for at in (1, 4, 7, 9, 12, 15, 14, 13)))
    assert -signal.SIGKILL in deaths
    assert run(action, (clinic.folder, 0))[-1] == 0
    assert problems(clinic.store, clinic.keys) == []
    check_clean(clinic.store)
    # and life goes on
    clinic.deliver()
    assert problems(clinic.store, clinic.keys) == []


def test_the_bytes_of_an_erased_person_are_gone_after_a_crash_too(tmp_path: Path) -> None:
    clinic = prepare(tmp_path / "clinic")
    held = {f: f.read_bytes() for f in clinic.files()}
    shutil.copytree(clinic.folder, tmp_path / "counted")
    steps, _ = run("erase", (tmp_path / "counted", 0))
    run("erase", (clinic.folder, steps - 6))
    run("erase", (clinic.folder, 0))
    (gone,) = json.loads((clinic.folder / "person.json").read_text()).values()
    assert all("person_key" not in row or row["person_key"] not in gone for s in clinic.store.snapshots("clinic")
               for table in ("person", "stay") for row in clinic.rows(s.id, table))  # fmt: skip
    assert any(not f.exists() for f in held)
    check_clean(clinic.store)
