"""The quarantine: which row of which delivered table failed which rule. Row numbers and reasons, never values."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines import sqltext as sql
from pipelines.errors import without_engine_text
from pipelines.finish import FinishedTable
from pipelines.quality.rows import PROBLEMS, fails, passes
from pipelines.readers import ROW_NUMBER
from pipelines.workbench import Bench


@dataclass(frozen=True)
class QuarantinedTable:
    """Rows that failed, and failures by reason; `file` lists them, None if there are none."""

    rows: int
    reasons: dict[str, int]
    file: Path | None


def quarantine_table(finished: FinishedTable, bench: Bench) -> QuarantinedTable:
    """Write the report of one table to the workspace: source_table, row_number, column, reason."""
    mapped = finished.mapped
    if not mapped.files():
        return QuarantinedTable(0, {}, None)
    connection = bench.connection
    report = bench.folder / "quarantine" / f"{mapped.plan.name}.parquet"
    report.parent.mkdir(exist_ok=True)
    with without_engine_text(f"the quarantine of table {mapped.plan.name!r} could not be written"):
        connection.execute(
            f"COPY (SELECT {sql.text(mapped.plan.source)} AS source_table, * RENAME ({ROW_NUMBER} AS row_number)"
            f" FROM ({_failures(finished)})"
            f' ORDER BY row_number, "column", reason) TO {sql.text(str(report))} (FORMAT parquet, COMPRESSION zstd)'
        )
        source = f"read_parquet({sql.text(str(report))})"
        rows = connection.execute(f"SELECT count(DISTINCT row_number) FROM {source}").fetchall()[0][0]
        counted = connection.execute(
            f'SELECT "column", reason, count(*) FROM {source} GROUP BY ALL ORDER BY 3 DESC, 1, 2'
        ).fetchall()
    if not rows:
        report.unlink()
        return QuarantinedTable(0, {}, None)
    return QuarantinedTable(int(rows), {f"{c}: {r}" if c else r: int(n) for c, r, n in counted}, report)


def _failures(finished: FinishedTable) -> str:
    mapped = finished.mapped
    source = f"read_parquet({sql.paths(mapped.files())}, hive_partitioning = false)"
    parts = [
        f'SELECT {ROW_NUMBER}, {sql.text(rule.column)} AS "column", {sql.text(rule.reason)} AS reason'
        f" FROM bad WHERE {fails(n)}"
        for n, rule in enumerate(mapped.rules)
    ]
    parts += [f"SELECT * FROM read_parquet({sql.paths([p])})" for p in finished.set_aside]
    bad = f"SELECT {ROW_NUMBER}, COLUMNS('^{PROBLEMS}[0-9]+$') FROM {source} WHERE NOT ({passes(mapped.rules)})"
    return f"WITH bad AS MATERIALIZED ({bad}) " + " UNION ALL ".join(parts)


def above_threshold(tables: Iterable[tuple[FinishedTable, QuarantinedTable]]) -> list[str]:
    """A sentence on each table above its threshold, with its most frequent reasons."""
    over = []
    for finished, bad in tables:
        plan, total = finished.mapped.plan, finished.mapped.delivered
        if bad.rows and bad.rows > plan.threshold * total:
            worst = "; ".join(f"{reason} ({n})" for reason, n in list(bad.reasons.items())[:3])
            over.append(
                f"{bad.rows} of {total} rows of table {plan.name} failed, "
                f"the threshold is {plan.threshold:.2%} ({worst})"
            )
    return over
