"""The error tree of the ingestion and of the store.

    PipelineError
    ├── PlanError               the ingestion plan cannot be used
    ├── SourceError             the delivery cannot be read, or lacks what the plan names
    ├── DeliveryRefused         the delivery was read and may not enter the store
    │   ├── TooManyBadRows      more rows failed their checks than the plan's threshold allows
    │   ├── IdentifierLeft      a column would carry a direct identifier into the store
    │   ├── NotPersonLevel      a column declared person-level has two values for a person
    │   ├── PseudonymCollision  two identifiers have one person key
    │   ├── ErasedPersons       persons of the delivery have been erased from what is stored
    │   ├── CannotAdd           the current snapshot is of another shape or key than the delivery
    │   ├── AlreadyLoaded       the delivery is in the current snapshot already
    │   └── QualityFailed       an expectation that must hold does not
    ├── KeystoreError           a pseudonymisation key cannot be made, read or unwrapped
    └── StoreError              the store cannot be written or read
        ├── SnapshotNotFound    no snapshot of this name
        ├── NotInSnapshot       the snapshot has no such table or column
        ├── StoreBusy           another ingestion of the same dataset is running
        └── StoreDamaged        a file of the store is not what its record says

Messages name files, tables, columns, row counts and the mend. They never hold a value read from the delivery: engine
errors quote the value that failed, so their text is not passed on.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


class PipelineError(Exception):
    """Base of everything this package raises on purpose."""


class PlanError(PipelineError):
    """What is wrong with a plan, where (`line` counts from 1, None if it cannot be told), and how to mend it."""

    def __init__(self, file: str, message: str, *, line: int | None = None, where: str = "", mend: str = "") -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__(": ".join(part for part in (place, where, message) if part) + (f" {mend}" if mend else ""))
        self.file, self.line, self.where, self.message, self.mend = file, line, where, message, mend


class SourceError(PipelineError):
    pass


class DeliveryRefused(PipelineError):
    """`report` is the folder with the quarantine report, where one was written."""

    def __init__(self, message: str, *, report: Path | None = None) -> None:
        super().__init__(message if report is None else f"{message} The rows and reasons are listed in {report}.")
        self.report = report


class TooManyBadRows(DeliveryRefused):
    pass


class IdentifierLeft(DeliveryRefused):
    pass


class NotPersonLevel(DeliveryRefused):
    pass


class PseudonymCollision(DeliveryRefused):
    pass


class ErasedPersons(DeliveryRefused):
    pass


class CannotAdd(DeliveryRefused):
    pass


class AlreadyLoaded(DeliveryRefused):
    pass


class QualityFailed(DeliveryRefused):
    pass


class KeystoreError(PipelineError):
    pass


class StoreError(PipelineError):
    pass


class SnapshotNotFound(StoreError):
    pass


class NotInSnapshot(StoreError):
    pass


class StoreBusy(StoreError):
    pass


class StoreDamaged(StoreError):
    pass


@contextmanager
def without_engine_text(what: str, error: type[PipelineError] = StoreError) -> Iterator[None]:
    """Turn a DuckDB error into `error` that says what was being done and the kind of failure, and nothing more."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise error(f"{what}: the memory limit was reached. Raise the limit, or free space for spilling.") from None
    except duckdb.Error as failure:
        raise error(f"{what}: {_reason(failure)}.") from None
    except RuntimeError as failure:
        # what the engine makes of Ctrl-C while it computes
        if str(failure) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


def _reason(failure: duckdb.Error) -> str:
    """The kind of an engine error and, for a text file, the row: a number only, since the rest may quote the data."""
    record = re.search(r"CSV Error on Line: (\d+)", str(failure))
    if record:
        # the engine counts records and the header as the first; rows are numbered as in the quarantine
        return f"row {int(record[1]) - 1} is not as the header and the plan's options say (cells, quotes or encoding)"
    return f"the engine stopped with {type(failure).__name__}"
