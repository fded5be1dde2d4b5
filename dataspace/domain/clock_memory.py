"""Clocks that were derived already: they change with their case and with the day, and in between with nothing."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from datetime import date, datetime
from threading import Lock

from dataspace.domain.clock_states import OPEN, Case, Clock, ClockState, Counting, clocks_of

FEW = 1000
"""So many cases are put into their place one by one; of more, everything is derived and sorted."""


class ClockMemory:
    """The clocks of all cases on the last day that was asked about; every period ends with a day (`Calendar.over`)."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._for: tuple[date, Counting] | None = None
        self._known: dict[str, tuple[Case, tuple[Clock, ...]]] = {}
        self._open: list[Clock] = []
        self._closed: list[Clock] = []

    def of_all(
        self, cases: Iterable[Case], counting: Counting, now: datetime, states: Collection[ClockState]
    ) -> list[Clock]:
        """Clocks of every case, as `clocks_of` derives them: soonest first, paused ones last.

        All of those in one of `states`, and maybe others: open ones and closed ones are kept apart.
        """
        with self._lock:
            self._learn({case.id: case for case in cases}, counting, now)
            parts = [self._open] * any(state in OPEN for state in states)
            parts += [self._closed] * any(state not in OPEN for state in states)
            found = [clock for part in parts for clock in part]
        return found if len(parts) < 2 else sorted(found, key=_soonest)

    def _learn(self, cases: dict[str, Case], counting: Counting, now: datetime) -> None:
        asked = (counting.calendar.day_of(now), counting)
        known = self._known if asked == self._for else {}
        gone = self._known.keys() - cases.keys()
        anew = [id_ for id_, case in cases.items() if id_ not in known or not _same(known[id_][0], case)]
        made = {id_: (cases[id_], tuple(clocks_of(cases[id_], counting, now))) for id_ in anew}
        if len(made) + len(gone) > FEW or known is not self._known:
            self._known = {id_: made.get(id_) or known[id_] for id_ in cases}
            clocks = [clock for _, derived in self._known.values() for clock in derived]
            self._open = sorted((clock for clock in clocks if clock.open), key=_soonest)
            self._closed = sorted((clock for clock in clocks if not clock.open), key=_soonest)
        else:
            self._replace([*anew, *gone], made)
        self._for = asked

    def _replace(self, stale: list[str], made: dict[str, tuple[Case, tuple[Clock, ...]]]) -> None:
        for id_ in stale:
            for clock in self._known.pop(id_, (None, ()))[1]:
                _take_out(self._open if clock.open else self._closed, clock)
        self._known |= made
        for _, derived in made.values():
            for clock in derived:
                insort(self._open if clock.open else self._closed, clock, key=_soonest)


def _same(one: Case, other: Case) -> bool:
    return one is other or one == other


def _take_out(clocks: list[Clock], clock: Clock) -> None:
    place = bisect_left(clocks, _soonest(clock), key=_soonest)
    while clocks[place] is not clock:
        place += 1
    del clocks[place]


def _soonest(clock: Clock) -> tuple[date, str, str, str]:
    return (clock.last_day or date.max, clock.case.number, clock.rule.name, clock.item)
