"""The persons of a delivery: every distinct identifier once, its pseudonym, and how many rows each table has.

Identifiers stay on the clear bench, in memory. What may reach a disk is a token for each: a number made with a key that
the run draws and forgets, by which rows and person keys find each other. The pseudonymisation key never appears in SQL.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.errors import PseudonymCollision, SourceError, without_engine_text
from pipelines.mapping import family, identifier
from pipelines.plan import Plan, TablePlan
from pipelines.pseudonyms import MAC_BYTES, Pseudonymiser
from pipelines.readers import DeliveredTable, Source
from pipelines.workbench import Bench, Benches, relation_of

BUCKET_ROWS = 2_000_000
"""Rows of the largest table that one bucket holds, about: what one core sorts, and a query reads, at a time."""

USUAL_COLUMNS = 12
"""Columns up to which a table's rows count fully; wider rows make smaller buckets, so that memory stays bounded."""

MOST_IDENTIFIERS = 8_000_000
"""Distinct identifiers in memory at a time; more of them take another pass over the identifier column."""

BATCH = 100_000

TOKEN = "_token"  # noqa: S105 - a column
SHIFT = "_shift"
LEFT_OUT = "_left_out"

Connection = duckdb.DuckDBPyConnection
ShiftOf = Callable[[np.ndarray], np.ndarray]
"""Days by which each person's dates move, by the second half of the pseudonym."""


@dataclass(frozen=True)
class Persons:
    """What is made of an identifier: its pseudonym, the shift of its dates, and whether the person is left out.

    `notice` sees identifiers with their person keys while they are at hand, to link the opt-out register.
    """

    pseudonymiser: Pseudonymiser
    shift_of: ShiftOf
    left_out: frozenset[int] = frozenset()
    notice: Callable[[Iterable[tuple[str, int]]], None] | None = None


@dataclass(frozen=True)
class Crowd:
    """`rows` is the number of delivered rows by stored table, `buckets` what they are divided into.

    `pseudonyms` is a file of (token, person key, shift, left out), `run_key` what makes this run's tokens.
    The clear bench holds table `identifiers` (person_text) if they fit into memory together: `gathered`.
    """

    rows: Mapping[str, int]
    buckets: int
    persons: int
    pseudonyms: Path
    run_key: str
    gathered: bool = True

    def token(self, person_text: str) -> str:
        """SQL of an identifier's token."""
        return f"CAST(md5_number(concat({sql.text(self.run_key)}, {person_text})) >> 64 AS UBIGINT)"


def gather(
    delivery: Source,
    plan: Plan,
    work: Benches,
    persons: Persons,
    bucket_rows: int = BUCKET_ROWS,
) -> Crowd:
    """Read only the identifier columns of the delivery, and pseudonymise the distinct identifiers."""
    tables = {t.name: delivered(delivery, t) for t in plan.tables}
    crowd = Crowd({}, 1, 0, work.clear.folder / "pseudonyms.parquet", secrets.token_hex(16))
    with delivery.reading("the identifiers could not be gathered"):
        rows, parts = _collect(delivery, plan, tables, work.clear)
        for part in range(parts):
            if parts > 1:
                _collect_part(delivery, plan, tables, work.clear, part, parts)
            _pseudonymise(work, persons, crowd)
        if parts > 1:
            work.clear.connection.execute("DROP TABLE identifiers")
    found = _settle(work.pseudonymised, crowd)
    buckets = max((buckets_for(_weight(t, rows[t.name]), bucket_rows) for t in plan.tables if t.person), default=1)
    return Crowd(rows, buckets, found, crowd.pseudonyms, crowd.run_key, parts == 1)


def _weight(table: TablePlan, rows: int) -> int:
    return rows * max(USUAL_COLUMNS, len(table.columns)) // USUAL_COLUMNS


def buckets_for(rows: int, bucket_rows: int) -> int:
    """The smallest power of two that leaves about `bucket_rows` of `rows` in each bucket."""
    return 1 << max(0, (rows - 1) // bucket_rows).bit_length()


def delivered(delivery: Source, table: TablePlan) -> tuple[DeliveredTable, dict[str, str]]:
    """A delivered table and the delivered spelling of each column the plan reads; raises SourceError."""
    described = delivery.describe(table.source)
    spelling = {wanted: described.column_named(wanted) for wanted in table.delivered}
    if described.note is None:
        for wanted, found in spelling.items():
            if found is None:
                listed = ", ".join(described.columns)
                raise SourceError(
                    f"Delivered table {table.source!r} has no column {wanted!r}, which the plan reads. "
                    f"It has: {listed}."
                )
    return described, {wanted: found for wanted, found in spelling.items() if found is not None}


Described = tuple[DeliveredTable, Mapping[str, str]]
Delivered = Mapping[str, Described]


def _collect(delivery: Source, plan: Plan, tables: Delivered, bench: Bench) -> tuple[dict[str, int], int]:
    """Rows of each table, and how many parts the identifiers are taken in; with one part, they are collected."""
    connection = bench.connection
    try:
        connection.execute("CREATE OR REPLACE TABLE identifiers (person_text VARCHAR)")
        return {t.name: _collect_table(delivery, t, tables[t.name], connection) for t in plan.tables}, 1
    except duckdb.OutOfMemoryException:
        connection.execute("DROP TABLE IF EXISTS found")
        connection.execute("DROP TABLE identifiers")
    rows, persons = {}, 0
    for table in plan.tables:
        rows[table.name], found = _estimate(delivery, table, tables[table.name], connection)
        persons += found
    return rows, -(-persons // MOST_IDENTIFIERS) + 1


def _collect_table(
    delivery: Source,
    table: TablePlan,
    described: Described,
    connection: duckdb.DuckDBPyConnection,
) -> int:
    if described[0].note is not None:
        return 0
    if table.person is None:
        return _estimate(delivery, table, described, connection)[0]
    text, column = _person(table, described)
    with relation_of(delivery, table.source, [column], connection) as rows:
        connection.execute(
            f"CREATE TEMP TABLE found AS SELECT {text} AS person_text, count(*) AS n FROM {rows} GROUP BY ALL"
        )
    connection.execute(
        "INSERT INTO identifiers SELECT person_text FROM found ANTI JOIN identifiers USING (person_text)"
    )
    total = connection.execute("SELECT coalesce(sum(n), 0) FROM found").fetchall()[0][0]
    connection.execute("DROP TABLE found")
    return int(total)


def _collect_part(delivery: Source, plan: Plan, tables: Delivered, bench: Bench, part: int, parts: int) -> None:
    connection = bench.connection
    connection.execute("CREATE OR REPLACE TABLE identifiers (person_text VARCHAR)")
    for table in plan.tables:
        if table.person is None or tables[table.name][0].note is not None:
            continue
        text, column = _person(table, tables[table.name])
        with relation_of(delivery, table.source, [column], connection) as rows:
            connection.execute(
                f"INSERT INTO identifiers SELECT DISTINCT {text} AS person_text FROM {rows}"
                f" WHERE hash({text}) % {parts} = {part} EXCEPT SELECT person_text FROM identifiers"
            )


def _estimate(
    delivery: Source,
    table: TablePlan,
    described: Described,
    connection: duckdb.DuckDBPyConnection,
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


def _pseudonymise(work: Benches, persons: Persons, crowd: Crowd) -> None:
    connection = work.pseudonymised.connection
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS pseudonyms ({TOKEN} UBIGINT, person_key BIGINT, mac_check BIGINT,"
        f" {SHIFT} INTEGER, {LEFT_OUT} BOOLEAN)"
    )
    for keyed in _keyed(work.clear, persons, crowd):
        connection.register("keyed", keyed)
        connection.execute("INSERT INTO pseudonyms SELECT * FROM keyed")
        connection.unregister("keyed")


def _keyed(bench: Bench, persons: Persons, crowd: Crowd) -> Iterator[pa.Table]:
    """Tokens with the two halves of their pseudonyms; identifiers that are not valid are not among them."""
    left_out = np.fromiter(persons.left_out, dtype=np.int64)
    texts = bench.connection.cursor().sql(
        f"SELECT {crowd.token('person_text')} AS {TOKEN}, person_text FROM identifiers WHERE person_text IS NOT NULL"
    )
    for batch in texts.to_arrow_reader(BATCH):
        texts = batch.column(1).to_pylist()
        made = persons.pseudonymiser.pseudonyms(texts)
        valid = np.fromiter((mac is not None for mac in made), dtype=bool, count=len(made))
        joined = b"".join(mac or bytes(MAC_BYTES) for mac in made)
        halves = np.frombuffer(joined, dtype=">i8").astype(np.int64).reshape(-1, 2)[valid]
        if persons.notice is not None:
            persons.notice(
                zip((t for t, ok in zip(texts, valid, strict=True) if ok), halves[:, 0].tolist(), strict=True)
            )
        yield pa.table(
            {
                TOKEN: batch.column(0).filter(pa.array(valid)),
                "person_key": halves[:, 0],
                "mac_check": halves[:, 1],
                SHIFT: persons.shift_of(halves[:, 1]),
                LEFT_OUT: np.isin(halves[:, 0], left_out),
            }
        )


def _settle(bench: Bench, crowd: Crowd) -> int:
    """Check that no two identifiers share a token and no two persons a key, and write the file; persons."""
    connection = bench.connection
    with without_engine_text("the pseudonyms could not be checked"):
        persons, collisions = connection.execute(
            "SELECT count(*), count(*) FILTER (several) FROM"
            " (SELECT min(mac_check) <> max(mac_check) AS several FROM pseudonyms GROUP BY person_key)"
        ).fetchall()[0]
        alike = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM pseudonyms GROUP BY {TOKEN} HAVING count(*) > 1)"
        ).fetchall()[0][0]
        if collisions:
            raise PseudonymCollision(
                f"{collisions} person keys would stand for more than one person. "
                "Rotate the key of the pseudonymisation domain and ingest again."
            )
        if alike:
            raise PseudonymCollision("Two identifiers met by accident in this run's tokens. Ingest again.")
        connection.execute(
            f"COPY (SELECT * EXCLUDE (mac_check) FROM pseudonyms) TO {sql.text(str(crowd.pseudonyms))}"
            " (FORMAT parquet, COMPRESSION lz4_raw)"
        )
        connection.execute("DROP TABLE pseudonyms")
    return int(persons)
