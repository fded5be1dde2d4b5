"""`dataspace application` and `dataspace permit`: applying, and an access body's decisions, over the API.

Applications and permits are named by identifier or by number.
"""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from dataspace import wire
from dataspace.cli.remote import LOCAL, Token, Url, connect, read_fields
from dataspace.client import InvalidInput
from dataspace.client.asking import application_request
from dataspace.client.session import DocumentForm

applications = typer.Typer(no_args_is_help=True, help="Applying, and the decisions on applications (Art. 67, 68).")
permits = typer.Typer(no_args_is_help=True, help="Data permits: list, budget, revoke.")
ENDINGS: dict[DocumentForm, str] = {"jws": "jws", "pdf": "pdf", "odrl": "odrl.jsonld", "visa": "visas.json"}


@applications.command("list")
def list_applications(token: Token, url: Url = LOCAL, state: str | None = None) -> None:
    """Applications you may see, newest first; of one state, if you say which."""
    for case in connect(url, token).applications(state=state):
        typer.echo(f"{case.id}  {case.state:<16}  {case.number}  {case.title}")


@applications.command()
def apply(file: Path, token: Token, url: Url = LOCAL) -> None:
    """File and submit the application in FILE (.toml or .json; deploy/application.example.toml is one)."""
    case = connect(url, token).apply(application_request(read_fields(file)))
    typer.echo(f"{case.id}  {case.state:<16}  {case.number}  {case.title}")


@applications.command()
def withdraw(application: str, token: Token, url: Url = LOCAL) -> None:
    """Withdraw your own application before it is decided."""
    typer.echo(connect(url, token).withdraw(application).state)


@applications.command()
def assess(application: str, token: Token, url: Url = LOCAL) -> None:
    """Take a submitted application into assessment; `find` writes its verdicts, `propose` ends it."""
    typer.echo(connect(url, token).assess(application).state)


@applications.command()
def grant(application: str, token: Token, condition: list[str] = typer.Option([]), url: Url = LOCAL) -> None:  # noqa: B008
    """Issue the permit that is proposed; the decision maker is not the assessor."""
    permit = connect(url, token).grant(application, wire.GrantRequest(conditions=condition))
    typer.echo(f"{permit.id}  permit {permit.number}")


@applications.command()
def refuse(application: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Refuse, as it is proposed, with reasons."""
    typer.echo(connect(url, token).refuse(application, wire.ReasonsRequest(reasons=reasons)).state)


@permits.command("list")
def list_permits(token: Token, url: Url = LOCAL) -> None:
    """Permits you are named in; all, for an access body."""
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


@permits.command()
def document(
    permit: str,
    token: Token,
    form: Annotated[str, typer.Option("--format", help="jws, pdf, odrl or visa")] = "jws",
    language: Annotated[str, typer.Option(help="of the print: en or fr")] = "en",
    into: Annotated[Path | None, typer.Option(help="file to write; the permit's identifier by default")] = None,
    url: Url = LOCAL,
) -> None:
    """Save a permit as a signed statement, a print, an ODRL policy, or visas for yourself."""
    if form not in get_args(DocumentForm) or language not in ("en", "fr"):
        raise InvalidInput("--format is jws, pdf, odrl or visa; --language is en or fr")
    content = connect(url, token).document(
        permit, cast(DocumentForm, form), language="fr" if language == "fr" else "en"
    )
    file = into or Path(f"{permit}.{ENDINGS[cast(DocumentForm, form)]}")
    file.write_bytes(content)
    typer.echo(f"{file}")
