"""The straight line from a delivery to a current snapshot: one function, one step after the other."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.addition import Addition, Mode, meaning_of
from pipelines.crowd import BUCKET_ROWS, Persons
from pipelines.errors import KeystoreError, StoreError, TooManyBadRows
from pipelines.journal import Journal, job_name
from pipelines.keystore import REGISTER_DOMAIN, DomainKey, Keystore
from pipelines.loading import Delivery, Loaded, Loading
from pipelines.measured import measure
from pipelines.opt_outs import linked
from pipelines.options import LOCAL
from pipelines.plan import Plan
from pipelines.progress import Progress, Step, silent
from pipelines.pseudonyms import Pseudonymiser
from pipelines.publish import record_of
from pipelines.published import lasting_secret
from pipelines.quality.expectations import Validator
from pipelines.quarantine import above_threshold
from pipelines.readers import Source, SourceFile, locate, open_source
from pipelines.shift import shift_of
from pipelines.store.erased import erased_persons
from pipelines.store.layout import DatasetFolder, keep_report
from pipelines.store.reader import Store
from pipelines.store.record import Delivered, Key, Snapshot, StoredTable
from pipelines.store.writer import Lineage, StagedTable, make_current, publish, recover
from pipelines.workbench import benches, pseudonymised_bench

if TYPE_CHECKING:
    from catalog.registry import Registry


@dataclass(frozen=True)
class IngestReport:
    """What an ingestion did, or with `dry_run` would have done: its snapshot is then described and not stored.

    `repeated` is true if this very content was stored before, `quarantine` is the folder with the reports of rows that
    failed (None if none did), `record` the file of the catalogue record (None without a registry), `before` what was
    current until then, `erased` the number of persons who were erased from the dataset before and are left out,
    whether they were delivered or not, `linked` the person keys of those in the opt-out register, by their key there.
    """

    snapshot: Snapshot
    repeated: bool
    quarantine: Path | None = None
    record: Path | None = None
    before: Snapshot | None = None
    dry_run: bool = False
    erased: int = 0
    linked: Mapping[int, Collection[int]] = field(default_factory=dict)


def ingest(
    plan: Plan,
    store: Store,
    keystore: Keystore,
    registry: "Registry | None" = None,
    source: Path | str | None = None,
    opt_outs: frozenset[int] = frozenset(),
    progress: Progress = silent,
    *,
    registered: frozenset[int] = frozenset(),
    mode: Mode = Mode.REPLACE,
    dry_run: bool = False,
    validate: bool = True,
    base_url: str = LOCAL,
    bucket_rows: int = BUCKET_ROWS,
) -> IngestReport:
    """Bring a delivery into the store, publish its record in `registry` and make the snapshot current.

    `source` replaces the plan's location, `opt_outs` are person keys to leave out, as are those of persons erased from
    the dataset before (`pipelines.store.erased`), `registered` are person keys of the opt-out register's own domain,
    which the report links to this dataset's, `mode` says what becomes of the rows that are stored already, `dry_run`
    stores nothing, `validate=False` skips Great Expectations, `bucket_rows` says how many rows of the largest table
    make a bucket. A run that was interrupted is gone on with. Raises a PipelineError, or
    the registry's error; the snapshot before then stays current.
    """
    _check_apart(store, keystore)
    folder = store.folder(plan.dataset)
    key = keystore.key(plan.domain, purpose="ingest", dataset=plan.dataset)
    register = _Register(keystore, registered)
    delivered = str(source or plan.source.location)
    with ExitStack() as held:
        held.enter_context(folder.lock())
        # under the lock: an erasure that ends meanwhile must not be missed
        erased = erased_persons(folder, key)
        left_out = opt_outs | erased
        job = job_name(plan.hash, key.id, mode, delivered, str(bucket_rows), str(sorted(left_out)))
        work = held.enter_context(folder.workspace(job, keeps=_is_of_use))
        recover(folder)
        journal = Journal(work)
        journal.sweep()
        with Validator() if validate else nullcontext() as validator:
            before = store.current(plan.dataset) if mode.adds or folder.current.is_file() else None
            addition = Addition(before, folder) if before and mode.adds else None
            persons = Persons(
                Pseudonymiser(key, plan.normalise),
                shift_of(key, plan),
                left_out,
                register.notice if registered else None,
            )
            loaded, files = _load(plan, source, addition, key, persons, journal, progress, bucket_rows)
            over = above_threshold(zip(loaded.finished, loaded.quarantined, strict=True))
            if over:
                raise _refused(over, folder.dry_run if dry_run else folder.refused, work)
            if addition is not None and mode is Mode.CORRECT:
                addition.check_mended({f.mapped.plan.name: f.mapped.delivered for f in loaded.finished})
            progress(Step("validate"))
            with closing(pseudonymised_bench(work)) as bench:
                metrics = measure(plan, loaded.schema, loaded.finished, loaded.quarantined, bench, validator)
            metrics["meaning"] = meaning_of(plan)
            # what is published is rounded with a lasting secret offset (pipelines.published)
            metrics["rounding"] = lasting_secret(before, key, plan.dataset)
        staged = _staged(loaded, addition, mode)
        lineage = Lineage(_key(key, plan), plan.hash, addition.sources(files) if addition else files)
        if dry_run:
            return replace(_outlook(folder, loaded, staged, lineage, metrics, work), before=before, erased=len(erased))
        progress(Step("store"))
        known = {s.id for s in store.snapshots(plan.dataset)}
        snapshot = publish(folder, loaded.schema, loaded.buckets, staged, lineage, metrics, work / "quarantine")
        progress(Step("publish"))
        record = registry.publish(record_of(plan, snapshot, base_url)) if registry else None
        make_current(folder, snapshot.id)
    report = folder.quarantine / snapshot.id
    kept = report if report.is_dir() else None
    return IngestReport(
        snapshot, snapshot.id in known, kept, record, before, erased=len(erased), linked=register.linked
    )


class _Register:
    """Links the opt-out register to person keys of a dataset while identifiers are at hand."""

    def __init__(self, keystore: Keystore, registered: frozenset[int]) -> None:
        self._registered, self.linked = registered, dict[int, set[int]]()
        self._key = keystore.key(REGISTER_DOMAIN, purpose="link opt-outs") if registered else None

    def notice(self, keyed: Iterable[tuple[str, int]]) -> None:
        if self._key is not None:
            for number, persons in linked(self._key, self._registered, keyed).items():
                self.linked.setdefault(number, set()).update(persons)


def _load(
    plan: Plan,
    source: Path | str | None,
    addition: Addition | None,
    key: DomainKey,
    persons: Persons,
    journal: Journal,
    progress: Progress,
    bucket_rows: int,
) -> tuple[Loaded, tuple[Delivered, ...]]:
    """The delivery's rows in the workspace, and what was delivered."""
    with _opened(plan, source) as delivery, _hashing(delivery, journal) as hashes, benches(journal.workspace) as both:
        if addition is not None:
            addition.check(plan, _key(key, plan))
            addition.check_new(hashes(), plan)
        loaded = Loading(Delivery(delivery, plan, addition), key, persons, both, journal, progress).run(bucket_rows)
        files = tuple(Delivered(d.name, d.sha256, d.size) for d in hashes())
        delivery.check_unchanged()
        return loaded, files


def _check_apart(store: Store, keystore: Keystore) -> None:
    if keystore.folder.resolve().is_relative_to(store.root):
        raise KeystoreError(
            f"{keystore.folder}: keys are kept apart from the data. Choose a folder outside of the store."
        )


def _opened(plan: Plan, source: Path | str | None) -> Source:
    location = source or locate(plan.source.location, plan.file.parent)
    return open_source(plan.source.format, location, plan.source.options)


@contextmanager
def _hashing(delivery: Source, journal: Journal) -> Iterator[Callable[[], tuple[SourceFile, ...]]]:
    """Hash the delivered files beside everything else; what it gives waits for them.

    A run that goes on hashes first: what was finished counts only if the files are still the same.
    """
    if not journal.is_empty:
        found = delivery.digests()
        if not journal.is_of(found):
            journal.forget()
            journal.enter_sources(found)
        yield lambda: found
        return

    def hashed() -> tuple[SourceFile, ...]:
        files = delivery.digests()
        delivery.check_unchanged()
        journal.enter_sources(files)
        return files

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(hashed).result


def _is_of_use(work: Path, failure: BaseException) -> bool:
    """True if a run may go on later: it was stopped from outside, and some of it is finished."""
    from_outside = isinstance(failure, KeyboardInterrupt | OSError | StoreError)
    journal = Journal(work)
    if from_outside:
        journal.sweep()
    return from_outside and not journal.is_empty


def _refused(over: list[str], reports: Path, work: Path) -> TooManyBadRows:
    """After keeping the reports where the holder finds them."""
    kept = keep_report(work / "quarantine", reports)
    return TooManyBadRows(
        f"The delivery was stopped: {'. '.join(over)}. Mend the rows, or raise the threshold in the plan.",
        report=kept,
    )


def _staged(loaded: Loaded, addition: Addition | None, mode: Mode) -> tuple[StagedTable, ...]:
    made = []
    for finished, bad in zip(loaded.finished, loaded.quarantined, strict=True):
        mapped = finished.mapped
        table = StagedTable(mapped.plan.name, finished.files, mapped.delivered, bad.rows, bad.reasons, mapped.note)
        made.append(addition.staged(table, mode, finished.rows) if addition else table)
    return tuple(made)


def _outlook(
    folder: DatasetFolder,
    loaded: Loaded,
    staged: tuple[StagedTable, ...],
    lineage: Lineage,
    metrics: dict[str, Any],
    work: Path,
) -> IngestReport:
    """The report of a run that stores nothing; reports of rows that failed are kept all the same."""
    tables = tuple(
        StoredTable(t.name, 0, sum(f.rows for f in t.files), t.delivered, t.quarantined, (), t.reasons, t.note)
        for t in staged
    )
    snapshot = Snapshot(
        id="not-stored", dataset=folder.dataset, created_at=datetime.now(UTC), buckets=loaded.buckets, key=lineage.key,
        plan_hash=lineage.plan_hash, sources=lineage.sources, schema=loaded.schema, tables=tables, metrics=metrics,
    )  # fmt: skip
    reports = work / "quarantine"
    kept = keep_report(reports, folder.dry_run) if reports.is_dir() and any(reports.iterdir()) else None
    return IngestReport(snapshot, False, kept, dry_run=True)


def _key(key: DomainKey, plan: Plan) -> Key:
    return Key(key.domain, key.version, key.id, plan.normalise)
