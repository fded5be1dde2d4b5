"""Errors of the engines in words: which file, which row, what to do. Never their own text, which quotes the data."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError, without_engine_text
from pipelines.readers.limits import Limits

ENGINE_ERRORS = (duckdb.Error, pa.ArrowException, OSError)
"""What reading from DuckDB raises: its own errors, and Arrow's in the middle of a stream."""

RECORD = re.compile(r"CSV Error on Line: (\d+)")

RAGGED = "has not a cell for each column. Add those that lack, or put cells that hold the delimiter in quotes"
OPEN_QUOTE = "has a quote left open, or text after a closed one. Double the quotes inside of cells"

KINDS = (
    ("Maximum line size", "is longer than {row_bytes:,} bytes. Close its quotes, or shorten the cell"),
    ("unterminated quote", OPEN_QUOTE),
    ("Invalid unicode", "is not in the encoding the plan names. Set `encoding`, or write the file in one encoding"),
    ("Expected Number of Columns", RAGGED),
)
"""What the engine says, and what we say for it."""

OTHER = "is not as the plan's options say (cells, quotes, encoding)"


class BadRow(SourceError):
    """A row of a CSV text that cannot be read; `row` counts from 1 in its text, None if the engine cannot tell."""

    def __init__(self, part: str, row: int | None, told: str) -> None:
        place = f"{part}, row {row:,}," if row is not None else f"{part}: a row"
        super().__init__(f"{place} {told}.")
        self.part, self.row, self.told = part, row, told

    def after(self, rows: int) -> "BadRow":
        """The same, counted on after rows that came before the text."""
        return BadRow(self.part, None if self.row is None else self.row + rows, self.told)


def bad_row(failure: Exception, part: str, headers: int, limits: Limits) -> BadRow | None:
    """The row a failure of DuckDB's CSV reader is about, None if it is about something else."""
    text = str(failure)
    # the row's own text comes later, so the first match is the engine's
    record = RECORD.search(text)
    if record is not None:
        told = next((told for sign, told in KINDS if sign in text), OTHER)
        return BadRow(part, max(1, int(record[1]) - headers), told.format(row_bytes=limits.row_bytes))
    if "currently does not support a full read" in text:
        return BadRow(part, None, too_long(limits))
    if "state machine reached an invalid state" in text:
        return BadRow(part, None, "ends in another way than the rows before it. Use one kind of line end in a file")
    return None


def too_long(limits: Limits) -> str:
    """What is wrong with a row that is longer than allowed."""
    return KINDS[0][1].format(row_bytes=limits.row_bytes)


@contextmanager
def engine_told(what: str) -> Iterator[None]:
    """Errors of DuckDB while it works or streams become a SourceError that says what was being done."""
    try:
        with without_engine_text(what, SourceError):
            yield
    except (pa.ArrowException, OSError) as failure:
        if "Out of Memory" in str(failure):
            raise SourceError(f"{what}: the memory limit was reached. Raise the node's limit.") from None
        raise SourceError(f"{what}: the engine stopped in the middle of the rows.") from None
