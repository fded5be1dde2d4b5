"""Deadlines: who waits for what until when, and the one extension that some of them know."""

from dataclasses import dataclass
from datetime import date, datetime

from dataspace.domain.actors import HDAB_ROLES, Actor
from dataspace.domain.clock_access import check_may_extend, chosen_last_day, may_see
from dataspace.domain.clock_memory import ClockMemory
from dataspace.domain.clock_states import OPEN, Case, Clock, ClockState, Counting, clocks_of, node_case
from dataspace.domain.clocks import Subject
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.reminders import Targets, extension_notices
from dataspace.services.duties import check_impartial, check_no_conflict_on_permit
from dataspace.services.ports import Clock as Time
from dataspace.services.ports import UnitOfWork

_MEMORY = ClockMemory()
"""Derived once a day and case: the same clocks are asked for again and again."""


@dataclass(frozen=True)
class Wanted:
    """Which clocks: in one of these states, with a last day before `due_before` (paused ones have none)."""

    states: frozenset[ClockState] = OPEN
    due_before: date | None = None

    def takes(self, clock: Clock) -> bool:
        if clock.state not in self.states:
            return False
        return self.due_before is None or (clock.last_day is not None and clock.last_day < self.due_before)


def list_clocks(uow: UnitOfWork, time: Time, by: Actor, counting: Counting, wanted: Wanted) -> list[Clock]:
    """Clocks that `by` waits for or owes, all of them for the access body; soonest first, paused ones last."""
    now = time.now()
    with uow.reading():
        cases = [*uow.clocks.all(now), node_case(counting, now, uow.clocks.reports())]
        concerning = None if by.roles & HDAB_ROLES else uow.clocks.concerning(by)
    found = _MEMORY.of_all(cases, counting, now, wanted.states)
    return [
        clock
        for clock in found
        if (concerning is None or clock.case.id in concerning) and wanted.takes(clock) and may_see(by, clock)
    ]


def clocks_of_subject(uow: UnitOfWork, time: Time, by: Actor, counting: Counting, subject: str) -> list[Clock]:
    """All clocks of a case that `by` sees, in any state. Raises NotFound where there is none for them."""
    now = time.now()
    with uow.reading():
        case = uow.clocks.of_subject(subject, now)
    clocks = [clock for clock in clocks_of(case, counting, now) if may_see(by, clock)] if case else []
    if not clocks:
        raise NotFound(f"there is no {subject} with a deadline that you may see")
    return clocks


def extend_clock(
    uow: UnitOfWork,
    time: Time,
    by: Actor,
    counting: Counting,
    targets: Targets,
    *,
    subject: str,
    name: str,
    item: str = "",
    reason: str,
    until: date | None = None,
) -> Clock:
    """Extend a clock, once, before it is over; who waits gets the reason as a message of the same transaction.

    `until` is the new last day where the law gives no length. Raises NotPermitted, NotFound, WrongState, InvalidInput.
    """
    if not reason.strip():
        raise InvalidInput("give the reason; who waits can read it")
    with uow:
        # nobody else can extend it between the look and the event
        uow.clocks.hold()
        now = time.now()
        case = uow.clocks.of_subject(subject, now)
        clock = _find(case, counting, now, name, item) if case else None
        if case is None or clock is None or not may_see(by, clock):
            raise NotFound(f"{subject} has no clock {name} that you may see")
        check_may_extend(by, clock)
        _check_no_conflict(uow, by, case)
        last_day = chosen_last_day(clock, until, counting.calendar, now)
        details = {"number": case.number, "clock": name, "item": item, "reason": reason.strip()}
        if last_day is not None:
            details["until"] = last_day.isoformat()
        uow.audit.append(AuditEvent(EventKind.CLOCK_EXTENDED, by.id, case.id, now, details))
        extended = _find(uow.clocks.of_subject(subject, now), counting, now, name, item)
        if extended is None:
            raise RuntimeError("a clock that was extended runs on")
        persons, addressed = uow.accounts.all(), uow.addresses.known()
        uow.outbox.add(extension_notices(extended, persons, addressed, targets, now))
        uow.commit()
    return extended


def _find(case: Case | None, counting: Counting, now: datetime, name: str, item: str) -> Clock | None:
    clocks = clocks_of(case, counting, now) if case else ()
    return next((clock for clock in clocks if clock.rule.name == name and clock.item == item), None)


def _check_no_conflict(uow: UnitOfWork, by: Actor, case: Case) -> None:
    """Whoever is kept out of a case decides nothing about its time either (Art. 55(3))."""
    if case.subject in (Subject.APPLICATION, Subject.DATA_REQUEST):
        check_impartial(uow, by, uow.applications.get(case.id))
    elif case.subject is Subject.PERMIT:
        check_no_conflict_on_permit(uow, by, uow.permits.get(case.id))
