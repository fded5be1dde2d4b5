"""The persons of a delivery: every distinct identifier once, its pseudonym, and how many rows each table has.

Identifiers stay on the clear bench, in memory. Rows and person keys find each other by a mark: the identifier itself as
long as all of it happens in that memory; a token, made with a key that the run draws and forgets, where there are so
many persons that the join has to spill. The pseudonymisation key never appears in SQL.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines import sqltext as sql
from pipelines.collected import collect, collect_part, delivered
from pipelines.errors import PseudonymCollision, without_engine_text
from pipelines.plan import Plan, TablePlan
from pipelines.pseudonyms import Pseudonymiser
from pipelines.quality.rows import PERSON_TEXT
from pipelines.readers import Source
from pipelines.workbench import Bench, Benches

BUCKET_ROWS = 2_000_000
"""Rows of the largest table that one bucket holds, about: what one core sorts, and a query reads, at a time."""

USUAL_COLUMNS = 12
"""Columns up to which a table's rows count fully; wider rows make smaller buckets, so that memory stays bounded."""

MOST_IN_MEMORY = 6_000_000
"""Persons up to which rows meet their keys on the clear bench; beyond, the other bench joins them, and may spill."""

BATCH = 200_000

MOST_IN_PART = 2_000_000
"""Persons of one part: their keys fit beside whatever else is in memory."""

KEYS = "keys"
MARK = "_mark"
PART = "_part"
SHIFT = "_shift"
LEFT_OUT = "_left_out"

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

    `mark` is SQL that makes the mark of PERSON_TEXT; `keys` says where the marks' person keys are: a table of the clear
    bench if `in_memory`, else files in `parts` by the first bits of the mark. `gathered` says that the clear bench has
    table `identifiers`.
    """

    rows: Mapping[str, int]
    buckets: int
    persons: int
    in_memory: bool
    mark: str
    gathered: bool
    parts: int = 1
    folder: Path = Path()

    def keys(self, part: int | None = None) -> str:
        """SQL of the keys (MARK, person_key, SHIFT, LEFT_OUT), of all marks or of one part."""
        if self.in_memory:
            return KEYS
        inside = "**" if part is None else f"{PART}={part}"
        files = sql.text(f"{sql.literally(str(self.folder))}/{inside}/*.parquet")
        return f"read_parquet({files}, hive_partitioning = false)"

    @property
    def part(self) -> str:
        """SQL of a mark's part, where there are files."""
        return part_sql(self.parts)


def gather(delivery: Source, plan: Plan, work: Benches, persons: Persons, bucket_rows: int = BUCKET_ROWS) -> Crowd:
    """Read only the identifier columns of the delivery, and pseudonymise the distinct identifiers."""
    tables = {t.name: delivered(delivery, t) for t in plan.tables}
    with delivery.reading("the identifiers could not be gathered"):
        rows, parts, found = collect(delivery, plan, tables, work.clear)
        in_memory = parts == 1 and found <= MOST_IN_MEMORY
        keying = _Keying(work.clear if in_memory else work.pseudonymised, work.clear, _mark(in_memory), persons)
        for part in range(parts):
            if parts > 1:
                collect_part(delivery, plan, tables, work.clear, part, parts)
            keying.run()
        if parts > 1:
            work.clear.connection.execute("DROP TABLE identifiers")
    keying.check()
    buckets = max((buckets_for(_weight(t, rows[t.name]), bucket_rows) for t in plan.tables if t.person), default=1)
    crowd = Crowd(rows, buckets, keying.persons, in_memory, keying.mark, gathered=parts == 1)
    if in_memory:
        return crowd
    folder, divided = work.pseudonymised.folder / "keys", buckets_for(keying.persons, MOST_IN_PART)
    keying.store(folder, divided)
    return replace(crowd, parts=divided, folder=folder)


def _mark(in_memory: bool) -> str:
    if in_memory:
        return PERSON_TEXT
    return f"CAST(md5_number(concat({sql.text(secrets.token_hex(16))}, {PERSON_TEXT})) >> 64 AS UBIGINT)"


def _weight(table: TablePlan, rows: int) -> int:
    return rows * max(USUAL_COLUMNS, len(table.columns)) // USUAL_COLUMNS


def buckets_for(rows: int, bucket_rows: int) -> int:
    """The smallest power of two that leaves about `bucket_rows` of `rows` in each bucket."""
    return 1 << max(0, (rows - 1) // bucket_rows).bit_length()


class _Keying:
    """Table `keys` on one bench of the identifiers that lie on the clear one."""

    def __init__(self, bench: Bench, clear: Bench, mark: str, persons: Persons) -> None:
        self._bench, self._clear, self.mark, self._persons = bench, clear, mark, persons
        self.persons = 0

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self._bench.connection

    def run(self) -> None:
        """Add the identifiers that are there now."""
        type_ = "VARCHAR" if self.mark == PERSON_TEXT else "UBIGINT"
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {KEYS} ({MARK} {type_}, person_key BIGINT, mac_check BIGINT,"
            f" {SHIFT} INTEGER, {LEFT_OUT} BOOLEAN)"
        )
        for keyed in self._keyed():
            self._connection.register("keyed", keyed)
            self._connection.execute(f"INSERT INTO {KEYS} SELECT * FROM keyed")
            self._connection.unregister("keyed")

    def _keyed(self) -> Iterator[pa.Table]:
        """Marks with the two halves of their pseudonyms; identifiers that are not valid are not among them."""
        left_out = np.fromiter(self._persons.left_out, dtype=np.int64)
        texts = self._clear.connection.cursor().sql(
            f"SELECT {self.mark} AS {MARK}, {PERSON_TEXT} FROM identifiers WHERE {PERSON_TEXT} IS NOT NULL"
        )
        for batch in texts.to_arrow_reader(BATCH):
            halves, valid = self._persons.pseudonymiser.halves(batch.column(1))
            if self._persons.notice is not None:
                known = batch.column(1).filter(pa.array(valid)).to_pylist()
                self._persons.notice(zip(known, halves[:, 0].tolist(), strict=True))
            yield pa.table(
                {
                    MARK: batch.column(0).filter(pa.array(valid)),
                    "person_key": halves[:, 0],
                    "mac_check": halves[:, 1],
                    SHIFT: self._persons.shift_of(halves[:, 1]),
                    LEFT_OUT: np.isin(halves[:, 0], left_out),
                }
            )

    def check(self) -> None:
        """Raise PseudonymCollision if two persons share a key, or two identifiers a mark."""
        with without_engine_text("the pseudonyms could not be checked"):
            self.persons, collisions = self._connection.execute(
                "SELECT count(*), count(*) FILTER (several) FROM"
                f" (SELECT min(mac_check) <> max(mac_check) AS several FROM {KEYS} GROUP BY person_key)"
            ).fetchall()[0]
            alike = (
                self.mark != PERSON_TEXT
                and self._connection.execute(f"SELECT count(*) - count(DISTINCT {MARK}) FROM {KEYS}").fetchall()[0][0]
            )
        if collisions:
            raise PseudonymCollision(
                f"{collisions} person keys would stand for more than one person. "
                "Rotate the key of the pseudonymisation domain and ingest again."
            )
        if alike:
            raise PseudonymCollision("Two identifiers met by accident in this run's tokens. Ingest again.")

    def store(self, folder: Path, parts: int) -> None:
        """Move the keys into files that any bench may read, by part."""
        with without_engine_text("the person keys could not be written"):
            self._connection.execute(
                f"COPY (SELECT * EXCLUDE (mac_check), {part_sql(parts)} AS {PART} FROM {KEYS})"
                f" TO {sql.text(str(folder))} (FORMAT parquet, COMPRESSION lz4_raw, PARTITION_BY ({PART}))"
            )
            self._connection.execute(f"DROP TABLE {KEYS}")


def part_sql(parts: int) -> str:
    """SQL of a token's part: its first bits; `parts` is a power of two."""
    bits = parts.bit_length() - 1
    return f"CAST({MARK} >> {64 - bits} AS INTEGER)" if bits else "0"
