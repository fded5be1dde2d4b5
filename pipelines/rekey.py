"""A stored snapshot under a later version of its key, from its person keys alone: no identifier is needed.

Bucket by bucket of the old snapshot, persons get their new keys and rows go to their new buckets; bucket by bucket of
the new one, they are ranked, indexed and sorted as an ingestion does, so that the result is, byte for byte, what an
ingestion of the same delivery under the new version would have stored. The snapshot before stays until it is collected.
"""

import shutil
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from catalog.schema import PERSON_KEY, Table, TableKind
from pipelines import sqltext as sql
from pipelines.errors import KeystoreError, PseudonymCollision, StoreError, without_engine_text
from pipelines.finish import write_sorted
from pipelines.keystore import DomainKey, Keystore
from pipelines.pseudonyms import bucket_sql, rekeyed
from pipelines.ranked import NEW
from pipelines.store.files import WrittenFile
from pipelines.store.layout import BUCKET_COLUMN, DatasetFolder
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot, StoredTable
from pipelines.store.writer import Lineage, StagedTable, make_current, publish, recover
from pipelines.workbench import Bench, pseudonymised_bench

BATCH = 100_000
"""Person keys that are re-keyed at a time."""


def rekey(store: Store, dataset: str, keystore: Keystore, to_version: int | None = None) -> Snapshot:
    """Re-key the current snapshot to a later, chained key version (the newest), store the result and make it current.

    Returns the new snapshot, or the current one if it is of that version already. Raises KeystoreError if a fresh key
    lies between, PseudonymCollision, StoreBusy.
    """
    current = store.current(dataset)
    folder = store.folder(dataset)
    with folder.lock(), folder.workspace(f"rekey-{current.id}") as work:
        recover(folder)
        current = store.current(dataset)
        key = keystore.key(current.key.domain, to_version, purpose="re-key", dataset=dataset)
        _check_same_key(current, key, keystore)
        if key.version == current.key.version:
            return current
        with closing(pseudonymised_bench(work)) as bench:
            _move(folder, current, key, bench)
            staged = tuple(_stage(folder, current, table, key, bench) for table in current.tables)
        lineage = Lineage(
            replace(current.key, version=key.version, id=key.id), current.plan_hash, current.sources
        )  # fmt: skip
        reports = _copied_reports(folder, current, work)
        snapshot = publish(folder, current.schema, current.buckets, staged, lineage, current.metrics, reports)
        make_current(folder, snapshot.id)
    return snapshot


def rekey_person_keys(
    person_keys: Iterable[int], keystore: Keystore, domain: str, since: int, to_version: int | None = None
) -> list[int]:
    """Stored person keys of version `since`, an opt-out register's say, under a later chained version (the newest)."""
    return rekeyed(keystore.key(domain, to_version, purpose="re-key person keys"), since, person_keys)


def _check_same_key(current: Snapshot, key: DomainKey, keystore: Keystore) -> None:
    """The chain must begin with the very key that made the snapshot; raises KeystoreError."""
    rekeyed(key, current.key.version, ())
    link: DomainKey | None = key
    while link is not None and link.version != current.key.version:
        link = link.before
    if link is None or link.id != current.key.id:
        raise KeystoreError(
            f"{keystore.folder}: version {current.key.version} of domain {key.domain!r} is not the key that made "
            f"snapshot {current.id}. Open the keystore that was used for it."
        )


def _of_persons(current: Snapshot) -> list[StoredTable]:
    return [t for t in current.tables if current.schema.table[t.name].kind is not TableKind.LOOKUP]


def _move(folder: DatasetFolder, current: Snapshot, key: DomainKey, bench: Bench) -> None:
    """Rows of every table with persons into the workspace, under their new person keys, by new bucket."""
    persons = 0
    for bucket in range(current.buckets):
        stored = {
            t.name: [folder.table(t.name) / f.path for f in t.files if f.bucket == bucket] for t in _of_persons(current)
        }
        if not any(stored.values()):
            continue
        with without_engine_text(f"bucket {bucket} could not be re-keyed"):
            persons += _make_pairs(bench, [f for files in stored.values() for f in files], current, key)
            for name, files in stored.items():
                if files:
                    _move_bucket(bench, current.schema.table[name], files, current.buckets)
            bench.connection.execute("DROP TABLE pairs")
    _check_collisions(bench, current, persons)


def _make_pairs(bench: Bench, files: list[Path], current: Snapshot, key: DomainKey) -> int:
    """Table `pairs` of old and new person keys of a bucket, in memory; returns how many."""
    connection = bench.connection
    connection.execute("CREATE TEMP TABLE pairs (old_key BIGINT, new_key BIGINT)")
    reading = connection.cursor()
    batches = reading.sql(f"SELECT DISTINCT {PERSON_KEY} FROM {sql.parquet(files)}").to_arrow_reader(BATCH)
    persons = 0
    for batch in batches:
        old = batch.column(0)
        new = rekeyed(key, current.key.version, old.to_pylist())
        connection.register("made", pa.table({"old_key": old, "new_key": pa.array(new, pa.int64())}))
        connection.execute("INSERT INTO pairs SELECT * FROM made")
        connection.unregister("made")
        persons += batch.num_rows
    return persons


def _move_bucket(bench: Bench, described: Table, files: list[Path], buckets: int) -> None:
    columns = ", ".join([*(sql.name(c.name) for c in described.columns), f"new_key AS {PERSON_KEY}"])
    target = _moved(bench, described.name)
    target.mkdir(parents=True, exist_ok=True)
    bench.connection.execute(
        f"COPY (SELECT *, {bucket_sql(buckets)} AS {BUCKET_COLUMN} FROM"
        f" (SELECT {columns} FROM {sql.parquet(files)} JOIN pairs ON {PERSON_KEY} = old_key))"
        f" TO {sql.text(str(target))} (FORMAT parquet, PARTITION_BY ({BUCKET_COLUMN}), COMPRESSION lz4_raw, APPEND)"
    )


def _check_collisions(bench: Bench, current: Snapshot, persons: int) -> None:
    """As many persons after as before; two of one new key would be one."""
    found = 0
    for bucket in range(current.buckets):
        files = [f for t in _of_persons(current) for f in _files(bench, t.name, bucket)]
        if files:
            with without_engine_text("the persons could not be counted"):
                counted = bench.connection.execute(f"SELECT count(DISTINCT {PERSON_KEY}) FROM {sql.parquet(files)}")
                found += counted.fetchall()[0][0]
    if found != persons:
        raise PseudonymCollision(
            f"{persons - found} person keys would stand for more than one person. Rotate the key of the "
            "pseudonymisation domain again, and re-key to that version."
        )


def _stage(folder: DatasetFolder, current: Snapshot, table: StoredTable, key: DomainKey, bench: Bench) -> StagedTable:
    described = current.schema.table[table.name]
    if described.kind is TableKind.LOOKUP:
        files = [
            WrittenFile(folder.table(table.name) / f.path, f.bucket, f.rows, f.size, f.sha256) for f in table.files
        ]
    else:
        order_key = key.row_order(current.dataset)
        written = (_write_bucket(described, bucket, order_key, bench) for bucket in range(current.buckets))
        files = [file for file in written if file]
    if sum(f.rows for f in files) != table.rows:
        raise StoreError(f"Table {table.name!r} came out with another number of rows. Verify the current snapshot.")
    return StagedTable(table.name, tuple(files), table.delivered, table.quarantined, table.reasons, table.note)


def _write_bucket(described: Table, bucket: int, order_key: bytes, bench: Bench) -> WrittenFile | None:
    moved = _files(bench, described.name, bucket)
    if not moved:
        return None
    path = bench.folder / "stored" / described.name / f"{bucket}.parquet"
    rows = f"(SELECT *, true AS {NEW} FROM {sql.parquet(moved)})"
    with without_engine_text(f"table {described.name!r} could not be written"), bench.connection.cursor() as cursor:
        return write_sorted(cursor, described, rows, order_key.hex(), path, bucket).file


def _copied_reports(folder: DatasetFolder, current: Snapshot, work: Path) -> Path:
    """The quarantine reports of the delivery, which is still the same one."""
    reports, copied = folder.quarantine / current.id, work / "quarantine"
    if reports.is_dir():
        shutil.copytree(reports, copied)
    return copied


def _moved(bench: Bench, table: str) -> Path:
    return bench.folder / "moved" / table


def _files(bench: Bench, table: str, bucket: int) -> list[Path]:
    return sorted(_moved(bench, table).glob(f"{BUCKET_COLUMN}={bucket}/*.parquet"))
