"""The engine of one ingestion: DuckDB in memory, set-based, with limits.

Two benches: the clear one sees identifiers and therefore never spills to disk, the other works on pseudonymised rows
and may spill into the ingestion's own workspace.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.engine import connect
from pipelines.readers import Limits, Source

CLEAR = Limits("900MB", 2)
PSEUDONYMISED = Limits("600MB", 2)


@dataclass(frozen=True)
class Bench:
    """A connection and the folder it works in."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class Benches:
    """Both benches of a run."""

    clear: Bench
    pseudonymised: Bench


def clear_bench(folder: Path, limits: Limits = CLEAR) -> Bench:
    """For delivered rows and identifiers: nothing of them reaches a disk, out of memory is an error."""
    return Bench(connect(limits.memory, limits.threads, streaming=True), folder)


def pseudonymised_bench(folder: Path, limits: Limits = PSEUDONYMISED, *, streaming: bool = False) -> Bench:
    """For rows without identifiers: sorts and joins may spill. With `streaming`, rows keep no order."""
    return Bench(connect(limits.memory, limits.threads, spill=str(folder / "spill"), streaming=streaming), folder)


@contextmanager
def benches(folder: Path) -> Iterator[Benches]:
    with closing(clear_bench(folder)) as clear, closing(pseudonymised_bench(folder, streaming=True)) as other:
        yield Benches(clear, other)


@contextmanager
def relation_of(
    delivery: Source,
    table: str,
    columns: Iterable[str],
    connection: duckdb.DuckDBPyConnection,
    *,
    numbered: bool = False,
) -> Iterator[str]:
    """SQL of a delivered table that `connection` can read once: the file itself, or batches that the source reads.

    Numbered rows come from the source, which alone keeps their order.
    """
    relation = None if numbered else delivery.relation(table)
    if relation is not None:
        yield relation
        return
    wanted = list(columns)
    connection.register("delivered", delivery.batches(table, wanted, numbered=numbered))
    try:
        yield "delivered"
    finally:
        connection.unregister("delivered")
