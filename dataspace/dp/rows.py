"""What the engine needs of opened snapshots; the store's reader is one, the tests have another."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import pyarrow as pa


class Rows(Protocol):
    """Snapshots opened for one query, cut to the columns the query may see, one person bucket at a time.

    All rows of a person, in all tables, are in the same bucket.
    """

    @property
    def buckets(self) -> int: ...

    def scan(self, sql: str, bucket: int | None, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Result of validated SQL over one bucket, or over all of them at once (None), where the result is small.

        `lookups` are public tables joined by name. Called from threads.
        """
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
