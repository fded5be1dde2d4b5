"""`dataspace organisation`: what is known of organisations; for the operator, on this machine."""

from datetime import datetime
from typing import Annotated

import typer

from dataspace.domain.actors import SYSTEM
from dataspace.domain.organisations import OrganisationKind, OrganisationRecord, SizeClass
from dataspace.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command("set")
def save(
    name: str,
    kind: Annotated[OrganisationKind, typer.Option()],
    country: Annotated[str, typer.Option(help="ISO 3166-1, for example PT")] = "",
    legal_id: Annotated[str, typer.Option(help="number in a register")] = "",
    size: Annotated[SizeClass | None, typer.Option(help="micro is exempt (Art. 50)")] = None,
    public_body: Annotated[bool, typer.Option(help="Art. 53(2)")] = False,
    trusted_until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="trusted holders")] = None,
) -> None:
    """Register an organisation, or replace what is known of it."""
    from dataspace.bootstrap import open_node
    from dataspace.services import organisations

    node = open_node(Settings(), create=False)
    until = trusted_until.date() if trusted_until else None
    record = OrganisationRecord(name, public_body, kind, country, legal_id, size, until)
    organisations.save_organisation(node.unit_of_work(), node.clock, SYSTEM, record)


@app.command("list")
def list_all() -> None:
    """Every organisation: kind, country, legal identifier, name."""
    from dataspace.bootstrap import open_node
    from dataspace.services import organisations

    node = open_node(Settings(), create=False)
    for known in organisations.list_organisations(node.unit_of_work()):
        marks = " (exempt)" if known.exempt else ""
        typer.echo(f"{known.kind:<24}  {known.country:<2}  {known.legal_id:<20}  {known.name}{marks}")
