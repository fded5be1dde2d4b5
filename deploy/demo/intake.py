"""The data holder's part of the demo: a delivery goes through the ingestion pipeline."""

from collections.abc import Callable
from pathlib import Path

from catalog.registry import FolderRegistry
from pipelines.ingest import IngestReport, Step, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.record import StoredTable

STEPS = {
    "pseudonymise": "replacing person identifiers by keyed pseudonyms",
    "map": "checking and mapping",
    "sort": "sorting by person",
    "search": "searching for identifiers that might be left",
    "validate": "measuring quality with Great Expectations",
    "store": "writing the snapshot",
    "publish": "publishing the catalogue record",
}


def take_in(home: Path, delivery: Path, plan_file: Path, say: Callable[[str, str], None]) -> list[str]:
    """Ingest, publish the catalogue record, and return what happened in words."""

    def progress(step: Step) -> None:
        say(STEPS.get(step.doing, step.doing), step.table)

    report = ingest(
        load_plan(plan_file),
        Store(home / "store"),
        Keystore(home / "keys"),
        registry=FolderRegistry(home / "catalogue"),
        source=delivery,
        progress=progress,
    )
    return _facts(report)


def _facts(report: IngestReport) -> list[str]:
    tables = report.snapshot.tables
    facts = [f"{table.name}: {table.rows:,} rows" + _remarks(table) for table in tables]
    persons = report.snapshot.table["person"].rows
    facts.append(f"{persons:,} persons, known from here on by keyed pseudonyms; birth dates are years of birth")
    facts.append(
        f"immutable snapshot {report.snapshot.id}: {sum(len(t.files) for t in tables)} Parquet files, each hashed"
    )
    return facts


def _remarks(table: StoredTable) -> str:
    remarks = [f"{table.quarantined:,} in quarantine: {'; '.join(table.reasons)}"] if table.quarantined else []
    remarks += [f"delivered empty: {table.note}"] if table.note else []
    return f" ({', '.join(remarks)})" if remarks else ""
