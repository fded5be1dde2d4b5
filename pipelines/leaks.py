"""The check that no direct identifier is left, over a mapped table and the delivery it came from."""

from collections.abc import Iterator

import pyarrow as pa

from pipelines.crowd import delivered
from pipelines.mapped import MappedTable
from pipelines.mapping import family, identifier
from pipelines.quality.identifiers import check_elsewhere, check_rows
from pipelines.readers import Source
from pipelines.workbench import Bench


def check_no_identifier(mapped: MappedTable, delivery: Source, clear: Bench, bench: Bench) -> None:
    """Raise IdentifierLeft if a column of the mapped table carries a direct identifier."""
    check_rows(bench.connection, mapped.plan, mapped.files())
    check_elsewhere(clear.connection, mapped.plan, mapped.files(), _identifiers(mapped, delivery))


def _identifiers(mapped: MappedTable, delivery: Source) -> Iterator[tuple[str, pa.RecordBatchReader]]:
    table = mapped.plan
    described, spelling = delivered(delivery, table)
    for wanted in dict.fromkeys((*([table.person] if table.person else []), *table.identifiers)):
        name = spelling[wanted]
        text = identifier(name, family(described.columns[name], name))
        yield text, delivery.batches(table.source, [name], numbered=False)
