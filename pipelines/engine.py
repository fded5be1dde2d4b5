"""How every DuckDB connection of this package is made: limited, without extensions, spilling only where told."""

from pathlib import Path

import duckdb

NOTHING_SPILLED = ""
"""No folder to spill to: running out of memory is an error and never a file."""

STAGED_ROWS = 65_536
"""Rows a thread gathers before it hands them to the partitioned writer."""


def connect(
    memory: str,
    threads: int,
    *,
    spill: str = NOTHING_SPILLED,
    database: str | Path = ":memory:",
    read_only: bool = False,
    streaming: bool = False,
) -> duckdb.DuckDBPyConnection:
    """A connection; `streaming` keeps joins as written, with the stream on the left and never in a hash table."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "threads": threads,
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    if streaming:
        # a stream has no size: left to guess, the optimiser may keep the whole delivery in a hash table
        config["disabled_optimizers"] = "join_order,build_side_probe_side"
        # rows carry their number; keeping their order too would hold back batches in memory
        config["preserve_insertion_order"] = False
        config["partitioned_write_flush_threshold"] = STAGED_ROWS
    return duckdb.connect(str(database), read_only=read_only, config=config)
