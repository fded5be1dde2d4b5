"""`python -m pipelines`: ingest a delivery, list snapshots, verify one. Parses, calls one function, prints.

The folders are the node's unless named: the same environment variables, the same defaults.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalog.errors import CatalogError
from pipelines.errors import PipelineError
from pipelines.ingest import LOCAL, IngestReport, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.progress import Step
from pipelines.store.reader import Store
from pipelines.store.verify import verify

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
out, err = Console(highlight=False), Console(stderr=True, highlight=False)


def _in_home(folder: str) -> Callable[[], Path]:
    """A folder of the node, found when the command runs."""
    return lambda: Path(os.environ.get("DATASPACE_HOME") or ".dataspace/node") / folder


StoreFolder = Annotated[
    Path,
    typer.Option(
        "--store",
        envvar="DATASPACE_STORE_ROOT",
        default_factory=_in_home("store"),
        help="Folder of the store.",
        show_default="the node's: DATASPACE_HOME/store",
    ),
]
KeyFolder = Annotated[
    Path,
    typer.Option(
        "--keys",
        envvar="DATASPACE_KEY_ROOT",
        default_factory=_in_home("keys"),
        help="Folder of the keystore, apart from the store.",
        show_default="the node's: DATASPACE_HOME/keys",
    ),
]
CatalogueFolder = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        envvar="DATASPACE_CATALOGUE_ROOT",
        help="Folder to publish the record in; the node's, DATASPACE_HOME/catalogue, if the plan has a [catalogue].",
    ),
]
SnapshotName = Annotated[str | None, typer.Argument(help="Snapshot; the current one unless given.")]


@contextmanager
def _refusals() -> Iterator[None]:
    """What can go wrong on purpose ends as one line and exit code 1."""
    try:
        yield
    except (PipelineError, CatalogError) as failure:
        err.print(f"[red]{escape(str(failure))}[/red]", soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print("Interrupted: nothing was changed, the snapshot before is still current.")
        raise typer.Exit(130) from None


@app.command("ingest")
def ingest_command(
    plan: Annotated[Path, typer.Argument(help="Ingestion plan (TOML).")],
    store: StoreFolder,
    keys: KeyFolder,
    source: Annotated[
        Path | None, typer.Option("--source", help="The delivery, instead of the plan's location.")
    ] = None,
    catalogue: CatalogueFolder = None,
    base_url: Annotated[str, typer.Option("--base-url", help="Address of the node in the record.")] = LOCAL,
    quick: Annotated[bool, typer.Option("--quick", help="Leave the expectations out.")] = False,
) -> None:
    """Bring a delivery into the store and make it the current snapshot."""
    with _refusals():
        loaded, registry = load_plan(plan), None
        if catalogue is None and loaded.facts:
            catalogue = _in_home("catalogue")()
        if catalogue is not None:
            # loads the RDF libraries, which nothing else here needs
            from catalog.registry import FolderRegistry

            registry = FolderRegistry(catalogue)
        report = ingest(
            loaded, Store(store), Keystore(keys), registry, source,
            progress=_print_step, validate=not quick, base_url=base_url,
        )  # fmt: skip
        _print_report(report)


@app.command("snapshots")
def snapshots_command(dataset: str, store: StoreFolder) -> None:
    """List the snapshots of a dataset, oldest first."""
    with _refusals():
        opened = Store(store)
        current = opened.current(dataset).id
        for snapshot in opened.snapshots(dataset):
            rows = sum(t.rows for t in snapshot.tables)
            mark = " (current)" if snapshot.id == current else ""
            out.print(f"{snapshot.id}  {snapshot.created_at:%Y-%m-%d %H:%M}  {rows:,} rows{mark}")


@app.command("verify")
def verify_command(dataset: str, store: StoreFolder, snapshot: SnapshotName = None) -> None:
    """Recompute every hash of a snapshot."""
    with _refusals():
        opened = Store(store)
        name = snapshot or opened.current(dataset).id
        problems = verify(opened, dataset, name)
        for problem in problems:
            err.print(f"[red]{escape(problem)}[/red]", soft_wrap=True)
        if problems:
            raise typer.Exit(1)
        out.print(f"Snapshot {name} of {dataset} is what was stored.")


def _print_step(step: Step) -> None:
    rows = f" ({step.rows:,} rows)" if step.rows else ""
    err.print(f"{step.doing} {step.table}{rows}".rstrip(), style="dim")


def _print_report(report: IngestReport) -> None:
    table = Table("table", "delivered", "stored", "quarantined", "why")
    for stored in report.snapshot.tables:
        why = stored.note or "; ".join(stored.reasons)
        table.add_row(stored.name, f"{stored.delivered:,}", f"{stored.rows:,}", f"{stored.quarantined:,}", escape(why))
    out.print(table)
    before = " (this content was stored before)" if report.repeated else ""
    out.print(f"Snapshot {report.snapshot.id} of {report.snapshot.dataset} is current{before}.")
    if report.quarantine:
        out.print(f"Rows in quarantine are listed in {report.quarantine}", soft_wrap=True)
