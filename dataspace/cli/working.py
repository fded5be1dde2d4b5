"""`dataspace work`: what the node does by itself; `dataspace message`: what it sent, and could not send."""

import time
from typing import Annotated

import typer

from dataspace.domain.actors import SYSTEM
from dataspace.domain.errors import Busy, DataspaceError
from dataspace.domain.outbox import DeliveryState
from dataspace.settings import Settings

messages = typer.Typer(no_args_is_help=True, help="The outbox: what was sent, what waits, what was given up.")


def work(
    every: Annotated[
        int | None, typer.Option(min=5, max=86_400, help="go on, with so many seconds in between; else once")
    ] = None,
) -> None:
    """Return budgets of expired permits, write reminders, send messages. Several may run at once."""
    from dataspace.bootstrap import open_node
    from dataspace.periodic import JOBS

    node = open_node(Settings(), create=False)
    while True:
        failed: DataspaceError | None = None
        for job in JOBS:
            try:
                typer.echo(job.run(node))
            except Busy as error:
                failed = error
                typer.echo(f"{job.name}: {error}", err=True)
        if every is None:
            if failed is not None:
                raise failed
            return
        time.sleep(every)


@messages.command("list")
def list_messages(
    state: Annotated[DeliveryState | None, typer.Option(help="dead: what was given up")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000)] = 100,
) -> None:
    """The newest messages, and how far they got."""
    from dataspace.bootstrap import open_node
    from dataspace.services import outbox

    node = open_node(Settings(), create=False)
    for message, delivery in outbox.list_messages(node.unit_of_work(), SYSTEM, state, most):
        tried = f"{delivery.state:<7}  {delivery.tries:>2} tries  {delivery.fault or '-':<20}"
        typer.echo(f"{message.id}  {message.at:%Y-%m-%d %H:%M}  {message.channel:<7}  {tried}  {message.subject}")


@messages.command()
def retry(message: str) -> None:
    """Send a message that was given up once more."""
    from dataspace.bootstrap import open_node
    from dataspace.services import outbox

    node = open_node(Settings(), create=False)
    outbox.requeue_message(node.unit_of_work(), node.clock, SYSTEM, message)
    typer.echo("waiting")
