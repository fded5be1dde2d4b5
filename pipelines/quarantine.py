"""The quarantine: which row of which delivered table failed which rule. Row numbers and reasons, never values.

Good deliveries are read without row numbers, on all cores. Only a table that lost rows on its way is read again, in
order, to say which and why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.schema import TableKind
from pipelines import sqltext as sql
from pipelines.crowd import LEFT_OUT, MARK, Crowd
from pipelines.finish import FinishedTable, Finishing, in_order, rows_of
from pipelines.mapped import Reading
from pipelines.quality import bits
from pipelines.quality.rows import BAD_PERSON, PERSON_TEXT, SEVERAL_ROWS, UNKNOWN_PERSON, Rule
from pipelines.readers import ROW_NUMBER, Source
from pipelines.workbench import Benches, relation_of

PROBLEMS = "_problems"
LATE = "_late"
HAS_PERSON = "_has_person"
BATCH = 50_000


@dataclass(frozen=True)
class QuarantinedTable:
    """Rows that failed, and failures by reason; `file` lists them, None if there are none."""

    rows: int
    reasons: dict[str, int]
    file: Path | None


NOTHING = QuarantinedTable(0, {}, None)


def quarantine_table(
    delivery: Source,
    how: Reading,
    finishing: Finishing,
    stored: Mapping[str, FinishedTable],
    crowd: Crowd,
    work: Benches,
) -> QuarantinedTable:
    """Write the report of one table to the workspace: source_table, row_number, column, reason.

    `stored` are the finished tables by name.
    """
    late = _late_rules(how, finishing, stored) if how.plan.person else ()
    with delivery.reading(f"the quarantine of table {how.plan.name!r} could not be written"):
        _collect(delivery, how, late, crowd, work)
        return _report(how, (*how.rules, *late), work)


def _late_rules(how: Reading, finishing: Finishing, stored: Mapping[str, FinishedTable]) -> tuple[Rule, ...]:
    """Rules that need the person's key, or the person's other rows; over rows that pass all others."""
    good = bits.none_set(PROBLEMS, len(how.rules))
    found = [Rule("", BAD_PERSON, f"person_key IS NULL AND {HAS_PERSON}")]
    known = f"{good} AND person_key IS NOT NULL"
    if how.plan.kind is TableKind.PERSONS:
        mapped = finishing.mapped[how.plan.name].files()
        if not mapped:
            return tuple(found)
        several = f"SELECT person_key FROM {sql.parquet(mapped)} GROUP BY ALL HAVING count(*) > 1"
        return (*found, Rule("", SEVERAL_ROWS, f"{known} AND person_key IN ({several})"))
    if finishing.persons is not None:
        files = [f.path for f in stored[finishing.persons].files]
        persons = f"SELECT person_key FROM {sql.parquet(files)}" if files else "SELECT NULL WHERE false"
        found.append(Rule("", UNKNOWN_PERSON, f"{known} AND person_key NOT IN ({persons})"))
    for column in how.plan.columns:
        if column.foreign_key:
            key = column.foreign_key
            reason = f"no row of the person in {key.table} has it as {key.column}"
            target = _target(how, key.table, finishing, stored)
            dangling = _dangling(column.name, key.column, target)
            found.append(Rule(column.name, reason, f"{known} AND {dangling}"))
    return tuple(found)


def _target(how: Reading, table: str, finishing: Finishing, stored: Mapping[str, FinishedTable]) -> list[str]:
    """SQL of the rows a foreign key is looked for in: those that were kept, unless keys run in a circle."""
    order = [t.name for t in in_order((m.plan.table() for m in finishing.mapped.values()), finishing)]
    if order.index(table) < order.index(how.plan.name):
        files = [f.path for f in stored[table].files]
        return [f"SELECT * FROM {sql.parquet(files)}"] if files else []
    target = finishing.mapped[table].plan.table()
    return [s for b in range(finishing.buckets) if (s := rows_of(finishing, target, b))]


def _dangling(name: str, column: str, sources: list[str]) -> str:
    if not sources:
        return f"{sql.name(name)} IS NOT NULL"
    return (
        f"{sql.name(name)} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ({' UNION ALL '.join(sources)}) AS target"
        f" WHERE target.person_key = keyed.person_key"
        f" AND CAST(target.{sql.name(column)} AS VARCHAR) = CAST(keyed.{sql.name(name)} AS VARCHAR))"
    )


def _collect(delivery: Source, how: Reading, late: tuple[Rule, ...], crowd: Crowd, work: Benches) -> None:
    """Table `bad` on the pseudonymised bench: row numbers and the rules they fail."""
    bench = work.pseudonymised.connection
    keys = [sql.name(c.name) for c in how.plan.columns if c.foreign_key]
    asked = [ROW_NUMBER, bits.columns(PROBLEMS, [r.fails for r in how.rules]), *keys]
    if how.plan.person is not None:
        asked += [f"{crowd.mark} AS {MARK}", f"{PERSON_TEXT} IS NOT NULL AS {HAS_PERSON}"]
    with relation_of(delivery, how.plan.source, how.columns, work.clear.connection, numbered=True) as relation:
        query = f"SELECT {', '.join(asked)} FROM ({how.casts(relation, ROW_NUMBER)}) AS casts"
        if crowd.in_memory and how.plan.person is not None:
            query = _joined(query, crowd)
        bench.register("numbered", work.clear.connection.sql(query).to_arrow_reader(BATCH))
        bench.execute(f"CREATE OR REPLACE TEMP TABLE bad AS {_bad(how, late, crowd)}")
        bench.unregister("numbered")


def _bad(how: Reading, late: tuple[Rule, ...], crowd: Crowd) -> str:
    good = bits.none_set(PROBLEMS, len(how.rules))
    problems = f"COLUMNS('^{PROBLEMS}[0-9]+$')"
    if how.plan.person is None:
        return f"SELECT {ROW_NUMBER}, {problems} FROM numbered WHERE NOT ({good})"
    rows = "SELECT * FROM numbered" if crowd.in_memory else _joined("SELECT * FROM numbered", crowd)
    return (
        f"WITH keyed AS ({rows}),"
        f" checked AS (SELECT {ROW_NUMBER}, {problems}, {bits.columns(LATE, [r.fails for r in late])} FROM keyed)"
        f" SELECT * FROM checked WHERE NOT ({good} AND {bits.none_set(LATE, len(late))})"
    )


def _joined(rows: str, crowd: Crowd) -> str:
    """Rows with their person key in place of the mark, NULL for an identifier that is not valid."""
    return (
        f"SELECT numbered.* EXCLUDE ({MARK}), person_key FROM ({rows}) AS numbered"
        f" LEFT JOIN {crowd.keys()} AS keys USING ({MARK}) WHERE {LEFT_OUT} IS NOT TRUE"
    )


def _report(how: Reading, found: tuple[Rule, ...], work: Benches) -> QuarantinedTable:
    bench = work.pseudonymised.connection
    report = work.pseudonymised.folder / "quarantine" / f"{how.plan.name}.parquet"
    report.parent.mkdir(exist_ok=True)
    early = len(how.rules)
    parts = " UNION ALL ".join(
        f'SELECT {ROW_NUMBER} AS row_number, {sql.text(rule.column)} AS "column", {sql.text(rule.reason)} AS reason'
        f" FROM bad WHERE {bits.is_set(PROBLEMS, n) if n < early else bits.is_set(LATE, n - early)}"
        for n, rule in enumerate(found)
    )
    bench.execute(
        f"COPY (SELECT {sql.text(how.plan.source)} AS source_table, * FROM ({parts})"
        f' ORDER BY row_number, "column", reason) TO {sql.text(str(report))} (FORMAT parquet, COMPRESSION zstd)'
    )
    rows = bench.execute("SELECT count(*) FROM bad").fetchall()[0][0]
    counted = bench.execute(
        f'SELECT "column", reason, count(*) FROM {sql.parquet([report])} GROUP BY ALL ORDER BY 3 DESC, 1, 2'
    ).fetchall()
    bench.execute("DROP TABLE bad")
    if not rows:
        report.unlink()
        return NOTHING
    return QuarantinedTable(int(rows), {f"{c}: {r}" if c else r: int(n) for c, r, n in counted}, report)


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
