"""Checks a snapshot against its record: every hash recomputed, nothing believed."""

from hashlib import file_digest

from deltalake import DeltaTable

from pipelines.store.layout import DatasetFolder
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot, StoredTable, snapshot_id


def verify(store: Store, dataset: str, snapshot: str) -> list[str]:
    """What is wrong with a snapshot, one sentence each; empty if everything is as recorded."""
    record = store.snapshot(dataset, snapshot)
    found = [problem for table in record.tables for problem in _table_problems(store.folder(dataset), table)]
    if record.id != snapshot or record.dataset != dataset or _recomputed(record) != snapshot:
        found.append(f"record {snapshot}: its content does not give its name")
    return found


def _recomputed(record: Snapshot) -> str:
    return snapshot_id(record.buckets, record.key, record.schema, record.tables)


def _table_problems(folder: DatasetFolder, table: StoredTable) -> list[str]:
    path = folder.table(table.name)
    found = []
    for file in table.files:
        stored = path / file.path
        if not stored.is_file():
            found.append(f"{table.name}/{file.path}: the file is missing")
            continue
        with stored.open("rb") as opened:
            if file_digest(opened, "sha256").hexdigest() != file.sha256:
                found.append(f"{table.name}/{file.path}: the content is not what was stored")
    if table.rows != sum(f.rows for f in table.files):
        found.append(f"{table.name}: the files do not add up to the recorded rows")
    if not DeltaTable.is_deltatable(str(path)):
        return [*found, f"{table.name}: there is no Delta table"]
    listed = {uri.removeprefix("file://") for uri in DeltaTable(path, version=table.version).file_uris()}
    if listed != {str(path / f.path) for f in table.files}:
        found.append(f"{table.name}: Delta version {table.version} lists other files than the record")
    return found
