"""The six dimensions of Article 78(3)(b), computed from a snapshot's record: per column, per table, for the dataset.

A dimension is a share of things that are as they should be: cells, rows, comparisons. What was set aside at ingestion
counts against the delivery as much as what was stored. Everything is counted in the record already, so that records of
before are read with what they have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from catalog.quality import Dimension
from catalog.schema import Table, TableKind
from pipelines.quality.rows import NO_PERSON, SEVERAL_ROWS, UNKNOWN_PERSON
from pipelines.store.record import Snapshot, StoredTable

REASONS: tuple[tuple[str, Dimension], ...] = (
    ("missing", Dimension.COMPLETENESS),
    (NO_PERSON, Dimension.COMPLETENESS),
    (SEVERAL_ROWS, Dimension.UNIQUENESS),
    (UNKNOWN_PERSON, Dimension.CONSISTENCY),
    ("not in lookup table", Dimension.CONSISTENCY),
    ("outside of", Dimension.ACCURACY),
)
"""What a reason of the quarantine says about, by how it starts; any other is about validity."""

KINDS: Mapping[str, Dimension] = {
    "order": Dimension.CONSISTENCY,
    "holds": Dimension.CONSISTENCY,
    "found_in": Dimension.CONSISTENCY,
    "unique": Dimension.UNIQUENESS,
    "between": Dimension.ACCURACY,
    "one_of": Dimension.VALIDITY,
    "matches": Dimension.VALIDITY,
}
"""What the holder's own checks say about; the others only hold or do not."""

POINTS = ((31, 3), (92, 2), (183, 1))
"""Points for the days from the newest month to the load."""


@dataclass(frozen=True)
class Share:
    """`good` of `of` things; the share of nothing is None."""

    good: int = 0
    of: int = 0

    @property
    def value(self) -> float | None:
        return self.good / self.of if self.of else None

    def __add__(self, other: "Share") -> "Share":
        return Share(self.good + other.good, self.of + other.of)


Shares = Mapping[Dimension, Share]


@dataclass(frozen=True)
class Quality:
    """Shares of the dataset, of each table, of each column of each table."""

    dataset: Shares
    tables: Mapping[str, Shares]
    columns: Mapping[str, Mapping[str, Shares]] = field(default_factory=dict)


def quality_of(snapshot: Snapshot) -> Quality:
    """Lookup tables are public and describe nobody: they have their own shares and no part in the dataset's."""
    columns = {t.name: _columns(t, snapshot.table[t.name], measured(snapshot, t.name)) for t in snapshot.schema}
    tables = {t.name: _table(snapshot, t, columns[t.name]) for t in snapshot.schema}
    about_persons = [tables[t.name] for t in snapshot.schema if t.kind is not TableKind.LOOKUP]
    added = _added([*about_persons, {Dimension.CONSISTENCY: _contradictions(snapshot)}])
    return Quality(added | _newest(about_persons), tables, columns)


def measured(snapshot: Snapshot, table: str) -> Mapping[str, Any]:
    """The metrics of one table; empty if the record has none."""
    found: Mapping[str, Any] = snapshot.metrics.get("tables", {}).get(table, {})
    return found


def loaded_on(snapshot: Snapshot) -> date:
    """The day of the load."""
    stated = snapshot.metrics.get("loaded")
    return date.fromisoformat(stated) if stated else snapshot.created_at.date()


def days_since(month: str, day: date) -> int:
    """Days from the end of a month "2019-03" to a day; 0 if the month is not over."""
    year, number = map(int, month.split("-"))
    after = date(year + number // 12, number % 12 + 1, 1)
    return max(0, (day - after).days)


def failures(stored: StoredTable) -> dict[tuple[str, Dimension], int]:
    """Failures in the quarantine by column ("" for the row as a whole) and dimension."""
    counted: dict[tuple[str, Dimension], int] = {}
    for text, rows in stored.reasons.items():
        column, colon, reason = text.partition(": ")
        key = (column if colon else "", dimension_of(reason if colon else text))
        counted[key] = counted.get(key, 0) + rows
    return counted


def dimension_of(reason: str) -> Dimension:
    """The dimension that a reason of the quarantine speaks about."""
    return next((d for start, d in REASONS if reason.startswith(start)), Dimension.VALIDITY)


def _columns(table: Table, stored: StoredTable, counts: Mapping[str, Any]) -> dict[str, Shares]:
    failed = failures(stored)
    by_column = counts.get("columns", {})
    return {
        c.name: _column(
            stored, counts.get("rows", 0), by_column[c.name], {d: failed.get((c.name, d), 0) for d in Dimension}
        )
        for c in table.columns
        if c.name in by_column
    }


def _column(
    stored: StoredTable, rows: int, counts: Mapping[str, Any], failed: Mapping[Dimension, int]
) -> dict[Dimension, Share]:
    filled = counts["filled"]
    shares = {
        Dimension.COMPLETENESS: Share(filled, rows + failed[Dimension.COMPLETENESS]),
        Dimension.VALIDITY: _delivered(stored, failed[Dimension.VALIDITY]),
    }
    if failed[Dimension.CONSISTENCY]:
        shares[Dimension.CONSISTENCY] = _delivered(stored, failed[Dimension.CONSISTENCY])
    beyond = failed[Dimension.ACCURACY]
    if "in_bounds" in counts or "future" in counts or beyond:
        good = counts.get("in_bounds", filled - counts.get("future", 0))
        shares[Dimension.ACCURACY] = Share(good, filled + beyond)
    return shares


def _delivered(stored: StoredTable, failed: int) -> Share:
    return Share(stored.delivered - failed, stored.delivered)


def _table(snapshot: Snapshot, table: Table, columns: Mapping[str, Shares]) -> Shares:
    stored, counts = snapshot.table[table.name], measured(snapshot, table.name)
    of_row = failures(stored)
    parts: list[Shares] = [*columns.values(), _own_checks(snapshot, table.name)]
    if table.kind is not TableKind.LOOKUP:
        repeated = counts.get("duplicates", 0) + of_row.get(("", Dimension.UNIQUENESS), 0)
        stored_rows = counts.get("rows", 0) + of_row.get(("", Dimension.UNIQUENESS), 0)
        parts.append({Dimension.UNIQUENESS: Share(stored_rows - repeated, stored_rows)})
        parts.append({d: _delivered(stored, n) for (column, d), n in of_row.items() if not column and d in ROW_LEVEL})
        parts.append({Dimension.CONSISTENCY: _inside_life(snapshot, table.name)})
    if counts.get("newest"):
        parts.append({Dimension.TIMELINESS: Share(_points(days_since(counts["newest"], loaded_on(snapshot))), 3)})
    return {d: share for d, share in _added(parts).items() if share.of}


ROW_LEVEL = (Dimension.CONSISTENCY, Dimension.VALIDITY)


def _own_checks(snapshot: Snapshot, table: str) -> Shares:
    outcomes = [o for o in snapshot.metrics.get("expectations", ()) if o["table"] == table and o.get("kind") in KINDS]
    return _added(
        {KINDS[o["kind"]]: Share(o["checked"] - (o["failed"] or 0), o["checked"])} for o in outcomes if o["checked"]
    )


def _inside_life(snapshot: Snapshot, table: str) -> Share:
    counts = snapshot.metrics.get("outside_life", {}).get(table, {})
    known = counts.get("birth_known", 0) + counts.get("death_known", 0)
    return Share(known - counts.get("outside_birth", 0) - counts.get("outside_death", 0), known)


def _contradictions(snapshot: Snapshot) -> Share:
    counts = snapshot.metrics.get("contradictions", {"persons": 0, "compared": 0})
    return Share(counts["compared"] - counts["persons"], counts["compared"])


def _points(days: int) -> int:
    return next((points for most, points in POINTS if days <= most), 0)


def _newest(tables: Iterable[Shares]) -> dict[Dimension, Share]:
    """A dataset is as timely as its most timely table."""
    points = [shares[Dimension.TIMELINESS] for shares in tables if Dimension.TIMELINESS in shares]
    return {Dimension.TIMELINESS: max(points, key=lambda share: share.good)} if points else {}


def _added(parts: Iterable[Shares]) -> dict[Dimension, Share]:
    total: dict[Dimension, Share] = {}
    for shares in parts:
        for dimension, share in shares.items():
            total[dimension] = total.get(dimension, Share()) + share
    return {d: share for d, share in total.items() if share.of}
