"""The release: the noisy answer that leaves the node, with its error bars and its price."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from catalog.schema import Scalar
from dataspace.domain.privacy import ContributionBounds, PrivacyLoss


@dataclass(frozen=True)
class Estimate:
    """One released number with its 95 % interval; all None where the noisy data do not determine it.

    `scale` is the standard deviation of the noise on the number, where it has one. `withheld` says that the number is
    not released because it tells about fewer persons than the permit's minimum cell size.
    """

    value: float | None
    low: float | None
    high: float | None
    scale: float | None = None
    withheld: bool = False


@dataclass(frozen=True)
class ReleaseRow:
    """One group: its key values in the order of the query's keys, its estimates in the order of the aggregates."""

    keys: tuple[Scalar | None, ...]
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class ReleaseTable:
    """The noisy table as measured.

    `output` names the columns in the researcher's order; `key_names` and `aggregate_names` say which is which. `notes`
    name each post-processing step and each bound that shaped the numbers.
    """

    output: tuple[str, ...]
    key_names: tuple[str, ...]
    aggregate_names: tuple[str, ...]
    rows: tuple[ReleaseRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """A release as stored under its charge."""

    id: str
    permit_id: str
    sql: str
    fingerprint: str
    snapshots: Mapping[str, str]
    """Snapshot identifier per dataset it was computed on."""
    bounds: ContributionBounds
    loss: PrivacyLoss
    table: ReleaseTable
    released_at: datetime
