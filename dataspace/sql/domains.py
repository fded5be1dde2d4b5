"""Public domains of group keys: every value that a GROUP BY expression can take, from dictionary and query alone.

Where all columns of an expression have a short public list of values, the expression is evaluated by DuckDB itself over
that list (never over data), narrowed by the conditions of WHERE that speak of these columns only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import cast

import duckdb

from catalog.schema import ColumnType, Scalar
from dataspace.sql import build
from dataspace.sql.print_expressions import MOMENTS, ExpressionPrinter
from dataspace.sql.print_selects import Printer
from dataspace.sql.tree import Expr

MAX_COMBINATIONS = 100_000
MAX_DERIVED = 1_000
MAX_LISTED = 10_000

_SQL_TYPES = {
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DATE: "DATE",
    ColumnType.CODE: "VARCHAR",
    ColumnType.TEXT: "VARCHAR",
}
_STRICT = ("eq", "ne", "lt", "le", "in", "like", "ilike")

Domain = tuple[Scalar | None, ...]


def public_domain(key: Expr, where: Sequence[Expr]) -> Domain | None:
    """Values of a key in the order to report, None last where the key can be NULL; None if they are not known."""
    reached = _evaluated(key, where)
    if key.facts.domain is not None:
        listed: Domain = tuple(dict.fromkeys(v for v in key.facts.domain if v is not None))
        nulls: Domain = (None,) if key.facts.nullable and not _never_null(key, where) else ()
        if reached is None or not reached:
            listed = _stated(key, where) or listed
            return (*listed, *nulls) if len(listed) <= MAX_LISTED else None
        return tuple(v for v in (*listed, None) if v in reached) or _stated(key, where) or listed
    if reached is not None:
        present = sorted((v for v in reached if v is not None), key=_sorting)
        limit = MAX_LISTED if _stated(key, where) else MAX_DERIVED
        return (*present, *((None,) if None in reached else ())) if 0 < len(present) <= limit else None
    return None


def _sorting(value: Scalar) -> tuple[str, Scalar]:
    return type(value).__name__, value


def _stated(key: Expr, where: Sequence[Expr]) -> tuple[Scalar, ...] | None:
    """The constants that a conjunct of WHERE leaves for an expression: `key IN ('a', 'b')` or `key = 'a'`."""
    for condition in where:
        if condition.op in ("in", "eq") and key in condition.args:
            options = [a for a in condition.args if a is not key and a != key]
            if options and all(o.is_literal and not isinstance(o.value, Decimal) for o in options):
                return tuple(cast(Scalar, o.value) for o in options)
    return None


def _never_null(expr: Expr, where: Sequence[Expr]) -> bool:
    """True if WHERE drops rows where the expression is NULL."""
    present = build.negate(build.is_null(expr))
    return any(c == present or (c.op in _STRICT and expr in c.args) for c in where)


@dataclass(frozen=True)
class _Leaf:
    """A column with the values it can take: how many, and the SELECT that lists them."""

    column: Expr
    count: int
    listing: str
    values: tuple[Scalar, ...] = ()
    nullable: bool = False

    def sql(self, name: str) -> str:
        nulls = " UNION ALL SELECT NULL" if self.nullable else ""
        return f"(SELECT {self.listing} AS {name}{nulls})"


def _evaluated(key: Expr, where: Sequence[Expr]) -> set[Scalar | None] | None:
    """Values of the expression over all combinations of its columns' values; None if these are not known."""
    columns = _columns([key])
    if columns is None or not columns:
        return None
    leaves = [leaf for c in columns if (leaf := _leaf(c, where)) is not None]
    combinations = 1
    for leaf in leaves:
        combinations *= leaf.count + leaf.nullable
    if len(leaves) < len(columns) or not 0 < combinations <= MAX_COMBINATIONS:
        return None
    known = set(columns)
    fitting = [c for c in where if (used := _columns([c])) is not None and used and set(used) <= known]
    return _run(key, leaves, fitting)


def _columns(exprs: Iterable[Expr]) -> list[Expr] | None:
    """Columns of expressions; None if anything in them is more than a function of columns."""
    nodes = [n for e in exprs for n in e.walk()]
    if any(n.op in ("exists", "person_in", "value_in", "unmatched", "aggregate", "window") for n in nodes):
        return None
    return list(dict.fromkeys(n for n in nodes if n.op == "column"))


def _leaf(column: Expr, where: Sequence[Expr]) -> _Leaf | None:
    kind = _SQL_TYPES.get(column.type) if column.type is not None else None
    if kind is None:
        return None
    listed = _stated(column, where) or column.facts.domain
    if listed is None and column.type is ColumnType.BOOLEAN:
        listed = (False, True)
    nullable = column.facts.nullable and not _never_null(column, where)
    if listed is not None:
        return _Leaf(column, len(listed), f"unnest(CAST(? AS {kind}[]))", tuple(listed), nullable)
    found = _range(column)
    return None if found is None else _Leaf(column, *found, nullable=nullable)


def _range(column: Expr) -> tuple[int, str] | None:
    """Number and listing of all values between the bounds of a whole number or a date."""
    low, high = column.facts.low, column.facts.high
    if column.type is ColumnType.INTEGER and isinstance(low, Fraction) and isinstance(high, Fraction):
        first, last = ceil(low), floor(high)
        return max(0, last - first + 1), f"unnest(range({first}, {last + 1}))"
    if column.type is ColumnType.DATE and isinstance(low, date) and isinstance(high, date):
        days = (high - low).days + 1
        return days, f"DATE '{low.isoformat()}' + CAST(unnest(range({days})) AS INTEGER)"
    return None


class _Names:
    """Stands in for a selection: the columns are those of the lists."""

    def __init__(self, leaves: list[_Leaf]) -> None:
        self.names = {leaf.column.value: f"l{i}" for i, leaf in enumerate(leaves)}

    def column(self, source: int, name: str) -> str:
        return self.names[(source, name)]


def _run(key: Expr, leaves: list[_Leaf], where: list[Expr]) -> set[Scalar | None]:
    names = _Names(leaves)
    printer = ExpressionPrinter(cast(Printer, names))
    lists = ", ".join(leaf.sql(f"l{i}") for i, leaf in enumerate(leaves))
    conditions = " AND ".join(printer(c) for c in where) or "TRUE"
    sql = f"SELECT DISTINCT {printed_key(printer, key)} FROM {lists} WHERE {conditions}"
    cursor = _engine().cursor()
    try:
        rows = cursor.execute(sql, [list(leaf.values) for leaf in leaves if leaf.values]).fetchall()
    finally:
        cursor.close()
    return {cast("Scalar | None", row[0]) for row in rows}


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """An empty database that can reach nothing."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "256MB"})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def printed_key(printer: ExpressionPrinter, key: Expr) -> str:
    """A key as it leaves the person-local part: whole numbers as BIGINT, moments that Python can hold."""
    printed = printer(key)
    if key.type is ColumnType.INTEGER and not key.facts.native:
        return f"TRY_CAST({printed} AS BIGINT)"
    if key.type in MOMENTS:
        # DuckDB has days before year 1, after 9999 and at infinity: converting one would fail, and that would tell
        low, high = MOMENTS[key.type]
        return f"CASE WHEN {printed} BETWEEN {low} AND {high} THEN {printed} END"
    return printed
