"""What reading tables of a database has in common: types, and errors that quote nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import adbc_driver_manager
import pyarrow as pa

from pipelines.errors import SourceError

ARROW = {
    "BIGINT": pa.int64(),
    "BLOB": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}
"""The types databases are read in, by DuckDB's names: what has another type is read as text, and cast later."""


def schema_of(types: Mapping[str, str], columns: Sequence[str]) -> pa.Schema:
    """Schema of batches of these columns."""
    return pa.schema([(c, ARROW[types[c]]) for c in columns])


@contextmanager
def database_told(what: str, mend: str = "") -> Iterator[None]:
    """Errors of a database driver become a SourceError with the SQLSTATE, if there is one, and no text of theirs."""
    try:
        yield
    except (adbc_driver_manager.Error, pa.ArrowException, OSError, UnicodeDecodeError) as failure:
        state = getattr(failure, "sqlstate", None)
        raise SourceError(f"{what}{f' (SQLSTATE {state})' if state else ''}.{f' {mend}' if mend else ''}") from None
