"""Counting the periods of the law in days, weeks, months, years and working days.

The rule, as generally known of Regulation (EEC, Euratom) No 1182/71 on periods, dates and time limits (its text was not
looked up for this module):

- the day of the event does not count (Art. 3(1));
- a period in weeks, months or years ends with the last hour of the day, in its last week, month or year, that has the
  same name or date as the day of the event; where the last month has no such date, with that month's last day
  (Art. 3(2));
- holidays, Saturdays and Sundays within a period count, unless it is one of working days (Art. 3(3));
- a period whose last day is a public holiday, a Saturday or a Sunday ends with the next working day; not so a period
  counted backwards from a date (Art. 3(4));
- working days are all days but public holidays, Saturdays and Sundays (Art. 2(2)).

Which day an event falls on, and when that day is over, is told by the legal time zone. Where an extension adds to a
period of the same unit, both are counted as one: a holiday at the end of the first does not lengthen the second. That
is a choice of this node, never to the disadvantage of who waits.

Nothing here fails for a day that is too late or too early to be written: it counts as the last or the first day there
is, so that one case with an absurd date does not take the clocks of all others with it.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

SATURDAY = 5
ONE_DAY = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
"""When the last day that can be written is over."""


class Unit(StrEnum):
    DAYS = "days"
    WORKING_DAYS = "working-days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True)
class Length:
    """So many units. Nothing at all is "immediately" and "without undue delay": the very day of the event."""

    count: int
    unit: Unit = Unit.DAYS

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("a period is not shorter than nothing")

    def __add__(self, other: "Length") -> "Length":
        if self.unit is not other.unit:
            raise ValueError("periods of different units do not add up")
        return Length(self.count + other.count, self.unit)


AT_ONCE = Length(0)


@dataclass(frozen=True)
class Calendar:
    """Working days of a country and its legal time zone; `holiday` says whether a date is a public holiday there."""

    zone: ZoneInfo
    holiday: Callable[[date], bool]

    def working(self, day: date) -> bool:
        return day.weekday() < SATURDAY and not self.holiday(day)

    def rolled(self, day: date) -> date:
        """`day`, or the next working day."""
        while day < date.max and not self.working(day):
            day += ONE_DAY
        return day

    def day_of(self, at: datetime) -> date:
        """The legal day on which a moment falls."""
        try:
            return at.astimezone(self.zone).date()
        except OverflowError:
            return at.date()

    def over(self, day: date) -> datetime:
        """The first moment after the last hour of `day`, in UTC; what happens before it is in time."""
        try:
            return datetime.combine(day + ONE_DAY, time(), self.zone).astimezone(UTC)
        except OverflowError:
            return NEVER

    def last_day(self, event: date, length: Length, more: timedelta = timedelta()) -> date:
        """The day with whose last hour a period ends that an event on `event` began.

        `more` are days during which the period stood still; they are added at its end.
        """
        return _last_day(self, event, length, more)

    def day_before(self, event: date, length: Length) -> date:
        """The last day on which there is still `length` to go until `event`; it may be a holiday (Art. 3(4))."""
        if length.unit is Unit.WORKING_DAYS:
            raise ValueError("no period of working days is counted backwards")
        return moved(event, length, -1)


@lru_cache(maxsize=65_536)
def _last_day(calendar: Calendar, event: date, length: Length, more: timedelta) -> date:
    if length.unit is Unit.WORKING_DAYS:
        return _after_working_days(calendar, shifted(event, more), length.count)
    if length == AT_ONCE and not more:
        return event
    return calendar.rolled(shifted(moved(event, length), more))


def _after_working_days(calendar: Calendar, day: date, count: int) -> date:
    for _ in range(count):
        day = calendar.rolled(shifted(day, ONE_DAY))
    return day


def moved(day: date, length: Length, sign: int = 1) -> date:
    """The day of the same date or name so much later (or, with `sign` -1, earlier), or the last of its month."""
    if length.unit in (Unit.DAYS, Unit.WEEKS):
        return shifted(day, sign * timedelta(days=length.count * (7 if length.unit is Unit.WEEKS else 1)))
    months = length.count * (12 if length.unit is Unit.YEARS else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + sign * months, 12)
    if not date.min.year <= year <= date.max.year:
        return date.max if sign > 0 else date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def shifted(day: date, by: timedelta) -> date:
    """`day` so much later or earlier, or the last or first day that can be written."""
    try:
        return day + by
    except OverflowError:
        return date.max if by > timedelta() else date.min
