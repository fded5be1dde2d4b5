"""What a careful reader would look at twice: signs that numbers were made up, imputed, cut off or lost on the way.

None of them is an error by itself, so none of them counts in a score.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any

from catalog.quality import Dimension
from catalog.schema import Column, Table, TableKind
from pipelines.quality.dimensions import Quality, loaded_on, measured
from pipelines.quality.metrics import covered
from pipelines.quality.trend import Point
from pipelines.store.record import Snapshot

ENOUGH = 1_000
"""Values below which a pattern may well be chance."""

MOSTLY_EMPTY = 0.5
HEAPED = 0.3  # of last digits, two of ten are 0 or 5
FIRST_DAYS = 0.1  # of days, 12 of 365 are the first of a month
MANY_KINDS = 20
SUDDEN = 2.0
ROWS_A_MONTH = 100
FELL = 0.02
ROWS_CHANGED = 0.2


class Kind(StrEnum):
    """What was seen; the words are the report's."""

    EMPTY = "empty"
    MOSTLY_EMPTY = "mostly empty"
    CONSTANT = "constant"
    HEAPED = "heaped"
    FIRST_DAYS = "first days"
    FUTURE = "future"
    SUDDEN = "sudden"
    NO_ROWS = "no rows"
    FELL = "fell"
    ROWS_CHANGED = "rows changed"


@dataclass(frozen=True)
class Sign:
    """`value` is the share or number the words name; `dimension` is that of a fall."""

    kind: Kind
    table: str = ""
    column: str = ""
    value: float = 0
    dimension: Dimension | None = None


def signs_of(snapshot: Snapshot, quality: Quality, before: Point | None) -> list[Sign]:
    """Signs in tables about persons, and against the snapshot before."""
    found = [s for t in snapshot.schema if t.kind is not TableKind.LOOKUP for s in _of_table(snapshot, t)]
    return found + (list(_since(snapshot, quality, before)) if before else [])


def _of_table(snapshot: Snapshot, table: Table) -> Iterator[Sign]:
    counts = measured(snapshot, table.name)
    rows = counts.get("rows", 0)
    if not rows:
        yield Sign(Kind.NO_ROWS, table.name)
        return
    for column in table.columns:
        yield from _of_column(table, column, counts["columns"].get(column.name, {}), rows)
    jumps = sudden_months(counts.get("months", {}), loaded_on(snapshot).strftime("%Y-%m"))
    if jumps:
        yield Sign(Kind.SUDDEN, table.name, value=len(jumps))


def _of_column(table: Table, column: Column, counts: Mapping[str, Any], rows: int) -> Iterator[Sign]:
    filled, distinct = counts.get("filled", 0), counts.get("distinct", 0)
    if not filled:
        yield Sign(Kind.EMPTY, table.name, column.name)
    elif filled < MOSTLY_EMPTY * rows:
        yield Sign(Kind.MOSTLY_EMPTY, table.name, column.name, filled / rows)
    if counts.get("future"):
        yield Sign(Kind.FUTURE, table.name, column.name, counts["future"])
    if filled < ENOUGH:
        return
    if distinct <= 1:
        yield Sign(Kind.CONSTANT, table.name, column.name)
    if distinct >= MANY_KINDS and counts.get("round_ends", 0) > HEAPED * filled:
        yield Sign(Kind.HEAPED, table.name, column.name, counts["round_ends"] / filled)
    # months made of dates lie on first days by intent, and then all of them
    if distinct >= MANY_KINDS and FIRST_DAYS * filled < counts.get("first_days", 0) < filled:
        yield Sign(Kind.FIRST_DAYS, table.name, column.name, counts["first_days"] / filled)


def sudden_months(months: Mapping[str, Sequence[int]], current: str) -> list[str]:
    """Months with less than half or more than twice the rows that are usual around them; the running month is not one.

    Usual is the median of up to six months before and after; the first and the last month are hardly ever whole.
    """
    names = [month for month in covered(months) if month != current][1:-1]
    rows = [months[month][0] for month in names]
    jumps = []
    for n, month in enumerate(names):
        around = rows[max(0, n - 6) : n] + rows[n + 1 : n + 7]
        usual = median(around) if len(around) >= 6 else 0
        if usual >= ROWS_A_MONTH and not usual / SUDDEN <= rows[n] <= usual * SUDDEN:
            jumps.append(month)
    return jumps


def _since(snapshot: Snapshot, quality: Quality, before: Point) -> Iterator[Sign]:
    for dimension, share in quality.dataset.items():
        earlier = before.dimensions.get(dimension)
        if earlier is not None and share.value is not None and earlier - share.value >= FELL:
            yield Sign(Kind.FELL, value=earlier - share.value, dimension=dimension)
    rows = snapshot.metrics.get("rows", 0)
    if before.rows and abs(rows / before.rows - 1) >= ROWS_CHANGED:
        yield Sign(Kind.ROWS_CHANGED, value=rows / before.rows - 1)
