"""What an ingestion tells about its progress, and how far the engine is in a long statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import duckdb

EVERY = 0.25
"""Seconds between two looks at the engine."""


@dataclass(frozen=True)
class Step:
    """One piece of progress: what is being done, to which table, and how many of its rows are done (of `rows`).

    `rows` is 0 where the number is not known, `done` None where the step has only begun.
    """

    doing: str
    table: str = ""
    rows: int = 0
    done: int | None = None


Progress = Callable[[Step], None]


def silent(_: Step) -> None:
    """The progress display of nobody."""


@contextmanager
def watching(connection: duckdb.DuckDBPyConnection, progress: Progress, step: Step) -> Iterator[None]:
    """Tell that a step begins, and while its statement runs how many rows are done, as far as the engine knows."""
    progress(step)
    ended = Event()
    watch = Thread(target=_watch, args=(connection, progress, step, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _watch(connection: duckdb.DuckDBPyConnection, progress: Progress, step: Step, ended: Event) -> None:
    told = 0
    while not ended.wait(EVERY):
        done = int(max(0.0, connection.query_progress()) / 100 * step.rows)
        if done > told:
            told = done
            progress(Step(step.doing, step.table, step.rows, done))
