"""What reading tables of a database has in common: types, row numbers, and errors that quote nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import adbc_driver_manager
import numpy as np
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.readers.source import BATCH_ROWS, ROW_NUMBER

ARROW = {
    "BIGINT": pa.int64(),
    "BLOB": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}
"""The types databases are read in, by DuckDB's names: what has another type is read as text, and cast later."""


def schema_of(types: Mapping[str, str], columns: Sequence[str], *, numbered: bool) -> pa.Schema:
    """Schema of batches of these columns."""
    number = [(ROW_NUMBER, pa.int64())] if numbered else []
    return pa.schema([*((c, ARROW[types[c]]) for c in columns), *number])


def conform(batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, numbered: bool) -> Iterator[pa.RecordBatch]:
    """The same rows in small batches of the schema, numbered through if wanted."""
    before = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            numbers = [pa.array(np.arange(before + 1, before + part.num_rows + 1))] if numbered else []
            yield pa.RecordBatch.from_arrays([*part.columns, *numbers], schema=schema)
            before += part.num_rows


@contextmanager
def database_told(what: str, mend: str = "") -> Iterator[None]:
    """Errors of a database driver become a SourceError with the SQLSTATE, if there is one, and no text of theirs."""
    try:
        yield
    except (adbc_driver_manager.Error, pa.ArrowException, OSError, UnicodeDecodeError) as failure:
        state = getattr(failure, "sqlstate", None)
        raise SourceError(f"{what}{f' (SQLSTATE {state})' if state else ''}.{f' {mend}' if mend else ''}") from None
