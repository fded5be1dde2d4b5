"""FHIR R4 Bulk Data as a delivery: views make tables of resources, one table a view."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.readers.fhir.compiler import CompiledView, compile_view
from pipelines.readers.fhir.definition import View
from pipelines.readers.fhir.delivery import Scan, TypeFiles, by_type, check_files, delivered_files
from pipelines.readers.fhir.library import built_in_views, chosen_views, own_views
from pipelines.readers.limits import Limits
from pipelines.readers.source import BATCH_ROWS, ROW_NUMBER, DeliveredTable, Source, digest_file
from pipelines.readers.unchanged import NOTHING_NOTED, Noted, note

OPTIONS = ("views", "views_folder", "maximum_object_size")

LONGEST_LINE = 16 * 2**20
"""Bytes of the longest line unless the plan says otherwise."""

LONGEST_LINE_ALLOWED = 32 * 2**20
"""The engine holds several buffers of twice this size."""


def open_fhir(location: Path, options: Mapping[str, Any], limits: Limits) -> "FhirSource":
    """A folder of NDJSON files, plain or gzip, several a resource type if need be; or one such file.

    Options: `views` (names of built-in views, and paths of ViewDefinition files, absolute or relative to
    `views_folder`; unless given, every built-in view whose resource type was delivered), `maximum_object_size` (bytes
    of the longest line). A listed view whose resource type was not delivered is a table delivered empty. A file whose
    name begins with a resource type holds nothing else; the types in other files are looked up.
    """
    unknown = [key for key in options if key not in OPTIONS]
    if unknown:
        raise SourceError(f"FHIR option {unknown[0]!r} is not known. Known: {', '.join(OPTIONS)}.")
    scan = Scan(_longest_line(options))
    files, own = delivered_files(location), _own_views(options)
    noted = note([*files, *own])
    check_files(location, files, limits)
    # long lines need large buffers, and each thread has its own
    threads = limits.threads if scan.longest_line <= LONGEST_LINE else 1
    connection = connect(limits.memory, threads)
    types, without = by_type(files, scan, connection)
    views = _views(options, types)
    return FhirSource(connection, views, types, scan, without, own, noted)


def _longest_line(options: Mapping[str, Any]) -> int:
    size = options.get("maximum_object_size", LONGEST_LINE)
    if not isinstance(size, int) or not 0 < size <= LONGEST_LINE_ALLOWED:
        raise SourceError(f"FHIR option 'maximum_object_size' is a number of bytes up to {LONGEST_LINE_ALLOWED:,}.")
    return size


def _views(options: Mapping[str, Any], types: Mapping[str, TypeFiles]) -> list[View]:
    if "views" not in options:
        return [view for view in built_in_views() if view.resource in types]
    return chosen_views(*_listed_views(options))


def _own_views(options: Mapping[str, Any]) -> list[Path]:
    return own_views(*_listed_views(options))


def _listed_views(options: Mapping[str, Any]) -> tuple[list[str], Path]:
    """What the plan lists, and the folder its paths begin at."""
    names = options.get("views", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SourceError("FHIR option 'views' is a list of names and paths.")
    return names, Path(str(options.get("views_folder", ".")))


@dataclass(frozen=True)
class ViewTable:
    """One view over the lines of a delivery; `note` says why it counts as delivered empty, if it does."""

    name: str
    view: CompiledView
    lines: str
    connection: duckdb.DuckDBPyConnection
    note: str | None = None

    def columns(self) -> Mapping[str, str]:
        return self.view.types

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        with _telling(self.name):
            return self._read(f"{self.view.query(self.lines, columns)} LIMIT 0").schema
        raise AssertionError("unreachable")

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        # only what is wanted is put into the query: planning all columns of a view takes longer than reading few rows
        with _telling(self.name):
            yield from self._read(self.view.query(self.lines, columns))

    def faults(self) -> Iterator[pa.RecordBatch]:
        """What could not be read as the view says: row number (as in `batches`), `column_name`, `reason`."""
        with _telling(self.name):
            yield from self._read(self.view.fault_query(self.lines, ROW_NUMBER))

    def relation(self) -> str | None:
        return None

    def size(self) -> int | None:
        return None

    def _read(self, query: str) -> pa.RecordBatchReader:
        return self.connection.cursor().sql(query).to_arrow_reader(BATCH_ROWS)


class FhirSource(Source):
    """An open Bulk Data delivery; tables are called as their views.

    A line that is no resource of its table stays a row without values, so that the plan's threshold decides about it.
    `without_resources` are delivered files that hold no resource, and so are part of no table. `own_views` are hashed
    like delivered files, since they say what is read of these; all are held to be as `noted`.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        views: Iterable[View],
        types: Mapping[str, TypeFiles],
        scan: Scan,
        without_resources: tuple[Path, ...] = (),
        own_views: Iterable[Path] = (),
        noted: Noted = NOTHING_NOTED,
    ) -> None:
        self.without_resources = without_resources
        found: dict[str, ViewTable] = {}
        read: dict[Path, None] = dict.fromkeys(own_views)
        for view in views:
            files = types.get(view.resource, TypeFiles())
            note = f"no {view.resource} was delivered" if files == TypeFiles() else None
            found[view.name] = ViewTable(view.name, compile_view(view), scan.lines(files), connection, note)
            read |= dict.fromkeys((*files.named, *files.mixed))
        self._views = found
        super().__init__(found, lambda: (digest_file(file) for file in read), connection.close, noted.check)

    def describe(self, table: str) -> DeliveredTable:
        found = self._views[self._named(table)]
        return DeliveredTable(table, found.columns(), found.note)

    def faults(self, table: str) -> Iterator[pa.RecordBatch]:
        """What could not be read as the view says: row number, `column_name` (empty for a whole line), `reason`.

        Reads the delivery once; no value is told.
        """
        return self._views[self._named(table)].faults()


@contextmanager
def _telling(table: str) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as failure:
        raise SourceError(f"delivered table {table!r} cannot be read: {_reason(failure)}") from None


def _reason(failure: Exception) -> str:
    """What stopped the engine, without its text, which may quote the data."""
    text = str(failure)
    if "maximum_object_size" in text:
        return "a line is longer than the option `maximum_object_size` allows. Raise it, or leave attachments out."
    if "GZIP" in text:
        return "a compressed file is cut off or damaged. Deliver it again."
    if "Out of Memory" in text:
        return "the memory limit was reached. Raise the limit, or deliver shorter lines."
    return f"the engine stopped with {type(failure).__name__}."
