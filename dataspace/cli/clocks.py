"""`dataspace clocks`: deadlines you wait for or owe; extending one; recording a step that meets one."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from dataspace.cli.remote import Token, Url, connect
from dataspace.wire import clocks as wire

app = typer.Typer(invoke_without_command=True, help=__doc__)
LOCAL = "http://127.0.0.1:8000"


class Of(StrEnum):
    """What a step or an extension is about."""

    APPLICATION = "applications"
    DATA_REQUEST = "data-requests"
    PERMIT = "permits"
    DATASET = "datasets"


@app.callback()
def list_clocks(
    context: typer.Context,
    token: Token = "",
    state: list[str] = typer.Option([], help="running, due, overdue, met, …; by default all that are open"),  # noqa: B008
    due_before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    url: Url = LOCAL,
) -> None:
    """Deadlines, soonest first."""
    if context.invoked_subcommand is not None:
        return
    for clock in connect(url, token).clocks(state=state, due_before=due_before and due_before.date()):
        _show(clock)


@app.command()
def extend(
    of: Of,
    subject: str,
    name: str,
    reason: str,
    token: Token,
    item: str = "",
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    url: Url = LOCAL,
) -> None:
    """Extend a deadline, once, with a reason that who waits reads."""
    request = wire.ClockExtensionRequest(name=name, item=item, reason=reason, until=until.date() if until else None)
    _show(connect(url, token).extend_clock(of.value, subject, request))


@app.command()
def record(of: Of, subject: str, step: str, token: Token, item: str = "", note: str = "", url: Url = LOCAL) -> None:
    """Record a step that happened, for example data-delivered, results-published, description-checked."""
    done = connect(url, token).record_step(of.value, subject, wire.StepRequest(step=step, item=item, note=note))
    typer.echo(f"{done.step} at {done.at:%Y-%m-%d %H:%M} UTC{f'  {done.item}' if done.item else ''}")


def _show(clock: wire.ClockEntry) -> None:
    last = clock.last_day.isoformat() if clock.last_day else "stands still"
    about = f" ({clock.item})" if clock.item else ""
    typer.echo(
        f"{last:<12}  {clock.state:<8}  {clock.number:<16}  {clock.name}{about}, Art. {clock.article}:"
        f" {clock.owes} owes, {clock.waits} waits"
    )
    if clock.extension is not None:
        typer.echo(f"{'':<12}  extended on {clock.extension.at:%Y-%m-%d}: {clock.extension.reason}")
