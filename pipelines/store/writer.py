"""Makes a snapshot visible: files into place, one Delta commit a table, then the record by one rename.

A snapshot exists from the moment its record has its name. A run that ends before leaves files and Delta versions that
no record names; `recover` removes them at the next run.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

from catalog.schema import DatasetSchema, TableKind
from pipelines.errors import SnapshotNotFound, StoreError
from pipelines.store.arrow import stored_schema
from pipelines.store.files import WrittenFile
from pipelines.store.layout import BUCKET_COLUMN, DatasetFolder, keep_report, sync_file, sync_folder, write_atomically
from pipelines.store.record import Delivered, Key, Snapshot, StoredFile, StoredTable, snapshot_id, snapshots, to_json

# snapshots are kept as long as a permit names them, so Delta's own clean-up must never run first
TABLE_CONFIGURATION: Mapping[str, str | None] = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}


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
    identifier = snapshot_id(buckets, lineage.key, schema, provisional)
    known = snapshots(folder)
    same = next((s for s in known if s.id == identifier), None)
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
    """Remove what killed runs left; the caller holds the dataset's lock."""
    known = snapshots(folder)
    for leftover in folder.snapshots.glob(".*"):
        leftover.unlink()
    for path in folder.tables():
        stored = [s.table[path.name] for s in known if path.name in s.table]
        if not stored:
            shutil.rmtree(path)
            continue
        _roll_back(path, max(stored, key=lambda t: t.version))
        named = {f.path for t in stored for f in t.files}
        for file in path.glob("**/*.parquet"):
            relative = file.relative_to(path).as_posix()
            if not relative.startswith("_delta_log/") and relative not in named:
                file.unlink()


def _roll_back(path: Path, last: StoredTable) -> None:
    table = DeltaTable(path)
    if set(table.file_uris()) != set(DeltaTable(path, version=last.version).file_uris()):
        table.restore(last.version)


def _store_table(
    folder: DatasetFolder, schema: DatasetSchema, staged: StagedTable, known: list[Snapshot]
) -> StoredTable:
    content = [(f.bucket, f.sha256) for f in staged.files]
    for snapshot in reversed(known):
        before = snapshot.table.get(staged.name)
        if before and [(f.bucket, f.sha256) for f in before.files] == content:
            return _stored(staged, before.version, before.files)
    path = folder.table(staged.name)
    version = DeltaTable(path).version() + 1 if DeltaTable.is_deltatable(str(path)) else 0
    files = tuple(_place(f, path, version) for f in staged.files)
    _commit(path, files, schema, staged.name, exists=version > 0)
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


def _place(file: WrittenFile, table: Path, version: int) -> StoredFile:
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


def _commit(path: Path, files: tuple[StoredFile, ...], schema: DatasetSchema, table: str, *, exists: bool) -> None:
    described = schema.table[table]
    fields = stored_schema(described)
    partition: list[str] = []
    if described.kind is not TableKind.LOOKUP:
        fields = fields.append(pa.field(BUCKET_COLUMN, pa.int32()))
        partition = [BUCKET_COLUMN]
    actions = [_add(path, f) for f in files]
    delta_schema = Schema.from_arrow(fields)
    try:
        _commit_actions(path, actions, delta_schema, partition, table, described.title, exists=exists)
    except DeltaError:
        raise StoreError(f"{path}: the Delta log cannot be written. Check the disk, and ingest again.") from None


def _commit_actions(
    path: Path,
    actions: list[AddAction],
    delta_schema: Schema,
    partition: list[str],
    name: str,
    title: str,
    *,
    exists: bool,
) -> None:
    if exists:
        DeltaTable(path).create_write_transaction(
            actions, mode="overwrite", schema=delta_schema, partition_by=partition
        )
    else:
        path.mkdir(parents=True, exist_ok=True)
        create_table_with_add_actions(
            str(path), delta_schema, actions, mode="error", partition_by=partition,
            name=name, description=title, configuration=TABLE_CONFIGURATION,
        )  # fmt: skip


def _add(path: Path, file: StoredFile) -> AddAction:
    modified = int((path / file.path).stat().st_mtime * 1000)
    values = {} if file.bucket is None else {BUCKET_COLUMN: str(file.bucket)}
    return AddAction(file.path, file.size, values, modified, True, json.dumps({"numRecords": file.rows}))
