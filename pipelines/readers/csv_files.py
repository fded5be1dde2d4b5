"""CSV files as a delivery: one file a table, every cell read as text and cast later by the plan's types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.readers.source import Limits, Source, relations_of, tables_in

OPTIONS = {"delimiter": "delim", "quote": "quote", "escape": "escape", "encoding": "encoding", "null": "nullstr"}
"""Options of the plan and the engine's names for them."""


def open_csv(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """Options `delimiter`, `quote`, `escape`, `encoding`, `null` (text that stands for a missing value)."""
    unknown = [key for key in options if key not in OPTIONS]
    if unknown:
        raise SourceError(f"CSV option {unknown[0]!r} is not known. Known: {', '.join(OPTIONS)}.")
    given = "".join(f", {OPTIONS[key]} = {sql.text(str(value))}" for key, value in options.items())

    def scan(file: Path) -> str:
        # cells are never guessed at: leading zeros of codes and identifiers must survive
        return f"read_csv({sql.text(str(file))}, header = true, all_varchar = true, strict_mode = true{given})"

    files = tables_in(location, (".csv.gz", ".csv", ".tsv", ".txt"))
    return Source(connect(limits.memory, limits.threads), relations_of(files, scan), files.values())
