"""More persons than memory holds: identifiers in parts, rows joined with their keys on the bench that spills."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines import collected, crowd
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from tests.unit.pipelines.deliveries import PERSONS, STAYS, write_clinic, write_plan

BAD = [("", "2020-01-01", "CARD", "1", "1"), ("AB7", "2020-01-01", "CARD", "1", "1"), ("AB1", "x", "CARD", "1", "1")]


def load(folder: Path, keys: Path) -> IngestReport:
    folder.mkdir(exist_ok=True)
    write_clinic(folder, stays=[*STAYS, *BAD])
    return ingest(load_plan(write_plan(folder)), Store(folder / "store"), Keystore(keys), validate=False)


@pytest.fixture
def few_in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(crowd, "MOST_IN_MEMORY", 1)
    monkeypatch.setattr(crowd, "MOST_IN_PART", 1)
    return


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The engine runs out of memory when it takes the identifiers at once; then parts of two are taken."""
    taken: list[int] = []
    original = collected.collect_part

    def no_memory(*_: object) -> int:
        raise duckdb.OutOfMemoryException("no memory")

    def counted(*arguments: object) -> None:
        taken.append(int(str(arguments[-2])))
        original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(collected, "_collect_table", no_memory)
    monkeypatch.setattr(collected, "MOST_IDENTIFIERS", 2)
    monkeypatch.setattr(crowd, "collect_part", counted)
    return taken


def test_the_snapshot_is_the_same(tmp_path: Path, few_in_memory: None, in_parts: list[int]) -> None:
    crowded = load(tmp_path / "crowded", tmp_path / "keys")
    assert len(in_parts) > 1
    report = crowded.snapshot.table["stay"]
    assert (report.rows, report.quarantined) == (len(STAYS), len(BAD))
    assert report.reasons == {
        "day: not a date": 1, "no person identifier": 1, "the person is not in the table of persons": 1,
    }  # fmt: skip
    assert crowded.snapshot.table["person"].rows == len(PERSONS)


def test_it_is_what_one_part_in_memory_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = load(tmp_path / "usual", tmp_path / "keys")
    monkeypatch.setattr(crowd, "MOST_IN_MEMORY", 1)
    monkeypatch.setattr(crowd, "MOST_IN_PART", 2)
    crowded = load(tmp_path / "crowded", tmp_path / "keys")
    assert crowded.snapshot.id == usual.snapshot.id


def test_what_may_spill_holds_no_identifier(
    tmp_path: Path, few_in_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    original = crowd._Keying.store

    def kept(self: crowd._Keying, folder: Path, parts: int) -> None:
        original(self, folder, parts)
        seen.extend(file.read_bytes() for file in folder.rglob("*.parquet"))

    monkeypatch.setattr(crowd._Keying, "store", kept)
    load(tmp_path / "clinic", tmp_path / "keys")
    assert seen
    for person in PERSONS:
        for cell in person[:2]:
            assert not any(cell.encode() in file for file in seen)
