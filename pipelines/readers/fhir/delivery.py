"""The files of a Bulk Data delivery and the resource types they hold."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import sqltext as sql
from pipelines.errors import SourceError, without_engine_text
from pipelines.readers.engine_tables import UNNAMED
from pipelines.readers.fhir.r4 import RESOURCE_TYPES
from pipelines.readers.limits import Limits
from pipelines.readers.parts import check_inside
from pipelines.readers.streams import BLOCK, compression, open_file

ENDINGS = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")

NAMED = re.compile(r"([A-Z][A-Za-z]*)(?![A-Za-z])")

BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class TypeFiles:
    """Files of one resource type: those whose name promises it, and those that hold it among others."""

    named: tuple[Path, ...] = ()
    mixed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Scan:
    """How lines are read: `longest_line` in bytes."""

    longest_line: int

    def lines(self, files: TypeFiles) -> str:
        """Query of `line` (JSON, NULL where a line is none) and `named`, in the order of files and lines."""
        parts = [(files.named, "true"), (files.mixed, "false")]
        queries = [f"SELECT json AS line, {named} AS named FROM {self.table(paths)}" for paths, named in parts if paths]
        return " UNION ALL ".join(queries) or "SELECT CAST(NULL AS JSON) AS line, true AS named WHERE false"

    def table(self, files: Iterable[Path]) -> str:
        # ignore_errors gives NULL for a line that is no JSON, and never drops it
        options = f"ignore_errors = true, maximum_object_size = {self.longest_line}, {UNNAMED}"
        return f"read_ndjson_objects({sql.paths(files)}, {options})"


def delivered_files(location: Path) -> list[Path]:
    """NDJSON files of a folder, or the one file; raises SourceError for links that lead out of it."""
    files = [location] if location.is_file() else sorted(location.iterdir())
    found = [f for f in files if f.name.lower().endswith(ENDINGS)]
    for file in found:
        check_inside(file, location)
    found = [f for f in found if f.is_file()]
    if not found:
        raise SourceError(f"{location}: no NDJSON file was delivered. Expected endings: {', '.join(ENDINGS)}.")
    return found


def check_files(location: Path, files: Iterable[Path], limits: Limits) -> None:
    """Raise SourceError for files that are not what their name says, and for two that are one part."""
    stems: dict[str, Path] = {}
    for file in files:
        _check_whole(file, limits)
        stem = file.name.removesuffix(".gz")
        if stem in stems:
            raise SourceError(f"{location}: {stems[stem].name} and {file.name} are the same part. Remove one of them.")
        stems[stem] = file


def _check_whole(file: Path, limits: Limits) -> None:
    """Unpacks a packed file once for nothing else: the engine compares no check sum and knows no limit."""
    packed = compression(file.name)
    if packed and not file.stat().st_size:
        raise SourceError(f"{file.name}: the file is empty, and so not what its name says. Deliver it again.")
    with open_file(file, file.name, limits) as opened:
        if opened.read(3).startswith(BYTE_ORDER_MARKS):
            raise SourceError(f"{file.name}: the file begins with a byte order mark. Deliver UTF-8 without one.")
        while packed and opened.read(BLOCK):
            pass


def by_type(
    files: Iterable[Path], scan: Scan, connection: duckdb.DuckDBPyConnection
) -> tuple[Mapping[str, TypeFiles], tuple[Path, ...]]:
    """Files by resource type, and the files that hold no resource at all (an export's log, for example)."""
    named: dict[str, list[Path]] = defaultdict(list)
    mixed: dict[str, list[Path]] = defaultdict(list)
    without: list[Path] = []
    for file in files:
        type_ = _type_in_name(file)
        if type_ is not None:
            named[type_].append(file)
            continue
        types = _types_inside(file, scan, connection)
        for found in types:
            mixed[found].append(file)
        if not types:
            without.append(file)
    return {t: TypeFiles(tuple(named[t]), tuple(mixed[t])) for t in {*named, *mixed}}, tuple(without)


def _type_in_name(file: Path) -> str | None:
    found = NAMED.match(file.name)
    return found[1] if found and found[1] in RESOURCE_TYPES else None


def _types_inside(file: Path, scan: Scan, connection: duckdb.DuckDBPyConnection) -> list[str]:
    query = f"SELECT DISTINCT json_extract_string(json, '$.resourceType') FROM {scan.table([file])}"
    with without_engine_text(f"{file} cannot be read", SourceError):
        rows = connection.execute(query).fetchall()
    return sorted(type_ for (type_,) in rows if type_ in RESOURCE_TYPES)
