"""Incidence by calendar time: events and person-time of each period, a person's time at risk split over the periods.

A person has at most one event, so the vector of events has sensitivity one however long they are observed; the vector
of days has at most the length of each period in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import ClassVar

import numpy as np

from dataspace.domain.releases import Estimate
from dataspace.dp.accuracy import half_width
from dataspace.dp.analyses.method import ABSENT, MOST_NUMBERS, Flags, Floats, Ints, Line, Noisy, Part, complete
from dataspace.dp.intervals import counted, moved, ratio, within

YEAR = 365.25
"""Days of a person-year."""

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Incidence:
    """`starts` are the first days of the periods and the day after the last, ascending.

    A person is at risk from their first day to the day before their event or their last day, whichever is earlier; an
    event counts if it is on one of the days from the first to the last.
    """

    starts: tuple[date, ...]
    counts_persons: ClassVar[bool] = True

    @property
    def periods(self) -> int:
        return len(self.starts) - 1

    @property
    def edges(self) -> Ints:
        return np.array([(day - EPOCH).days for day in self.starts], dtype=np.int64)

    @property
    def parts(self) -> tuple[Part, ...]:
        longest = int((np.diff(self.edges) ** 2).sum())
        # the rate's error is mostly that of its few events
        return Part(self.periods, 1, Fraction(3, 4)), Part(self.periods, longest, Fraction(1, 4))

    @property
    def notes(self) -> tuple[str, ...]:
        return (
            "Each person is at risk until their event or their last day; rates are per person-year of 365.25 days.",
            "The interval of a rate covers sampling and noise, those of events and person-years the noise alone.",
        )

    @property
    def most_numbers(self) -> int:
        return MOST_NUMBERS

    def expected(self, scales: Sequence[float], /) -> tuple[float | None, ...]:
        return None, float(half_width(scales[0])), half_width(scales[1]) / YEAR

    def whole(self, values: Floats) -> tuple[Ints, Flags]:
        """First day, last day at risk (exclusive), day of the event or ABSENT."""
        keep = complete(values[:, :2])
        first, last = (_days(values[:, column], keep) for column in (0, 1))
        dated = keep & np.isfinite(values[:, 2])
        event = _days(values[:, 2], dated)
        happened = dated & (first <= event) & (event <= last)
        # who had their event before their first day is not at risk
        keep = keep & ~(dated & (event < first))
        until = np.where(happened, event, last)
        return np.column_stack([first, until, np.where(happened, event, ABSENT)]), keep

    def sums(self, rows: Ints) -> list[Ints]:
        edges, first, until, event = self.edges, rows[:, 0], rows[:, 1], rows[:, 2]
        place = np.searchsorted(edges, event, side="right") - 1
        inside = place[(place >= 0) & (place < self.periods)]
        days = [
            np.maximum(np.minimum(until, after) - np.maximum(first, start), 0).sum() for start, after in pairwise(edges)
        ]
        return [np.bincount(inside, minlength=self.periods).astype(np.int64), np.array(days, dtype=np.int64)]

    def lines(self, noisy: Sequence[Noisy]) -> list[Line]:
        events, days = noisy
        return [
            Line(
                (start,),
                self._estimates(events.numbers[i], events.scale, days.numbers[i], days.scale),
                # at risk on an average day, so no more than those who were at risk at all
                persons=days.numbers[i] / (after - start).days,
            )
            for i, (start, after) in enumerate(pairwise(self.starts))
        ]

    def _estimates(self, events: int, events_scale: float, days: int, days_scale: float) -> tuple[Estimate, ...]:
        # a count of independent events varies by its own size
        spread = sqrt(events_scale**2 + max(events, 1))
        rate = within(moved(ratio(events, spread, days, days_scale), 0.0, YEAR), 0.0, None)
        return rate, counted(events, events_scale), counted(days, days_scale, 1 / YEAR)


def _days(values: Floats, keep: Flags) -> Ints:
    """Days since 1970 as whole numbers, 0 where there is none."""
    limit = 4_000_000.0
    whole: Ints = np.rint(np.clip(np.where(keep, values, 0.0), -limit, limit)).astype(np.int64)
    return whole
