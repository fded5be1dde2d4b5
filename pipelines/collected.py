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

NAME_LIKE = re.compile(r"[^\W\d_]\w{0,39}")
"""What may be told of a header: where a text has none, its first cells are a person's."""

CLOSE = 0.7
"""How like the plan's name a delivered one must be to be told, from 0 to 1."""

Described = tuple[DeliveredTable, Mapping[str, str]]
"""A delivered table and the delivered spelling of each column the plan reads."""

Delivered = Mapping[str, Described]
Connection = duckdb.DuckDBPyConnection


def delivered(delivery: Source, table: TablePlan) -> Described:
    """Raises SourceError if a column the plan reads was not delivered."""
    described = delivery.describe(table.source)
    spelling = {wanted: described.column_named(wanted) for wanted in table.delivered}
    if described.note is None:
        missing = next((wanted for wanted, found in spelling.items() if found is None), None)
        if missing is not None:
            raise SourceError(_not_delivered(table.source, missing, described, spelling))
    return described, {wanted: found for wanted, found in spelling.items() if found is not None}


def _not_delivered(table: str, missing: str, described: DeliveredTable, spelling: Mapping[str, str | None]) -> str:
    """What to say of a missing column: of the delivered ones only such as look like it, since all may be values."""
    taken = {found for found in spelling.values() if found is not None}
    if not taken:
        return (
            f"Delivered table {table!r} has none of the columns the plan reads, as {missing!r}. If it is a text, its "
            "first line does not look like a header: name the columns in the plan with the option `columns`, or check "
            "the names in the plan."
        )
    names = {c.lower(): c for c in described.columns if NAME_LIKE.fullmatch(c) and c not in taken}
    close = [names[c] for c in get_close_matches(missing.lower(), names, cutoff=CLOSE)]
    guess = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Check the name in the plan."
    among = f"which the plan reads, among its {len(described.columns):,}"
    return f"Delivered table {table!r} has no column {missing!r}, {among}. {guess}"


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
