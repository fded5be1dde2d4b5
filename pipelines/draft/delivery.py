"""From the files a holder names to a source of the plan: format, location, options."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.draft.csv_form import csv_options
from pipelines.errors import SourceError
from pipelines.plan import SourcePlan
from pipelines.readers import READERS

DATABASES = {".duckdb": "duckdb", ".ddb": "duckdb", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite"}
COMPRESSED = ("", ".gz", ".xz", ".zst", ".bz2")
ENDINGS = {
    kind + packed: format_
    for kind, format_ in {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "fhir-ndjson"}.items()
    for packed in COMPRESSED
} | {".parquet": "parquet"}
CONTAINERS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz")

MAGIC = {b"DUCK": ("duckdb", 8), b"SQLite format 3": ("sqlite", 0), b"PAR1": ("parquet", 0)}
"""First bytes of a format, and where they stand."""


@dataclass(frozen=True)
class Found:
    """A source as the plan names it, the folder or file it lies in, and the tables wanted (all, if none are named)."""

    source: SourcePlan
    location: Path
    tables: frozenset[str]

    def has(self, table: str) -> bool:
        """True if a table of the source is wanted."""
        return not self.tables or table.lower() in self.tables


def find(files: Sequence[Path], plan_folder: Path) -> Found:
    """The source that the files make; raises SourceError if they do not make one."""
    for file in files:
        if not file.exists():
            raise SourceError(f"{file}: there is no such file or folder.")
    location = files[0] if len(files) == 1 else _folder_of(files)
    format_ = _format(location if location.is_file() else None, files)
    if format_ not in READERS:
        raise SourceError(f"{location}: files of the format {format_} cannot be read. Known: {', '.join(READERS)}.")
    wanted = frozenset(_stem(f) for f in files) if len(files) > 1 else frozenset()
    options: dict[str, Any] = csv_options(_texts(location, files)) if format_ == "csv" else {}
    return Found(SourcePlan(format_, _said(location, plan_folder), options), location, wanted)


def _folder_of(files: Sequence[Path]) -> Path:
    folders = {f.resolve().parent for f in files}
    if len(folders) > 1 or any(f.is_dir() for f in files):
        raise SourceError("The files lie in several folders. A delivery is one folder, one archive or one database.")
    return files[0].parent


def _format(file: Path | None, files: Sequence[Path]) -> str:
    """The one format of the files, by their first bytes, else by their names."""
    if file is not None:
        return _format_of(file) or "csv"
    inside = files if len(files) > 1 else sorted(f for f in files[0].iterdir() if f.is_file())
    formats = [found for f in inside if (found := _format_of(f))]
    if not formats:
        raise SourceError(f"{files[0]}: there is no file of a known kind. Known: {', '.join([*ENDINGS, *DATABASES])}.")
    return max(dict.fromkeys(formats), key=formats.count)


def _format_of(file: Path) -> str | None:
    with file.open("rb") as opened:
        head = opened.read(32)
    for magic, (format_, at) in MAGIC.items():
        if head[at : at + len(magic)] == magic:
            return format_
    lower = file.name.lower()
    if lower.endswith(CONTAINERS):
        return _format_inside(file)
    return next((f for end, f in (ENDINGS | DATABASES).items() if lower.endswith(end)), None)


def _format_inside(archive: Path) -> str:
    """The format of most files of an archive, by name: only its list of names is read."""
    import tarfile
    import zipfile

    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                names = opened.namelist()
        else:
            with tarfile.open(archive) as packed:
                names = packed.getnames()
    except (OSError, tarfile.TarError, zipfile.BadZipFile):
        raise SourceError(f"{archive}: the archive cannot be read, or is not what its name says.") from None
    formats = [f for n in names for end, f in ENDINGS.items() if n.lower().endswith(end) and "__MACOSX" not in n]
    return max(dict.fromkeys(formats), key=formats.count) if formats else "csv"


def _texts(location: Path, files: Sequence[Path]) -> list[Path]:
    """The text files whose form is looked at."""
    listed = files if len(files) > 1 else [location] if location.is_file() else sorted(location.iterdir())
    return [f for f in listed if f.is_file() and ENDINGS.get(_ending(f)) == "csv"]


def _ending(file: Path) -> str:
    return max((e for e in ENDINGS if file.name.lower().endswith(e)), key=len, default="")


def _stem(file: Path) -> str:
    ending = _ending(file)
    return (file.name[: len(file.name) - len(ending)] if ending else file.stem).lower()


def _said(location: Path, plan_folder: Path) -> str:
    """The location as the plan gives it: relative to the plan, so that both can be moved together."""
    try:
        return Path(os.path.relpath(location.resolve(), plan_folder.resolve())).as_posix()
    except ValueError:
        return location.resolve().as_posix()
