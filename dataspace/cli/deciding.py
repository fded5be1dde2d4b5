"""`dataspace application` and `dataspace permit`: an access body's decisions, over the API."""

import typer

from dataspace import wire
from dataspace.cli.remote import Token, Url, connect

applications = typer.Typer(no_args_is_help=True, help="Applications and the decisions on them (Art. 67, 68).")
permits = typer.Typer(no_args_is_help=True, help="Data permits: list, budget, revoke.")
LOCAL = "http://127.0.0.1:8000"


@applications.command("list")
def list_applications(token: Token, url: Url = LOCAL) -> None:
    """Applications you may see."""
    for case in connect(url, token).applications():
        typer.echo(f"{case.id}  {case.state:<16}  {case.number}  {case.title}")


@applications.command()
def assess(application: str, token: Token, url: Url = LOCAL) -> None:
    """Take a submitted application into assessment."""
    typer.echo(connect(url, token).assess(application).state)


@applications.command()
def grant(application: str, token: Token, condition: list[str] = typer.Option([]), url: Url = LOCAL) -> None:  # noqa: B008
    """Issue the permit; the decision maker is not the assessor."""
    permit = connect(url, token).grant(application, wire.GrantRequest(conditions=condition))
    typer.echo(f"{permit.id}  permit {permit.number}")


@applications.command()
def refuse(application: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Refuse, with reasons."""
    typer.echo(connect(url, token).refuse(application, wire.ReasonsRequest(reasons=reasons)).state)


@permits.command("list")
def list_permits(token: Token, url: Url = LOCAL) -> None:
    """Permits you are named in."""
    for permit in connect(url, token).permits():
        typer.echo(f"{permit.id}  {permit.state:<9}  {permit.number}  {', '.join(permit.datasets)}")


@permits.command()
def budget(permit: str, token: Token, url: Url = LOCAL) -> None:
    """Granted, spent and remaining."""
    amounts = connect(url, token).budget(permit)
    for name in ("limit", "spent", "remaining"):
        price: wire.Price = getattr(amounts, name)
        typer.echo(f"{name:<10} rho {price.rho:f}  delta {price.delta:f}  epsilon {price.epsilon}")


@permits.command()
def revoke(permit: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Stop a permit: its very next query is refused."""
    typer.echo(connect(url, token).revoke(permit, reasons).state)
