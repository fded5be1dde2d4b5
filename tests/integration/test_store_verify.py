"""`verify` believes nothing: every way to change a stored snapshot is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot
from pipelines.store.verify import verify
from tests.unit.pipelines.deliveries import write_clinic, write_plan


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Store, Snapshot]:
    write_clinic(tmp_path)
    store = Store(tmp_path / "store")
    report = ingest(load_plan(write_plan(tmp_path)), store, Keystore(tmp_path / "keys"), validate=False)
    return store, report.snapshot


def test_a_fresh_snapshot_is_sound(stored: tuple[Store, Snapshot]) -> None:
    store, snapshot = stored
    assert verify(store, "clinic", snapshot.id) == []


def flip(file: Path) -> None:
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("pattern", "change", "said"),
    [
        ("stay/*/*.parquet", flip, "the content is not what was stored"),
        ("stay/*/*.parquet", Path.unlink, "the file is missing"),
        ("_snapshots/*.json", edit('"buckets": 1', '"buckets": 2'), "does not give its name"),
        ("_snapshots/*.json", edit('"rows_per_person": 5', '"rows_per_person": 1'), "does not give its name"),
        ("_snapshots/*.json", edit('"rows": 5', '"rows": 6'), "do not add up"),
    ],
)
def test_a_change_is_found(
    stored: tuple[Store, Snapshot], pattern: str, change: Callable[[Path], None], said: str
) -> None:
    store, snapshot = stored
    change(next(store.folder("clinic").path.glob(pattern)))
    assert any(said in problem for problem in verify(store, "clinic", snapshot.id))


def test_a_record_under_another_name_is_found(stored: tuple[Store, Snapshot]) -> None:
    store, snapshot = stored
    folder = store.folder("clinic")
    folder.record(snapshot.id).rename(folder.record("0" * 16))
    assert verify(store, "clinic", "0" * 16)


def test_the_delta_log_agrees_with_the_record(stored: tuple[Store, Snapshot]) -> None:
    store, snapshot = stored
    for table in snapshot.tables:
        delta = DeltaTable(store.folder("clinic").table(table.name), version=table.version)
        assert len(delta.file_uris()) == len(table.files)
        # the file list is exact only while nobody writes deletion vectors
        assert "deletionVectors" not in (delta.protocol().reader_features or [])
    log = next((store.folder("clinic").path / "stay" / "_delta_log").glob("*.json"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("\n".join(json.dumps(line) for line in lines if "add" not in line))
    assert any("lists other files" in p for p in verify(store, "clinic", snapshot.id))
