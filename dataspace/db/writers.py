"""Writers of one process, one after another in the order in which they came.

SQLite has one writer at a time and lets the others ask again after ever longer sleeps: of many threads a few then wait
for seconds while the database is idle. Waiting here instead costs nothing and is fair; other processes are kept out by
the database's own lock, as before.
"""

from collections import deque
from collections.abc import MutableMapping
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from dataspace.domain.errors import Busy


class Turns:
    """A lock that is handed over in the order of asking."""

    def __init__(self) -> None:
        self._lock, self._taken = Lock(), False
        self._waiting: deque[Lock] = deque()

    def take(self, seconds: float) -> bool:
        """True once it is the caller's turn; False if it was not within `seconds`."""
        mine = Lock()
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        # handed over at the last moment
        return True

    def give_up(self) -> None:
        """Let the next one in."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_TURNS: MutableMapping[Engine, Turns] = WeakKeyDictionary()
_MAKING = Lock()


def turns_of(engine: Engine) -> Turns:
    """The queue of an engine's writers."""
    with _MAKING:
        return _TURNS.setdefault(engine, Turns())


def take_turn(engine: Engine, seconds: float) -> None:
    """Wait until nobody else in this process writes; raises Busy if that takes longer than `seconds`."""
    if not turns_of(engine).take(seconds):
        raise Busy("the accounts database is busy; nothing was changed or charged, try again")
