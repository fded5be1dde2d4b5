"""Quality of a finished load: numbers from the stored files and the outcome of every expectation."""

from pathlib import Path
from typing import Any

from catalog.schema import DatasetSchema, TableKind
from pipelines.finish import FinishedTable
from pipelines.plan import Plan
from pipelines.quality.expectations import Validator, suite
from pipelines.quality.metrics import count_persons, covered_years, outcomes_as_dicts, summary, table_metrics
from pipelines.quarantine import QuarantinedTable
from pipelines.workbench import Bench


def measure(
    plan: Plan,
    schema: DatasetSchema,
    finished: list[FinishedTable],
    quarantined: list[QuarantinedTable],
    bench: Bench,
    validator: Validator | None,
) -> dict[str, Any]:
    """Metrics as the snapshot record keeps them; without a validator, no expectations. Raises QualityFailed."""
    files = {f.mapped.plan.name: [w.path for w in f.files] for f in finished}
    stored = [(schema.table[name], paths) for name, paths in files.items()]
    tables = {table.name: table_metrics(bench.connection, table, paths) for table, paths in stored}
    # lookup tables are public and describe nobody: they would only flatter the figures
    counted = {t.name: tables[t.name] for t, _ in stored if t.kind is not TableKind.LOOKUP}
    years = covered_years(bench.connection, stored)
    return {
        "tables": tables,
        "persons": count_persons(bench.connection, stored),
        "rows": sum(t["rows"] for t in counted.values()),
        "years": list(years) if years else None,
        "summary": summary(counted, sum(f.mapped.delivered for f in finished), sum(q.rows for q in quarantined)),
        "expectations": _expectations(plan, schema, tables, files, bench, validator),
    }


def _expectations(
    plan: Plan,
    schema: DatasetSchema,
    tables: dict[str, Any],
    files: dict[str, list[Path]],
    bench: Bench,
    validator: Validator | None,
) -> list[dict[str, Any]]:
    if validator is None:
        return []
    wanted = [e for table in schema for e in suite(table, plan.table[table.name], tables[table.name]["rows"])]
    return outcomes_as_dicts(validator.validate(wanted, files, bench.folder))
