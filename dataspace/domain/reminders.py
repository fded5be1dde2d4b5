"""When a clock's sides are reminded, who is, and of what: a number, a date and a link, in two languages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain.actors import HDAB_ROLES, Actor, Role
from dataspace.domain.calendars import Calendar
from dataspace.domain.clock_access import is_side, official
from dataspace.domain.clock_states import Clock, ClockState
from dataspace.domain.clocks import Side, Subject
from dataspace.domain.identifiers import new_id
from dataspace.domain.outbox import Channel, Message


class Threshold(StrEnum):
    TWO_WEEKS = "two-weeks"
    ONE_WEEK = "one-week"
    DUE = "due"
    OVERDUE = "overdue"


DAYS_LEFT = ((0, Threshold.DUE), (7, Threshold.ONE_WEEK), (14, Threshold.TWO_WEEKS))
"""So many days before the last one, or fewer: the nearest threshold is the one that counts."""

TOLD = {
    Threshold.TWO_WEEKS: ("two weeks or less are left", "il reste deux semaines ou moins"),
    Threshold.ONE_WEEK: ("one week or less is left", "il reste une semaine ou moins"),
    Threshold.DUE: ("today is the last day", "aujourd'hui est le dernier jour"),
    Threshold.OVERDUE: ("it is overdue", "l'échéance est dépassée"),
}

PAGES = {
    Subject.APPLICATION: "applications",
    Subject.DATA_REQUEST: "data-requests",
    Subject.PERMIT: "permits",
    Subject.DATASET: "datasets",
}


@dataclass(frozen=True)
class Targets:
    """The node's own address, for links, and the webhooks that are told of everything."""

    public_url: str
    webhooks: tuple[str, ...] = ()


def threshold(clock: Clock, calendar: Calendar, now: datetime) -> Threshold | None:
    """The nearest threshold that an open clock has reached; None if it has reached none, or reminds nobody."""
    if not clock.open or not clock.rule.reminds or clock.last_day is None:
        return None
    if clock.state is ClockState.OVERDUE:
        return Threshold.OVERDUE
    left = (clock.last_day - calendar.day_of(now)).days
    return next((reached for days, reached in DAYS_LEFT if left <= days), None)


def reminders(
    clock: Clock,
    reached: Threshold,
    persons: Iterable[Actor],
    addressed: frozenset[str],
    targets: Targets,
    now: datetime,
) -> list[Message]:
    """To who owes, once it is overdue also to who waits; and to every webhook. The same one has the same key."""
    sides = {clock.rule.owes} | ({clock.rule.waits} if reached is Threshold.OVERDUE else set())
    english, french = TOLD[reached]
    key = f"{clock.rule.name}/{clock.case.id}/{clock.item}/{clock.last_day}/{reached}"
    return list(_messages(clock, key, (english, french), sides, persons, addressed, targets, now))


def extension_notices(
    clock: Clock, persons: Iterable[Actor], addressed: frozenset[str], targets: Targets, now: datetime
) -> list[Message]:
    """To who waits for what was extended; the reason itself is read at the node."""
    told = (
        "it was extended once; the reason is shown with the deadline",
        "il a été prolongé une fois ; le motif est indiqué avec l'échéance",
    )
    key = f"{clock.rule.name}/{clock.case.id}/{clock.item}/extended"
    return list(_messages(clock, key, told, {clock.rule.waits}, persons, addressed, targets, now))


def recipients(clock: Clock, side: Side, persons: Iterable[Actor]) -> list[Actor]:
    """Who is written to: the applicant, not everyone named; of the access body, who has the case in hand."""
    if side in (Side.PUBLIC, Side.COMMISSION_AND_BOARD):
        return []
    if side is Side.ACCESS_BODY:
        return _officials(clock, persons)
    own = {Side.APPLICANT, Side.DATA_USER, Side.PARTY_CONCERNED}
    return [
        p
        for p in persons
        if is_side(p, side, clock) and not (side in own and p.id in clock.case.named - {clock.case.user})
    ]


def _officials(clock: Clock, persons: Iterable[Actor]) -> list[Actor]:
    able = [person for person in persons if person.roles & HDAB_ROLES and official(person, clock.case)]
    acted = [fact.actor for fact in reversed(clock.case.facts)]
    in_hand = next((actor for actor in acted if actor in {person.id for person in able}), None)
    if in_hand is not None:
        return [person for person in able if person.id == in_hand]
    return [person for person in able if person.has(Role.HDAB_ASSESSOR)]


def _messages(
    clock: Clock,
    key: str,
    told: tuple[str, str],
    sides: set[Side],
    persons: Iterable[Actor],
    addressed: frozenset[str],
    targets: Targets,
    now: datetime,
) -> Iterator[Message]:
    known = list(persons)
    to = {person.id for side in sides for person in recipients(clock, side, known)} & addressed
    wanted = [(Channel.EMAIL, person) for person in sorted(to)] + [(Channel.WEBHOOK, url) for url in targets.webhooks]
    subject, text, facts = _subject(clock), _text(clock, told, targets), _facts(clock, told, targets)
    for channel, recipient in wanted:
        yield Message(new_id("msg"), f"{key}/{recipient}", channel, recipient, subject, text, facts, now)


def _subject(clock: Clock) -> str:
    return f"{clock.case.number}: {clock.rule.en}"


def _text(clock: Clock, told: tuple[str, str], targets: Targets) -> str:
    link, rule = _link(clock, targets), clock.rule
    last = "-" if clock.last_day is None else clock.last_day.isoformat()
    return (
        f"{clock.case.number}: {rule.en} (Art. {rule.article}, Regulation (EU) 2025/327).\n"
        f"Last day: {last}; {told[0]}.\n{link}\n\n"
        f"{clock.case.number} : {rule.fr} (art. {rule.article}, règlement (UE) 2025/327).\n"
        f"Dernier jour : {last} ; {told[1]}.\n{link}\n"
    )


def _facts(clock: Clock, told: tuple[str, str], targets: Targets) -> dict[str, str]:
    return {
        "clock": clock.rule.name.value,
        "article": clock.rule.article,
        "subject": clock.case.subject.value,
        "number": clock.case.number,
        "item": clock.item,
        "state": clock.state.value,
        "last_day": clock.last_day.isoformat() if clock.last_day else "",
        "told": told[0],
        "link": _link(clock, targets),
    }


def _link(clock: Clock, targets: Targets) -> str:
    page = PAGES.get(clock.case.subject)
    base = f"{targets.public_url.rstrip('/')}/api/v1"
    return f"{base}/{page}/{clock.case.id}/clocks" if page else f"{base}/clocks"
