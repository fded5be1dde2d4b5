"""A delivery that adds to the current snapshot: what must be the same for that, and what the tables hold so far."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from catalog.schema import DatasetSchema, Table, TableKind
from pipelines.errors import AlreadyLoaded, CannotAdd
from pipelines.finish import Before
from pipelines.plan import ColumnPlan, Plan
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
        """Raise CannotAdd unless keys, stored columns and what gives stored values their meaning are the same."""
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
        if self.snapshot.metrics.get("meaning") not in (None, meaning_of(plan)):
            raise CannotAdd(
                f"The plan of dataset {plan.dataset!r} spells identifiers or makes values in another way than the one "
                "that the current snapshot was stored with. Load everything anew, or add with that plan."
            )

    def check_lists(self, schema: DatasetSchema) -> None:
        """Raise CannotAdd if a closed list has lost a value that stored rows may hold."""
        for table in schema:
            for column in table.columns:
                before = self.snapshot.schema.table[table.name].column[column.name].values
                now = {v.code for v in column.values or ()}
                if column.values is not None and (before is None or not {v.code for v in before} <= now):
                    raise CannotAdd(
                        f"The list of values of {table.name}.{column.name} lacks values of the current snapshot. "
                        "Keep them in the list, or load everything anew."
                    )

    def check_new(self, files: tuple[SourceFile, ...], plan: Plan) -> None:
        """Raise AlreadyLoaded if a delivered file is in the snapshot, unless it can do no harm twice.

        Rows of the table of persons replace themselves, and so do lookup tables.
        """
        known = {s.sha256 for s in self.snapshot.sources}
        harmless = {t.source.lower() for t in plan.tables if t.kind is not TableKind.EVENTS}
        twice = [f.name for f in files if f.sha256 in known and _table_of(f.name) not in harmless]
        if twice:
            raise AlreadyLoaded(
                f"{twice[0]} is in the current snapshot already: adding it again would count it twice. "
                "Deliver only what is new."
            )

    def check_mended(self, delivered: Mapping[str, int]) -> None:
        """Raise CannotAdd if more rows come as mended than are in quarantine: the others are stored already."""
        for name, rows in delivered.items():
            waiting = self.snapshot.table[name].quarantined
            if rows > waiting and self.snapshot.schema.table[name].kind is not TableKind.LOOKUP:
                raise CannotAdd(
                    f"{rows:,} rows of table {name!r} were delivered as mended, and {waiting:,} are in quarantine: the "
                    "others would be stored twice. Deliver only the rows that the quarantine lists; `--append` adds "
                    "new ones, and without either the delivery replaces everything."
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
        reasons = {r: before.reasons.get(r, 0) + table.reasons.get(r, 0) for r in {**before.reasons, **table.reasons}}
        if mode is Mode.CORRECT:
            # corrected rows were delivered before, and leave the quarantine; why the others are there still holds
            left = max(0, before.quarantined - kept)
            note = f"{kept} rows of the quarantine have been mended" if kept else before.note
            return replace(
                table, delivered=before.delivered, quarantined=left, reasons=before.reasons if left else {}, note=note
            )
        return replace(
            table,
            delivered=before.delivered + table.delivered,
            quarantined=before.quarantined + table.quarantined,
            reasons=reasons,
        )


def meaning_of(plan: Plan) -> str:
    """A digest of everything that decides what a delivered cell becomes, and who is one person."""
    recipe = {
        "normalise": plan.normalise,
        "shift_days": plan.shift_days,
        "columns": [(t.name, *_recipe(c)) for t in plan.tables if t.kind is not TableKind.LOOKUP for c in t.columns],
    }
    return sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def _recipe(column: ColumnPlan) -> tuple[Any, ...]:
    made = (column.formats, column.generalise, column.coarser and asdict(column.coarser), column.shift)
    comma = ("decimal comma",) if column.decimal_comma else ()
    return column.name, column.source, *made, *comma, dict(column.recode), column.column.unit, str(column.column.bounds)


def _table_of(file: str) -> str:
    return PurePosixPath(file).name.partition(".")[0].lower()


def _shape(table: Table) -> tuple[object, ...]:
    """What must be the same for rows to be added: kind, columns, types, steps, index."""
    return (table.kind, tuple((c.name, c.type, c.step) for c in table.columns), table.dimensions)
