"""Group keys without a public domain: the groups found in one bucket, as codes local to that bucket.

Codes depend on which groups the bucket's persons are in, so nothing that decides what is kept may use them: the kernel
ranks groups by the hash of their content.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import product
from math import prod

import numpy as np
import pyarrow as pa

from catalog.schema import ColumnType, Scalar
from dataspace.domain.queries import GroupKey, Query
from dataspace.dp.kernel import Ints
from dataspace.dp.plan import Cell
from dataspace.dp.rows import Rows
from dataspace.dp.scan import Arrow, KeyReader, reader_of

MOST_NAMES = 5_000
"""Text values that are turned into numbers inside DuckDB, by name; more are encoded from Arrow."""

MOST_CELLS = 50_000
"""Up to this many combinations of values all get a code; of more, only those that occur."""


def found_keys(rows: Rows, query: Query, bucket: int) -> tuple[GroupKey, ...]:
    """The keys with the text values that occur in this bucket as their domain, where they are few enough."""
    return tuple(_found(rows, query, bucket, position) for position in range(len(query.keys)))


def _found(rows: Rows, query: Query, bucket: int, position: int) -> GroupKey:
    key = query.keys[position]
    if key.domain is not None or key.type not in (ColumnType.CODE, ColumnType.TEXT):
        return key
    few = f"SELECT DISTINCT k{position} AS k FROM ({query.rows}) AS person_local LIMIT {MOST_NAMES + 1}"
    values = rows.scan(few, bucket).column("k").to_pylist()
    return key if len(values) > MOST_NAMES else replace(key, domain=tuple(values))


def local_readers(keys: tuple[GroupKey, ...]) -> list[KeyReader | None]:
    """A reader for each key that has a domain, if only in this bucket."""
    return [None if key.domain is None else reader_of(position, key) for position, key in enumerate(keys)]


def local_cells(
    table: pa.Table, keys: tuple[GroupKey, ...], readers: list[KeyReader | None]
) -> tuple[Ints, tuple[Cell, ...]]:
    """Code of each row (-1 where a public key has a value outside its domain), and the cell of each code."""
    codes = np.zeros(table.num_rows, np.int64)
    domains: list[tuple[Scalar | None, ...]] = []
    for position, (key, reader) in enumerate(zip(keys, readers, strict=True)):
        column = table.column(f"k{position}")
        if reader is not None:
            reader.digits(column, codes)
            domains.append(key.domain or ())
        else:
            digits, values = _encoded(column, key)
            codes = np.where(codes >= 0, codes * max(1, len(values)) + digits, -1)
            domains.append(values)
    if prod(map(len, domains)) <= MOST_CELLS:
        return codes, tuple(product(*domains))
    occurring, places = np.unique(codes, return_inverse=True)
    if occurring.size and occurring[0] < 0:
        occurring, places = occurring[1:], places - 1
    return places.astype(np.int64), tuple(_cell(int(code), domains) for code in occurring)


def _cell(code: int, domains: list[tuple[Scalar | None, ...]]) -> Cell:
    """The values that a joint code stands for; the last key is the last digit."""
    values = []
    for domain in reversed(domains):
        code, digit = divmod(code, len(domain))
        values.append(domain[digit])
    return tuple(reversed(values))


def _encoded(column: Arrow, key: GroupKey) -> tuple[Ints, tuple[Scalar | None, ...]]:
    """Position of each row's value among the values that occur."""
    encoded: Arrow = column.combine_chunks().dictionary_encode(null_encoding="encode")
    values = tuple(_scalar(value, key.type) for value in encoded.dictionary.to_pylist())
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), values


def _scalar(value: object, kind: ColumnType) -> Scalar | None:
    if value is None:
        return None
    if kind is ColumnType.DECIMAL:
        return Decimal(str(value))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value  # type: ignore[return-value]
