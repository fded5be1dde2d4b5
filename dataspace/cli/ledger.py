"""`dataspace audit`: recompute the ledger's and the audit trail's chains, on the node's own machine."""

import typer

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

    state = ledger.verify(open_node(Settings(), create=False).unit_of_work())
    for finding in state.findings:
        typer.echo(finding.text, err=True)
    if not state.sound:
        raise typer.Exit(1)
    typer.echo(f"sound: {state.postings.seq} postings, head {state.postings.hash}")
    typer.echo(f"sound: {state.events.seq} audit events, head {state.events.hash}")
