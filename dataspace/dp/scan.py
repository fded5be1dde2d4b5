"""From the person-local rows of a query to arrays: which cell each row is in, and its values.

Text keys are turned into numbers inside DuckDB, which does it once for each distinct value of a column chunk; all other
types cross over as they are stored. NULL, NaN and infinities are missing before anything is clamped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.schema import ColumnType, Scalar
from dataspace.domain.queries import GroupKey, Query
from dataspace.dp.kernel import MISSING, Ints, add_digit

Arrow = Any
"""A pyarrow column or array, whose published types do not cover what is done with them here."""

_TEXTS = (ColumnType.CODE, ColumnType.TEXT)

DENSE = 1_000_000
"""Longest table from value to digit; sparser domains are looked up by binary search."""

ENUM_FROM = 64
"""From this many values on, text is looked up by hash instead of along a list."""


@dataclass(frozen=True)
class KeyReader:
    """How one public key becomes a digit: its SQL, and from the column the scan gives to positions in its domain."""

    sql: str
    radix: int
    digits: Callable[[Arrow, Ints], None]


def rows_sql(query: Query, readers: Sequence[KeyReader | None]) -> str:
    """Query.rows with the keys replaced by their readers' expressions and missing values as NaN."""
    keys = [f"k{position}" if reader is None else reader.sql for position, reader in enumerate(readers)]
    chosen = ["person_key", *(f"{sql} AS k{i}" for i, sql in enumerate(keys))]
    chosen += [f"COALESCE(v{n}, CAST('NaN' AS DOUBLE)) AS v{n}" for n in query.values]
    return f"SELECT {', '.join(chosen)} FROM ({query.rows}) AS person_local"


def numbers(table: pa.Table, name: str) -> NDArray[np.generic]:
    """A column without NULLs as one array."""
    return np.asarray(table.column(name).combine_chunks().to_numpy(zero_copy_only=False))


def reader_of(position: int, key: GroupKey) -> KeyReader:
    """The reader of a key with a public domain."""
    domain = key.domain or ()
    if key.type in _TEXTS:
        return _text_reader(f"k{position}", [None if v is None else str(v) for v in domain])
    if key.type is ColumnType.DECIMAL:
        return _decimal_reader(f"k{position}", domain)
    return _integer_reader(f"k{position}", [None if v is None else as_integer(v) for v in domain])


def as_integer(value: Scalar) -> int:
    """What Arrow stores for a boolean, an integer, a date (days) or a timestamp (microseconds) since 1970."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=None) - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001  the store has no zones
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    return int(value)


def integers(column: Arrow) -> Ints:
    """A column of an integer-like type as int64, MISSING where NULL or out of range."""
    array: Arrow = column.combine_chunks()
    if pa.types.is_date32(array.type):
        array = array.view(pa.int32())
    elif pa.types.is_timestamp(array.type):
        micro: Arrow = pc.cast(array, pa.timestamp("us"))
        array = micro.view(pa.int64())
    elif pa.types.is_decimal(array.type) or pa.types.is_floating(array.type):
        array = _whole(array)
    array = pc.cast(array, pa.int64(), safe=False)
    if array.null_count:
        array = pc.fill_null(array, MISSING)
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.int64)


def _whole(array: Arrow) -> Arrow:
    """Numbers that are whole and fit 64 bits; others are missing."""
    floats: Arrow = pc.cast(array, pa.float64(), safe=False)
    fits = pc.and_(pc.equal(pc.round(floats), floats), pc.less(pc.abs(floats), pa.scalar(2.0**62)))
    return pc.if_else(fits, floats, None)


def _text_reader(column: str, domain: list[str | None]) -> KeyReader:
    named = list(dict.fromkeys(value for value in domain if value is not None))
    place = f"list_position([{', '.join(map(quoted, named))}]::VARCHAR[], {column})"
    if len(named) >= ENUM_FROM:
        place = f"CAST(enum_code(TRY_CAST({column} AS ENUM({', '.join(map(quoted, named))}))) AS INTEGER) + 1"
    null = f"CASE WHEN {column} IS NULL THEN 0 ELSE {place} END" if None in domain else place
    places = {value: place for place, value in enumerate(named, start=1)}
    table = np.full(len(named) + 1, -1, np.int64)
    for digit, value in enumerate(domain):
        table[0 if value is None else places[value]] = digit
    return KeyReader(null, len(domain), _by_table(0, table, len(domain), null=None))


def _integer_reader(column: str, domain: list[int | None]) -> KeyReader:
    null = domain.index(None) if None in domain else None
    known = {value: digit for digit, value in enumerate(domain) if value is not None}
    first, last = min(known, default=0), max(known, default=0)
    if last - first < DENSE:
        table = np.full(last - first + 1, -1, np.int64)
        for value, digit in known.items():
            table[value - first] = digit
        return KeyReader(column, len(domain), _by_table(first, table, len(domain), null))
    ordered = np.array(sorted(known), np.int64)
    places = np.array([known[int(v)] for v in ordered], np.int64)
    return KeyReader(column, len(domain), _by_search(integers, ordered, places, len(domain), null))


def _decimal_reader(column: str, domain: tuple[Scalar | None, ...]) -> KeyReader:
    null = domain.index(None) if None in domain else None
    known = {float(Decimal(str(value))): digit for digit, value in enumerate(domain) if value is not None}
    ordered = np.array(sorted(known), np.float64)
    places = np.array([known[float(v)] for v in ordered], np.int64)
    return KeyReader(f"CAST({column} AS DOUBLE)", len(domain), _by_search(_floats, ordered, places, len(domain), null))


def _floats(column: Arrow) -> NDArray[np.float64]:
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype=np.float64)


def _by_table(first: int, table: Ints, radix: int, null: int | None) -> Callable[[Arrow, Ints], None]:
    def read(column: Arrow, codes: Ints) -> None:
        values = integers(column)
        if null is None:
            add_digit(codes, values, first, table, radix)
            return
        places = np.where(values == MISSING, table.size, values - first)
        places = np.where((values != MISSING) & ((values < first) | (places >= table.size)), -1, places)
        add_digit(codes, places, 0, np.append(table, null), radix)

    return read


def _by_search(
    convert: Callable[[Arrow], NDArray[np.generic]],
    ordered: NDArray[np.generic],
    places: Ints,
    radix: int,
    null: int | None,
) -> Callable[[Arrow, Ints], None]:
    def read(column: Arrow, codes: Ints) -> None:
        values = convert(column)
        missing = np.asarray(column.is_null().to_numpy(), dtype=bool)
        digits = np.full(values.size, -1, np.int64)
        if ordered.size:
            found = np.searchsorted(ordered, values).clip(max=ordered.size - 1)
            digits = np.where((ordered[found] == values) & ~missing, places[found], -1)
        if null is not None:
            digits[missing] = null
        add_digit(codes, digits, 0, np.arange(radix, dtype=np.int64), radix)

    return read


def quoted(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
