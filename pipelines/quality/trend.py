"""How quality went over the snapshots of a dataset; earlier records take part with what they know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.quality import Dimension
from pipelines.quality.dimensions import quality_of
from pipelines.store.record import Snapshot


@dataclass(frozen=True)
class Point:
    """One snapshot: its size, and the dimensions that its record can tell."""

    snapshot: Snapshot
    rows: int
    persons: int
    dimensions: Mapping[Dimension, float]


def trend_of(snapshots: Iterable[Snapshot]) -> list[Point]:
    """Points in the order of the snapshots."""
    return [_point(snapshot) for snapshot in snapshots]


def _point(snapshot: Snapshot) -> Point:
    shares = quality_of(snapshot).dataset
    values = {d: share.value for d, share in shares.items()}
    return Point(
        snapshot=snapshot,
        rows=snapshot.metrics.get("rows", 0),
        persons=snapshot.metrics.get("persons", 0),
        dimensions={d: value for d, value in values.items() if value is not None},
    )
