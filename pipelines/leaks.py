"""The check that no direct identifier is left, over the mapped tables and the delivery they came from."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from pipelines.crowd import BATCH, delivered
from pipelines.mapped import MappedTable
from pipelines.mapping import family, identifier
from pipelines.quality.identifiers import check_rows, check_values
from pipelines.readers import Source
from pipelines.workbench import Bench


def check_no_identifier(mapped: Sequence[MappedTable], delivery: Source, clear: Bench, bench: Bench) -> None:
    """Raise IdentifierLeft if a column of a mapped table carries a direct identifier of any row of the delivery."""
    for table in mapped:
        if table.plan.person is not None:
            check_rows(bench.connection, table.plan, table.files())
    check_values(clear.connection, [(m.plan, m.files()) for m in mapped], lambda: _identifiers(mapped, delivery, clear))


def _identifiers(mapped: Sequence[MappedTable], delivery: Source, clear: Bench) -> Iterator[pa.RecordBatchReader]:
    """Each distinct person identifier once, then every column listed under identifiers, row by row."""
    reading = clear.connection.cursor()
    yield reading.sql("SELECT person_text AS identifier FROM pseudonyms").to_arrow_reader(BATCH)
    for table in mapped:
        described, spelling = delivered(delivery, table.plan)
        for name in (spelling[i] for i in table.plan.identifiers if described.note is None):
            text = identifier(name, family(described.columns[name], name))
            reading.register("identifying_column", delivery.batches(table.plan.source, [name], numbered=False))
            yield reading.sql(f"SELECT {text} AS identifier FROM identifying_column").to_arrow_reader(BATCH)
            reading.unregister("identifying_column")
