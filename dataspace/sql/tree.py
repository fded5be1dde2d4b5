"""The compiled form of a query between parsing and printing: typed expressions, sources and selections.

Names of the researcher are gone here: a column is (number of its source, stored name). What differs only in spelling is
equal or prints equally (`dataspace.sql.render`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from catalog.schema import ColumnType, Scalar, Table, TableKind
from dataspace.domain.errors import InvalidQuery

MAX_SIZE = 5_000
"""Nodes of one expression at most, each use of an operand counted."""

Limit = Fraction | date
"""An end of a range: exact number, date or timestamp."""


@dataclass(frozen=True)
class Facts:
    """What the dictionary and the expression say about its values, without looking at any.

    `low`, `high` and `step` (every number is a multiple of it) are None where unknown. `domain` is the closed list of
    values without NULL, in the order to report. `native` integers are BIGINT in DuckDB, all other numbers DOUBLE.
    """

    low: Limit | None = None
    high: Limit | None = None
    step: Fraction | None = None
    nullable: bool = True
    person_level: bool = False
    domain: tuple[Scalar, ...] | None = None
    native: bool = False


@dataclass(frozen=True)
class Expr:
    """One node: `op` names the rule in `dataspace.sql.render` that prints it; `type` is None for the literal NULL."""

    op: str
    type: ColumnType | None
    args: tuple["Expr", ...] = ()
    value: object = None
    facts: Facts = field(default=Facts(), compare=False)
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # an operand may be used twice (NULLIF, CASE x WHEN): what is small to write can be huge to walk
        size = 1 + sum(arg.size for arg in self.args)
        if size > MAX_SIZE:
            raise InvalidQuery("An expression of the query is too large.", hint="Split it with a WITH query.")
        object.__setattr__(self, "size", size)

    @property
    def is_number(self) -> bool:
        return self.type is not None and self.type.is_number

    @property
    def is_literal(self) -> bool:
        return self.op == "literal"

    def walk(self) -> Iterator["Expr"]:
        """This node and everything under it, without descending into sub-selections."""
        yield self
        for arg in self.args:
            yield from arg.walk()


@dataclass(frozen=True)
class TableSource:
    """A table of the dictionary in FROM."""

    id: int
    dataset: str
    table: Table

    @property
    def personal(self) -> bool:
        return self.table.kind is not TableKind.LOOKUP

    @property
    def unique(self) -> bool:
        """True if it has at most one row a person."""
        return self.table.kind is TableKind.PERSONS


@dataclass(frozen=True)
class DerivedSource:
    """A sub-query or one use of a WITH query in FROM."""

    id: int
    select: "Select"
    unique_here: bool = False

    @property
    def personal(self) -> bool:
        return self.select.personal

    @property
    def unique(self) -> bool:
        return self.select.unique or self.unique_here


Source = TableSource | DerivedSource


@dataclass(frozen=True)
class LeftJoin:
    """A source whose rows may be absent; `on` holds the conditions beyond equal persons."""

    source: Source
    on: tuple[Expr, ...]


@dataclass(frozen=True)
class Select:
    """A selection: one row per source row, or with `grouped` one row per person and `keys`.

    All personal sources carry the same person: every join equates it, so the person of the first inner source is the
    person of the row. `where` are conjuncts (those of inner joins included), `having` and `qualify` too. `columns`
    are what an enclosing query reads.
    """

    inner: tuple[Source, ...]
    left: tuple[LeftJoin, ...]
    where: tuple[Expr, ...]
    personal: bool
    grouped: bool = False
    keys: tuple[Expr, ...] = ()
    having: tuple[Expr, ...] = ()
    qualify: tuple[Expr, ...] = ()
    columns: tuple[tuple[str, Expr], ...] = ()
    correlated: bool = False
    unique: bool = False

    @property
    def sources(self) -> tuple[Source, ...]:
        return (*self.inner, *(j.source for j in self.left))

    def expressions(self) -> Iterator[Expr]:
        """Every top expression it evaluates."""
        for join in self.left:
            yield from join.on
        yield from (*self.where, *self.keys, *self.having, *self.qualify)
        yield from (e for _, e in self.columns)


def selects(select: Select) -> Iterator[Select]:
    """The selection and all selections inside it, in FROM or in conditions."""
    yield select
    for source in select.sources:
        if isinstance(source, DerivedSource):
            yield from selects(source.select)
    for top in select.expressions():
        for node in top.walk():
            if isinstance(node.value, Select):
                yield from selects(node.value)
