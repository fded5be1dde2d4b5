"""The Delta log of one table: commits of whole file lists, going back to one, and cutting off what nobody names."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

from catalog.schema import Table, TableKind
from pipelines.errors import StoreError
from pipelines.store.arrow import stored_schema
from pipelines.store.layout import BUCKET_COLUMN, sync_folder
from pipelines.store.record import StoredFile

# snapshots are kept as long as a permit names them, so Delta's own clean-up must never run first
TABLE_CONFIGURATION: Mapping[str, str | None] = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}

VERSION_DIGITS = 20
"""A file of the log begins with its version, in so many digits (Delta protocol, "Delta Log Entries")."""


def next_version(path: Path) -> int:
    """The version that the next commit makes."""
    return DeltaTable(path).version() + 1 if DeltaTable.is_deltatable(str(path)) else 0


def commit(path: Path, files: Collection[StoredFile], described: Table) -> None:
    """Make `files`, which are in place, the table's whole content; makes the table if there is none."""
    actions = [_add(path, f) for f in files]
    try:
        if next_version(path) > 0:
            DeltaTable(path).create_write_transaction(
                actions, mode="overwrite", schema=_schema(described), partition_by=_partition(described)
            )
        else:
            path.mkdir(parents=True, exist_ok=True)
            create_table_with_add_actions(
                str(path), _schema(described), actions, mode="error", partition_by=_partition(described),
                name=described.name, description=described.title, configuration=TABLE_CONFIGURATION,
            )  # fmt: skip
    except DeltaError:
        raise StoreError(f"{path}: the Delta log cannot be written. Check the disk, and ingest again.") from None


def replace_buckets(path: Path, buckets: Collection[int], files: Collection[StoredFile], described: Table) -> None:
    """Put `files`, which are in place, where the content of these buckets was."""
    chosen = [(BUCKET_COLUMN, "in", [str(bucket) for bucket in sorted(buckets)])]
    try:
        DeltaTable(path).create_write_transaction(
            [_add(path, f) for f in files], mode="overwrite", schema=_schema(described),
            partition_by=_partition(described), partition_filters=chosen,
        )  # fmt: skip
    except DeltaError:
        raise StoreError(f"{path}: the Delta log cannot be written. Check the disk, and try again.") from None


def go_back(path: Path, version: int) -> None:
    """Make the newest content that of `version`, by a new version unless it is the same."""
    table = DeltaTable(path)
    if set(table.file_uris()) != set(DeltaTable(path, version=version).file_uris()):
        table.restore(version)


def trim_log(path: Path, oldest: int) -> None:
    """Remove the log before version `oldest`, which a checkpoint then begins; later versions open as before."""
    log = path / "_delta_log"
    older = sorted(f for f in log.iterdir() if _version(f.name) is not None and (_version(f.name) or 0) < oldest)
    if not older:
        return
    DeltaTable(path, version=oldest).create_checkpoint()
    sync_folder(log)
    # the oldest first: a run that ends in between leaves no gap
    for file in older:
        file.unlink()


def _version(name: str) -> int | None:
    digits = name[:VERSION_DIGITS]
    return int(digits) if len(digits) == VERSION_DIGITS and digits.isdigit() else None


def _schema(described: Table) -> Schema:
    fields = stored_schema(described)
    return Schema.from_arrow(fields.append(pa.field(BUCKET_COLUMN, pa.int32())) if _partition(described) else fields)


def _partition(described: Table) -> list[str]:
    return [] if described.kind is TableKind.LOOKUP else [BUCKET_COLUMN]


def _add(path: Path, file: StoredFile) -> AddAction:
    modified = int((path / file.path).stat().st_mtime * 1000)
    values = {} if file.bucket is None else {BUCKET_COLUMN: str(file.bucket)}
    return AddAction(file.path, file.size, values, modified, True, json.dumps({"numRecords": file.rows}))
