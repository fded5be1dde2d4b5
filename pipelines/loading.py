"""The rows' own way through an ingestion: mapped, searched for identifiers, finished, and what failed set aside."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from catalog.schema import DatasetSchema, TableKind
from pipelines.addition import Addition
from pipelines.crowd import Crowd, Persons, gather
from pipelines.domains import make_coarser, make_domains, resolve_schema
from pipelines.finish import FinishedTable, Finishing, finish_lookup, finish_persons, linked
from pipelines.journal import Journal
from pipelines.keystore import DomainKey
from pipelines.leaks import check_no_identifier, look_ahead
from pipelines.mapped import MappedTable, Reading, map_table, read_as
from pipelines.plan import Plan, TablePlan
from pipelines.progress import Progress, Step, watching
from pipelines.quarantine import NOTHING, QuarantinedTable, quarantine_table
from pipelines.readers import Source
from pipelines.workbench import Benches

SEARCHED_TOGETHER = 2_000_000
"""Rows of mapped tables that wait to be searched for identifiers; then they are searched and entered in the journal."""


@dataclass(frozen=True)
class Loaded:
    """The data dictionary with its lists, and what became of each table of the plan, in its order."""

    schema: DatasetSchema
    buckets: int
    finished: list[FinishedTable]
    quarantined: list[QuarantinedTable]


@dataclass(frozen=True)
class Delivery:
    """An open delivery, the plan it is read by, and the snapshot it adds to, if it does."""

    source: Source
    plan: Plan
    addition: Addition | None = None

    def delivered(self) -> Plan:
        """The plan of what was delivered: a delivery that adds may leave tables out."""
        if self.addition is None:
            return self.plan
        there = {name.lower() for name in self.source.tables()}
        return replace(self.plan, tables=tuple(t for t in self.plan.tables if t.source.lower() in there))


class Loading:
    """One load, step by step; `run` takes them all."""

    def __init__(
        self, delivery: Delivery, key: DomainKey, persons: Persons, work: Benches, journal: Journal, progress: Progress
    ) -> None:
        self._delivery, self._key, self._persons = delivery, key, persons
        self._work, self._journal, self._progress = work, journal, progress
        self._plan = delivery.delivered()
        self._hows: dict[str, Reading] = {}
        self._mapped: dict[str, MappedTable] = {}
        self._finished: dict[str, FinishedTable] = {}
        self._unsearched: list[MappedTable] = []

    def run(self, bucket_rows: int) -> Loaded:
        """Lookups first, since columns take their values from them."""
        crowd = self._gather(bucket_rows)
        for table in self._delivery.plan.of_kind(TableKind.LOOKUP):
            self._lookup(table, crowd)
        schema = resolve_schema(self._delivery.plan, self._finished, self._work.pseudonymised)
        if self._delivery.addition is not None:
            self._delivery.addition.check_lists(schema)
        for kind in (TableKind.PERSONS, TableKind.EVENTS):
            for table in self._delivery.plan.of_kind(kind):
                self._map(table, crowd)
        self._search(crowd)
        work = self._finish(schema, crowd)
        return Loaded(
            schema,
            crowd.buckets,
            [self._finished[t.name] for t in self._delivery.plan.tables],
            [self._quarantined(t, work, crowd) for t in self._delivery.plan.tables],
        )

    def _gather(self, bucket_rows: int) -> Crowd:
        with watching(self._work.clear.connection, self._progress, Step("pseudonymise")):
            crowd = gather(self._delivery.source, self._plan, self._work, self._persons, bucket_rows)
        rows = {t.name: crowd.rows.get(t.name, 0) for t in self._delivery.plan.tables}
        fewest = self._delivery.addition.buckets if self._delivery.addition else 1
        return replace(crowd, rows=rows, buckets=max(crowd.buckets, fewest))

    def _lookup(self, table: TablePlan, crowd: Crowd) -> None:
        mapped = self._map(table, crowd)
        addition = self._delivery.addition
        if addition is not None and table.name not in self._plan.table:
            folder = self._work.clear.folder / "stored" / table.name
            kept = tuple(linked(f, folder / "all.parquet") for f in addition.files(table.name).values())
            self._finished[table.name] = FinishedTable(mapped, kept, 0)
        else:
            self._finished[table.name] = finish_lookup(mapped, table.table(), self._work.pseudonymised)

    def _map(self, table: TablePlan, crowd: Crowd) -> MappedTable:
        clear, folder = self._work.clear, self._work.clear.folder / "mapped" / table.name
        if table.name not in self._plan.table:
            mapped = MappedTable(table, folder, (), 0, 0, "not delivered, stays as it was")
            self._hows[table.name] = Reading(table, note=mapped.note)
        else:
            how = read_as(
                self._delivery.source, table,
                make_domains(table, self._finished, clear), make_coarser(table, self._finished, clear),
            )  # fmt: skip
            self._hows[table.name] = how
            known = self._journal.mapped(table.name)
            mapped = MappedTable(table, folder, how.rules, crowd.rows[table.name], known or 0, how.note)
            if known is None:
                mapped = self._map_anew(how, crowd)
        self._mapped[table.name] = mapped
        return mapped

    def _map_anew(self, how: Reading, crowd: Crowd) -> MappedTable:
        rows = crowd.rows[how.plan.name]
        look_ahead(self._delivery.source, how, crowd, self._work.clear)
        with watching(self._work.clear.connection, self._progress, Step("map", how.plan.name, rows)):
            mapped = map_table(self._delivery.source, how, self._work, crowd)
        self._unsearched.append(mapped)
        if sum(m.delivered for m in self._unsearched) > SEARCHED_TOGETHER:
            self._search(crowd)
        return mapped

    def _search(self, crowd: Crowd) -> None:
        """No identifier may be left in what was mapped; then it may wait on the disk for another run."""
        self._progress(Step("search"))
        check_no_identifier(self._unsearched, self._plan, self._delivery.source, crowd, self._work)
        # what another run goes on with was read from the very files whose hashes it compares
        self._delivery.source.check_unchanged()
        for mapped in self._unsearched:
            self._journal.enter_mapped(mapped.plan.name, mapped.rows)
        self._unsearched = []

    def _finish(self, schema: DatasetSchema, crowd: Crowd) -> Finishing:
        tables = [t for t in schema if t.kind is not TableKind.LOOKUP]
        plan, addition = self._delivery.plan, self._delivery.addition
        work = Finishing(
            folder=self._work.clear.folder,
            buckets=crowd.buckets,
            secret=self._key.row_order(plan.dataset).hex(),
            mapped={t.name: self._mapped[t.name] for t in tables},
            before=addition.before(schema) if addition else {},
            persons=plan.persons.name if plan.persons else None,
        )
        self._finished |= finish_persons(
            tables, work, self._journal, self._telling(sum(m.rows for m in work.mapped.values()))
        )
        return work

    def _telling(self, total: int) -> Callable[[int], None]:
        done = 0

        def told(rows: int) -> None:
            nonlocal done
            done += rows
            self._progress(Step("sort", "", total, done))

        self._progress(Step("sort", "", total))
        return told

    def _quarantined(self, table: TablePlan, work: Finishing, crowd: Crowd) -> QuarantinedTable:
        how, finished = self._hows[table.name], self._finished[table.name]
        if how.note is not None or finished.rows == finished.mapped.delivered:
            return NOTHING
        self._progress(Step("set aside", table.name))
        return quarantine_table(self._delivery.source, how, work, self._finished, crowd, self._work)
