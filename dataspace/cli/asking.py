"""`dataspace estimate` and `dataspace query`: ask a node from the command line."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dataspace.cli.remote import Token, Url, connect, read_text

LOCAL = "http://127.0.0.1:8000"
Sql = Annotated[str, typer.Argument(help="the query, or @file to read it from a file")]
Epsilon = Annotated[str | None, typer.Option(help="price: epsilon of this answer alone")]
Rho = Annotated[str | None, typer.Option(help="price: zero-concentrated loss")]
Accuracy = Annotated[str | None, typer.Option(help="price: what makes the 95 % intervals this narrow, either side")]
Groups = Annotated[int | None, typer.Option(min=1, help="groups a person may be in; with --rows")]
Rows = Annotated[int | None, typer.Option(min=1, help="rows a person may have in a group; with --groups")]
Permit = Annotated[str | None, typer.Option(help="your only active permit by default")]
Purpose = Annotated[str | None, typer.Option(help="letter of Art. 53(1); the permit's only purpose by default")]


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def estimate(
    sql: Sql, token: Token, url: Url = LOCAL, permit: Permit = None,
    epsilon: Epsilon = None, rho: Rho = None, accuracy: Accuracy = None, groups: Groups = None, rows: Rows = None,
    purpose: Purpose = None,
) -> None:  # fmt: skip
    """What a query would cost and how wide its intervals would be. Free."""
    outlook = connect(url, token, permit).estimate(
        _read(sql), epsilon=epsilon, rho=rho, accuracy=accuracy, groups=groups, rows=rows, purpose=purpose
    )
    typer.echo(f"price      rho {outlook.price.rho:f} (epsilon {outlook.price.epsilon} on its own)")
    typer.echo(f"affordable {'yes' if outlook.affordable else 'no'}")
    for name, width in outlook.half_widths.items():
        typer.echo(f"{name:<10} {'depends on the answer' if width is None else f'± {width:g}'}")
    for note in outlook.notes:
        typer.echo(f"note: {note}")


def query(
    sql: Sql, token: Token, url: Url = LOCAL, permit: Permit = None,
    epsilon: Epsilon = None, rho: Rho = None, accuracy: Accuracy = None, groups: Groups = None, rows: Rows = None,
    purpose: Purpose = None,
    format: Annotated[Format, typer.Option()] = Format.TABLE,  # noqa: A002 - the option's name
) -> None:  # fmt: skip
    """Ask, and pay from the permit's budget."""
    answer = connect(url, token, permit).query(
        _read(sql), epsilon=epsilon, rho=rho, accuracy=accuracy, groups=groups, rows=rows, purpose=purpose
    )
    if format is Format.JSON:
        typer.echo(answer.release.model_dump_json(indent=2))
        return
    typer.echo(answer.to_csv(index=False) if format is Format.CSV else answer.to_string(index=False))
    for note in answer.notes:
        typer.echo(f"note: {note}", err=True)
    paid = "nothing, it was answered before" if answer.release.repeated else f"rho {answer.charged.rho:f}"
    typer.echo(f"paid {paid}; rho {answer.budget.remaining.rho:f} left", err=True)


def _read(sql: str) -> str:
    return read_text(Path(sql[1:])) if sql.startswith("@") else sql
