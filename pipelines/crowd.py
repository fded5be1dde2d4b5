"""The persons of a delivery: every distinct identifier once, its pseudonym, and how many rows each table has.

Works on the clear bench. The key never appears in SQL: pseudonyms are computed in Python and joined back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.errors import PseudonymCollision, SourceError, without_engine_text
from pipelines.mapping import family, identifier
from pipelines.plan import Plan, TablePlan
from pipelines.pseudonyms import MAC_BYTES, Pseudonymiser
from pipelines.readers import DeliveredTable, Source
from pipelines.workbench import Bench

BUCKET_ROWS = 2_000_000
"""Rows of the largest table that one bucket holds, about: what one core sorts, and a query reads, at a time."""

BATCH = 100_000


@dataclass(frozen=True)
class Crowd:
    """`rows` is the number of delivered rows by stored table, `buckets` what they are divided into.

    The clear bench holds table `pseudonyms` (person_text, person_key).
    """

    rows: Mapping[str, int]
    buckets: int


def gather(
    delivery: Source, plan: Plan, bench: Bench, pseudonymiser: Pseudonymiser, bucket_rows: int = BUCKET_ROWS
) -> Crowd:
    """Read only the identifier columns of the delivery, and pseudonymise the distinct identifiers."""
    with without_engine_text("the identifiers could not be gathered", SourceError):
        bench.connection.execute("CREATE TABLE identifiers (person_text VARCHAR)")
        rows = {t.name: _gather_table(delivery, t, bench) for t in plan.tables}
        _pseudonymise(bench, pseudonymiser)
    largest = max((rows[t.name] for t in plan.tables if t.person), default=0)
    return Crowd(rows, buckets_for(largest, bucket_rows))


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


def _gather_table(delivery: Source, table: TablePlan, bench: Bench) -> int:
    described, spelling = delivered(delivery, table)
    if described.note is not None:
        return 0
    connection = bench.connection
    if table.person is None:
        return sum(batch.num_rows for batch in delivery.batches(table.source, list(spelling.values())[:1]))
    person = spelling[table.person]
    text = identifier(person, family(described.columns[person], person))
    connection.register("delivered", delivery.batches(table.source, [person], numbered=False))
    connection.execute(
        f"CREATE TEMP TABLE found AS SELECT {text} AS person_text, count(*) AS n FROM delivered GROUP BY ALL"
    )
    connection.unregister("delivered")
    connection.execute(
        "INSERT INTO identifiers SELECT person_text FROM found ANTI JOIN identifiers USING (person_text)"
    )
    total = connection.execute("SELECT coalesce(sum(n), 0) FROM found").fetchall()[0][0]
    connection.execute("DROP TABLE found")
    return int(total)


def _pseudonymise(bench: Bench, pseudonymiser: Pseudonymiser) -> None:
    connection = bench.connection
    connection.execute("CREATE TABLE pseudonyms (person_text VARCHAR, person_key BIGINT, mac_check BIGINT)")
    reading = connection.cursor()
    texts = reading.sql("SELECT person_text FROM identifiers WHERE person_text IS NOT NULL").to_arrow_reader(BATCH)
    for batch in texts:
        keyed = _keyed(batch.column(0).to_pylist(), pseudonymiser)
        connection.register("keyed", keyed)
        connection.execute("INSERT INTO pseudonyms SELECT * FROM keyed")
        connection.unregister("keyed")
    connection.execute("DROP TABLE identifiers")
    _check_collisions(bench)


def _keyed(identifiers: list[str], pseudonymiser: Pseudonymiser) -> pa.Table:
    """Identifiers with the two halves of their pseudonyms, NULL where the identifier is not valid."""
    made = pseudonymiser.pseudonyms(identifiers)
    joined = b"".join(mac or bytes(MAC_BYTES) for mac in made)
    halves = np.frombuffer(joined, dtype=">i8").astype(np.int64).reshape(-1, 2)
    invalid = np.fromiter((mac is None for mac in made), dtype=bool, count=len(made))
    columns = {name: pa.array(halves[:, i], mask=invalid) for i, name in enumerate(("person_key", "mac_check"))}
    return pa.table({"person_text": pa.array(identifiers, pa.string()), **columns})


def _check_collisions(bench: Bench) -> None:
    collisions = bench.connection.execute(
        "SELECT count(*) FROM (SELECT person_key FROM pseudonyms GROUP BY person_key"
        " HAVING min(mac_check) <> max(mac_check))"
    ).fetchall()[0][0]
    if collisions:
        raise PseudonymCollision(
            f"{collisions} person keys would stand for more than one person. "
            "Rotate the key of the pseudonymisation domain and ingest again."
        )


def register_keys(bench: Bench, table: str, keys: frozenset[int]) -> None:
    """A table of person keys on the bench."""
    bench.connection.register("given", pa.table({"person_key": pa.array(sorted(keys), pa.int64())}))
    bench.connection.execute(f"CREATE TABLE {sql.name(table)} AS SELECT * FROM given")
    bench.connection.unregister("given")
