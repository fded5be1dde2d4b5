"""Makes a snapshot visible: files into place, one Delta commit a table, then the record by one rename.

A snapshot exists from the moment its record has its name. A run that ends before leaves files and Delta versions that
no record names; `recover` removes them at the next run.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.schema import DatasetSchema
from pipelines.errors import ErasedPersons, SnapshotNotFound
from pipelines.store.change import finish_change, forget_change
from pipelines.store.delta import commit, go_back, next_version, trim_log
from pipelines.store.files import WrittenFile
from pipelines.store.layout import BUCKET_COLUMN, DatasetFolder, keep_report, sync_file, sync_folder, write_atomically
from pipelines.store.record import (
    Delivered,
    Key,
    Snapshot,
    StoredFile,
    StoredTable,
    content_id,
    snapshot_id,
    snapshots,
    to_json,
)


@dataclass(frozen=True)
class StagedTable:
    """A table ready to be stored: its files in the workspace and what happened to its rows."""

    name: str
    files: tuple[WrittenFile, ...]
    delivered: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Lineage:
    """Where a snapshot comes from."""

    key: Key
    plan_hash: str
    sources: tuple[Delivered, ...]


def publish(
    folder: DatasetFolder,
    schema: DatasetSchema,
    buckets: int,
    staged: tuple[StagedTable, ...],
    lineage: Lineage,
    metrics: Mapping[str, Any],
    quarantine: Path | None = None,
) -> Snapshot:
    """Store the staged tables as a snapshot and return it; the caller holds the dataset's lock.

    The snapshot is there, and not yet current. Content that is stored already is not stored twice: the same delivery
    gives the same snapshot, and an unchanged table keeps its Delta version.
    """
    provisional = tuple(_stored(t, 0, ()) for t in staged)
    identifier = snapshot_id(buckets, lineage.key, schema, provisional, metrics.get("meaning"))
    known = snapshots(folder)
    same = next((s for s in known if s.id == identifier), None)
    if same is not None and content_id(same) != identifier:
        raise ErasedPersons(
            "This delivery holds persons who have been erased from a snapshot that was otherwise the same. "
            "Deliver it without them."
        )
    if same is not None:
        return same
    tables = tuple(_store_table(folder, schema, table, known) for table in staged)
    if quarantine is not None and quarantine.is_dir() and any(quarantine.iterdir()):
        keep_report(quarantine, folder.quarantine / identifier)
    snapshot = Snapshot(
        id=identifier,
        dataset=schema.dataset,
        created_at=datetime.now(UTC),
        buckets=buckets,
        key=lineage.key,
        plan_hash=lineage.plan_hash,
        sources=lineage.sources,
        schema=schema,
        tables=tables,
        metrics=metrics,
    )
    write_atomically(folder.record(identifier), to_json(snapshot).encode())
    return snapshot


def make_current(folder: DatasetFolder, snapshot: str) -> None:
    """Point the dataset at one of its snapshots, atomically."""
    if not folder.record(snapshot).is_file():
        raise SnapshotNotFound(f"Dataset {folder.dataset!r} has no snapshot {snapshot!r}.")
    write_atomically(folder.current, snapshot.encode())


def recover(folder: DatasetFolder) -> None:
    """Make the dataset what its records say: finish a noted change, remove what killed runs and changes left.

    The caller holds the dataset's lock.
    """
    finish_change(folder)
    for leftover in (*folder.snapshots.glob(".*"), *folder.path.glob("._*")):
        leftover.unlink()
    known = snapshots(folder)
    _sweep_reports(folder, {s.id for s in known})
    for path in folder.tables():
        stored = [s.table[path.name] for s in known if path.name in s.table]
        if not stored:
            shutil.rmtree(path)
            continue
        versions = [t.version for t in stored]
        go_back(path, max(versions))
        _sweep_files(path, {f.path for t in stored for f in t.files})
        trim_log(path, min(versions))
    forget_change(folder)


def _sweep_files(path: Path, named: set[str]) -> None:
    for file in path.glob("**/*.parquet"):
        relative = file.relative_to(path).as_posix()
        if not relative.startswith("_delta_log/") and relative not in named:
            file.unlink()
            sync_folder(file.parent)


def _sweep_reports(folder: DatasetFolder, known: set[str]) -> None:
    for report in folder.quarantine.glob("*"):
        if report.name not in known and report != folder.refused:
            shutil.rmtree(report)


def _store_table(
    folder: DatasetFolder, schema: DatasetSchema, staged: StagedTable, known: list[Snapshot]
) -> StoredTable:
    content = [(f.bucket, f.sha256) for f in staged.files]
    for snapshot in reversed(known):
        before = snapshot.table.get(staged.name)
        if before and [(f.bucket, f.sha256) for f in before.files] == content:
            return _stored(staged, before.version, before.files)
    path = folder.table(staged.name)
    version = next_version(path)
    files = tuple(place(f, path, version) for f in staged.files)
    commit(path, files, schema.table[staged.name])
    return _stored(staged, version, files)


def _stored(staged: StagedTable, version: int, files: tuple[StoredFile, ...]) -> StoredTable:
    return StoredTable(
        name=staged.name,
        version=version,
        rows=sum(f.rows for f in staged.files),
        delivered=staged.delivered,
        quarantined=staged.quarantined,
        files=files or tuple(StoredFile("", f.bucket, f.rows, f.size, f.sha256) for f in staged.files),
        reasons=staged.reasons,
        note=staged.note,
    )


def place(file: WrittenFile, table: Path, version: int) -> StoredFile:
    """Move a staged file to its name in the table's folder, durable before anything names it."""
    # the version keeps names unique: Delta does not take a path it has removed before
    name = f"{version:06d}-{file.sha256[:16]}.parquet"
    relative = name if file.bucket is None else f"{BUCKET_COLUMN}={file.bucket}/{name}"
    target = table / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    sync_file(file.path)
    file.path.chmod(0o440)
    file.path.replace(target)
    sync_folder(target.parent)
    return StoredFile(relative, file.bucket, file.rows, file.size, file.sha256)
