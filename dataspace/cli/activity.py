"""`dataspace report`: the activity report of Art. 59, over the API."""

import json
from datetime import date, datetime
from typing import Annotated

import typer

from dataspace.cli.remote import Token, Url, connect
from dataspace.client import Dataspace, InvalidInput

app = typer.Typer(no_args_is_help=True, help=__doc__)
LOCAL = "http://127.0.0.1:8000"
DAY = ["%Y-%m-%d"]

From = Annotated[datetime, typer.Option("--from", formats=DAY, help="first day of the period")]
To = Annotated[datetime, typer.Option("--to", formats=DAY, help="first day after the period")]


@app.command()
def activity(start: From, end: To, as_json: Annotated[bool, typer.Option("--json")] = False, url: Url = LOCAL) -> None:
    """Show all eleven items of a period as the records stand now; public."""
    content = Dataspace(url).activity_report(_day(start), _day(end))
    if as_json:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    items = content["items"]
    if not isinstance(items, dict):
        raise InvalidInput("the node answered with no report: is it of this version?")
    for item, figures in sorted(items.items()):
        for name, value in figures.items():
            typer.echo(f"({item}) {name:<28} {_said(value)}")


@app.command()
def freeze(start: From, end: To, token: Token, url: Url = LOCAL) -> None:
    """Freeze the report of two years; an earlier edition is superseded and stays."""
    edition = connect(url, token).freeze_report(_day(start), _day(end))
    typer.echo(f"{edition.id}  edition {edition.number}  sha256 {edition.sha256}")


def _day(at: datetime) -> date:
    return at.date()


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items()) or "none"
    return "none" if value is None else str(value)
