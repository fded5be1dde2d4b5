"""`dataspace person`: who may act at this node, and their access tokens; for the operator, on this machine."""

from datetime import timedelta
from typing import Annotated

import typer

from dataspace.cli.amounts import organisation as party_of
from dataspace.domain.actors import SYSTEM, Role
from dataspace.domain.token_scopes import TokenScope
from dataspace.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def add(
    name: str,
    organisation: Annotated[str, typer.Option()],
    role: Annotated[list[Role], typer.Option(help="may be given several times")],
    public_body: Annotated[bool, typer.Option(help="the organisation is a public body (Art. 53(2))")] = False,
    email: Annotated[str, typer.Option(help="for reminders; and see DATASPACE_OIDC_MATCH_EMAIL")] = "",
) -> None:
    """Register a natural person and print their identifier."""
    from dataspace.bootstrap import open_node
    from dataspace.services import accounts

    party = party_of(organisation, public_body)
    node = open_node(Settings())
    person = accounts.register_person(
        node.unit_of_work(), node.clock, SYSTEM, name=name, organisation=party, roles=frozenset(role), email=email
    )
    typer.echo(person.id)


@app.command()
def email(person: str, address: Annotated[str, typer.Argument(help="empty: none")]) -> None:
    """Change where a person is reminded of deadlines, and what an identity of the provider may be matched by."""
    from dataspace.bootstrap import open_node
    from dataspace.services import accounts

    node = open_node(Settings(), create=False)
    accounts.change_address(node.unit_of_work(), node.clock, SYSTEM, person, address)


@app.command()
def token(
    person: str,
    label: Annotated[str, typer.Option(help="what it is for")] = "",
    days: Annotated[int, typer.Option(min=1, max=365)] = 90,
    scope: Annotated[list[TokenScope] | None, typer.Option(help="several times; all by default")] = None,
) -> None:
    """Issue a personal access token. It is shown once and never again."""
    from dataspace.bootstrap import open_node
    from dataspace.services import accounts

    node = open_node(Settings(), create=False)
    issued = accounts.issue_token(
        node.unit_of_work(),
        node.clock,
        SYSTEM,
        person,
        label=label,
        valid_for=timedelta(days=days),
        scopes=frozenset(scope or ()) or None,
    )
    typer.echo(issued.plaintext)
    typer.echo(f"valid until {issued.expires_at:%Y-%m-%d}", err=True)


@app.command("list")
def list_all() -> None:
    """Everyone registered: identifier, roles, name and organisation."""
    from dataspace.bootstrap import open_node
    from dataspace.services import accounts

    for person in accounts.list_persons(open_node(Settings(), create=False).unit_of_work(), SYSTEM):
        typer.echo(f"{person.id}  {', '.join(sorted(person.roles)):<19}  {person.name} ({person.organisation.name})")
