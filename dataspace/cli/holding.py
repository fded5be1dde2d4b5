"""`dataspace ingest`, and what holders and operators do with stored datasets: the commands of `pipelines`, where they
touch the node's own books. The only module of this package that runs an ingestion.
"""

from typing import Annotated

import typer

from dataspace.domain.actors import SYSTEM
from dataspace.domain.errors import DataspaceError, NotFound
from dataspace.settings import Settings
from pipelines import cli as pipelines
from pipelines import upkeep
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
    SourceName,
    StoreFolder,
    Version,
    Yes,
    err,
    out,
    refusals,
)

UNLINKED = (
    "Not everybody who opted out is linked to this snapshot (they chose meanwhile, or the rows stored before were not"
    " linked): it cannot be published before it is ingested again, as a whole."
)


def ingest(
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
    publish: Annotated[
        bool, typer.Option("--publish", help="Make the snapshot the one that new permits are granted on.")
    ] = False,
) -> None:
    """Bring a delivery into the store and make it the store's current snapshot.

    A run that was interrupted goes on where it was when the same command is given again.
    """
    from dataspace.cli.register import open_register
    from pipelines.plan_file import load_plan

    with refusals(INTERRUPTED):
        loaded, mode = load_plan(plan), pipelines.mode_of(append, correct)
        register = open_register(loaded, store, keys, mode)
        report = pipelines.run_ingest(
            loaded, store, keys, source, catalogue, base_url,
            quick=quick, mode=mode, dry_run=dry_run,
            registered=register.numbers if register else frozenset(),
        )  # fmt: skip
        pipelines.print_report(report)
    if dry_run:
        return
    if register and not register.link(report):
        err.print(UNLINKED, soft_wrap=True)
    if publish:
        _publish(loaded.dataset, report.snapshot.id)
    else:
        out.print(f"New permits see it after: dataspace dataset publish {loaded.dataset}", soft_wrap=True)


def collect(dataset: str, store: StoreFolder, yes: Yes = False) -> None:
    """Remove snapshots that are neither current nor named by a permit or a release."""
    from dataspace.bootstrap import open_node
    from dataspace.services import datasets

    node = open_node(Settings(), create=False)
    kept = datasets.snapshots_in_use(node.unit_of_work(), node.clock, SYSTEM, dataset)
    upkeep.collect_command(dataset, store, sorted(kept), yes)


def rekey(dataset: str, store: StoreFolder, keys: KeyFolder = None, version: Version = None) -> None:
    """Re-key the current snapshot to a chained key version, and the opt-outs with it."""
    from dataspace.cli.register import check_one_keystore, rekey_register

    with refusals():
        check_one_keystore(keys)
    upkeep.rekey_command(dataset, store, keys, version)
    with refusals():
        rekey_register(dataset, store, keys)
    out.print(f"New permits see it after: dataspace dataset publish {dataset}", soft_wrap=True)


def add_holding(app: typer.Typer) -> None:
    """Mount what is done with a dataset's plan, deliveries and snapshots."""
    pipelines.add_holding(app)
    app.command("erase")(upkeep.erase_command)
    app.command("readmit")(upkeep.readmit_command)
    app.command("collect")(collect)
    app.command("rekey")(rekey)


def _publish(dataset: str, snapshot: str) -> None:
    from dataspace.cli.datasets import publish

    try:
        publish(dataset, snapshot)
    except NotFound as missing:
        raise DataspaceError(f"the snapshot is stored but not published: {missing}") from None


keys = typer.Typer(no_args_is_help=True, help="Pseudonymisation keys: rotate them, check the log of their use.")
keys.command("rotate")(upkeep.rotate_command)
keys.command("log")(upkeep.key_log_command)
