"""The validated query: the only meeting point of the query language (`dataspace.sql`) and the engine (`dataspace.dp`).

A query is person-local up to its last aggregate. `Query.rows` is the person-local part as DuckDB SQL that is total (no
data can make it fail) and deterministic per person: however other persons' rows change, a person's own output rows stay
the same multiset. Everything after it, bounding and noise, is the engine's.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from catalog.schema import Bounds, ColumnType, Scalar
from dataspace.domain.analyses import Analysis


class AggregateKind(StrEnum):
    """What is asked of each group. Row-wise kinds see at most `ContributionBounds.rows` rows of a person in a group.

    PERSONS and ROWS may have a value without bounds (FILTER, COUNT(x)): only rows where it is not NULL count.
    """

    PERSONS = "persons"  # COUNT(DISTINCT person)
    ROWS = "rows"  # COUNT(*), or COUNT(x): rows where the value is not NULL
    SUM = "sum"
    MEAN = "mean"
    VARIANCE = "variance"  # sample variance
    STDDEV = "stddev"
    QUANTILE = "quantile"
    PROPORTION = "proportion"  # share of rows (value 0 or 1) among rows where it is not NULL
    RATE = "rate"  # SUM(value) / SUM(denominator), for example events per person-year


@dataclass(frozen=True)
class GroupKey:
    """One GROUP BY expression: column `k{position}` of `Query.rows`.

    `domain` is the public list of its values, None among them where the expression can be NULL; rows with another value
    are not counted. A key without a public domain has `domain=None` and needs partition selection. `person_level` is
    true if a person has one value only in all of their rows.
    """

    name: str
    type: ColumnType
    domain: tuple[Scalar | None, ...] | None
    person_level: bool = False


@dataclass(frozen=True)
class Aggregate:
    """One aggregate of the SELECT list, in its order.

    `value` and `denominator` are positions among the value columns `v0`, `v1`, … (DOUBLE, NULL where missing) of
    `Query.rows`. `bounds` clamp the value, `step` is the fixed-point resolution it is kept at. `quantile` is in (0, 1).
    """

    name: str
    kind: AggregateKind
    value: int | None = None
    bounds: Bounds | None = None
    step: Decimal = Decimal(1)
    quantile: Decimal | None = None
    denominator: int | None = None
    denominator_bounds: Bounds | None = None
    denominator_step: Decimal = Decimal(1)


@dataclass(frozen=True)
class SortKey:
    """Order of the released table: a label column or a noisy estimate. Post-processing, free."""

    name: str
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """A question that can be answered privately.

    `rows` yields `person_key` (BIGINT, never NULL), the group keys `k0`… and the values `v0`…, in any order. It reads
    views named `{dataset}.{table}` that hold the stored columns named in `columns` plus `person_key` and `row_rank`.
    `columns` is all that it touches: (dataset, table, column) triples. `output` is the SELECT list: names of keys and
    aggregates in the order the researcher gave. `canonical` is equal for queries that ask the same thing in other
    words.

    `one_row_per_person` is true if `rows` cannot have two rows of one person. `weighing` are the tables with many rows
    a person that make its rows; where there are several, each takes part with a person's first `row_cap` rows.

    `indexed`, where not None, is the same rows read with a contribution index of their table whose dimensions are the
    keys: columns `g` (rank of the row's group among the person's groups, negative unless the row is the first of its
    group) and `r` (rank of the row within its group), both from 1, the keys and the values, no person key. Where
    `indexed_cells` is not None, `c` is the position there of the row's key values.

    With an `analysis` there are no aggregates, `rows` has one row of each person, and the analysis' columns stand in
    `output` in its place. `sets` are grouping sets (ROLLUP, CUBE) as positions among `keys`, the finest first; the
    answer then has one more label column, `level`.
    """

    canonical: str
    rows: str
    tables: tuple[tuple[str, str], ...]
    columns: frozenset[tuple[str, str, str]]
    keys: tuple[GroupKey, ...]
    aggregates: tuple[Aggregate, ...]
    output: tuple[str, ...]
    one_row_per_person: bool = False
    weighing: tuple[tuple[str, str], ...] = ()
    row_cap: int | None = None
    indexed: str | None = None
    indexed_cells: tuple[tuple[Scalar | None, ...], ...] | None = None
    order: tuple[SortKey, ...] = ()
    limit: int | None = None
    analysis: Analysis | None = None
    sets: tuple[tuple[int, ...], ...] = ()

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the label columns of the answer, in the order of `ReleaseRow.keys`."""
        own = self.analysis.keys if self.analysis else ("level",) if self.sets else ()
        return (*(key.name for key in self.keys), *own)

    @property
    def aggregate_names(self) -> tuple[str, ...]:
        """Names of the columns of estimates, in the order of `ReleaseRow.estimates`."""
        return self.analysis.columns if self.analysis else tuple(aggregate.name for aggregate in self.aggregates)

    @property
    def one_row_counts(self) -> bool:
        """True if no more than one row of a person can count in a group, whatever the bounds."""
        return self.one_row_per_person or all(a.kind is AggregateKind.PERSONS for a in self.aggregates)

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of aggregate and analysis that are asked for: names that a permit may be limited to."""
        asked = {aggregate.kind.value for aggregate in self.aggregates}
        return frozenset(asked | ({self.analysis.kind.value} if self.analysis else set()))

    @property
    def values(self) -> tuple[int, ...]:
        """Positions of the value columns that are read, ascending."""
        found = {n for a in self.aggregates for n in (a.value, a.denominator) if n is not None}
        return tuple(sorted(found | {v.value for v in (self.analysis.variables if self.analysis else ())}))

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the canonical text: equal for equal questions."""
        return sha256(self.canonical.encode()).hexdigest()

    @property
    def datasets(self) -> tuple[str, ...]:
        """Identifiers of the datasets it reads, sorted."""
        return tuple(sorted({dataset for dataset, _ in self.tables}))
