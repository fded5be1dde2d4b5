"""The exact bounded totals: what exists between the data and the noise, and never leaves the process."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataspace.dp.plan import Cell


@dataclass(frozen=True)
class ExactTable:
    """Totals of each channel of a plan: one whole number for each cell, a histogram's bins cell after cell.

    `people` are the rows of each cell, of an analysis that is measured in rounds; it has no totals.
    With unknown keys `cells` are the groups found in the data; they may be shown only after partition selection.
    """

    cells: tuple[Cell, ...]
    channels: tuple[tuple[int, ...], ...]
    people: tuple[NDArray[np.int16], ...] = ()

    def __repr__(self) -> str:
        # totals are not to be written to logs by accident
        return f"ExactTable({len(self.channels)} channels)"
