"""Checks a snapshot against its record: every hash recomputed, nothing believed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from pipelines.errors import KeystoreError
from pipelines.store.layout import DatasetFolder
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot, StoredFile, StoredTable, content_id, snapshots
from pipelines.store.seal import seal_holds

if TYPE_CHECKING:
    from pipelines.keystore import Keystore

THREADS = 2
"""Files hashed at a time: hashing leaves Python's lock, and a disk serves two readers."""


def verify(store: Store, dataset: str, snapshot: str, keystore: "Keystore | None" = None) -> list[str]:
    """What is wrong with a snapshot, one sentence each; empty if everything is as recorded.

    With `keystore`, also whether the snapshot's key is the keystore's, and whether the seals of its erasures hold:
    without it, who could write the store could pass a change off as an erasure.
    """
    record, folder = store.snapshot(dataset, snapshot), store.folder(dataset)
    found = [problem for table in record.tables for problem in _table_problems(folder, table)]
    found += [*_hash_problems(folder, record), *_stray_files(folder)]
    if record.id != snapshot or record.dataset != dataset:
        found.append(f"record {snapshot}: its content does not give its name")
    found += _name_problems(record)
    return found + _key_problems(record, keystore) if keystore else found


def _table_problems(folder: DatasetFolder, table: StoredTable) -> Iterator[str]:
    path = folder.table(table.name)
    if table.rows != sum(f.rows for f in table.files):
        yield f"{table.name}: the files do not add up to the recorded rows"
    if not DeltaTable.is_deltatable(str(path)):
        yield f"{table.name}: there is no Delta table"
        return
    try:
        listed = {uri.removeprefix("file://") for uri in DeltaTable(path, version=table.version).file_uris()}
    except DeltaError:
        yield f"{table.name}: Delta version {table.version} cannot be opened"
        return
    if listed != {str(path / f.path) for f in table.files}:
        yield f"{table.name}: Delta version {table.version} lists other files than the record"


def _hash_problems(folder: DatasetFolder, record: Snapshot) -> list[str]:
    named = [(table.name, file) for table in record.tables for file in table.files]
    with ThreadPoolExecutor(THREADS) as pool:
        said = pool.map(lambda one: _hash_problem(folder.table(one[0]) / one[1].path, one[1]), named)
        return [f"{table}/{file.path}: {what}" for (table, file), what in zip(named, said, strict=True) if what]


def _hash_problem(path: Path, file: StoredFile) -> str | None:
    if not path.is_file():
        return "the file is missing"
    with path.open("rb") as opened:
        same = path.stat().st_size == file.size and file_digest(opened, "sha256").hexdigest() == file.sha256
    return None if same else "the content is not what was stored"


def _name_problems(record: Snapshot) -> Iterator[str]:
    """The name follows from the content, or from the content before the first of a chain of erasures."""
    name = record.id
    for erasure in record.erasures:
        if erasure.before != name:
            yield f"record {record.id}: the erasure of {erasure.at:%Y-%m-%d} does not follow from what was before"
        name = erasure.after
    if content_id(record) != name:
        yield f"record {record.id}: its content does not give its name"


def _key_problems(record: Snapshot, keystore: "Keystore") -> list[str]:
    named = record.key
    try:
        key = keystore.key(named.domain, named.version, purpose="verify", dataset=record.dataset)
    except KeystoreError as failure:
        return [f"record {record.id}: its key cannot be opened: {failure}"]
    if key.id != named.id:
        return [f"record {record.id}: version {named.version} of domain {named.domain!r} is another key"]
    return [
        f"record {record.id}: the erasure of {erasure.at:%Y-%m-%d} is not sealed with the snapshot's key"
        for erasure in record.erasures
        if not seal_holds(erasure, record, key)
    ]


def _stray_files(folder: DatasetFolder) -> Iterator[str]:
    """Data that no record names; not told while a run that may be placing files is under way or waits for recovery."""
    if folder.staging.exists() or folder.change.exists():
        return
    known = snapshots(folder)
    for path in folder.tables():
        named = {f.path for s in known if path.name in s.table for f in s.table[path.name].files}
        for file in sorted(path.glob("**/*.parquet")):
            relative = file.relative_to(path).as_posix()
            if not relative.startswith("_delta_log/") and relative not in named:
                yield f"{path.name}/{relative}: no record names this file"
