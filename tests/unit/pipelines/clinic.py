"""A small clinic with a store and a keystore of its own, for the tests of what is done to stored snapshots."""

from pathlib import Path

import pyarrow.parquet as pq
from deltalake import DeltaTable

from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import Pseudonymiser
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot
from pipelines.store.verify import verify
from tests.unit.pipelines.deliveries import PERSONS, PLAN, STAYS, write_clinic, write_plan

Row = dict[str, object]


class Clinic:
    """A clinic's store, and deliveries to it."""

    def __init__(self, folder: Path, bucket_rows: int = 1, plan: str = PLAN) -> None:
        self.folder, self.bucket_rows = folder, bucket_rows
        self.store, self.keys = Store(folder / "store"), Keystore(folder / "keys")
        self.plan = load_plan(write_plan(folder, plan))

    def deliver(self, persons: list[tuple[str, ...]] = PERSONS, stays: list[tuple[str, ...]] = STAYS) -> Snapshot:
        write_clinic(self.folder, persons, stays)
        return ingest(self.plan, self.store, self.keys, validate=False, bucket_rows=self.bucket_rows).snapshot

    def person(self, identifier: str, version: int = 1) -> dict[str, set[int]]:
        """A person's key, by the id of the key that made it."""
        key = self.keys.key("tests", version, purpose="test")
        found = Pseudonymiser(key, self.plan.normalise).person_key(identifier)
        assert found is not None
        return {key.id: {found}}

    def rows(self, snapshot: str, table: str = "stay") -> list[Row]:
        """All columns of all rows as stored, in their order."""
        stored = self.store.snapshot("clinic", snapshot).table[table]
        return [row for f in stored.files for row in pq.ParquetFile(self.path(table) / f.path).read().to_pylist()]

    def path(self, table: str) -> Path:
        return self.store.folder("clinic").table(table)

    def files(self) -> set[Path]:
        return {f for f in self.store.root.rglob("*.parquet") if not {"_delta_log", "_quarantine"} & set(f.parts)}

    def check_sound(self, keystore: Keystore | None = None) -> None:
        """Every snapshot verifies, every version opens and lists its files, nothing else is on disk."""
        for snapshot in self.store.snapshots("clinic"):
            assert verify(self.store, "clinic", snapshot.id, keystore) == []
            for table in snapshot.tables:
                delta = DeltaTable(self.path(table.name), version=table.version)
                assert {Path(uri).name for uri in delta.file_uris()} == {Path(f.path).name for f in table.files}
                assert delta.to_pyarrow_table().num_rows == table.rows
