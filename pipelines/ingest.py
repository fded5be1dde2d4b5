"""The straight line from a delivery to a current snapshot: one function, one step after the other."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.schema import DatasetSchema, TableKind
from pipelines.crowd import BUCKET_ROWS, Crowd, gather, register_keys
from pipelines.domains import make_domains, resolve_schema
from pipelines.errors import KeystoreError, TooManyBadRows
from pipelines.finish import FinishedTable, finish_lookup, finish_persons
from pipelines.keystore import DomainKey, Keystore
from pipelines.leaks import check_no_identifier
from pipelines.mapped import map_table
from pipelines.measured import measure
from pipelines.plan import Plan
from pipelines.pseudonyms import Pseudonymiser
from pipelines.publish import record_of
from pipelines.quality.expectations import Validator
from pipelines.quarantine import QuarantinedTable, above_threshold, quarantine_table
from pipelines.readers import Source, open_source
from pipelines.store.layout import DatasetFolder, keep_report
from pipelines.store.reader import Store
from pipelines.store.record import Delivered, Key, Snapshot
from pipelines.store.writer import Lineage, StagedTable, make_current, publish, recover
from pipelines.workbench import Bench, clear_bench, pseudonymised_bench

if TYPE_CHECKING:
    from catalog.registry import Registry

LOCAL = "http://127.0.0.1:8000"
"""Address of a node that has no other."""


@dataclass(frozen=True)
class Step:
    """One piece of progress: what is being done, to which table, and how many rows it has (0 if not known)."""

    doing: str
    table: str = ""
    rows: int = 0


Progress = Callable[[Step], None]


@dataclass(frozen=True)
class IngestReport:
    """What an ingestion did.

    `repeated` is true if this very content was stored before, `quarantine` is the folder with the reports of rows that
    failed (None if none did), `record` the file of the catalogue record (None without a registry).
    """

    snapshot: Snapshot
    repeated: bool
    quarantine: Path | None = None
    record: Path | None = None


def silent(_: Step) -> None:
    """The progress display of nobody."""


def ingest(
    plan: Plan,
    store: Store,
    keystore: Keystore,
    registry: "Registry | None" = None,
    source: Path | None = None,
    opt_outs: frozenset[int] = frozenset(),
    progress: Progress = silent,
    *,
    validate: bool = True,
    base_url: str = LOCAL,
    bucket_rows: int = BUCKET_ROWS,
) -> IngestReport:
    """Bring a delivery into the store, publish its record in `registry` and make the snapshot current.

    `source` replaces the plan's location, `opt_outs` are person keys to leave out, `validate=False` skips Great
    Expectations, `bucket_rows` says how many rows of the largest table make a bucket. Raises a PipelineError, or the
    registry's error; the snapshot before then stays current.
    """
    _check_apart(store, keystore)
    folder = store.folder(plan.dataset)
    with folder.lock(), folder.workspace() as work, Validator() if validate else nullcontext() as validator:
        recover(folder)
        key = keystore.key(plan.domain)
        with _opened(plan, source) as delivery, _benches(work) as (clear, bench):
            progress(Step("pseudonymise"))
            crowd = gather(delivery, plan, clear, Pseudonymiser(key, plan.normalise), bucket_rows)
            register_keys(clear, "opted_out", opt_outs)
            schema, finished = _finish_tables(plan, delivery, clear, bench, crowd, key, progress)
            lineage = _lineage(plan, key, delivery)
        with closing(pseudonymised_bench(work)) as bench:
            quarantined = _quarantine(finished, bench, folder)
            progress(Step("validate"))
            metrics = measure(plan, schema, finished, quarantined, bench, validator)
        progress(Step("store"))
        staged = tuple(_staged(f, q) for f, q in zip(finished, quarantined, strict=True))
        known = {s.id for s in store.snapshots(plan.dataset)}
        snapshot = publish(folder, schema, crowd.buckets, staged, lineage, metrics, work / "quarantine")
        progress(Step("publish"))
        record = registry.publish(record_of(plan, snapshot, base_url)) if registry else None
        make_current(folder, snapshot.id)
    report = folder.quarantine / snapshot.id
    return IngestReport(snapshot, snapshot.id in known, report if report.is_dir() else None, record)


def _check_apart(store: Store, keystore: Keystore) -> None:
    if keystore.folder.resolve().is_relative_to(store.root):
        raise KeystoreError(
            f"{keystore.folder}: keys are kept apart from the data. Choose a folder outside of the store."
        )


def _opened(plan: Plan, source: Path | None) -> Source:
    location = source or plan.file.parent / plan.source.location
    return open_source(plan.source.format, location, plan.source.options)


@contextmanager
def _benches(work: Path) -> Iterator[tuple[Bench, Bench]]:
    with closing(clear_bench(work)) as clear, closing(pseudonymised_bench(work)) as bench:
        yield clear, bench


def _finish_tables(
    plan: Plan, delivery: Source, clear: Bench, bench: Bench, crowd: Crowd, key: DomainKey, progress: Progress
) -> tuple[DatasetSchema, list[FinishedTable]]:
    """Lookups first, since columns take their values from them; then persons, since events need theirs."""
    finished: dict[str, FinishedTable] = {}
    for table in plan.of_kind(TableKind.LOOKUP):
        progress(Step("map", table.name, crowd.rows[table.name]))
        mapped = map_table(delivery, table, clear, crowd, make_domains(table, finished, clear))
        finished[table.name] = finish_lookup(mapped, table.table(), bench)
    schema = resolve_schema(plan, finished, bench)
    order_key = key.derive(f"row order of {plan.dataset}")
    for table in (*plan.of_kind(TableKind.PERSONS), *plan.of_kind(TableKind.EVENTS)):
        progress(Step("map", table.name, crowd.rows[table.name]))
        mapped = map_table(delivery, table, clear, crowd, make_domains(table, finished, clear))
        progress(Step("sort", table.name, crowd.rows[table.name]))
        persons = finished.get(plan.persons.name) if plan.persons else None
        described = schema.table[table.name]
        finished[table.name] = finish_persons(mapped, described, bench, crowd.buckets, order_key, persons)
    progress(Step("search"))
    check_no_identifier([finished[t.name].mapped for t in plan.tables], delivery, clear, bench)
    return schema, [finished[t.name] for t in plan.tables]


def _quarantine(finished: list[FinishedTable], bench: Bench, folder: DatasetFolder) -> list[QuarantinedTable]:
    """Quarantine reports of all tables; raises TooManyBadRows, after keeping them where the holder finds them."""
    quarantined = [quarantine_table(f, bench) for f in finished]
    over = above_threshold(zip(finished, quarantined, strict=True))
    if over:
        kept = keep_report(bench.folder / "quarantine", folder.refused)
        raise TooManyBadRows(
            f"The delivery was stopped: {'. '.join(over)}. Mend the rows, or raise the threshold in the plan.",
            report=kept,
        )
    return quarantined


def _staged(finished: FinishedTable, bad: QuarantinedTable) -> StagedTable:
    mapped = finished.mapped
    return StagedTable(mapped.plan.name, finished.files, mapped.delivered, bad.rows, bad.reasons, mapped.note)


def _lineage(plan: Plan, key: DomainKey, delivery: Source) -> Lineage:
    sources = tuple(Delivered(d.name, d.sha256, d.size) for d in delivery.digests())
    return Lineage(Key(key.domain, key.version, key.id, plan.normalise), plan.hash, sources)
