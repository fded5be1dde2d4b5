"""Erasure of persons from every kept snapshot: the bucket files that hold them are rewritten, the old ones removed.

A snapshot keeps its name, so permits stay valid, and its record notes the erasure. The rows of everybody else stay as
they are, bit for bit: ranks and contribution indexes are a matter of each person's own rows.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.schema import PERSON_KEY, Table, TableKind
from pipelines.errors import SnapshotNotFound, StoreError
from pipelines.pseudonyms import bucket_of
from pipelines.store.arrow import stored_schema
from pipelines.store.change import note_change
from pipelines.store.delta import go_back, next_version, replace_buckets
from pipelines.store.erased import note_erased
from pipelines.store.files import ROW_GROUP, WrittenFile, write_file
from pipelines.store.layout import DatasetFolder
from pipelines.store.reader import Store
from pipelines.store.record import Erasure, Key, Snapshot, StoredFile, StoredTable, content_id, snapshots, to_json
from pipelines.store.seal import sealed
from pipelines.store.writer import place, recover

if TYPE_CHECKING:
    from pipelines.keystore import Keystore

LONGEST_REASON = 200


@dataclass(frozen=True)
class Erased:
    """What an erasure did: snapshots that held a person, files rewritten or removed, rows taken out."""

    snapshots: tuple[str, ...] = ()
    files: int = 0
    rows: int = 0


@dataclass(frozen=True)
class _Content:
    """One stored version of a table, which several snapshots may share, and whom to take out of it."""

    stored: StoredTable
    described: Table
    buckets: int
    persons: frozenset[int]


Rewritten = Mapping[str, WrittenFile | None]
"""By path of the file that held a person: what takes its place, None where nobody is left."""


def keys_in_use(store: Store, dataset: str) -> tuple[Key, ...]:
    """The keys that made the person keys of the dataset's kept snapshots, each once, the oldest first."""
    return tuple(dict.fromkeys(s.key for s in store.snapshots(dataset)))


def erase(
    store: Store,
    dataset: str,
    person_keys: Mapping[str, Collection[int]],
    reason: str,
    keystore: "Keystore | None" = None,
) -> Erased:
    """Take persons out of every kept snapshot; `person_keys` are theirs by the `id` of the key that made them.

    A person has another person key under each key version: all of `keys_in_use` must be given, or the erasure would be
    in part; StoreError says which is missing. `reason` is a reference of the file, one line. With `keystore` the note
    in the record is sealed, and later deliveries are stored without these persons. Memory is bounded by some row
    groups. A run that ends early is undone, or finished, by whatever takes the dataset's lock next.
    """
    _check_reason(reason, person_keys)
    folder = store.folder(dataset)
    if not store.snapshots(dataset):
        raise SnapshotNotFound(f"Dataset {dataset!r} has no snapshot in this store.")
    with folder.lock(), folder.workspace("erase") as work:
        recover(folder)
        kept = snapshots(folder)
        _check_complete(kept, person_keys)
        restated, done = _take_out(folder, kept, person_keys, work)
        changed = [_changed(s, restated, reason, keystore) for s in kept] if restated else []
        if changed:
            if keystore:
                _keep_away(folder, kept, person_keys, keystore)
            note_change(folder, {s.id: to_json(s) for s in changed})
            recover(folder)
    hit = tuple(new.id for old, new in zip(kept, changed, strict=False) if new.erasures != old.erasures)
    return replace(done, snapshots=hit)


def _keep_away(
    folder: DatasetFolder, kept: list[Snapshot], person_keys: Mapping[str, Collection[int]], keystore: "Keystore"
) -> None:
    """Before the records change: an erasure that counts is not undone by a delivery."""
    for used in {s.key.id: s.key for s in kept}.values():
        key = keystore.key(used.domain, used.version, purpose="erase", dataset=folder.dataset)
        note_erased(folder, key, person_keys[used.id])


def _take_out(
    folder: DatasetFolder, kept: list[Snapshot], person_keys: Mapping[str, Collection[int]], work: Path
) -> tuple[dict[tuple[str, int], StoredTable], Erased]:
    """New versions of the tables that hold a person, by name and version before; nothing names them yet."""
    restated: dict[tuple[str, int], StoredTable] = {}
    done = Erased()
    for name, contents in _contents(kept, person_keys).items():
        path = folder.table(name)
        rewritten = [_rewrite(path, content, work / name) for content in contents]
        if not any(rewritten):
            continue
        # all versions anew, oldest first: the newest content stays the newest, and the log before can go
        for content, files in zip(contents, rewritten, strict=True):
            new = _restate(path, content, files)
            restated[name, content.stored.version] = new
            done = replace(done, files=done.files + len(files), rows=done.rows + content.stored.rows - new.rows)
    return restated, done


def _contents(kept: list[Snapshot], person_keys: Mapping[str, Collection[int]]) -> dict[str, list[_Content]]:
    """Stored versions of each table with persons, oldest first."""
    found: dict[tuple[str, int], _Content] = {}
    for snapshot in kept:
        persons = frozenset(person_keys[snapshot.key.id])
        for stored in snapshot.tables:
            described = snapshot.schema.table[stored.name]
            if described.kind is not TableKind.LOOKUP:
                found[stored.name, stored.version] = _Content(stored, described, snapshot.buckets, persons)
    by_table: dict[str, list[_Content]] = {}
    for (name, _), content in sorted(found.items(), key=lambda item: item[0]):
        by_table.setdefault(name, []).append(content)
    return by_table


def _rewrite(path: Path, content: _Content, work: Path) -> dict[str, WrittenFile | None]:
    rewritten = {}
    for file in content.stored.files:
        here = [key for key in content.persons if bucket_of(key, content.buckets) == file.bucket]
        persons = pa.array(here, pa.int64())
        if here and _holds(path / file.path, persons):
            reader = pa.RecordBatchReader.from_batches(
                pq.read_schema(path / file.path), _without(path / file.path, persons)
            )
            target = work / str(content.stored.version) / f"{file.bucket}.parquet"
            rewritten[file.path] = write_file(reader, target, stored_schema(content.described), file.bucket)
    return rewritten


def _holds(file: Path, persons: pa.Array) -> bool:
    with pq.ParquetFile(file) as opened:
        keys = (batch.column(0) for batch in opened.iter_batches(ROW_GROUP, columns=[PERSON_KEY]))
        return any(pc.any(pc.is_in(k, persons)).as_py() for k in keys)


def _without(file: Path, persons: pa.Array) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(ROW_GROUP):
            yield batch.filter(pc.invert(pc.is_in(batch.column(PERSON_KEY), persons)))


def _restate(path: Path, content: _Content, rewritten: Rewritten) -> StoredTable:
    """The content as a new Delta version without the persons; old files stay until no record names them."""
    stored = content.stored
    go_back(path, stored.version)
    if rewritten:
        version = next_version(path)
        placed = {old: place(new, path, version) for old, new in rewritten.items() if new}
        buckets = {f.bucket for f in stored.files if f.path in rewritten and f.bucket is not None}
        replace_buckets(path, buckets, placed.values(), content.described)
        files = tuple(_in_place(stored.files, rewritten, placed))
        stored = replace(stored, rows=sum(f.rows for f in files), files=files)
    return replace(stored, version=next_version(path) - 1)


def _in_place(
    files: tuple[StoredFile, ...], rewritten: Rewritten, placed: Mapping[str, StoredFile]
) -> Iterator[StoredFile]:
    for file in files:
        if file.path not in rewritten:
            yield file
        elif file.path in placed:
            yield placed[file.path]


def _changed(
    snapshot: Snapshot, restated: Mapping[tuple[str, int], StoredTable], reason: str, keystore: "Keystore | None"
) -> Snapshot:
    tables = tuple(_of_snapshot(t, restated.get((t.name, t.version))) for t in snapshot.tables)
    changed = replace(snapshot, tables=tables)
    before, after = content_id(snapshot), content_id(changed)
    if before == after:
        return changed
    files = sum(len(set(old.files) - set(new.files)) for old, new in zip(snapshot.tables, tables, strict=True))
    note = Erasure(datetime.now(UTC), reason, files, before, after)
    if keystore:
        key = snapshot.key
        note = sealed(note, snapshot, keystore.key(key.domain, key.version, purpose="erase", dataset=snapshot.dataset))
    return replace(changed, erasures=(*snapshot.erasures, note))


def _of_snapshot(stored: StoredTable, new: StoredTable | None) -> StoredTable:
    """What the snapshot says of its delivery stays, though another may share the table."""
    return stored if new is None else replace(stored, version=new.version, rows=new.rows, files=new.files)


def _check_reason(reason: str, person_keys: Mapping[str, Collection[int]]) -> None:
    if not reason.strip() or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise StoreError(f"The reason of an erasure is one line of at most {LONGEST_REASON} characters.")
    if any(str(abs(key)) in reason for keys in person_keys.values() for key in keys):
        raise StoreError("The reason of an erasure must not name the person: it stays in the record.")


def _check_complete(kept: list[Snapshot], person_keys: Mapping[str, Collection[int]]) -> None:
    for key in {s.key.id: s.key for s in kept}.values():
        if key.id not in person_keys:
            raise StoreError(
                f"A kept snapshot is under key version {key.version} of domain {key.domain!r} (key {key.id}), and no "
                "person key of that version was given. Give the persons' keys of every version in use, or collect "
                "snapshots that nothing names any more first."
            )
