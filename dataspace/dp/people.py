"""One row of each person, as whole numbers: the only part of an analysis that meets data.

That a query has one row of each person is promised by its form; here it is made sure of, whatever the data. Of several
rows of a person the smallest counts, so the choice depends on that person's rows alone.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataspace.domain.queries import Query
from dataspace.dp.analyses.catalogue import method_of
from dataspace.dp.analyses.logistic import LogisticRegression
from dataspace.dp.analyses.method import Floats, Ints, Method
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.rows import Rows
from dataspace.dp.scan import numbers, reader_of, rows_sql
from dataspace.dp.totals import ExactTable

AT_ONCE = 2
"""Buckets in memory at the same time."""

MOST_ROWS = 2**31
"""Rows of a bucket; each adds at most 2^30 to a number, so no sum of 64 bits overflows."""

Groups = Iterator[tuple[int, Ints]]
"""Cell by cell: its position and the rows of its persons."""


def aggregate_people(rows: Rows, plan: MeasurementPlan) -> ExactTable:
    """Exact totals of an analysis; of a regression in rounds the rows themselves, which never leave the process."""
    analysis, cells = plan.query.analysis, plan.cells
    # plan_query refuses anything else
    assert analysis is not None  # noqa: S101
    assert cells is not None  # noqa: S101
    method = method_of(analysis)
    read = _reader(rows, plan.query, method)
    if isinstance(method, LogisticRegression):
        return _kept(rows.buckets, read, cells, method)
    return _added(rows.buckets, read, cells, method)


def _added(buckets: int, read: Callable[[int], Groups], cells: tuple[Cell, ...], method: Method) -> ExactTable:
    """Sums over the buckets in Python's whole numbers; inside a bucket 64 bits are enough."""
    totals = [np.zeros((len(cells), part.width), object) for part in method.parts]

    def add_up(bucket: int) -> list[tuple[int, list[Ints]]]:
        return [(cell, method.sums(people)) for cell, people in read(bucket)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for cell, sums in chain.from_iterable(pool.map(add_up, range(buckets))):
            for total, part in zip(totals, sums, strict=True):
                total[cell] += part.astype(object)
    return ExactTable(cells, tuple(tuple(total.ravel().tolist()) for total in totals))


def _kept(
    buckets: int, read: Callable[[int], Groups], cells: tuple[Cell, ...], method: LogisticRegression
) -> ExactTable:
    """Rows of each cell, two bytes a number."""
    kept = [[np.zeros((0, method.size + 1), np.int16)] for _ in cells]

    def shorten(bucket: int) -> list[tuple[int, NDArray[np.int16]]]:
        return [(cell, people.astype(np.int16)) for cell, people in read(bucket)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for cell, people in chain.from_iterable(pool.map(shorten, range(buckets))):
            kept[cell].append(people)
    return ExactTable(cells, (), tuple(np.concatenate(parts) for parts in kept))


def _reader(rows: Rows, query: Query, method: Method | LogisticRegression) -> Callable[[int], Groups]:
    readers = [reader_of(position, key) for position, key in enumerate(query.keys)]
    sql, variables = rows_sql(query, readers), query.analysis.variables if query.analysis else ()

    def read(bucket: int) -> Groups:
        table = rows.scan(sql, bucket)
        if table.num_rows >= MOST_ROWS:
            raise OverflowError("a bucket has more rows than the overflow proof allows")
        codes = np.zeros(table.num_rows, np.int64)
        for position, reader in enumerate(readers):
            reader.digits(table.column(f"k{position}"), codes)
        whole, keep = method.whole(_values(table, [variable.value for variable in variables]))
        keep = keep & (codes >= 0)
        persons = np.asarray(numbers(table, "person_key"), dtype=np.int64)
        yield from by_cell(*one_each(persons[keep], codes[keep], whole[keep]))

    return read


def _values(table: pa.Table, positions: list[int]) -> Floats:
    columns = [np.asarray(numbers(table, f"v{position}"), dtype=np.float64) for position in positions]
    return np.column_stack(columns)


def one_each(persons: Ints, codes: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Codes and rows of one row of each person: the smallest by code, then by content."""
    if persons.size < 2 or bool((np.diff(persons) > 0).all()):
        return codes, rows
    order = np.lexsort((*rows.T[::-1], codes, persons))
    persons = persons[order]
    first = np.append(True, persons[1:] != persons[:-1])
    return codes[order][first], rows[order][first]


def by_cell(codes: Ints, rows: Ints) -> Groups:
    """The rows of each cell that has any."""
    order = np.argsort(codes, kind="stable")
    cells, starts = np.unique(codes[order], return_index=True)
    # what is before the first start is empty, and all there is of a bucket without rows
    for cell, part in zip(cells.tolist(), np.split(order, starts)[1:], strict=True):
        yield cell, rows[part]
