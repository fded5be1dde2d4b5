"""CSV files as a delivery: one file a table, every cell read as text and cast later by the plan's types.

The form of a file is never guessed from its rows: a wrong guess would skip lines silently, or take a row for the header
and show it in an error. The header is the first record; the delimiter is the plan's, else the header's.
"""

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.readers.source import Limits, Source, relations_of, tables_in

OPTIONS = {"delimiter": "", "quote": '"', "escape": '"', "encoding": "utf-8", "null": ""}
"""Options of the plan and their defaults; an empty delimiter is looked up in the header."""

ENCODINGS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "utf-16": "utf-16"}
"""Encodings the engine reads, and Python's names for them."""

DELIMITERS = (";", "\t", "|", ",")

LONGEST_HEADER = 1_000_000
"""Characters read in search of the header's end."""

MOST_COLUMNS = 5_000


def open_csv(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """Options `delimiter`, `quote`, `escape`, `encoding`, `null` (text that stands for a missing value)."""
    unknown = [key for key in options if key not in OPTIONS]
    if unknown:
        raise SourceError(f"CSV option {unknown[0]!r} is not known. Known: {', '.join(OPTIONS)}.")
    chosen = OPTIONS | {key: str(value) for key, value in options.items()}
    if chosen["encoding"] not in ENCODINGS:
        raise SourceError(f"CSV encoding {chosen['encoding']!r} is not known. Known: {', '.join(ENCODINGS)}.")
    files = tables_in(location, (".csv.gz", ".csv", ".tsv", ".txt"))
    relations = relations_of(files, lambda file: _scan(file, chosen))
    return Source(connect(limits.memory, limits.threads), relations, files.values())


def _scan(file: Path, options: Mapping[str, str]) -> str:
    """SQL that reads one file, with every choice spelt out."""
    delimiter, names = _header(file, options)
    columns = ", ".join(f"{sql.text(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({sql.text(str(file))}, auto_detect = false, header = true, columns = {{{columns}}},"
        f" delim = {sql.text(delimiter)}, quote = {sql.text(options['quote'])},"
        f" escape = {sql.text(options['escape'])}, encoding = {sql.text(options['encoding'])},"
        f" nullstr = {sql.text(options['null'])}, strict_mode = true, null_padding = false)"
    )


def _header(file: Path, options: Mapping[str, str]) -> tuple[str, list[str]]:
    """Delimiter and column names; raises SourceError if they cannot name columns."""
    text = _beginning(file, ENCODINGS[options["encoding"]])
    first = text.partition("\n")[0]
    delimiter = options["delimiter"] or max(DELIMITERS, key=first.count)
    names = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, quotechar=options["quote"]), [])
    stripped = [name.strip() for name in names]
    if not any(stripped):
        raise SourceError(f"{file}: the file is empty. Its first line must name the columns.")
    if len(stripped) > MOST_COLUMNS:
        raise SourceError(f"{file}: the header names more than {MOST_COLUMNS:,} columns.")
    if not all(stripped):
        raise SourceError(f"{file}: column {stripped.index('') + 1} of the header has no name.")
    lowered = [name.lower() for name in stripped]
    twice = next((n for n in lowered if lowered.count(n) > 1), None)
    if twice is not None:
        raise SourceError(f"{file}: columns {lowered.index(twice) + 1} and later of the header have the same name.")
    return delimiter, stripped


def _beginning(file: Path, encoding: str) -> str:
    try:
        if file.name.lower().endswith(".gz"):
            with gzip.open(file, "rt", encoding=encoding, newline="") as opened:
                return _until_line_end(opened.read(LONGEST_HEADER))
        with file.open("r", encoding=encoding, newline="") as opened:
            return _until_line_end(opened.read(LONGEST_HEADER))
    except UnicodeDecodeError:
        raise SourceError(f"{file}: the file is not in the encoding the plan names. Set `encoding`.") from None
    except (OSError, EOFError):
        raise SourceError(f"{file}: the file cannot be read, or is not what its name says.") from None


def _until_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
