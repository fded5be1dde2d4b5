"""The ingestion plan of a dataset: what is delivered, what is kept of it, and what must hold.

A plan is one TOML file the data holder writes and the node keeps; `pipelines.plan_file` reads it. Everything in it is
public metadata. Only what a plan names is read: a column it does not mention never leaves the delivery.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog.schema import Bounds, Column, DatasetSchema, Table, TableKind


@dataclass(frozen=True)
class LookupColumn:
    """The codes of a public lookup table that a column may hold; `where` keeps rows of the lookup by equality."""

    table: str
    code: str
    label: str | None = None
    where: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Coarser:
    """A code replaced by what a public lookup table gives for it: its parent, its region.

    Codes in `keep` stay as they are. A code without an entry has no coarser value and fails its row's check.
    """

    table: str
    code: str
    into: str
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForeignKey:
    """A table about persons, and its column that holds the value: a row of the same person must have it."""

    table: str
    column: str


@dataclass(frozen=True)
class ColumnPlan:
    """How one stored column is made of one delivered column.

    `values_from` gives the column a closed list of values taken from a lookup table of the same delivery, `references`
    only demands that the value exists there, `foreign_key` that it exists among the person's own rows of a table.
    `recode` maps delivered codes to stored ones, `formats` are strptime formats for dates delivered as text,
    `decimal_comma` says that numbers delivered as text have a comma where others have a point,
    `generalise` is a name in `pipelines.generalise`, `coarser` takes the coarser code from a lookup table, `shift`
    moves a date by the person's own number of days. `free_text` is the reason for which free text is kept.
    `delivered_bounds` are the bounds of a shifted date before the shift.
    """

    column: Column
    source: str
    formats: tuple[str, ...] = ()
    decimal_comma: bool = False
    generalise: str | None = None
    coarser: Coarser | None = None
    shift: bool = False
    free_text: str = ""
    recode: Mapping[str, str] = field(default_factory=dict)
    values_from: LookupColumn | None = None
    references: LookupColumn | None = None
    foreign_key: ForeignKey | None = None
    delivered_bounds: Bounds | None = None

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def lookup(self) -> LookupColumn | None:
        """The lookup this column must be found in, if any."""
        return self.values_from or self.references


@dataclass(frozen=True)
class Check:
    """One expectation of the holder's own over one table; `pipelines.plan_checks` reads it from a plan.

    `kind` is a key of `pipelines.plan_checks.KINDS`, which says what the other fields mean to it. `at_least` is the
    share of rows that must pass. A failed check stops the load if `stop` is true.
    """

    name: str
    kind: str
    columns: tuple[str, ...] = ()
    at_least: Decimal = Decimal(1)
    stop: bool = False
    per_person: bool = False
    low: int | Decimal | date | None = None
    high: int | Decimal | date | None = None
    values: tuple[str | int, ...] = ()
    text: str = ""
    table: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePlan:
    """One table: where it comes from, whose rows they are, and its columns.

    `person` is the delivered column with the person identifier; `identifiers` are delivered columns with direct
    identifiers, which are dropped and whose values must not turn up in any other column.
    """

    name: str
    kind: TableKind
    source: str
    columns: tuple[ColumnPlan, ...]
    title: str = ""
    description: str = ""
    person: str | None = None
    identifiers: tuple[str, ...] = ()
    rows_per_person: int = 1
    groups_per_person: int = 1
    dimensions: tuple[tuple[str, ...], ...] = ()
    threshold: Decimal = Decimal(0)
    checks: tuple[Check, ...] = ()

    @cached_property
    def column(self) -> dict[str, ColumnPlan]:
        """Columns by stored name."""
        return {c.name: c for c in self.columns}

    @property
    def delivered(self) -> tuple[str, ...]:
        """Every delivered column that is read, each once: identifiers too, which only the leak check sees."""
        person = (self.person,) if self.person else ()
        return tuple(dict.fromkeys((*person, *self.identifiers, *(c.source for c in self.columns))))

    def table(self) -> Table:
        """The public description of the stored table."""
        return Table(
            name=self.name,
            kind=self.kind,
            columns=tuple(c.column for c in self.columns),
            title=self.title,
            description=self.description,
            rows_per_person=self.rows_per_person,
            groups_per_person=self.groups_per_person,
            dimensions=self.dimensions,
        )


@dataclass(frozen=True)
class SourcePlan:
    """Format (a key of `pipelines.readers.READERS`), where the delivery lies, and options of that format."""

    format: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A plan as checked on load. `facts` are the catalogue's: free keys that `pipelines.publish` understands.

    `shift_days` is how far, at most, shifted dates move in either direction; 0 where none are shifted.
    """

    file: Path
    hash: str
    dataset: str
    title: str
    description: str
    holder: Mapping[str, Any]
    source: SourcePlan
    domain: str
    normalise: tuple[str, ...]
    tables: tuple[TablePlan, ...]
    shift_days: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def table(self) -> dict[str, TablePlan]:
        """Tables by stored name."""
        return {t.name: t for t in self.tables}

    @property
    def persons(self) -> TablePlan | None:
        """The table with one row for each person, if the dataset has one."""
        return next((t for t in self.tables if t.kind is TableKind.PERSONS), None)

    def of_kind(self, *kinds: TableKind) -> Iterator[TablePlan]:
        return (t for t in self.tables if t.kind in kinds)

    def schema(self) -> DatasetSchema:
        """The data dictionary as the plan alone gives it: lists taken from lookup tables are still open."""
        return DatasetSchema(self.dataset, tuple(t.table() for t in self.tables))
