"""Rounding of facts about persons before they are published: with a secret, lasting offset.

A count is moved by an offset drawn from a key (uniform over one step of the grid, the same for every snapshot of the
dataset) and then rounded to the grid. Two datasets that differ by one person get the same figure unless a border of
the grid lies between them, and where the borders lie only the key knows: for steps of at least LEAST_STEP that happens
with odds of one in LEAST_STEP or less for each figure. The offset lasts, so that watching many snapshots does not
average it away; a figure that changes says that about one step of persons came or went since the last change.
Without the key the offsets are unknown even to whoever knows all persons but one.
"""

import hmac
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.schema import Table, TableKind
from pipelines.store.record import Snapshot

if TYPE_CHECKING:
    from pipelines.keystore import DomainKey

LEAST_STEP = 20
"""Persons within one step of any published count, at least."""

FEWEST = 10
"""Fewer persons than this never show."""

SHARE_STEPS = tuple(Decimal(step) for step in ("0.01", "0.02", "0.05", "0.1", "0.2", "0.5"))


@dataclass(frozen=True)
class Rounding:
    """Rounds the figures of one dataset, each by its own offset. `secret` must never leave the node."""

    secret: bytes
    dataset: str

    def offset(self, figure: str) -> Decimal:
        """From 0 up to, not including, 1; secret, the same whenever asked."""
        mac = hmac.digest(self.secret, f"rounding|{self.dataset}|{figure}".encode(), "sha256")
        return Decimal(int.from_bytes(mac[:6])) / 2**48

    def to_step(self, figure: str, value: Decimal, step: Decimal) -> Decimal:
        """A multiple of `step`, less than one step away from the value; a multiple stays as it is."""
        # the same as moving by up to half a step either way and taking the nearest
        return (value / step + self.offset(figure)).to_integral_value("ROUND_FLOOR") * step

    def count(self, figure: str, count: int, least_step: int = LEAST_STEP) -> int:
        """About two digits that count, on steps of at least `least_step`; 0 for few."""
        if count < self.fewest(figure, FEWEST, least_step):
            return 0
        step = max(least_step, self._step(figure, count))
        return max(step, int(self.to_step(figure, Decimal(count), Decimal(step))))

    def share(self, figure: str, share: Decimal, persons: int) -> Decimal:
        """In hundredths, coarser where `persons` (as published) are few: LEAST_STEP of them are one step at most."""
        wanted = Decimal(LEAST_STEP) / max(persons, 1)
        step = next((s for s in SHARE_STEPS if s >= wanted), SHARE_STEPS[-1])
        rounded = min(Decimal(1), max(Decimal(0), self.to_step(figure, share, step)))
        return rounded.quantize(SHARE_STEPS[0])

    def fewest(self, figure: str, least: int = FEWEST, spread: int = LEAST_STEP) -> int:
        """A secret threshold from `least` up to `spread` more: at which count a figure starts to show is not known."""
        return least + int(self.offset(f"{figure}|fewest") * spread)

    def _step(self, figure: str, count: int) -> int:
        # the borders between orders of magnitude are secret too: from one to two times a power of ten
        border = 10 ** (len(str(count)) - 1) * (1 + self.offset(f"{figure}|{len(str(count))}"))
        return int(10 ** (len(str(count)) - (2 if count >= border else 3))) if count >= 100 else 1


def lasting_secret(current: Snapshot | None, key: "DomainKey", dataset: str) -> str:
    """The secret of the next snapshot's rounding, in hex: that of the `current` one, if there is one, whatever its key.

    It must outlast rotations: each new secret would be one more look at the same count. A first one follows from the
    first link of the key's chain.
    """
    known = current.metrics.get("rounding") if current else None
    return str(known or key.first.derive(f"rounding of published facts of {dataset}").hex())


def rounding_of(snapshot: Snapshot) -> Rounding:
    """The rounding of a dataset's published figures."""
    # until the load hands a secret down, the key's name, which is published nowhere, takes its place
    secret = snapshot.metrics.get("rounding") or snapshot.key.id
    return Rounding(str(secret).encode(), snapshot.dataset)


def published_persons(snapshot: Snapshot, rounding: Rounding) -> int:
    return rounding.count("persons", snapshot.metrics["persons"])


def published_rows(snapshot: Snapshot, rounding: Rounding) -> int:
    """Rows of all tables about persons."""
    return rounding.count("rows", snapshot.metrics["rows"], row_step(*snapshot.schema))


def row_step(*tables: Table) -> int:
    """A step of rows: those that a step of persons weighs, if each has as many as the plan expects of one at most."""
    return LEAST_STEP * max(1, sum(t.rows_per_person for t in tables if t.kind is not TableKind.LOOKUP))
