"""A clock, derived: from the facts of its subject, the calendar and the time, and from nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from dataspace.domain.calendars import Calendar, Length, moved
from dataspace.domain.clock_rules import (
    EXTENDED,
    EXTENDS,
    PERIOD_ENDED,
    REPORTING_PERIOD,
    RESUBMITTED,
    RETURNED,
    RULES_OF,
)
from dataspace.domain.clocks import ClockRule, Sense, Subject

NODE = "node"
"""What stands for the identifier of the node itself."""


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"  # the applicant completes; there is no due date meanwhile
    EXTENDED = "extended"
    DUE = "due"  # today is the last day
    OVERDUE = "overdue"
    MET = "met"
    MET_LATE = "met-late"
    ENDED = "ended"  # nothing is owed any longer
    OVER = "over"  # what could last, or be asked for, until then no longer can


OPEN = frozenset({ClockState.RUNNING, ClockState.PAUSED, ClockState.EXTENDED, ClockState.DUE, ClockState.OVERDUE})


@dataclass(frozen=True)
class Fact:
    """What happened, when, by whom. `details` are those of the audit event."""

    kind: str
    at: datetime
    actor: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What clocks are about, with its facts in their order.

    `user` is the person who applied or was granted, `named` those who are to have access. `holders` are the data
    holders by dataset. `accelerated` is the lane of Art. 68(6).
    """

    subject: Subject
    id: str
    number: str
    facts: tuple[Fact, ...]
    user: str = ""
    named: frozenset[str] = frozenset()
    holders: Mapping[str, str] = field(default_factory=dict)
    accelerated: bool = False


@dataclass(frozen=True)
class Extended:
    """The one extension of a clock; `reason` is what the access body wrote to who waits."""

    at: datetime
    reason: str
    until: date | None = None


@dataclass(frozen=True)
class Clock:
    """A deadline as it stands.

    `counted_from` is the event (an expiry may lie ahead); `last_day` a legal day; `due_at` the first moment (UTC) that
    is too late.
    """

    rule: ClockRule
    case: Case
    item: str
    state: ClockState
    counted_from: datetime
    last_day: date | None
    due_at: datetime | None
    closed_at: datetime | None = None
    paused_days: int = 0
    extended: Extended | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def holder(self) -> str:
        """The data holder it concerns: the dataset's, or the one the case was forwarded to; empty if none."""
        if self.rule.item == "holder":
            return self.item
        return self.case.holders.get(self.item if self.rule.item == "dataset" else self.case.id, "")


@dataclass(frozen=True)
class Counting:
    """How this node counts.

    With `pausing` the decision's clock stands still while the applicant completes a case under assessment (advice of
    TEHDAS2, not in the Regulation). Reports of activity cover two years each, from `reporting_since` on.
    """

    calendar: Calendar
    pausing: bool = False
    reporting_since: date | None = None


def clocks_of(case: Case, counting: Counting, now: datetime) -> Iterator[Clock]:
    """All clocks of a case that have begun, in the table's order."""
    for rule in RULES_OF[case.subject]:
        if rule.accelerated not in (None, case.accelerated):
            continue
        for item in _items(rule, case.facts):
            course = _course(rule, case.facts, item, pausing=counting.pausing)
            if course.begun is not None:
                yield _clock(rule, case, item, course, course.begun, counting.calendar, now)


def _items(rule: ClockRule, facts: tuple[Fact, ...]) -> list[str]:
    if not rule.item:
        return [""]
    named = (fact.details.get(rule.item, "") for fact in facts if fact.kind in rule.starts)
    return list(dict.fromkeys(named))


@dataclass
class _Course:
    """What has happened to a clock so far."""

    begun: datetime | None = None
    met: datetime | None = None
    ended: datetime | None = None
    settled: bool = False
    extended: Extended | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)


def _course(rule: ClockRule, facts: tuple[Fact, ...], item: str, *, pausing: bool) -> _Course:
    course = _Course()
    for fact in facts:
        # a fact that names no item concerns them all
        if rule.item and fact.details.get(rule.item, item) != item:
            continue
        _advance(course, rule, fact, item, pausing=pausing)
    if rule.automatic:
        course.met = course.begun
    return course


def _advance(course: _Course, rule: ClockRule, fact: Fact, item: str, *, pausing: bool) -> None:
    kind = fact.kind
    if kind == EXTENDED or kind in EXTENDS:
        if EXTENDS.get(kind, fact.details.get("clock")) == rule.name and fact.details.get("item", "") == item:
            until = fact.details.get("until")
            reason = fact.details.get("reason", "")
            course.extended = Extended(fact.at, reason, date.fromisoformat(until) if until else None)
        return
    if rule.pauses and kind in (RETURNED, RESUBMITTED) and course.begun is not None:
        _interrupted(course, kind, fact.at, pausing=pausing)
    if kind in rule.starts and (rule.repeats or not course.settled) and not (course.met and not rule.repeats):
        again = course.extended if not rule.repeats else None
        course.begun, course.met, course.ended, course.extended = fact.at, None, None, again
    elif course.begun is not None and course.met is None:
        if kind in rule.stops:
            course.met = fact.at
        elif kind in rule.ends and course.ended is None:
            course.ended = fact.at
    if kind in rule.settles and course.begun is not None:
        course.settled = True


def _interrupted(course: _Course, kind: str, at: datetime, *, pausing: bool) -> None:
    """The applicant is asked to complete: before assessment the period has not begun yet, later it may stand still."""
    if not course.settled:
        if kind == RETURNED:
            course.begun = None
    elif pausing and kind == RETURNED:
        course.pauses.append((at, None))
    elif course.pauses and course.pauses[-1][1] is None:
        course.pauses[-1] = (course.pauses[-1][0], at)


def _clock(
    rule: ClockRule, case: Case, item: str, course: _Course, begun: datetime, calendar: Calendar, now: datetime
) -> Clock:
    closed = course.met or course.ended
    standing = bool(course.pauses) and course.pauses[-1][1] is None and closed is None
    paused = sum((calendar.day_of(end) - calendar.day_of(start)).days for start, end in course.pauses if end)
    last = None if standing else _last_day(rule, course, calendar.day_of(begun), calendar, paused)
    due = calendar.over(last) if last else None
    state = ClockState.PAUSED if last is None or due is None else _state(rule, course, last, due, calendar, now)
    return Clock(rule, case, item, state, begun, last, due, closed, paused, course.extended)


def _last_day(rule: ClockRule, course: _Course, begun: date, calendar: Calendar, paused: int) -> date:
    if rule.backwards:
        return calendar.day_before(begun, rule.length)
    length, extension, extended = rule.length, rule.extension, course.extended
    if extended is not None and extension is not None and extension.length is not None:
        length = length + extension.length
    last = calendar.last_day(begun, length, timedelta(days=paused))
    # an extension may be older than the event that the period begins with, and never shortens it
    return max(last, extended.until) if extended is not None and extended.until is not None else last


def _state(
    rule: ClockRule, course: _Course, last: date, due: datetime, calendar: Calendar, now: datetime
) -> ClockState:
    if course.met is not None:
        return ClockState.MET if course.met < due else ClockState.MET_LATE
    if course.ended is not None:
        return ClockState.ENDED
    if now >= due:
        return ClockState.OVERDUE if rule.sense is Sense.DUTY else ClockState.OVER
    if calendar.day_of(now) == last:
        return ClockState.DUE
    return ClockState.EXTENDED if course.extended is not None else ClockState.RUNNING


def node_case(counting: Counting, now: datetime, reports: Iterable[Fact]) -> Case:
    """The node itself: each period of two years that is over, and the reports on them."""
    periods, since, calendar = [], counting.reporting_since, counting.calendar
    number = 1
    while since is not None:
        end = _period_end(since, number)
        if calendar.over(end) > now:
            break
        at = calendar.over(end) - timedelta(seconds=1)
        periods.append(Fact(PERIOD_ENDED, at, details={"period": str(number)}))
        number += 1
    facts = sorted((*periods, *reports), key=lambda fact: fact.at)
    return Case(Subject.NODE, NODE, NODE, tuple(facts))


def _period_end(since: date, number: int) -> date:
    """The last day of the `number`-th period that began on `since`."""
    return moved(since, Length(REPORTING_PERIOD.count * number, REPORTING_PERIOD.unit)) - timedelta(days=1)
