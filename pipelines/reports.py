"""The quarantine of a delivery as a file for the holder: which row failed where and why, safe to open anywhere."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pyarrow.parquet as pq

from catalog.spreadsheets import neutral
from pipelines.errors import StoreError
from pipelines.store.layout import DatasetFolder

COLUMNS = ("source_table", "row_number", "column", "reason")


def report_of(folder: DatasetFolder, which: str) -> Path:
    """Folder of the reports of a snapshot, of the last refused delivery ("refused") or of the last dry run."""
    found = folder.quarantine / which
    if not found.is_dir():
        there = sorted(f.name for f in folder.quarantine.glob("*")) if folder.quarantine.is_dir() else []
        others = f" There are reports of: {', '.join(there)}." if there else ""
        raise StoreError(
            f"Dataset {folder.dataset!r} has no quarantine report {which!r}: no row of that delivery failed, or there "
            f"was none.{others}"
        )
    return found


def write_csv(reports: Path, target: TextIO) -> int:
    """Write every table's report as one CSV; returns the lines written."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    lines = 0
    for row in _rows(reports):
        writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])
        lines += 1
    return lines


def _rows(reports: Path) -> Iterator[tuple[str | int, ...]]:
    for file in sorted(reports.glob("*.parquet")):
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(columns=list(COLUMNS)):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
