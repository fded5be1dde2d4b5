"""`dataspace keys signing`, `dataspace ledger` and `dataspace verify-permit`: what leaves the node signed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataspace.settings import Settings

if TYPE_CHECKING:
    from dataspace.bootstrap import Node

keys = typer.Typer(no_args_is_help=True, help="The node's own keys.")
signing = typer.Typer(no_args_is_help=True, help="Keys that documents leaving the node are signed with.")
ledger = typer.Typer(no_args_is_help=True, help="Signed checkpoints of the privacy ledger and the audit trail.")
keys.add_typer(signing, name="signing")

Witness = Annotated[
    list[Path] | None, typer.Option(help="another folder of checkpoints, such as one that another machine keeps")
]


@signing.command("list")
def list_keys() -> None:
    """Every signing key with the period it was in use; the last one signs."""
    for key in _node().signatures.published():
        until = "now" if key.until is None else _time(key.until)
        typer.echo(f"{key.kid}  {_time(key.since)} - {until}")


@signing.command()
def rotate() -> None:
    """Make a new signing key; what the ones before signed stays verifiable."""
    from dataspace.domain.actors import SYSTEM
    from dataspace.services.signing import rotate_signing_key

    node = _node()
    key = rotate_signing_key(node.unit_of_work(), node.clock, SYSTEM, node.signatures)
    typer.echo(f"{key.kid}  signs from {_time(key.since)}")


@ledger.command()
def checkpoint(witness: Witness = None) -> None:
    """Sign where the ledger and the audit trail stand, and keep that apart from the database; prints it."""
    from dataspace.checkpoint_folder import CheckpointFolder
    from dataspace.services.checkpoints import make_checkpoint

    node = _node()
    folders = [*node.checkpoints, *map(CheckpointFolder, witness or [])]
    typer.echo(make_checkpoint(node.unit_of_work(), node.clock, node.signatures, node.settings.public_url, folders))


@ledger.command()
def verify(witness: Witness = None) -> None:
    """Recompute the books and compare them with the newest checkpoints; exit code 1 and a line for each fault."""
    from dataspace.services.ledger import verify as recompute

    node = _node()
    state = recompute(node.unit_of_work())
    faults = [*(finding.text for finding in state.findings), *older_than_checkpoints(node, witness)]
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(
        f"the books hold: {state.postings.seq} postings, {state.events.seq} audit events; no checkpoint is newer"
    )


def older_than_checkpoints(node: "Node", witness: list[Path] | None = None) -> list[str]:
    """What checkpoints hold and the database does not; a line for each fault."""
    from dataspace.checkpoint_folder import CheckpointFolder
    from dataspace.services.checkpoints import compare_checkpoints

    folders = [*node.checkpoints, *map(CheckpointFolder, witness or [])]
    return [finding.text for finding in compare_checkpoints(node.unit_of_work(), node.signatures, folders)]


def verify_permit(
    file: Path,
    keys: Annotated[Path, typer.Option(help="the node's /.well-known/jwks.json, from a source you trust")],
    status: Annotated[Path | None, typer.Option(help="the node's /api/v1/permits/status")] = None,
    at: Annotated[datetime | None, typer.Option(help="UTC; now by default")] = None,
) -> None:
    """Verify a data permit's signed statement offline; exit code 1 and the reason if it does not hold."""
    from dataspace.client.verification import verify_permit as check
    from dataspace.jose import Refused, read_keys

    when = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    try:
        listed = None if status is None else _text(status)
        verdict = check(_text(file), read_keys(_text(keys)), when, listed)
    except Refused as refused:
        typer.echo(f"not valid at {when:%Y-%m-%d %H:%M:%S} UTC: {refused.message} ({refused.reason})", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"valid at {when:%Y-%m-%d %H:%M:%S} UTC: permit {verdict.number}, issued by {verdict.claims['iss']}")
    for note in verdict.notes:
        typer.echo(note)


def cross_check(
    source: Annotated[str, typer.Argument(help="address of a node, or a folder that was downloaded into")],
    into: Annotated[Path, typer.Option(help="folder to download into")] = Path("public-files"),
    keys: Annotated[Path | None, typer.Option(help="the node's keys (JWKS) from a source you trust")] = None,
    earlier: Annotated[Path | None, typer.Option(help="a checkpoint.jws of an earlier download")] = None,
) -> None:
    """Recompute a node's ledger, permits and register from its public files alone; exit code 1 on any mismatch."""
    from dataspace.client.crosscheck import run

    raise typer.Exit(run(source, into, keys, earlier, typer.echo))


def _node() -> "Node":
    from dataspace.bootstrap import open_node

    return open_node(Settings(), create=False)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
