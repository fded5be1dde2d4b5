"""The check that no direct identifier is left, over the mapped tables and the delivery they came from."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.collected import delivered
from pipelines.crowd import BATCH, Crowd
from pipelines.mapped import MappedTable, Reading, marked
from pipelines.mapping import family, identifier
from pipelines.plan import Plan
from pipelines.quality.identifiers import check_rows, check_values
from pipelines.quality.rows import PERSON_TEXT
from pipelines.readers import Source
from pipelines.workbench import Bench, Benches, relation_of

AHEAD = 20_000
"""Rows of a table that are searched before any is written."""


def check_no_identifier(
    mapped: Sequence[MappedTable], plan: Plan, delivery: Source, crowd: Crowd, work: Benches
) -> None:
    """Raise IdentifierLeft if a column of a mapped table carries a direct identifier of any row of the delivery."""
    for table in mapped:
        if table.plan.person is not None and table.files():
            check_rows(work.pseudonymised.connection, table.plan, sql.parquet(table.files()))
    check_values(
        work.clear.connection,
        [(m.plan, m.files()) for m in mapped],
        lambda: _identifiers(plan, delivery, crowd, work.clear),
    )


def look_ahead(delivery: Source, how: Reading, crowd: Crowd, clear: Bench) -> None:
    """Raise IdentifierLeft if the first rows of a table already show a leak.

    In memory: a plan that lets identifiers through mostly does so in every row, and this way none is written down.
    """
    if how.plan.person is None or how.note is not None:
        return
    connection = clear.connection
    with (
        delivery.reading(f"table {how.plan.name!r} could not be searched for identifiers"),
        relation_of(delivery, how.plan.source, how.columns, connection) as rows,
    ):
        first = marked(how, f"(SELECT * FROM {rows} LIMIT {AHEAD})", crowd)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE ahead AS {first}")
    check_rows(connection, how.plan, "ahead")
    connection.execute("DROP TABLE ahead")


def _identifiers(plan: Plan, delivery: Source, crowd: Crowd, clear: Bench) -> Iterator[pa.RecordBatchReader]:
    """The person identifiers, each once if they fit into memory, then every column listed under identifiers."""
    connection = clear.connection.cursor()
    if crowd.gathered:
        yield connection.sql(f"SELECT {PERSON_TEXT} AS identifier FROM identifiers").to_arrow_reader(BATCH)
    for table in plan.tables:
        described, spelling = delivered(delivery, table)
        persons = () if crowd.gathered or table.person is None else (table.person,)
        for name in (spelling[i] for i in (*persons, *table.identifiers) if described.note is None):
            text = identifier(name, family(described.columns[name], name))
            with relation_of(delivery, table.source, [name], connection) as rows:
                yield connection.sql(f"SELECT {text} AS identifier FROM {rows}").to_arrow_reader(BATCH)
