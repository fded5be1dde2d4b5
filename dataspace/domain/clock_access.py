"""Who sees a clock, and who may extend it: the side that owes, the side that waits, and the access body."""

from collections.abc import Callable
from datetime import date, datetime

from dataspace.domain.actors import HDAB_ROLES, Actor, Role
from dataspace.domain.calendars import Calendar
from dataspace.domain.clock_states import Case, Clock, ClockState
from dataspace.domain.clocks import Side, Subject
from dataspace.domain.errors import InvalidInput, NotPermitted, WrongState

EXTENDS = Role.HDAB_DECISION_MAKER
"""Who extends: the access body's decision maker, under every rule that knows an extension."""


def official(actor: Actor, case: Case) -> bool:
    """Whether `actor` is the access body in this case; who applied or is named is not (Art. 55(3))."""
    return bool(actor.roles & HDAB_ROLES) and actor.id != case.user and actor.id not in case.named


def is_side(actor: Actor, side: Side, clock: Clock) -> bool:
    """Whether `actor` is this side of this clock. The public's clocks are shown to who applied."""
    return _IS_SIDE[side](actor, clock)


def may_see(actor: Actor, clock: Clock) -> bool:
    if official(actor, clock.case):
        return True
    return is_side(actor, clock.rule.owes, clock) or is_side(actor, clock.rule.waits, clock)


def _own(actor: Actor, clock: Clock) -> bool:
    return actor.id == clock.case.user or actor.id in clock.case.named


def _holds(actor: Actor, clock: Clock) -> bool:
    """One dataset's holder where the clock is about one dataset; any of the case's holders where it is about all."""
    if not actor.has(Role.DATA_HOLDER):
        return False
    if clock.holder:
        return actor.organisation.name == clock.holder
    return not clock.item and actor.organisation.name in clock.case.holders.values()


def _concerned(actor: Actor, clock: Clock) -> bool:
    return (_holds if clock.case.subject is Subject.DATASET else _own)(actor, clock)


_IS_SIDE: dict[Side, Callable[[Actor, Clock], bool]] = {
    Side.APPLICANT: _own,
    Side.DATA_USER: _own,
    Side.PUBLIC: _own,
    Side.DATA_HOLDER: _holds,
    Side.TRUSTED_HOLDER: _holds,
    Side.PARTY_CONCERNED: _concerned,
    Side.ACCESS_BODY: lambda actor, clock: official(actor, clock.case),
    Side.COMMISSION_AND_BOARD: lambda actor, clock: False,  # noqa: ARG005
}


def may_extend(actor: Actor, clock: Clock) -> bool:
    known = clock.rule.extension is not None and clock.extended is None
    return known and _extendable(clock) and actor.has(EXTENDS) and official(actor, clock.case)


def check_may_extend(actor: Actor, clock: Clock) -> None:
    """Raises NotPermitted for the wrong person, then WrongState for a clock that cannot be extended, or not again."""
    name = f"{clock.rule.name} of {clock.case.number}"
    if not (actor.has(EXTENDS) and official(actor, clock.case)):
        raise NotPermitted(f"to extend {name} takes the role {EXTENDS}, of someone who has no part in the case")
    if clock.rule.extension is None:
        raise WrongState(f"the Regulation knows no extension of {name} (Art. {clock.rule.article})")
    if clock.extended is not None:
        raise WrongState(f"{name} was extended on {clock.extended.at:%Y-%m-%d} already; once is all there is")
    if not _extendable(clock):
        raise WrongState(f"{name} is {clock.state}; it is extended before its last day is over, or not at all")


def chosen_last_day(clock: Clock, until: date | None, calendar: Calendar, now: datetime) -> date | None:
    """The last day that the decision names, where the law leaves it to it; moved to a working day.

    Raises InvalidInput for a day that is missing, not needed, or not later than what runs already.
    """
    extension = clock.rule.extension
    if extension is None or extension.length is not None:
        if until is not None:
            raise InvalidInput("the length of this extension is the law's; name no date")
        return None
    if until is None or until <= (clock.last_day or calendar.day_of(now)):
        raise InvalidInput("name the new last day, later than the present one")
    if until.year > calendar.day_of(now).year + 10:
        raise InvalidInput("the new last day is more than ten years ahead")
    return calendar.rolled(until)


def _extendable(clock: Clock) -> bool:
    return clock.open and clock.state is not ClockState.OVERDUE
