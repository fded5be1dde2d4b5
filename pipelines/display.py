"""Progress on a terminal: a bar with rows, rows a second and the time left; plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pipelines.progress import Progress as Tell
from pipelines.progress import Step

SAID = {
    "pseudonymise": "Reading identifiers",
    "map": "Reading and checking",
    "search": "Searching for identifiers",
    "sort": "Sorting and storing",
    "set aside": "Listing rows in quarantine",
    "validate": "Measuring quality",
    "store": "Making the snapshot",
    "publish": "Publishing the record",
}


class RowsColumn(ProgressColumn):
    """Rows done of all, and how many a second; nothing where rows are not counted."""

    def render(self, task: Task) -> Text:
        if not task.total or task.total <= 1:
            return Text("")
        pace = f"  {task.speed:,.0f}/s" if task.speed else ""
        return Text(f"{int(task.completed):,} of {int(task.total):,} rows{pace}", style="dim")


@contextmanager
def shown(console: Console) -> Iterator[Tell]:
    """What an ingestion tells its steps to."""
    if not console.is_terminal:
        yield lambda step: None if step.done is not None else console.print(_line(step), style="dim")
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), RowsColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars).tell


class _Bars:
    """One bar a step; the one before is full when the next begins."""

    def __init__(self, bars: Progress) -> None:
        self._bars, self._step = bars, Step("")
        self._current: TaskID | None = None

    def tell(self, step: Step) -> None:
        same = (step.doing, step.table) == (self._step.doing, self._step.table)
        if same and self._current is not None and step.done is not None:
            self._bars.update(self._current, completed=step.done)
            return
        self._finish()
        self._step = step
        self._current = self._bars.add_task(_said(step), total=step.rows or None)

    def _finish(self) -> None:
        if self._current is not None:
            self._bars.update(self._current, total=self._step.rows or 1, completed=self._step.rows or 1)


def _said(step: Step) -> str:
    return f"{SAID.get(step.doing, step.doing)} {step.table}".rstrip()


def _line(step: Step) -> str:
    return _said(step) + (f" ({step.rows:,} rows)" if step.rows else "")
