"""The tables of a snapshot, as text and drawings for the template."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from markupsafe import Markup

from catalog.quality import Dimension
from catalog.schema import Column, Table, TableKind
from pipelines.quality.dimensions import Quality, Share, measured
from pipelines.quality.metrics import covered
from pipelines.quality.report import drawings
from pipelines.quality.report.figures import NARROW, Figures
from pipelines.quality.report.shares import Shown, shown
from pipelines.quality.report.words import KINDS, TYPES, in_language, translated, word
from pipelines.store.record import Snapshot

YEARS_SHOWN = 20
OF_COLUMNS = (Dimension.COMPLETENESS, Dimension.VALIDITY, Dimension.ACCURACY)
"""Dimensions that make sense for a single column."""


@dataclass(frozen=True)
class Spread:
    """How a column's values, or a table's rows, are spread: a drawing, and what it shows as (name, figure)."""

    title: str
    drawing: Markup
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ColumnView:
    """`shares` follow OF_COLUMNS; `distinct` is empty for the public."""

    name: str
    title: str
    type: str
    shares: tuple[Shown, ...]
    distinct: str


@dataclass(frozen=True)
class TableView:
    """`shares` follow Dimension; `reasons` are (why rows were set aside, how many), most frequent first."""

    name: str
    title: str
    said: str
    delivered: str
    stored: str
    set_aside: str
    shares: tuple[Shown, ...]
    columns: tuple[ColumnView, ...]
    spreads: tuple[Spread, ...]
    reasons: tuple[tuple[str, str], ...]


def table_views(snapshot: Snapshot, quality: Quality, figures: Figures) -> list[TableView]:
    """One view for each table, in the dictionary's order."""
    return [_table(snapshot, quality, table, figures) for table in snapshot.schema]


def _table(snapshot: Snapshot, quality: Quality, table: Table, figures: Figures) -> TableView:
    stored, counts = snapshot.table[table.name], measured(snapshot, table.name)
    kind, lookup = in_language(KINDS[table.kind], figures.language), table.kind is TableKind.LOOKUP
    spreads = (
        _years(table, counts.get("years", {}), figures),
        *(_spread(snapshot, table, c, figures) for c in table.columns),
    )
    return TableView(
        name=table.name,
        title=table.title or table.name,
        said=" · ".join(text for text in (kind, table.description, stored.note) if text),
        delivered=figures.number(figures.rows(stored.delivered, table, "delivered")),
        stored=figures.number(figures.rows(stored.rows, table, "rows")),
        set_aside=figures.number(figures.rows(stored.quarantined, table, "set aside")),
        shares=tuple(
            shown(figures, quality.tables[table.name], d, f"table {table.name}", exact=lookup) for d in Dimension
        ),
        columns=tuple(_column(snapshot, quality, table, c, figures) for c in table.columns),
        spreads=tuple(spread for spread in spreads if spread),
        reasons=tuple(
            (translated(reason, figures.language), figures.number(figures.rows(rows, table, f"set aside {reason}")))
            for reason, rows in sorted(stored.reasons.items(), key=lambda item: -item[1])
        ),
    )


def _column(snapshot: Snapshot, quality: Quality, table: Table, column: Column, figures: Figures) -> ColumnView:
    shares = quality.columns[table.name].get(column.name, {})
    counts = measured(snapshot, table.name).get("columns", {}).get(column.name, {})
    lookup = table.kind is TableKind.LOOKUP
    place = f"column {table.name}.{column.name}"
    return ColumnView(
        name=column.name,
        title=column.title or column.name,
        type=in_language(TYPES[column.type], figures.language),
        shares=tuple(shown(figures, shares, d, place, exact=lookup) for d in OF_COLUMNS),
        # how many values there are in the data is the holder's alone
        distinct="" if figures.public and not lookup else figures.number(counts.get("distinct", 0)),
    )


def _years(table: Table, counts: dict[str, list[int]], figures: Figures) -> Spread | None:
    years = covered(counts, figures.fewest("persons of a period"))[-YEARS_SHOWN:]
    rows = [figures.rows(counts[year][0], table, f"year {year}") for year in years]
    parts = tuple((year, figures.number(n)) for year, n in zip(years, rows, strict=True))
    return Spread(word("by_year", figures.language), drawings.columns(rows), parts) if years else None


def _spread(snapshot: Snapshot, table: Table, column: Column, figures: Figures) -> Spread | None:
    counts = measured(snapshot, table.name).get("columns", {}).get(column.name, {})
    rows = counts.get("codes") or counts.get("bins") or []
    names = _groups(column, len(rows), figures)
    # a record and a dictionary of different times may not agree; then nothing is shown
    if not sum(rows) or len(rows) != len(names):
        return None
    place = f"{table.name}.{column.name}"
    shares = [_part(n, sum(rows), f"{place} {number}", figures) for number, n in enumerate(rows)]
    texts = (word("few", figures.language) if share is None else figures.percent(share) for share in shares)
    drawing = drawings.columns([share or 0 for share in shares])
    return Spread(column.title or column.name, drawing, tuple(zip(names, texts, strict=True)))


def _part(rows: int, of: int, figure: str, figures: Figures) -> float | None:
    """A part of a column's rows; None, for the public, where there may be few."""
    if figures.public and rows < figures.fewest(f"rows {figure}"):
        return None
    return figures.share_value(Share(rows, of), figure)


def _groups(column: Column, count: int, figures: Figures) -> list[str]:
    """Labels of a column's groups: its codes' labels, or the parts between its bounds."""
    if column.values is not None:
        return [v.label or str(v.code) for v in column.values]
    if column.bounds is None or not count:
        return []
    low, high = Decimal(str(column.bounds.low)), Decimal(str(column.bounds.high))
    edges = [figures.edge(low + (high - low) * n / count, high - low >= count) for n in range(count + 1)]
    return [f"{first}{NARROW}–{NARROW}{last}" for first, last in pairwise(edges)]
