"""`python -m pipelines`: draft a plan, ingest a delivery, look at what became of it, and look after what is stored.

Parses, calls one function, prints. The folders are the node's unless named: the same environment variables, the same
defaults. `dataspace` mounts the same commands, so what is heavy is imported when a command runs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.options import (
    INTERRUPTED,
    LOCAL,
    Append,
    BaseUrl,
    CatalogueFolder,
    Correct,
    DryRun,
    KeyFolder,
    PlanFile,
    Quick,
    SnapshotName,
    SourceName,
    StoreFolder,
    WithKeys,
    err,
    home,
    out,
    refusals,
)

if TYPE_CHECKING:
    from pipelines.addition import Mode
    from pipelines.ingest import IngestReport
    from pipelines.plan import Plan


def ingest_command(
    plan: PlanFile,
    store: StoreFolder,
    keys: KeyFolder = None,
    source: SourceName = None,
    catalogue: CatalogueFolder = None,
    base_url: BaseUrl = LOCAL,
    quick: Quick = False,
    append: Append = False,
    correct: Correct = False,
    dry_run: DryRun = False,
) -> None:
    """Bring a delivery into the store and make it the current snapshot.

    A run that was interrupted goes on where it was when the same command is given again.
    """
    with refusals(INTERRUPTED):
        from pipelines.plan_file import load_plan

        report = run_ingest(
            load_plan(plan),
            store,
            keys,
            source,
            catalogue,
            base_url,
            quick=quick,
            mode=mode_of(append, correct),
            dry_run=dry_run,
        )
        print_report(report)


def run_ingest(
    plan: "Plan",
    store: Path,
    keys: Path | None,
    source: str | None,
    catalogue: Path | None,
    base_url: str,
    *,
    quick: bool,
    mode: "Mode",
    dry_run: bool,
    registered: frozenset[int] = frozenset(),
) -> "IngestReport":
    """The ingestion with its progress on the terminal."""
    from pipelines.display import shown
    from pipelines.ingest import ingest
    from pipelines.keystore import open_keystore
    from pipelines.store.reader import Store

    _check_chosen(plan)
    _warn_of_marks(plan.file)
    registry = None
    if catalogue is None and plan.facts:
        catalogue = home("catalogue")
    if catalogue is not None:
        # loads the RDF libraries, which nothing else here needs
        from catalog.registry import FolderRegistry

        registry = FolderRegistry(catalogue)
    with shown(err) as tell:
        return ingest(
            plan, Store(store), open_keystore(keys), registry, source, progress=tell,
            mode=mode, dry_run=dry_run, validate=not quick, base_url=base_url, registered=registered,
        )  # fmt: skip


def mode_of(append: bool, correct: bool) -> "Mode":
    """What becomes of stored rows; raises BadParameter if both are wanted."""
    from pipelines.addition import Mode

    if append and correct:
        raise typer.BadParameter("--append and --correct exclude each other: mended rows are added with --correct.")
    return Mode.APPEND if append else Mode.CORRECT if correct else Mode.REPLACE


def check_command(plan: PlanFile) -> None:
    """Check a plan without a delivery."""
    from pipelines.plan_file import load_plan

    with refusals():
        loaded = load_plan(plan)
        columns = sum(len(t.columns) for t in loaded.tables)
        out.print(f"{plan}: a plan of {len(loaded.tables)} tables and {columns} columns.", soft_wrap=True)
        _warn_of_marks(plan)


def _check_chosen(plan: "Plan") -> None:
    """Raise PlanError for a plan as it was shipped: its persons would be in a domain that nobody chose."""
    from pipelines.draft.form import NO_DOMAIN
    from pipelines.errors import PlanError

    if plan.domain == NO_DOMAIN:
        raise PlanError(
            str(plan.file),
            "nobody has chosen the domain yet, and datasets of one domain link on the person.",
            where="[pseudonyms] domain",
            mend="Write the domain of your node or network.",
        )


def _warn_of_marks(plan: Path) -> None:
    """A draft's open questions are said until somebody has answered them and removed the marks."""
    from pipelines.draft.form import open_questions

    marks = open_questions(plan.read_text(encoding="utf-8"))
    if marks:
        err.print(
            f"{plan}: {marks} places are still marked `# check:`; answer them and remove the marks.", soft_wrap=True
        )


def snapshots_command(dataset: str, store: StoreFolder) -> None:
    """List the snapshots of a dataset, oldest first."""
    from pipelines.store.reader import Store

    with refusals():
        opened = Store(store)
        current = opened.current(dataset).id
        for snapshot in opened.snapshots(dataset):
            rows = sum(t.rows for t in snapshot.tables)
            mark = " (current)" if snapshot.id == current else ""
            out.print(f"{snapshot.id}  {snapshot.created_at:%Y-%m-%d %H:%M}  {rows:,} rows{mark}")


def verify_command(
    dataset: str, store: StoreFolder, snapshot: SnapshotName = None, keys: KeyFolder = None,
    sealed: WithKeys = False,
) -> None:  # fmt: skip
    """Recompute every hash of a snapshot."""
    from pipelines.keystore import open_keystore
    from pipelines.store.reader import Store
    from pipelines.store.verify import verify

    with refusals():
        opened = Store(store)
        name = snapshot or opened.current(dataset).id
        problems = verify(opened, dataset, name, open_keystore(keys) if sealed else None)
        for problem in problems:
            err.print(f"[red]{escape(problem)}[/red]", soft_wrap=True)
        if problems:
            raise typer.Exit(1)
        out.print(f"Snapshot {name} of {dataset} is what was stored.")


def quarantine_command(
    dataset: str,
    store: StoreFolder,
    which: Annotated[
        str | None,
        typer.Argument(help="A snapshot (the current one unless given), `refused` for the last delivery that was "
                            "stopped, or `dry-run`."),
    ] = None,
    target: Annotated[Path | None, typer.Option("--out", help="CSV file to write; the terminal unless given.")] = None,
) -> None:  # fmt: skip
    """List the rows that failed: delivered table, row number, column, reason.

    Mend them, deliver only them, and ingest that delivery with --correct.
    """
    from pipelines.reports import report_of, write_csv
    from pipelines.store.reader import Store

    with refusals():
        opened = Store(store)
        reports = report_of(opened.folder(dataset), which or opened.current(dataset).id)
        if target is None:
            write_csv(reports, sys.stdout)
            return
        with target.open("w", encoding="utf-8", newline="") as file:
            lines = write_csv(reports, file)
        out.print(f"{lines:,} lines in {target}", soft_wrap=True)


def print_report(report: "IngestReport") -> None:
    """What an ingestion did, table by table."""
    table = Table("table", "delivered", "stored", "quarantined", "why")
    for stored in report.snapshot.tables:
        why = stored.note or "; ".join(f"{reason} ({n:,})" for reason, n in stored.reasons.items())
        table.add_row(stored.name, f"{stored.delivered:,}", f"{stored.rows:,}", f"{stored.quarantined:,}", escape(why))
    out.print(table)
    dataset = report.snapshot.dataset
    if report.dry_run:
        out.print("Nothing was stored: this was a dry run.")
    else:
        again = " (this content was stored before)" if report.repeated else ""
        out.print(f"Snapshot {report.snapshot.id} of {dataset} is current{again}.{_replaced(report)}", soft_wrap=True)
    if report.erased:
        out.print(
            f"Persons erased from {dataset} before: {report.erased:,}. What was delivered of them was left out; "
            "`readmit` lets one come back.",
            soft_wrap=True,
        )
    for failed in _failed(report):
        out.print(failed, soft_wrap=True, markup=False)
    if report.quarantine:
        which = f"{dataset} dry-run" if report.dry_run else dataset
        out.print(f"Rows in quarantine: {report.quarantine} (`quarantine {which}` lists them)", soft_wrap=True)


def _replaced(report: "IngestReport") -> str:
    """The snapshot that is no longer current, with what had been added to it: all of it is replaced."""
    before = report.before
    if before is None or before.id == report.snapshot.id:
        return ""
    rows = sum(t.rows for t in before.tables)
    return f" Before, it was {before.id} of {before.created_at:%Y-%m-%d} with {rows:,} rows."


def _failed(report: "IngestReport") -> Iterator[str]:
    """A line on each check that does not hold and did not stop the ingestion."""
    for outcome in report.snapshot.metrics.get("expectations", ()):
        if not outcome["success"]:
            counted = f": {outcome['failed']:,} of {outcome['checked']:,} rows" if outcome["failed"] else ""
            yield f"Check that does not hold, table {outcome['table']}: {outcome['name']}{counted}"


def add_holding(app: typer.Typer) -> None:
    """Mount the commands by which a holder looks at a dataset's plan, deliveries and quality."""
    from pipelines.draft.command import draft_command
    from pipelines.quality.report.command import report_command

    app.command("draft")(draft_command)
    app.command("check")(check_command)
    app.command("snapshots")(snapshots_command)
    app.command("verify")(verify_command)
    app.command("quarantine")(quarantine_command)
    app.command("quality")(report_command)


def main_app() -> typer.Typer:
    """All of them."""
    from pipelines.upkeep import add_upkeep

    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.command("ingest")(ingest_command)
    add_holding(app)
    add_upkeep(app)
    return app
