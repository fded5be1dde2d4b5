"""Which contribution index of its table an unfiltered query can be read with."""

from collections.abc import Sequence

from catalog.schema import index_columns
from dataspace.sql.tree import Expr, Select, TableSource


def index_of(select: Select, keys: Sequence[Expr], values: Sequence[Expr]) -> tuple[str, str] | None:
    """Stored columns (group rank, row rank) of the index whose dimensions are exactly the keys; None if there is none.

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
    dimensions: list[frozenset[str | None]] = [frozenset(columns) for columns in source.table.dimensions]
    return index_columns(dimensions.index(wanted) + 1) if wanted in dimensions else None


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
