"""`dataspace person`: who may act at this node, and their access tokens; for the operator, on this machine."""

from datetime import timedelta
from typing import Annotated

import typer

from dataspace.domain.actors import SYSTEM, Organisation, Role
from dataspace.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def add(
    name: str,
    organisation: Annotated[str, typer.Option()],
    role: Annotated[list[Role], typer.Option(help="may be given several times")],
    public_body: Annotated[bool, typer.Option(help="the organisation is a public body (Art. 53(2))")] = False,
) -> None:
    """Register a natural person and print their identifier."""
    from dataspace.bootstrap import open_node
    from dataspace.services import accounts

    node, party = open_node(Settings()), Organisation(organisation, public_body)
    person = accounts.register_person(
        node.unit_of_work(), node.clock, SYSTEM, name=name, organisation=party, roles=frozenset(role)
    )
    typer.echo(person.id)


@app.command()
def token(
    person: str,
    label: Annotated[str, typer.Option(help="what it is for")] = "",
    days: Annotated[int, typer.Option(min=1, max=365)] = 90,
) -> None:
    """Issue a personal access token. It is shown once and never again."""
    from dataspace.bootstrap import open_node
    from dataspace.services import accounts

    node = open_node(Settings())
    issued = accounts.issue_token(
        node.unit_of_work(), node.clock, SYSTEM, person, label=label, valid_for=timedelta(days=days)
    )
    typer.echo(issued.plaintext)
    typer.echo(f"valid until {issued.expires_at:%Y-%m-%d}", err=True)
