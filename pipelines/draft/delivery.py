"""From the files a holder names to a source of the plan: format, location, options."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.draft.csv_form import csv_options
from pipelines.draft.texts import TEXTS, is_archive, names_in, stem, texts_of
from pipelines.errors import SourceError
from pipelines.plan import SourcePlan
from pipelines.readers import READERS

ENDINGS = (
    dict.fromkeys(TEXTS, "csv")
    | dict.fromkeys((".ndjson", ".ndjson.gz"), "fhir-ndjson")
    | {".parquet": "parquet", ".duckdb": "duckdb", ".ddb": "duckdb"}
    | dict.fromkeys((".sqlite", ".sqlite3", ".db"), "sqlite")
)
"""Formats by the ending of a file's name."""

MAGIC = {b"DUCK": ("duckdb", 8), b"SQLite format 3": ("sqlite", 0), b"PAR1": ("parquet", 0)}
"""First bytes of a format, and where they stand."""


@dataclass(frozen=True)
class Found:
    """A source as the plan names it and where it lies now.

    `tables` are those wanted (all, if none are named), `other` says of some why they cannot be read.
    """

    source: SourcePlan
    location: Path | str
    tables: frozenset[str]
    other: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """Where files about the delivery may lie; None for a database that is no file."""
        if isinstance(self.location, str):
            return None
        return self.location if self.location.is_dir() else self.location.parent

    def has(self, table: str) -> bool:
        """True if a table of the source is wanted."""
        return not self.tables or table.lower() in self.tables


def find(files: Sequence[Path | str], plan_folder: Path, given: Mapping[str, str] | None = None) -> Found:
    """The source that the files make, or the URL of a database; raises SourceError if they do not make one.

    `given` are options of the source that the holder knows.
    """
    options = dict(given or {})
    if len(files) == 1 and "://" in str(files[0]):
        url = str(files[0])
        return Found(SourcePlan(_readable(url.partition(":")[0], url), url, options), url, frozenset())
    paths = [Path(f) for f in files]
    for file in paths:
        if not file.exists():
            raise SourceError(f"{file}: there is no such file or folder.")
    location = paths[0] if len(paths) == 1 else _folder_of(paths)
    format_ = _readable(_format(location, paths), location)
    seen, other = csv_options(texts_of(location, paths)) if format_ == "csv" else ({}, {})
    wanted = frozenset(stem(f.name) for f in paths) if len(paths) > 1 else frozenset()
    return Found(SourcePlan(format_, _said(location, plan_folder), {**seen, **options}), location, wanted, other)


def _readable(format_: str, location: Path | str) -> str:
    known = {"postgres": "postgresql"}.get(format_, format_)
    if known not in READERS:
        raise SourceError(f"{location}: the format {known} cannot be read. Known: {', '.join(READERS)}.")
    return known


def _folder_of(files: Sequence[Path]) -> Path:
    if len({f.resolve().parent for f in files}) > 1 or any(f.is_dir() for f in files):
        raise SourceError("The files lie in several folders. A delivery is one folder, one archive or one database.")
    return files[0].parent


def _format(location: Path, files: Sequence[Path]) -> str:
    """The format of most of the files, by their first bytes, else by their names."""
    if location.is_file():
        return _format_of(location) or "csv"
    inside = files if len(files) > 1 else sorted(f for f in location.iterdir() if f.is_file())
    found = _commonest(filter(None, map(_format_of, inside)))
    if found is None:
        folders = any(f.is_dir() for f in location.iterdir())
        mend = "Name one of its folders." if folders else f"Known: {', '.join(ENDINGS)}."
        raise SourceError(f"{location}: there is no file of a known kind in it. {mend}")
    return found


def _format_of(file: Path) -> str | None:
    with file.open("rb") as opened:
        head = opened.read(32)
    for magic, (format_, at) in MAGIC.items():
        if head[at : at + len(magic)] == magic:
            return format_
    if is_archive(file):
        return _commonest(filter(None, map(_by_name, names_in(file)))) or "csv"
    return _by_name(file.name)


def _by_name(name: str) -> str | None:
    return next((format_ for ending, format_ in ENDINGS.items() if name.lower().endswith(ending)), None)


def _commonest(formats: Iterable[str]) -> str | None:
    counted = Counter(formats).most_common(1)
    return counted[0][0] if counted else None


def _said(location: Path, plan_folder: Path) -> str:
    """The location as the plan gives it: relative to the plan, so that both can be moved together."""
    try:
        return Path(os.path.relpath(location.resolve(), plan_folder.resolve())).as_posix()
    except ValueError:
        return location.resolve().as_posix()
