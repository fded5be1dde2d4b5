"""What the services need from outside, as protocols the core owns; `dataspace.bootstrap` supplies the real things."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Clock(Protocol):
    """The time, in UTC with zone."""

    def now(self) -> datetime: ...


class Rows(Protocol):
    """Snapshots opened for one query, cut to the columns the query may see, one person bucket at a time.

    All rows of a person, in all tables, are in the same bucket.
    """

    @property
    def buckets(self) -> int: ...

    def scan(self, sql: str, bucket: int, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Result of validated SQL over one bucket; `lookups` are public tables joined by name."""
        ...


class PrivateStore(Protocol):
    """The store's read side."""

    def open(self, snapshots: Mapping[str, str], columns: frozenset[tuple[str, str, str]]) -> Rows:
        """Open one snapshot for each dataset; `columns` are (dataset, table, column) triples, no other is readable."""
        ...
