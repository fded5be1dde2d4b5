"""`dataspace opt-out`: a person opts out of secondary use, comes back, or asks (Art. 71); for the access body's desk.

The identifier is asked for, or read from standard input: a command line can be seen by others and is kept.
"""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from dataspace import wire
from dataspace.cli.remote import Token, Url, connect
from dataspace.client import InvalidInput

app = typer.Typer(no_args_is_help=True, help=__doc__)
LOCAL = "http://127.0.0.1:8000"


class Channel(StrEnum):
    """How the choice reached the desk."""

    AT_ACCESS_BODY = "at-access-body"
    ON_BEHALF = "on-behalf"


By = Annotated[Channel, typer.Option("--channel", help="the person came, or someone acts for them")]
Partly = Annotated[
    bool,
    typer.Option("--accept-partly", help="also if the identifier fails the check of some datasets' numbers"),
]
At = Annotated[datetime | None, typer.Option("--at", help="in UTC; now by default")]


@app.command("set")
def set_opt_out(token: Token, channel: By = Channel.AT_ACCESS_BODY, partly: Partly = False, url: Url = LOCAL) -> None:
    """Opt a person out: permits approved from now on do not see them."""
    _show(connect(url, token).opt_out(_identifier(), channel=channel.value, accept_partly=partly))


@app.command()
def withdraw(token: Token, channel: By = Channel.AT_ACCESS_BODY, partly: Partly = False, url: Url = LOCAL) -> None:
    """Take an opt-out back: permits approved from now on see the person."""
    _show(connect(url, token).withdraw_opt_out(_identifier(), channel=channel.value, accept_partly=partly))


@app.command()
def status(token: Token, at: At = None, url: Url = LOCAL) -> None:
    """Whether a person is opted out, now or at a time, and every choice they made."""
    found = connect(url, token).opt_out_status(_identifier(), at=at and at.replace(tzinfo=UTC))
    typer.echo(f"{'opted out' if found.opted_out else 'not opted out'} at {found.at:%Y-%m-%d %H:%M:%S} UTC")
    for choice in found.history:
        typer.echo(f"{choice.at:%Y-%m-%d %H:%M:%S} UTC  {choice.choice:<10}  {choice.channel:<14}  {choice.number}")


def _identifier() -> str:
    """Typed without being shown, or the first line of standard input."""
    if sys.stdin.isatty():
        typed: str = typer.prompt("identifier", hide_input=True, err=True)
        return typed
    line = sys.stdin.readline().strip()
    if not line:
        raise InvalidInput("write the identifier to standard input, or run the command in a terminal to be asked")
    return line


def _show(receipt: wire.OptOutReceipt) -> None:
    typer.echo(f"receipt {receipt.number}: {receipt.choice} at {receipt.at:%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(receipt.meaning)
    for domain in receipt.not_covered:
        typer.echo(f"not recorded for {domain}: the identifier does not pass its check", err=True)
