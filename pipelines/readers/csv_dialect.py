"""The form of a CSV file as the plan gives it, and its header. Nothing is guessed from rows.

A wrong guess would skip lines silently, or take a row for the header and show it in an error. The header is the first
record, unless the plan names the columns; the delimiter is the plan's, else the first line's.
"""

import csv
import io
from codecs import getincrementaldecoder, lookup
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines import sqltext as sql
from pipelines.errors import SourceError
from pipelines.readers.engine_tables import UNNAMED
from pipelines.readers.limits import Limits
from pipelines.readers.magic import BEGINNING, check_kind
from pipelines.readers.parts import Part

OPTIONS = ("delimiter", "quote", "escape", "encoding", "null", "columns")

DELIMITERS = (";", "\t", "|", ",")
"""Looked for in the first line if the plan names none."""

LONGEST_HEADER = 1 << 20
"""Bytes read in search of the header's end."""

UTF_8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class Dialect:
    """Options of the plan: an empty `delimiter` is looked up, `columns` are given where files have no header.

    `null` is the text that stands for a missing value, `encoding` any text encoding Python knows.
    """

    delimiter: str = ""
    quote: str = '"'
    escape: str = '"'
    encoding: str = "utf-8"
    null: str = ""
    columns: tuple[str, ...] = ()

    @property
    def is_utf_8(self) -> bool:
        return self.encoding in UTF_8


@dataclass(frozen=True)
class Header:
    """`end` is how lines end; `lines` the number of records that are header: 1, or 0 if the plan names the columns."""

    delimiter: str
    names: tuple[str, ...]
    lines: int
    end: str


def read_options(options: Mapping[str, Any]) -> Dialect:
    """The dialect a plan's options describe; raises SourceError."""
    unknown = [key for key in options if key not in OPTIONS]
    if unknown:
        raise SourceError(f"CSV option {unknown[0]!r} is not known. Known: {', '.join(OPTIONS)}.")
    given = {key: str(value) for key, value in options.items() if key != "columns"}
    for key in ("delimiter", "quote", "escape"):
        if len(given.get(key, "").encode()) > 1:
            raise SourceError(f"CSV option {key!r} must be one ASCII character.")
    names = options.get("columns", ())
    if isinstance(names, str) or not all(isinstance(n, str) for n in names):
        raise SourceError('CSV option \'columns\' must be a list of names, as in columns = ["person", "day"].')
    return Dialect(**given | {"encoding": _encoding(given.get("encoding", "utf-8"))}, columns=tuple(names))


def read_header(part: Part, dialect: Dialect, limits: Limits) -> Header:
    """Delimiter and column names of a file; raises SourceError if they cannot name columns."""
    with part.open() as opened:
        beginning = opened.read(LONGEST_HEADER)
    check_kind(part.name, beginning[:BEGINNING], None, "CSV")
    text = _decoded(part.name, beginning, dialect.encoding)
    first = next(iter(io.StringIO(text, newline="")), "")
    if "\0" in first:
        raise SourceError(f"{part.name}: there is a NUL byte in the header. If it is UTF-16, set `encoding`.")
    delimiter = dialect.delimiter or max(DELIMITERS, key=first.count)
    end = next((e for e in ("\r\n", "\n", "\r") if first.endswith(e)), "\n")
    if dialect.columns:
        return Header(delimiter, _checked(part.name, list(dialect.columns), limits), 0, end)
    if not text.strip():
        raise SourceError(f"{part.name}: the file is empty. Its first line must name the columns.")
    return Header(delimiter, _checked(part.name, _names(part.name, text, delimiter, dialect), limits), 1, end)


def scan(path: str, header: Header, dialect: Dialect, limits: Limits, *, parallel: bool, headed: bool) -> str:
    """SQL that reads UTF-8 text at a path (or a list literal of paths), with every choice spelt out.

    DuckDB 2.0 in parallel may refuse a file with cells of several lines; in one thread it drops what follows a quote
    that is never closed, without a word. It takes the first end of line for the kind in use, and must: told that it is
    CR LF, it joins rows. Callers see to all three.
    """
    columns = ", ".join(f"{sql.text(name)}: 'VARCHAR'" for name in header.names)
    return (
        f"read_csv({path}, auto_detect = false, compression = 'none', columns = {{{columns}}},"
        f" header = {str(headed).lower()}, parallel = {str(parallel).lower()},"
        f" delim = {sql.text(header.delimiter)}, quote = {sql.text(dialect.quote)},"
        f" escape = {sql.text(dialect.escape)}, nullstr = {sql.text(dialect.null)},"
        f" max_line_size = {limits.row_bytes}, strict_mode = true, null_padding = false,"
        f" {UNNAMED})"
    )


def _encoding(name: str) -> str:
    try:
        b"a".decode(name, "replace")
        return lookup(name).name
    except (LookupError, ValueError):
        raise SourceError(f"CSV encoding {name!r} is not known. Known are Python's, such as utf-8 or cp1252.") from None


def _decoded(part: str, beginning: bytes, encoding: str) -> str:
    try:
        text = getincrementaldecoder(encoding)().decode(beginning).removeprefix("\ufeff")
    except UnicodeError:
        raise SourceError(f"{part}: the file is not in the encoding {encoding}. Set `encoding` in the plan.") from None
    return text


def _names(part: str, text: str, delimiter: str, dialect: Dialect) -> list[str]:
    quote = dialect.quote or None
    try:
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=delimiter,
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        )
        return [name.strip().replace("\r\n", "\n") for name in next(reader)]
    except csv.Error:
        raise SourceError(f"{part}: the header cannot be read. Look for a quote that is not closed.") from None


def _checked(part: str, names: list[str], limits: Limits) -> tuple[str, ...]:
    if len(names) > limits.columns:
        raise SourceError(f"{part}: the header names more than {limits.columns:,} columns. Deliver a narrower table.")
    if not all(names):
        raise SourceError(f"{part}: column {names.index('') + 1} of the header has no name.")
    lowered = [name.lower() for name in names]
    twice = next((i for i, n in enumerate(lowered) if n in lowered[:i]), None)
    if twice is not None:
        raise SourceError(
            f"{part}: columns {lowered.index(lowered[twice]) + 1} and {twice + 1} of the header have the same name."
        )
    return tuple(names)
