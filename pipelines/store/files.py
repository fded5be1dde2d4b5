"""Parquet files of the store: written once from a sorted stream, deterministic byte for byte."""

import re
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.schema import PERSON_KEY, ROW_RANK

ROW_GROUP = 122_880
"""Rows in a Parquet row group, DuckDB's own size."""


@dataclass(frozen=True)
class WrittenFile:
    """A staged file before it has its place in the store; `bucket` is None for a lookup table."""

    path: Path
    bucket: int | None
    rows: int
    size: int
    sha256: str


def write_file(batches: pa.RecordBatchReader, path: Path, schema: pa.Schema, bucket: int | None) -> WrittenFile | None:
    """Write a stream sorted by person key as one file, adding the row rank where `schema` has it; None if empty.

    Memory is bounded by a few row groups. The same rows in the same order give the same bytes.
    """
    rows = 0
    ranks = RowRanks() if ROW_RANK in schema.names else None
    path.parent.mkdir(parents=True, exist_ok=True)
    # fixed row groups: their borders must not depend on how the stream was cut into batches
    with pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=_repeating(schema), write_statistics=True, store_schema=False
    ) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(_stored(batch, schema, ranks))
            rows += batch.num_rows
            waiting = _flush(writer, waiting, ROW_GROUP)
        _flush(writer, waiting, 1)
    if rows == 0:
        path.unlink()
        return None
    with path.open("rb") as opened:
        digest = file_digest(opened, "sha256").hexdigest()
    return WrittenFile(path, bucket, rows, path.stat().st_size, digest)


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns whose values come again and again; building a dictionary of others costs time and helps nothing."""
    index = re.compile(r"index[0-9]+_(group|row|cell)")
    kinds = (pa.string(), pa.bool_(), pa.int64(), pa.date32())
    own = (PERSON_KEY, ROW_RANK)
    return [f.name for f in schema if f.type in kinds and f.name not in own and not index.fullmatch(f.name)]


class RowRanks:
    """Ranks 1, 2, … within each run of equal person keys, over batch borders."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._rank = 0

    def of(self, keys: np.ndarray) -> np.ndarray:
        """Ranks of the next person keys of the stream."""
        if not len(keys):
            return np.empty(0, dtype=np.int32)
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        ranks = np.arange(1, len(keys) + 1) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
        if keys[0] == self._last:
            ranks[: starts[1] if len(starts) > 1 else len(keys)] += self._rank
        self._last, self._rank = int(keys[-1]), int(ranks[-1])
        return ranks.astype(np.int32)


def _stored(batch: pa.RecordBatch, schema: pa.Schema, ranks: RowRanks | None) -> pa.RecordBatch:
    columns = {name: batch.column(name) for name in schema.names if name != ROW_RANK}
    if ranks is not None:
        columns[ROW_RANK] = pa.array(ranks.of(batch.column(PERSON_KEY).to_numpy()))
    return pa.record_batch([columns[f.name].cast(f.type) for f in schema], schema=schema)


def _flush(writer: pq.ParquetWriter, waiting: list[pa.RecordBatch], at_least: int) -> list[pa.RecordBatch]:
    """Write full row groups while `at_least` rows wait; what is left."""
    while sum(b.num_rows for b in waiting) >= at_least:
        table = pa.Table.from_batches(waiting)
        writer.write_table(table.slice(0, ROW_GROUP), row_group_size=ROW_GROUP)
        waiting = table.slice(ROW_GROUP).to_batches()
        if not waiting:
            break
    return waiting
