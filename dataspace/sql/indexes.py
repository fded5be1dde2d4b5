"""Which contribution index of its table an unfiltered query can be read with."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from catalog.schema import IndexColumns, Scalar, Table, index_columns
from dataspace.sql.tree import Expr, Select, TableSource


@dataclass(frozen=True)
class Index:
    """The columns of an index, and its groups by number in the order of the keys; None if groups have no numbers."""

    columns: IndexColumns
    cells: tuple[tuple[Scalar | None, ...], ...] | None


def index_of(select: Select, keys: Sequence[Expr], values: Sequence[Expr]) -> Index | None:
    """The index whose dimensions are exactly the keys, in their order; None if there is none.

    The ranks were made over all rows of the table, so the query must keep all of them: one table, no join, no filter,
    and values that read nothing but their own row.
    """
    source = _only_table(select)
    if source is None or not all(_own_row(e) for e in values):
        return None
    names = [_column_of(e, source) for e in keys]
    wanted = frozenset(names)
    if not names or None in wanted:
        return None
    for position, dimensions in enumerate(source.table.dimensions, start=1):
        if frozenset[str | None](dimensions) == wanted:
            return Index(index_columns(position), _cells(source.table, dimensions, names))
    return None


def _cells(
    table: Table, dimensions: tuple[str, ...], names: Sequence[str | None]
) -> tuple[tuple[Scalar | None, ...], ...] | None:
    values = table.index_values(dimensions)
    if values is None:
        return None
    order = [dimensions.index(name) for name in names if name is not None]
    return tuple(tuple(cell[i] for i in order) for cell in product(*values))


def _only_table(select: Select) -> TableSource | None:
    filtered = select.left or select.where or select.having or select.qualify or select.grouped or select.correlated
    if filtered or len(select.inner) != 1:
        return None
    source = select.inner[0]
    return source if isinstance(source, TableSource) else None


def _column_of(expr: Expr, source: TableSource) -> str | None:
    """Stored name of a key that is a column and nothing else."""
    if expr.op != "column" or not isinstance(expr.value, tuple) or expr.value[0] != source.id:
        return None
    return str(expr.value[1])


def _own_row(expr: Expr) -> bool:
    return not any(node.op == "window" or isinstance(node.value, Select) for node in expr.walk())
