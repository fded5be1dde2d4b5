"""`dataspace dataset`: register a dataset with its privacy capacity, publish a snapshot, see what there is."""

from typing import Annotated

import typer

from dataspace.cli.amounts import guarantee
from dataspace.domain.actors import SYSTEM
from dataspace.domain.errors import InvalidInput
from dataspace.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def register(
    dataset: str,
    title: Annotated[str, typer.Option()],
    holder: Annotated[str, typer.Option(help="organisation that holds the data")],
    epsilon: Annotated[str, typer.Option(help="what all permits together may ever spend on it")] = "10",
    delta: Annotated[str, typer.Option()] = "0.00001",
) -> None:
    """Register a dataset; its capacity is fixed from then on."""
    from dataspace.bootstrap import open_node
    from dataspace.services import datasets

    settings = Settings()
    capacity = guarantee(epsilon, delta)
    if capacity.epsilon > settings.max_dataset_epsilon:
        raise InvalidInput(f"this node allows a dataset at most epsilon {settings.max_dataset_epsilon} in all")
    node = open_node(settings)
    datasets.register_dataset(
        node.unit_of_work(), node.clock, SYSTEM,
        dataset=dataset, title=title, holder=holder, capacity=capacity, to_limit=node.limit_of,
    )  # fmt: skip
    typer.echo(f"registered {dataset}")


@app.command()
def publish(
    dataset: str, snapshot: Annotated[str | None, typer.Option(help="the store's newest by default")] = None
) -> None:
    """Make a snapshot of the store the current one: new permits are granted on it.

    Not before all who opted out are known under its key.
    """
    from dataspace.bootstrap import open_node
    from dataspace.cli.register import stored
    from dataspace.services import datasets, opt_outs

    node = open_node(Settings(), create=False)
    record = node.store.snapshot(dataset, snapshot) if snapshot else node.store.current(dataset)
    opt_outs.check_linked(node.unit_of_work(), node.pseudonyms.register_key, stored(record))
    datasets.publish_snapshot(node.unit_of_work(), node.clock, SYSTEM, schema=record.schema, snapshot=record.id)
    typer.echo(f"{dataset}: snapshot {record.id} is current")


@app.command("list")
def list_all() -> None:
    """Registered datasets and their current snapshots."""
    from dataspace.bootstrap import open_node
    from dataspace.services import datasets

    for entry in datasets.list_datasets(open_node(Settings(), create=False).unit_of_work()):
        typer.echo(f"{entry.id}  {entry.current or 'not published'}  {entry.title} ({entry.holder})")
