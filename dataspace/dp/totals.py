"""The exact bounded totals: what exists between the data and the noise, and never leaves the process."""

from dataclasses import dataclass

from dataspace.dp.plan import Cell


@dataclass(frozen=True)
class ExactTable:
    """Totals of each channel of a plan: one whole number for each cell, a histogram's bins cell after cell.

    With unknown keys `cells` are the groups found in the data; they may be shown only after partition selection.
    """

    cells: tuple[Cell, ...]
    channels: tuple[tuple[int, ...], ...]

    def __repr__(self) -> str:
        # totals are not to be written to logs by accident
        return f"ExactTable({len(self.channels)} channels)"
