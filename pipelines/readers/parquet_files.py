"""Parquet files as a delivery: one file a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.readers.source import Limits, Source, relations_of, tables_in


def open_parquet(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """No options: the files say everything themselves."""
    if options:
        raise SourceError(f"Parquet has no option {next(iter(options))!r}. Remove it from the plan.")
    files = tables_in(location, (".parquet",))
    # binary_as_string: older writers leave the annotation of text columns out
    relations = relations_of(files, lambda f: f"read_parquet({sql.text(str(f))}, binary_as_string = true)")
    return Source(connect(limits.memory, limits.threads), relations, files.values())
