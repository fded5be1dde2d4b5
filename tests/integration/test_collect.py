"""Collection: what nothing names goes, with its files and its log; what is named opens as before."""

from pathlib import Path

import pytest

from pipelines.errors import SnapshotNotFound, StoreBusy
from pipelines.store import writer
from pipelines.store.collect import collect
from pipelines.store.reader import Store
from tests.unit.pipelines.clinic import Clinic
from tests.unit.pipelines.deliveries import STAYS


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def deliveries(clinic: Clinic, count: int) -> list[str]:
    """Snapshots of as many different deliveries; all share the persons' table."""
    return [
        clinic.deliver(stays=[*STAYS[:-1], ("AB3", f"2022-05-{day:02d}", "", "", "")]).id for day in range(1, count + 1)
    ]


def names(clinic: Clinic) -> list[str]:
    return [s.id for s in clinic.store.snapshots("clinic")]


@pytest.mark.parametrize("kept", [(), (0,), (1, 3), (0, 2), (0, 1, 2, 3, 4)])
def test_current_and_named_snapshots_stay_and_open(clinic: Clinic, kept: tuple[int, ...]) -> None:
    made = deliveries(clinic, 5)
    before = {name: clinic.rows(name) for name in made}
    done = collect(clinic.store, "clinic", {made[i] for i in kept})
    stay = [name for i, name in enumerate(made) if i in {*kept, 4}]
    assert names(clinic) == stay
    assert set(done.snapshots) == set(made) - set(stay)
    assert {name: clinic.rows(name) for name in stay} == {name: before[name] for name in stay}
    clinic.check_sound()
    # and again: there is nothing left to do
    assert collect(clinic.store, "clinic", set(stay)).snapshots == ()


def test_shared_files_stay_and_the_log_before_the_oldest_goes(clinic: Clinic) -> None:
    made = deliveries(clinic, 4)
    persons = {f for f in clinic.files() if "person" in f.parent.parent.name}
    collect(clinic.store, "clinic", {made[2]})
    assert persons <= clinic.files()
    log = {f.name[:20] for f in (clinic.path("stay") / "_delta_log").glob("*.json")}
    oldest = clinic.store.snapshot("clinic", made[2]).table["stay"].version
    assert min(map(int, log)) >= oldest


def test_a_dry_run_tells_the_same_and_changes_nothing(clinic: Clinic) -> None:
    deliveries(clinic, 3)
    before = {f: f.read_bytes() for f in clinic.store.root.rglob("*") if f.is_file()}
    told = collect(clinic.store, "clinic", (), dry_run=True)
    assert {f: f.read_bytes() for f in clinic.store.root.rglob("*") if f.is_file()} == before
    size = sum(f.stat().st_size for f in clinic.files())
    assert collect(clinic.store, "clinic", ()) == told
    assert size - sum(f.stat().st_size for f in clinic.files()) == told.size > 0
    assert len({f for f in before if f.suffix == ".parquet"} - clinic.files()) == told.files


def test_an_older_snapshot_may_be_current(clinic: Clinic) -> None:
    first = clinic.deliver()
    deliveries(clinic, 2)
    again = clinic.deliver()
    assert (again.id, clinic.store.current("clinic").id) == (first.id, first.id)
    collect(clinic.store, "clinic", ())
    assert names(clinic) == [first.id]
    clinic.check_sound()
    assert clinic.deliver().id == first.id
    deliveries(clinic, 2)
    clinic.check_sound()


def test_reports_of_collected_snapshots_go_along(clinic: Clinic) -> None:
    bad = clinic.deliver(stays=[*STAYS[:-1], ("AB4", "no date", "", "", "")]).id
    good = clinic.deliver().id
    reports = clinic.store.folder("clinic").quarantine
    assert (reports / bad).is_dir()
    collect(clinic.store, "clinic", {bad})
    assert (reports / bad).is_dir()
    collect(clinic.store, "clinic", {good})
    assert not (reports / bad).exists()


def test_not_while_another_run_has_the_dataset(clinic: Clinic, tmp_path: Path) -> None:
    with pytest.raises(SnapshotNotFound):
        collect(clinic.store, "clinic", ())
    assert not (tmp_path / "store" / "clinic").exists()
    deliveries(clinic, 2)
    with clinic.store.folder("clinic").lock(), pytest.raises(StoreBusy):
        collect(clinic.store, "clinic", ())
    assert len(Store(clinic.store.root).snapshots("clinic")) == 2


def test_a_change_is_noted_until_what_it_removed_is_gone(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = deliveries(clinic, 2)
    folder, sweep = clinic.store.folder("clinic"), writer._sweep_files

    def killed(path: Path, named: set[str]) -> None:
        if folder.change.is_file():
            raise KeyboardInterrupt
        sweep(path, named)

    monkeypatch.setattr("pipelines.store.writer._sweep_files", killed)
    with pytest.raises(KeyboardInterrupt):
        collect(clinic.store, "clinic", ())
    monkeypatch.undo()
    assert not folder.record(first).exists()
    assert folder.change.is_file()
    with folder.lock():
        writer.recover(folder)
    assert not folder.change.exists()
    clinic.check_sound()


def test_records_are_for_the_owner_alone(clinic: Clinic) -> None:
    """They hold counts, and the secret that rounds them."""
    (made,) = deliveries(clinic, 1)
    folder = clinic.store.folder("clinic")
    assert {f.stat().st_mode & 0o777 for f in (folder.record(made), folder.current)} == {0o600}
