"""One connection kept ready: opening one takes DuckDB as long as a small query takes in all."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread

import duckdb

Make = Callable[[], duckdb.DuckDBPyConnection]


class Spare:
    """Hands out fresh connections that nobody has used; the next one is made in the background."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._ready: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        self._making = Lock()

    def take(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own, to be closed by who took it."""
        try:
            taken = self._ready.get_nowait()
        except Empty:
            taken = self._make()
        # not a daemon: a thread inside DuckDB must not be cut off when the process ends
        Thread(target=self._make_next, daemon=False).start()
        return taken

    def _make_next(self) -> None:
        with self._making:
            if self._ready.empty():
                self._ready.put(self._make())
