"""Clocks that were derived already: they change with their case and with the day, and in between with nothing."""

from collections.abc import Iterator
from datetime import date, datetime
from threading import Lock

from dataspace.domain.clock_states import Case, Clock, Counting, clocks_of


class ClockMemory:
    """Remembers the clocks of the last day that was asked about; every period ends with a day (`Calendar.over`)."""

    def __init__(self, most: int = 250_000) -> None:
        self._most, self._lock = most, Lock()
        self._day: date | None = None
        self._known: dict[str, tuple[Case, Counting, tuple[Clock, ...]]] = {}

    def _clocks_of(self, case: Case, counting: Counting, now: datetime) -> tuple[Clock, ...]:
        known = self._known.get(case.id)
        if known is not None and (known[0] is case or known[0] == case) and known[1] == counting:
            return known[2]
        clocks = tuple(clocks_of(case, counting, now))
        self._known[case.id] = (case, counting, clocks)
        return clocks

    def of_all(self, cases: list[Case], counting: Counting, now: datetime) -> Iterator[Clock]:
        """The clocks of every case, as `clock_states.clocks_of` derives them."""
        with self._lock:
            day = counting.calendar.day_of(now)
            if day != self._day or len(self._known) > self._most:
                self._day, self._known = day, {}
            found = [self._clocks_of(case, counting, now) for case in cases]
        for clocks in found:
            yield from clocks
