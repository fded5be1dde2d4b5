"""How the demo prints: a live display on a terminal, plain lines elsewhere, the same words in both."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pandas as pd
from rich.console import Console

from dataspace import wire
from dataspace.client import Answer

console = Console(highlight=False, soft_wrap=True, file=sys.stdout)


def heading(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


def line(text: str) -> None:
    console.print(f"  {text}", markup=False)


@contextmanager
def progress() -> Iterator[Callable[[str, str], None]]:
    """A function of activity and table: one changing line on a terminal, a line for each new activity elsewhere."""
    if console.is_terminal:
        with console.status("starting") as status:
            yield lambda activity, table: status.update(f"{activity} {table}")
        return
    said: set[str] = set()

    def say(activity: str, _table: str) -> None:
        if activity not in said:
            said.add(activity)
            line(activity)

    yield say


def sql(text: str) -> None:
    for row in text.strip().splitlines():
        console.print(f"    {row}", style="dim", markup=False)


def answer(table: Answer) -> None:
    """Groups, estimates and 95 % intervals, right-aligned as a plain table."""
    shown = pd.DataFrame(index=table.index)
    for name in table.release.output:
        if name in table.release.key_names:
            shown[name] = table[name].fillna("not known")
            continue
        ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
        shown[name] = [_number(value) for value in table[name]]
        shown["95 % interval"] = [f"{_number(low)} to {_number(high)}" for low, high in ends]
    for row in shown.to_string(index=False).splitlines():
        console.print(f"    {row}", markup=False)


def bounds(table: Answer) -> None:
    """How much one person could weigh in the answer."""
    most = table.release.bounds
    groups = "1 group" if most.groups == 1 else f"{most.groups} groups"
    rows = "1 row" if most.rows == 1 else f"{most.rows} rows"
    line(f"each person counts in at most {groups}, with at most {rows} in each")


def payment(before: wire.Budget, table: Answer) -> None:
    """What the answer cost and what the permit has left."""
    after = table.budget
    if table.release.repeated:
        line(f"charged nothing: this question was answered before; budget {_left(after)}")
        return
    line(f"charged rho {_amount(table.charged.rho)} (epsilon {_amount(table.charged.epsilon)} on its own)")
    line(f"budget before: {_left(before)}; after: {_left(after)}")


def _left(budget: wire.Budget) -> str:
    return f"rho {_amount(budget.remaining.rho)} of {_amount(budget.limit.rho)} left"


def _amount(value: Decimal) -> str:
    return f"{value.normalize():.4g}" if value else "0"


def _number(value: float | None) -> str:
    if value is None or pd.isna(value):
        return "not determined"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
