"""Readers of deliveries: each yields Arrow batches with row numbers, and never a whole table.

`READERS` maps the plan's source format to a function that opens a delivery.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import SourceError
from pipelines.readers.csv_files import open_csv
from pipelines.readers.duckdb_file import open_duckdb
from pipelines.readers.fhir import open_fhir
from pipelines.readers.limits import Limits
from pipelines.readers.parquet_files import open_parquet
from pipelines.readers.postgresql import open_postgresql
from pipelines.readers.source import ROW_NUMBER, DeliveredTable, Source, SourceFile
from pipelines.readers.sqlite_file import open_sqlite

__all__ = ["READERS", "ROW_NUMBER", "DeliveredTable", "Limits", "Source", "SourceFile", "locate", "open_source"]

Location = Path | str
"""A file or folder, or the URL of a database."""

READERS: dict[str, Callable[[Any, Mapping[str, Any], Limits], Source]] = {
    "csv": open_csv,
    "duckdb": open_duckdb,
    "fhir-ndjson": open_fhir,
    "parquet": open_parquet,
    "postgresql": open_postgresql,
    "sqlite": open_sqlite,
}


def locate(location: Location, beside: Path) -> Location:
    """A location as a plan in the folder `beside` names it: a URL as it stands, a path from there."""
    return location if "://" in str(location) else beside / location


def open_source(format_: str, location: Location, options: Mapping[str, Any], limits: Limits | None = None) -> Source:
    """The delivery at `location`, opened read-only; raises SourceError."""
    if "://" in str(location):
        _check_address(format_, str(location))
    else:
        location = Path(location)
        if not location.exists():
            raise SourceError(
                f"{location}: there is no such file or folder. Check the location in the plan, or --source."
            )
    return READERS[format_](location, options, limits or Limits())


def _check_address(format_: str, address: str) -> None:
    if format_ != "postgresql":
        scheme = address.partition("://")[0]
        raise SourceError(
            f"A delivery in format {format_!r} is a file or folder of this machine, and {scheme}:// is none: nothing "
            "is fetched. Copy the delivery here and give its path; an address is for format 'postgresql' alone."
        )
