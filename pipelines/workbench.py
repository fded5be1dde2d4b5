"""The engine of one ingestion: DuckDB in memory, set-based, with limits.

Two benches: the clear one sees identifiers and therefore never spills to disk, the other works on pseudonymised rows
and may spill into the ingestion's own workspace.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.engine import connect
from pipelines.readers import Limits

CLEAR_LIMITS = Limits("1GB", 2)


@dataclass(frozen=True)
class Bench:
    """A connection and the folder it works in."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def close(self) -> None:
        self.connection.close()


def clear_bench(folder: Path, limits: Limits = CLEAR_LIMITS) -> Bench:
    """For delivered rows and identifiers: nothing of them reaches a disk, out of memory is an error."""
    return Bench(connect(limits.memory, limits.threads, streaming=True), folder)


def pseudonymised_bench(folder: Path, limits: Limits = CLEAR_LIMITS) -> Bench:
    """For rows without identifiers: sorts may spill."""
    return Bench(connect(limits.memory, limits.threads, spill=str(folder / "spill")), folder)
