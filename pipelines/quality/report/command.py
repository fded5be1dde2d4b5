"""The command that writes a report to a file, or to standard output."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import StoreFolder, refusals


class Language(StrEnum):
    """Of the report."""

    EN = "en"
    FR = "fr"


def report_command(
    dataset: Annotated[str, typer.Argument(help="Identifier of the dataset.")],
    store: StoreFolder,
    snapshot: Annotated[str | None, typer.Argument(help="Snapshot; the current one unless given.")] = None,
    language: Annotated[Language, typer.Option("--language", "-l", help="Language of the page.")] = Language.EN,
    public: Annotated[bool, typer.Option("--public", help="Only rounded figures, fit for publication.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output unless given.")] = None,
) -> None:
    """Write the data quality report of a snapshot as one HTML page."""
    from pipelines.quality.report.page import quality_report
    from pipelines.store.layout import write_atomically
    from pipelines.store.reader import Store

    with refusals():
        page = quality_report(Store(store), dataset, snapshot, language.value, public)
        if output is None:
            typer.echo(page)
        else:
            write_atomically(output, page.encode())
            typer.echo(f"The report is in {output}.", err=True)
