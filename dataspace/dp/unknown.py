"""Group keys without a public domain: the groups found in one bucket, as codes local to that bucket.

Codes depend on which groups the bucket's persons are in, so nothing that decides what is kept may use them: the kernel
ranks groups by the hash of their content.
"""

from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from catalog.schema import ColumnType, Scalar
from dataspace.domain.queries import GroupKey
from dataspace.dp.kernel import Ints
from dataspace.dp.plan import Cell
from dataspace.dp.scan import Arrow, KeyReader


def local_cells(
    table: pa.Table, keys: tuple[GroupKey, ...], readers: list[KeyReader | None]
) -> tuple[Ints, tuple[Cell, ...]]:
    """Code of each row (-1 where a public key has a value outside its domain), and the cell of each code."""
    codes = np.zeros(table.num_rows, np.int64)
    cells: tuple[Cell, ...] = ((),)
    for position, (key, reader) in enumerate(zip(keys, readers, strict=True)):
        digits, values = _digits(table.column(f"k{position}"), key, reader)
        joint = np.where((codes >= 0) & (digits >= 0), codes * max(1, len(values)) + digits, -1)
        # only combinations that occur get a code, so the codes stay as few as the rows
        occurring, codes = np.unique(joint, return_inverse=True)
        if occurring.size and occurring[0] < 0:
            occurring, codes = occurring[1:], codes - 1
        cells = tuple((*cells[code // len(values)], values[code % len(values)]) for code in occurring.tolist())
    return codes.astype(np.int64), cells


def _digits(column: Arrow, key: GroupKey, reader: KeyReader | None) -> tuple[Ints, tuple[Scalar | None, ...]]:
    """Position of each row's value in a list of values: the public domain, or the values that occur."""
    if reader is not None:
        digits = np.zeros(len(column), np.int64)
        reader.digits(column, digits)
        return digits, key.domain or ()
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
