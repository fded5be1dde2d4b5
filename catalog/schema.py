"""The data dictionary of a dataset: tables, columns, and the public facts privacy rests on.

Everything here is public metadata, written by the data holder in the ingestion plan and published with the catalogue
record. Bounds, coded values and the flag `person_level` decide what a query costs and which groups it reports, so they
come from this dictionary and never from the data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from math import prod
from typing import NamedTuple

PERSON = "person"
"""The name under which a query refers to the person key; no table may have a column of this name."""

PERSON_KEY = "person_key"
"""Stored column: first 64 bits of the keyed pseudonym as a signed integer. Never selectable by a query."""

ROW_RANK = "row_rank"
"""Stored column: position of a row among its person's rows of the same table, in keyed-hash order, from 1."""


class IndexColumns(NamedTuple):
    """Stored columns of a contribution index.

    `group` is the rank of the row's group among the person's groups of the index's dimensions, negative unless the row
    is the first of its group; `row` is the rank of the row within its group. Both are in keyed-hash order, from 1, and
    follow from the person's own rows alone: rows with a group rank up to L0 and a row rank up to r are a bounded
    contribution. `cell` is the group as a number (`index_cells`), where all its columns have closed lists.
    """

    group: str
    row: str
    cell: str


def index_columns(position: int) -> IndexColumns:
    """Names of the columns of a table's contribution index number `position`, from 1."""
    return IndexColumns(f"index{position}_group", f"index{position}_row", f"index{position}_cell")


RESERVED = frozenset({PERSON, PERSON_KEY, ROW_RANK, "person_bucket"})

MOST_INDEXED_GROUPS = 100_000
"""Groups that a contribution index numbers."""

Scalar = str | int | Decimal | bool | date | datetime
"""A value of a column as it appears in group keys and coded values."""


class ColumnType(StrEnum):
    """Logical type of a stored column, and what it is in Parquet."""

    BOOLEAN = "boolean"
    INTEGER = "integer"  # int64
    DECIMAL = "decimal"  # float64 holding a multiple of `Column.step`
    DATE = "date"  # date32
    TIMESTAMP = "timestamp"  # microseconds, no zone
    CODE = "code"  # text from a code list
    TEXT = "text"  # free text: only in public lookup tables

    @property
    def is_number(self) -> bool:
        """True for types that can be summed and averaged."""
        return self in (ColumnType.INTEGER, ColumnType.DECIMAL)


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value of a column that counts; anything beyond is clamped (numbers) or refused (dates)."""

    low: Decimal | date
    high: Decimal | date

    def __post_init__(self) -> None:
        if type(self.low) is not type(self.high):
            raise ValueError("both bounds must be numbers or both dates")
        if self.low > self.high:  # type: ignore[operator]
            raise ValueError(f"lower bound {self.low} is above upper bound {self.high}")


@dataclass(frozen=True)
class CodedValue:
    """One value of a closed list, with its label for people."""

    code: str | int
    label: str


@dataclass(frozen=True)
class Column:
    """One variable of a table.

    `values` is the closed list of a coded column, `bounds` the range of a number or a date, `step` the resolution at
    which numbers are kept (fixed point). `person_level` says that a person has the same value in all their rows of this
    table; ingestion verifies it.
    """

    name: str
    type: ColumnType
    title: str = ""
    description: str = ""
    required: bool = False
    code_system: str | None = None
    values: tuple[CodedValue, ...] | None = None
    bounds: Bounds | None = None
    step: Decimal = Decimal(1)
    unit: str | None = None
    person_level: bool = False

    def __post_init__(self) -> None:
        if self.name in RESERVED:
            raise ValueError(f"column name {self.name!r} is reserved")
        if self.step <= 0:
            raise ValueError(f"column {self.name!r}: step must be above zero, not {self.step}")


class TableKind(StrEnum):
    """How the rows of a table relate to natural persons."""

    PERSONS = "persons"  # exactly one row a person
    EVENTS = "events"  # any number of rows a person
    LOOKUP = "lookup"  # public: code lists, calendars; nothing about anyone


@dataclass(frozen=True)
class Table:
    """One table of a dataset.

    `dimensions` are sets of columns often grouped by: ingestion writes a contribution index for each, which makes
    unfiltered questions over them a plain filter and a sum.
    `rows_per_person` and `groups_per_person` are the default contribution bounds of queries over this table: how many
    rows one person may weigh in one group, and in how many groups one person may appear.
    """

    name: str
    kind: TableKind
    columns: tuple[Column, ...]
    title: str = ""
    description: str = ""
    rows_per_person: int = 1
    groups_per_person: int = 1
    dimensions: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"table {self.name!r} has two columns of the same name")
        if self.rows_per_person < 1 or self.groups_per_person < 1:
            raise ValueError(f"table {self.name!r}: contribution bounds start at 1")
        if self.kind is TableKind.PERSONS and self.rows_per_person != 1:
            raise ValueError(f"table {self.name!r} has one row a person, so rows_per_person is 1")
        self._check_dimensions(set(names))

    def _check_dimensions(self, names: set[str]) -> None:
        if self.dimensions and self.kind is not TableKind.EVENTS:
            raise ValueError(f"table {self.name!r}: only tables of events have dimensions")
        if len({frozenset(columns) for columns in self.dimensions}) != len(self.dimensions):
            raise ValueError(f"table {self.name!r} names the same dimensions twice")
        for position, columns in enumerate(self.dimensions, start=1):
            unknown = [column for column in columns if column not in names]
            if unknown or not columns or len(set(columns)) != len(columns):
                raise ValueError(f"table {self.name!r}: dimensions {position} must be different columns of the table")
            if names & set(index_columns(position)):
                raise ValueError(f"table {self.name!r}: {index_columns(position)} are the index's own columns")

    @cached_property
    def column(self) -> dict[str, Column]:
        """Columns by name."""
        return {c.name: c for c in self.columns}

    def index_values(self, dimensions: tuple[str, ...]) -> tuple[tuple[str | int | None, ...], ...] | None:
        """The closed list of each dimension, None (for NULL) last; None if one is missing or there are too many groups.

        A group's number in the index has one digit for each dimension, the first the most significant: the position of
        its value in this list.
        """
        lists = [self.column[name].values for name in dimensions]
        if any(values is None for values in lists):
            return None
        found = tuple((*(value.code for value in values or ()), None) for values in lists)
        return found if prod(map(len, found)) <= MOST_INDEXED_GROUPS else None


@dataclass(frozen=True)
class DatasetSchema:
    """The data dictionary of one dataset; `dataset` is its identifier in the catalogue (a slug)."""

    dataset: str
    tables: tuple[Table, ...]

    def __post_init__(self) -> None:
        names = [t.name for t in self.tables]
        if len(set(names)) != len(names):
            raise ValueError(f"dataset {self.dataset!r} has two tables of the same name")

    @cached_property
    def table(self) -> dict[str, Table]:
        """Tables by name."""
        return {t.name: t for t in self.tables}

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)
