"""Results that users publish, and more time to publish them (Art. 61(4))."""

from datetime import date, datetime

from dataspace.domain.actors import Actor
from dataspace.domain.calendars import Calendar
from dataspace.domain.errors import InvalidInput, NotPermitted, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.public_permissions import PublicAction, check_may
from dataspace.domain.public_register import ISSUED, RegisterEntry
from dataspace.domain.results import Duty, PublicationExtension, Result, ResultKind, link_of
from dataspace.services.duties import check_impartial
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.register import duties_of, duty_of

LONGEST_TITLE = 500


def register_result(
    uow: UnitOfWork, clock: Clock, by: Actor, case: str,
    *, kind: ResultKind, title: str, link: str, lay_summary: str, supersedes: str = "",
) -> Result:  # fmt: skip
    """Publish a result of one's own case in the register; `supersedes` is the result that it corrects."""
    with uow:
        now, entry = clock.now(), uow.public.register.get(case)
        _check_own(uow, by, entry)
        if entry.stage not in ISSUED:
            raise WrongState(f"case {entry.number} has no permit and no answer, so it has no results")
        if len(title) > LONGEST_TITLE:
            raise InvalidInput(f"a title has at most {LONGEST_TITLE} characters")
        known = {result.id for result in uow.public.results.where(case=entry.case)}
        if supersedes and supersedes not in known:
            raise InvalidInput("a result corrects one of the same case; name it by its identifier")
        result = Result(new_id("res"), entry.case, kind, title, link_of(link), lay_summary, by.id, now, supersedes)
        details = {"number": entry.number, "result": result.id, "kind": kind.value}
        uow.public.results.add(result, AuditEvent(EventKind.RESULT_REGISTERED, by.id, entry.case, now, details))
        uow.commit()
    return result


def extend_publication(
    uow: UnitOfWork, clock: Clock, by: Actor, calendar: Calendar, case: str, *, until: datetime, reason: str
) -> PublicationExtension:
    """Give more time to publish, where that is justified, for example by a journal's review (Art. 61(4))."""
    check_may(by, PublicAction.EXTEND_PUBLICATION)
    if not reason.strip():
        raise InvalidInput("give the reason for the extension; it is part of the decision")
    with uow:
        now, entry = clock.now(), uow.public.register.get(case)
        check_impartial(uow, by, uow.applications.get(entry.case))
        state, due = duty_of(uow, entry, now, calendar)
        if state is Duty.MET or due is None:
            raise WrongState(f"there is no duty to publish that could be extended in case {entry.number}")
        if calendar.day_of(until) <= due or until <= now:
            raise InvalidInput(f"results are due on {due}; extend to a later day, in the future")
        extension = PublicationExtension(new_id("ext"), entry.case, until, reason, by.id, now)
        details = {"number": entry.number, "until": calendar.day_of(until).isoformat(), "reason": reason}
        event = AuditEvent(EventKind.PUBLICATION_EXTENDED, by.id, entry.case, now, details)
        uow.public.extensions.add(extension, event)
        uow.commit()
    return extension


def list_duties(
    uow: UnitOfWork, clock: Clock, by: Actor, calendar: Calendar, *, after: str = "", most: int = 100
) -> list[tuple[RegisterEntry, Duty, date | None]]:
    """Cases whose processing has ended, and how their duty to publish stands; for the access body, a page of them."""
    check_may(by, PublicAction.EXTEND_PUBLICATION)
    now = clock.now()
    with uow.reading():
        ended = uow.public.register.ended(now, after, most)
        duties = duties_of(uow, ended, now, calendar)
    return [(entry, *how) for entry, how in zip(ended, duties, strict=True)]


def _check_own(uow: UnitOfWork, by: Actor, entry: RegisterEntry) -> None:
    application = uow.applications.get(entry.case)
    permits = uow.permits.of_application(application.id)
    users = application.form.persons if not permits else permits[0].persons
    if by.id != application.applicant and by.id not in users:
        raise NotPermitted(f"results of {entry.number} are registered by those who have its permit")
