"""Quality of a finished load: numbers from the stored files, what the holder states, the outcome of every expectation.

What is kept in the snapshot's record is counts; shares, scores and the label follow from them when they are read
(`pipelines.quality.dimensions`), so that a better formula also applies to snapshots of before.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from catalog.schema import DatasetSchema, Table, TableKind
from pipelines.finish import FinishedTable
from pipelines.plan import Plan
from pipelines.quality.distributions import distributions
from pipelines.quality.expectations import Validator
from pipelines.quality.metrics import count_persons, covered, outcomes_as_dicts, periods, summary, table_metrics
from pipelines.quality.persons import find_life, person_facts
from pipelines.quality.stated import stated_facts
from pipelines.quality.suite import suite
from pipelines.quarantine import QuarantinedTable
from pipelines.workbench import Bench

MONTHS_KEPT = 120
"""Months of a table, up to the newest, that the record keeps; years are kept all."""


def measure(
    plan: Plan,
    schema: DatasetSchema,
    finished: list[FinishedTable],
    quarantined: list[QuarantinedTable],
    bench: Bench,
    validator: Validator | None,
    today: date | None = None,
) -> dict[str, Any]:
    """Metrics as the snapshot record keeps them; without a validator, no expectations. Raises QualityFailed.

    `today` is the day of the load (UTC), against which freshness is measured.
    """
    day = today or datetime.now(UTC).date()
    files = {f.mapped.plan.name: [w.path for w in f.files] for f in finished}
    stored = [(schema.table[name], paths) for name, paths in files.items()]
    rows = {f.mapped.plan.name: sum(w.rows for w in f.files) for f in finished}
    with ThreadPoolExecutor(1) as pool:
        # another process checks the expectations meanwhile
        outcomes = pool.submit(_expectations, plan, schema, rows, files, bench.folder, validator, day)
        found = _figures(plan, schema, finished, quarantined, bench, day, stored)
        return found | {"expectations": outcomes.result()}


def _figures(
    plan: Plan,
    schema: DatasetSchema,
    finished: list[FinishedTable],
    quarantined: list[QuarantinedTable],
    bench: Bench,
    day: date,
    stored: list[tuple[Table, list[Path]]],
) -> dict[str, Any]:
    tables = {table.name: _table(table, paths, bench, day) for table, paths in stored}
    # lookup tables are public and describe nobody: they would only flatter the figures
    counted = {t.name: tables[t.name] for t, _ in stored if t.kind is not TableKind.LOOKUP}
    years = sorted({year for t in counted.values() for year in covered(t.get("years", {}))})
    return {
        "version": 2,
        "loaded": day.isoformat(),
        "tables": tables,
        "persons": _persons(plan, tables, stored, bench),
        "rows": sum(t["rows"] for t in counted.values()),
        "years": [int(years[0]), int(years[-1])] if years else None,
        "summary": summary(counted, sum(f.mapped.delivered for f in finished), sum(q.rows for q in quarantined)),
        "stated": stated_facts(plan),
        **_person_facts(plan, schema, finished, bench),
    }


def _table(table: Table, files: list[Path], bench: Bench, day: date) -> dict[str, Any]:
    measured = table_metrics(bench.connection, table, files, day)
    for name, shape in distributions(bench.connection, table, files).items():
        measured["columns"][name] |= shape
    found = periods(bench.connection, table, files)
    if not found:
        return measured
    newest = covered(found["months"])[-1:]
    kept = dict(list(found["months"].items())[-MONTHS_KEPT:])
    return measured | {"months": kept, "years": found["years"], "newest": newest[0] if newest else None}


def _persons(plan: Plan, tables: dict[str, Any], stored: list[tuple[Table, list[Path]]], bench: Bench) -> int:
    # no event of a person who is not in the table of persons gets past the quarantine
    if plan.persons is not None:
        return int(tables[plan.persons.name]["rows"])
    about_persons = [t for t, _ in stored if t.kind is not TableKind.LOOKUP]
    if len(about_persons) == 1:
        return int(tables[about_persons[0].name].get("persons") or 0)
    return count_persons(bench.connection, stored)


def _person_facts(plan: Plan, schema: DatasetSchema, finished: list[FinishedTable], bench: Bench) -> dict[str, Any]:
    files = {
        f.mapped.plan.name: {w.bucket: w.path for w in f.files if w.bucket is not None} for f in finished if f.files
    }
    life = find_life(schema, plan.facts.get("quality", {}))
    facts = person_facts(bench.connection, schema, files, life)
    return {
        "ages": {str(age): persons for age, persons in facts.ages.items()},
        "stay": {"days": facts.days, "persons": facts.persons_timed},
        "outside_life": {table: dict(counts) for table, counts in facts.outside_life.items() if counts},
        "contradictions": {"persons": facts.contradictions, "compared": facts.compared},
        "sex": [life.sex.table, life.sex.column.name] if life.sex else None,
    }


def _expectations(
    plan: Plan,
    schema: DatasetSchema,
    rows: dict[str, int],
    files: dict[str, list[Path]],
    folder: Path,
    validator: Validator | None,
    day: date,
) -> list[dict[str, Any]]:
    if validator is None:
        return []
    wanted = [e for table in schema for e in suite(plan, table, rows[table.name], day)]
    return outcomes_as_dicts(validator.validate(wanted, files, folder))
