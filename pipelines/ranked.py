"""Rows sorted by person on their way into a file: one row a person where there must be, ranks, person-level columns.

Works on batches that hold whole persons, so that nothing is carried from one batch to the next.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.schema import PERSON_KEY, Table, TableKind, index_columns
from pipelines import sqltext as sql
from pipelines.errors import NotPersonLevel
from pipelines.ranks import group_ranks

ORDER = "_order"
NEW = "_new"
"""Column that is true for rows of this delivery, false for rows that were stored before."""


def order_columns(table: Table, secret: str) -> list[str]:
    """SELECT items of the keyed hashes: of a row's content, and of each contribution index's group.

    The engine's own hash will do: it decides which rows count beyond a bound, protects nobody, and is used up here.
    """
    every = [sql.name(c.name) for c in table.columns]
    items = [f"{_hash(every, secret)} AS {ORDER}"]
    return items + [
        f"{_hash([sql.name(d) for d in dimensions], secret)} AS {ORDER}{position}"
        for position, dimensions in enumerate(table.dimensions, start=1)
    ]


def _hash(columns: list[str], secret: str) -> str:
    return f"hash({', '.join([*columns, PERSON_KEY, sql.text(secret)])})"


class Ranking:
    """Turns sorted rows into stored ones; `new_rows` counts those of this delivery that were kept."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._indexes = [_Index(table, n, d) for n, d in enumerate(table.dimensions, start=1)]
        self.new_rows = 0

    def of(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Stored columns but for the row rank; raises NotPersonLevel."""
        for batch in whole_persons(batches):
            kept = _one_row_a_person(batch) if self._table.kind is TableKind.PERSONS else batch
            self.new_rows += pc.sum(kept.column(NEW)).as_py() or 0
            starts = _starts(kept.column(PERSON_KEY).to_numpy())
            if self._table.kind is TableKind.EVENTS:
                _check_person_level(self._table, kept, starts)
            for index in self._indexes:
                kept = index.added(kept, starts)
            yield kept


def whole_persons(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, cut so that no person's are in two batches; only rows at the cuts are copied."""
    waiting: list[pa.RecordBatch] = []
    person: int | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        keys = batch.column(PERSON_KEY).to_numpy()
        first = int(np.searchsorted(keys, person, side="right")) if person is not None else 0
        waiting.append(batch.slice(0, first))
        if first == len(keys):
            continue
        yield from _joined(waiting)
        last = int(np.searchsorted(keys, keys[-1], side="left"))
        if last > first:
            yield batch.slice(first, last - first)
        waiting, person = [batch.slice(last)], keys[-1]
    yield from _joined(waiting)


def _joined(parts: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    filled = [p for p in parts if p.num_rows]
    if filled:
        yield pa.concat_batches(filled)


def _starts(keys: np.ndarray) -> np.ndarray:
    """Where each person's rows begin, and the number of rows last."""
    changes = np.flatnonzero(keys[1:] != keys[:-1]) + 1 if len(keys) else np.empty(0, dtype=np.int64)
    return np.concatenate(([0], changes, [len(keys)])) if len(keys) else np.zeros(1, dtype=np.int64)


def _one_row_a_person(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A delivered row takes the place of the stored one; of several delivered for one person, none is kept."""
    new = batch.column(NEW).to_numpy(zero_copy_only=False)
    starts = _starts(batch.column(PERSON_KEY).to_numpy())
    delivered = np.repeat(np.add.reduceat(new.astype(np.int64), starts[:-1]), np.diff(starts))
    return batch.filter(pa.array(np.where(new, delivered == 1, delivered != 1)))


def _check_person_level(table: Table, batch: pa.RecordBatch, starts: np.ndarray) -> None:
    within = np.ones(batch.num_rows, dtype=bool)
    within[starts[:-1]] = False
    for column in table.columns:
        if column.person_level and (_changes(batch.column(column.name)) & within[1:]).any():
            raise NotPersonLevel(
                f"Column {table.name}.{column.name} is declared person-level, and some persons have two values. "
                "Remove person_level from the plan, or mend the delivery."
            )


def _changes(values: pa.Array) -> np.ndarray:
    """True where a value differs from the one before; a missing value is a value of its own."""
    here, before = values[1:], values[:-1]
    differ = pc.fill_null(pc.not_equal(here, before), fill_value=False).to_numpy(zero_copy_only=False)
    missing = values.is_null().to_numpy(zero_copy_only=False)
    return np.asarray(differ | (missing[1:] != missing[:-1]))


class _Index:
    """One contribution index: what its columns hold for the rows of a batch."""

    def __init__(self, table: Table, position: int, dimensions: tuple[str, ...]) -> None:
        self._dimensions, self._names = dimensions, index_columns(position)
        self._order = f"{ORDER}{position}"
        listed = table.index_values(dimensions)
        self._numbered = listed is not None
        self._lists = [[code for code in values if code is not None] for values in listed or [()] * len(dimensions)]

    def added(self, batch: pa.RecordBatch, starts: np.ndarray) -> pa.RecordBatch:
        cells = self._cells(batch)
        group, row = group_ranks(starts, cells, batch.column(self._order).to_numpy())
        made = {self._names.group: group, self._names.row: row}
        if self._numbered:
            made[self._names.cell] = cells.astype(np.int32)
        for name, values in made.items():
            batch = batch.append_column(name, pa.array(values))
        return batch

    def _cells(self, batch: pa.RecordBatch) -> np.ndarray:
        """The group as a number, one digit a dimension: the position of its value in the closed list, missing last."""
        cells = np.zeros(batch.num_rows, dtype=np.int64)
        for name, listed in zip(self._dimensions, self._lists, strict=True):
            values = batch.column(name)
            if self._numbered:
                found, size = pc.index_in(values, value_set=pa.array(listed, values.type)), len(listed)
            else:
                encoded = values.dictionary_encode()
                found, size = encoded.indices, len(encoded.dictionary)
            cells = cells * (size + 1) + pc.fill_null(found, size).to_numpy()
        return cells
