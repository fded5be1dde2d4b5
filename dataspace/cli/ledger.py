"""`dataspace audit`: recompute the ledger's and the audit trail's chains, on the node's own machine."""

import typer

from dataspace.cli.signed import older_than_checkpoints
from dataspace.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.callback()
def _several_commands() -> None:
    """Recompute the privacy ledger and the audit trail."""


@app.command()
def verify() -> None:
    """Recompute every hash and every balance; exit code 1 and a line for each fault."""
    from dataspace.bootstrap import open_node
    from dataspace.services import ledger

    node = open_node(Settings(), create=False)
    state = ledger.verify(node.unit_of_work())
    faults = [*(finding.text for finding in state.findings), *older_than_checkpoints(node)]
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"sound: {state.postings.seq} postings, head {state.postings.hash}")
    typer.echo(f"sound: {state.events.seq} audit events, head {state.events.hash}")
