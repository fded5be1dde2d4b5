"""A delivery that adds to the current snapshot: what must be the same for that, and what the tables hold so far."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from catalog.schema import DatasetSchema, Table
from pipelines.errors import AlreadyLoaded, CannotAdd
from pipelines.finish import Before
from pipelines.plan import Plan
from pipelines.readers import SourceFile
from pipelines.store.files import WrittenFile
from pipelines.store.layout import DatasetFolder
from pipelines.store.record import Delivered, Key, Snapshot, StoredTable
from pipelines.store.writer import StagedTable


class Mode(StrEnum):
    """What becomes of the rows that are stored already."""

    REPLACE = "replace"
    APPEND = "append"
    CORRECT = "correct"

    @property
    def adds(self) -> bool:
        return self is not Mode.REPLACE


@dataclass(frozen=True)
class Addition:
    """The snapshot that a delivery adds to.

    A table of events gains the delivered rows. In the table of persons, a delivered row takes the place of the stored
    one. A lookup table that was delivered replaces the stored one; tables that were not delivered stay as they are.
    """

    snapshot: Snapshot
    folder: DatasetFolder

    @property
    def buckets(self) -> int:
        return self.snapshot.buckets

    def check(self, plan: Plan, key: Key) -> None:
        """Raise CannotAdd unless keys and stored columns are the same."""
        made_with = self.snapshot.key
        if (made_with.domain, made_with.version, made_with.id) != (key.domain, key.version, key.id):
            raise CannotAdd(
                f"Dataset {plan.dataset!r} was stored with another pseudonymisation key. "
                "Re-key the snapshot first, or load everything anew."
            )
        stored = self.snapshot.schema
        if {t.name for t in plan.tables} != set(stored.table) or any(
            _shape(t.table()) != _shape(stored.table[t.name]) for t in plan.tables
        ):
            raise CannotAdd(
                f"The plan of dataset {plan.dataset!r} stores other tables or columns than the current snapshot. "
                "Load everything anew, or add with the plan it was stored with."
            )

    def check_new(self, files: tuple[SourceFile, ...]) -> None:
        """Raise AlreadyLoaded if all these files are in the snapshot."""
        known = {s.sha256 for s in self.snapshot.sources}
        if files and all(f.sha256 in known for f in files):
            raise AlreadyLoaded(
                "This delivery is in the current snapshot already: adding it again would count it twice."
            )

    def sources(self, files: tuple[Delivered, ...]) -> tuple[Delivered, ...]:
        """The lineage of both deliveries."""
        return tuple(dict.fromkeys((*self.snapshot.sources, *files)))

    def before(self, schema: DatasetSchema) -> dict[str, Before]:
        """Stored tables by name; files can stay as they are where the table is described as it was."""
        return {
            t.name: Before(
                self.files(t.name), self.buckets, kept=schema.table[t.name] == self.snapshot.schema.table[t.name]
            )
            for t in schema
        }

    def files(self, table: str) -> Mapping[int | None, WrittenFile]:
        """A stored table's files by bucket."""
        path = self.folder.table(table)
        stored = self.snapshot.table[table].files
        return {f.bucket: WrittenFile(path / f.path, f.bucket, f.rows, f.size, f.sha256) for f in stored}

    def staged(self, table: StagedTable, mode: Mode, kept: int) -> StagedTable:
        """The table's counts of both deliveries; `kept` rows of this one were kept."""
        before: StoredTable = self.snapshot.table[table.name]
        if mode is Mode.CORRECT:
            # corrected rows were delivered before, and leave the quarantine
            return replace(table, delivered=before.delivered, quarantined=max(0, before.quarantined - kept))
        reasons = {r: before.reasons.get(r, 0) + table.reasons.get(r, 0) for r in {**before.reasons, **table.reasons}}
        return replace(
            table,
            delivered=before.delivered + table.delivered,
            quarantined=before.quarantined + table.quarantined,
            reasons=reasons,
        )


def _shape(table: Table) -> tuple[object, ...]:
    """What must be the same for rows to be added: kind, columns, types, steps, index."""
    return (table.kind, tuple((c.name, c.type, c.step) for c in table.columns), table.dimensions)
