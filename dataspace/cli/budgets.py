"""`dataspace budget`: asking for more privacy budget under a permit, and an access body's decision, over the API."""

from typing import Annotated

import typer

from dataspace.cli.remote import Token, Url, connect
from dataspace.wire.ledger import BudgetRequestEntry

app = typer.Typer(no_args_is_help=True, help="More privacy budget under a permit: ask, list, grant, refuse.")
LOCAL = "http://127.0.0.1:8000"


@app.command()
def ask(
    permit: str,
    reasons: str,
    token: Token,
    url: Url = LOCAL,
    rho: Annotated[str | None, typer.Option(help="zero-concentrated loss on top of what the permit has")] = None,
    epsilon: Annotated[str | None, typer.Option(help="of the whole permit afterwards, instead of --rho")] = None,
    delta: Annotated[str, typer.Option(help="of the whole permit, with --epsilon")] = "0.000001",
) -> None:
    """Ask for more; another person decides."""
    session = connect(url, token)
    _show(session.ask_for_budget(permit, reasons, rho=rho, total_epsilon=epsilon, delta=delta))


@app.command("list")
def list_requests(
    token: Token, url: Url = LOCAL, permit: Annotated[str | None, typer.Option(help="all of one permit")] = None
) -> None:
    """Requests that wait for a decision; with --permit, all under it."""
    for request in connect(url, token).budget_requests(permit):
        _show(request)


@app.command()
def grant(request: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Give the permit what was asked for, out of the datasets' capacity."""
    _show(connect(url, token).grant_budget(request, reasons))


@app.command()
def refuse(request: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Leave the permit's budget as it is."""
    _show(connect(url, token).refuse_budget(request, reasons))


def _show(request: BudgetRequestEntry) -> None:
    asked = f"rho {request.more_rho:f} more, in all epsilon {request.total.epsilon:f} at delta {request.total.delta:f}"
    typer.echo(f"{request.number}  {request.state:<8}  {request.permit_id}  {asked}")
