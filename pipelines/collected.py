"""The distinct identifiers of a delivery, on the clear bench and never on a disk: all at once, or in parts."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

import duckdb

from pipelines.errors import SourceError
from pipelines.mapping import family, identifier
from pipelines.plan import Plan, TablePlan
from pipelines.readers import DeliveredTable, Source
from pipelines.workbench import Bench, relation_of

MOST_IDENTIFIERS = 10_000_000
"""Distinct identifiers in memory at a time; more of them take another pass over the identifier column."""

LARGE = 2_000_000_000
"""Bytes of a delivered table from which on its identifiers are counted before any is kept."""

NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,40}")
"""What looks like the name of a column, and not like somebody's."""

Described = tuple[DeliveredTable, Mapping[str, str]]
"""A delivered table and the delivered spelling of each column the plan reads."""

Delivered = Mapping[str, Described]
Connection = duckdb.DuckDBPyConnection


def delivered(delivery: Source, table: TablePlan) -> Described:
    """Raises SourceError if a column the plan reads was not delivered."""
    described = delivery.describe(table.source)
    spelling = {wanted: described.column_named(wanted) for wanted in table.delivered}
    if described.note is None:
        for wanted, found in spelling.items():
            if found is None:
                raise SourceError(
                    f"Delivered table {table.source!r} has no column {wanted!r}, which the plan reads. "
                    f"{_hint(wanted, described, spelling)}"
                )
    return described, {wanted: found for wanted, found in spelling.items() if found is not None}


def _hint(wanted: str, described: DeliveredTable, spelling: Mapping[str, str | None]) -> str:
    """What to do. Names no delivered column but one that is nearly the wanted one: a first line may hold a person."""
    if not any(spelling.values()):
        return (
            f"None of its {len(described.columns)} columns is in the plan: if its first line is data, name the columns "
            "with the option `columns`."
        )
    named = [c.lower() for c in described.columns if NAME.fullmatch(c)]
    close = get_close_matches(wanted.lower(), named, 1, 0.75)
    meant = f" Is {close[0]!r} meant?" if close else ""
    return f"It has {len(described.columns)} columns.{meant} Mend the plan, or the delivery."


def collect(delivery: Source, plan: Plan, tables: Delivered, bench: Bench) -> tuple[dict[str, int], int, int]:
    """Rows of each table, in how many parts the identifiers are taken, and about how many there are.

    With one part, they are collected already.
    """
    connection = bench.connection
    if max((delivery.size_hint(t.source) or 0 for t in plan.tables), default=0) >= LARGE:
        return _count(delivery, plan, tables, connection)
    try:
        connection.execute("CREATE OR REPLACE TABLE identifiers (_person_text VARCHAR)")
        rows = {t.name: _collect_table(delivery, t, tables[t.name], connection) for t in plan.tables}
        return rows, 1, int(connection.execute("SELECT count(*) FROM identifiers").fetchall()[0][0])
    except duckdb.OutOfMemoryException:
        connection.execute("DROP TABLE IF EXISTS found")
        connection.execute("DROP TABLE identifiers")
        return _count(delivery, plan, tables, connection)


def _count(delivery: Source, plan: Plan, tables: Delivered, connection: Connection) -> tuple[dict[str, int], int, int]:
    """Rows of each table, in how many parts the identifiers are taken, and about how many there are; none is kept."""
    rows, persons = {}, 0
    for table in plan.tables:
        rows[table.name], found = _estimate(delivery, table, tables[table.name], connection)
        persons += found
    # at least two: with one, the caller takes them for collected
    return rows, max(2, -(-persons // MOST_IDENTIFIERS)), persons


def _collect_table(
    delivery: Source,
    table: TablePlan,
    described: Described,
    connection: Connection,
) -> int:
    if described[0].note is not None:
        return 0
    if table.person is None:
        return _estimate(delivery, table, described, connection)[0]
    text, column = _person(table, described)
    with relation_of(delivery, table.source, [column], connection) as rows:
        connection.execute(
            f"CREATE TEMP TABLE found AS SELECT {text} AS _person_text, count(*) AS n FROM {rows} GROUP BY ALL"
        )
    connection.execute(
        "INSERT INTO identifiers SELECT _person_text FROM found ANTI JOIN identifiers USING (_person_text)"
    )
    total = connection.execute("SELECT coalesce(sum(n), 0) FROM found").fetchall()[0][0]
    connection.execute("DROP TABLE found")
    return int(total)


def collect_part(delivery: Source, plan: Plan, tables: Delivered, bench: Bench, part: int, parts: int) -> None:
    connection = bench.connection
    connection.execute("CREATE OR REPLACE TABLE identifiers (_person_text VARCHAR)")
    for table in plan.tables:
        if table.person is None or tables[table.name][0].note is not None:
            continue
        text, column = _person(table, tables[table.name])
        with relation_of(delivery, table.source, [column], connection) as rows:
            connection.execute(
                f"INSERT INTO identifiers SELECT DISTINCT {text} AS _person_text FROM {rows}"
                f" WHERE hash({text}) % {parts} = {part} EXCEPT SELECT _person_text FROM identifiers"
            )


def _estimate(
    delivery: Source,
    table: TablePlan,
    described: Described,
    connection: Connection,
) -> tuple[int, int]:
    """Rows, and about how many distinct identifiers."""
    if described[0].note is not None:
        return 0, 0
    text, column = _person(table, described) if table.person else ("NULL", next(iter(described[1].values())))
    with relation_of(delivery, table.source, [column], connection) as rows:
        counted = connection.execute(f"SELECT count(*), approx_count_distinct({text}) FROM {rows}").fetchall()[0]
    return int(counted[0]), int(counted[1])


def _person(table: TablePlan, described: Described) -> tuple[str, str]:
    """SQL of the person identifier's text, and the delivered column that holds it."""
    person = described[1][table.person or ""]
    return identifier(person, family(described[0].columns[person], person)), person
