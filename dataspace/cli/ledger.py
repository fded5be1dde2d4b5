"""`dataspace audit`: who did what, over the API; on the node's own machine, recomputing and archiving the trail."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dataspace.cli.remote import Token, Url, connect
from dataspace.cli.signed import older_than_checkpoints
from dataspace.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The privacy ledger and the audit trail: list, export, verify, archive.")
LOCAL = "http://127.0.0.1:8000"

Actor = Annotated[str | None, typer.Option(help="identifier of a person")]
Subject = Annotated[str | None, typer.Option(help="identifier of what was acted on")]
Kind = Annotated[str | None, typer.Option(help="kind of event, for example query-charged")]
Since = Annotated[str | None, typer.Option("--from", help="from this time on, for example 2026-11-01T00:00:00Z")]
Until = Annotated[str | None, typer.Option("--to", help="before this time")]


class Format(StrEnum):
    JSON_LINES = "jsonl"
    CSV = "csv"


@app.command()
def verify() -> None:
    """Recompute every hash and every balance; exit code 1 and a line for each fault."""
    from dataspace.bootstrap import open_node
    from dataspace.services import ledger

    node = open_node(Settings(), create=False)
    state = ledger.verify(node.unit_of_work(), node.audit_files)
    faults = [*(finding.text for finding in state.findings), *older_than_checkpoints(node)]
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"sound: {state.postings.seq} postings, head {state.postings.hash}")
    typer.echo(f"sound: {state.events.seq} audit events, head {state.events.hash}")


@app.command("list")
def list_events(
    token: Token, url: Url = LOCAL, actor: Actor = None, subject: Subject = None, kind: Kind = None,
    since: Since = None, until: Until = None, after: Annotated[int, typer.Option(min=0)] = 0,
) -> None:  # fmt: skip
    """Entries of the audit trail, a line each. Reading them is on record."""
    for entry in connect(url, token).audit(after, **_wanted(actor, subject, kind, since, until)):
        details = " ".join(f"{name}={value}" for name, value in sorted(entry.details.items()))
        typer.echo(f"{entry.seq}  {entry.at}  {entry.kind:<22}  {entry.actor}  {entry.subject}  {details}")


@app.command()
def export(
    file: Path, token: Token, url: Url = LOCAL, actor: Actor = None, subject: Subject = None, kind: Kind = None,
    since: Since = None, until: Until = None, format: Annotated[Format, typer.Option()] = Format.JSON_LINES,  # noqa: A002
) -> None:  # fmt: skip
    """Write the entries to FILE: JSON lines to recompute the chain from, or CSV that no spreadsheet runs."""
    wanted = _wanted(actor, subject, kind, since, until)
    file.write_text(connect(url, token).export_audit(format.value, **wanted), encoding="utf-8", newline="")


@app.command()
def archive() -> None:
    """Move entries older than DATASPACE_AUDIT_RETENTION to the archive folder; `verify` reads both."""
    from dataspace.bootstrap import open_node
    from dataspace.domain.actors import SYSTEM
    from dataspace.services.audit_trail import archive_audit

    node = open_node(Settings(), create=False)
    kept = timedelta(days=node.settings.audit_retention)
    moved = 0
    while part := archive_audit(node.unit_of_work(), node.clock, SYSTEM, node.audit_files, kept):
        typer.echo(f"entries {part.first} to {part.last} are in {part.file}, SHA-256 {part.sha256}")
        moved += 1
    if not moved:
        typer.echo(f"nothing is older than {kept.days} days")


def _wanted(
    actor: str | None, subject: str | None, kind: str | None, since: str | None, until: str | None
) -> dict[str, str]:
    named = {"actor": actor, "subject": subject, "kind": kind, "from_": since, "to": until}
    return {name: value for name, value in named.items() if value is not None}
