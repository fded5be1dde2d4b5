"""One-time links, roles and standing of persons, for the operator on this machine; one's own tokens over the API."""

from typing import Annotated

import typer

from dataspace.cli.remote import Token, Url, connect
from dataspace.domain.actors import SYSTEM, Role
from dataspace.domain.token_scopes import TokenScope
from dataspace.settings import Settings

LOCAL = "http://127.0.0.1:8000"

tokens = typer.Typer(no_args_is_help=True, help="One's own access tokens.")


def add_access(persons: typer.Typer) -> None:
    """Put the commands on persons beside the others of `dataspace person`."""
    for command in (invite, roles, deactivate, reactivate):
        persons.command()(command)


def invite(
    person: str, login: Annotated[str, typer.Option(help="account name; the person's identifier by default")] = ""
) -> None:
    """Print a one-time link with which a person sets their password or links their identity; valid for three days."""
    from dataspace.bootstrap import open_node
    from dataspace.services import sign_in

    settings = Settings()
    node = open_node(settings, create=False)
    secret = sign_in.invite(node.unit_of_work(), node.clock, SYSTEM, person, login=login)
    typer.echo(f"{settings.public_url.rstrip('/')}/invitation/{secret}")


def roles(
    person: str,
    give: Annotated[list[Role] | None, typer.Option(help="may be given several times")] = None,
    take: Annotated[list[Role] | None, typer.Option(help="may be given several times")] = None,
) -> None:
    """Give and take roles; taking one ends sessions, and tokens that rely on it. Prints the roles now held."""
    from dataspace.bootstrap import open_node
    from dataspace.services import persons

    node = open_node(Settings(), create=False)
    changed = persons.change_roles(
        node.unit_of_work(), node.clock, SYSTEM, person, give=frozenset(give or ()), take=frozenset(take or ())
    )
    typer.echo(", ".join(sorted(changed.roles)))


def deactivate(person: str) -> None:
    """No sign-in and no query from now on: tokens, sessions and links of the person are dead; their cases stay."""
    from dataspace.bootstrap import open_node
    from dataspace.services import persons

    node = open_node(Settings(), create=False)
    persons.deactivate_person(node.unit_of_work(), node.clock, SYSTEM, person)


def reactivate(person: str) -> None:
    """Let a person sign in again; what was ended stays ended."""
    from dataspace.bootstrap import open_node
    from dataspace.services import persons

    node = open_node(Settings(), create=False)
    persons.reactivate_person(node.unit_of_work(), node.clock, SYSTEM, person)


@tokens.command("list")
def list_tokens(token: Token, url: Url = LOCAL) -> None:
    """One's tokens in force: identifier, last day, last used, scopes and label."""
    with connect(url, token) as node:
        for entry in node.tokens():
            used, scopes = entry.last_used_on or "never", " ".join(entry.scopes or ["all"])
            typer.echo(f"{entry.id}  {entry.expires_at:%Y-%m-%d}  {used!s:<10}  {scopes:<20}  {entry.label}".rstrip())


@tokens.command()
def issue(
    token: Token,
    url: Url = LOCAL,
    label: Annotated[str, typer.Option(help="what it is for")] = "",
    days: Annotated[int, typer.Option(min=1, max=365)] = 90,
    scope: Annotated[list[TokenScope] | None, typer.Option(help="several times; all by default")] = None,
) -> None:
    """Issue a token for oneself. It is shown once and never again."""
    with connect(url, token) as node:
        issued = node.issue_token(label, [wanted.value for wanted in scope or ()], days)
    typer.echo(issued.token)
    typer.echo(f"valid until {issued.expires_at:%Y-%m-%d}", err=True)


@tokens.command()
def revoke(token_id: str, token: Token, url: Url = LOCAL) -> None:
    """End one of one's tokens: its very next request is refused."""
    with connect(url, token) as node:
        node.revoke_token(token_id)
