"""The public register (Art. 57(1)(e), (j), 58(1)): who asked for which data, why, what was decided, what came of it.

No login. Persons to have access, justifications and columns stay out; confidential parts are replaced by a mark.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from dataspace.domain.actors import Actor
from dataspace.domain.calendars import Calendar
from dataspace.domain.errors import InvalidInput, NotFound, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.public_permissions import PublicAction, check_may, may
from dataspace.domain.public_register import (
    DECIDED,
    DecisionPublication,
    PublicState,
    RegisterEntry,
    Search,
    publish_by,
)
from dataspace.domain.redaction import ConfidentialPart, Ground, Part, Redaction, check_passage
from dataspace.domain.results import Duty, PublicationExtension, Result, duty, publication_of
from dataspace.services.duties import check_impartial
from dataspace.services.ports import Clock, UnitOfWork

OfCase = TypeVar("OfCase", Result, PublicationExtension)

MOST_PARTS = 30
"""Confidential parts of one case."""


@dataclass(frozen=True)
class EntryView:
    """An entry as it is shown now.

    `publish_by` is the last day to publish the decision, None before there is one; `duty` and `due` are of the duty to
    publish results.
    """

    entry: RegisterEntry
    state: PublicState
    publish_by: date | None
    results: tuple[Result, ...] = ()
    duty: Duty = Duty.NOT_YET
    due: date | None = None


def search_register(uow: UnitOfWork, clock: Clock, calendar: Calendar, asked: Search) -> tuple[list[EntryView], int]:
    """One page of what fits, newest receipt first, and how many fit in all."""
    now = clock.now()
    with uow.reading():
        entries, total = uow.public.register.search(asked, now)
    return [_shown(entry, now, calendar) for entry in entries], total


def get_entry(uow: UnitOfWork, clock: Clock, calendar: Calendar, number: str) -> EntryView:
    """One entry with its results, by number of the case or of its permit."""
    now = clock.now()
    with uow.reading():
        entry = uow.public.register.get(number)
        results = public_results(uow, case=entry.case).get(entry.case, [])
        state, due = duty_of(uow, entry, now, calendar)
    return replace(_shown(entry, now, calendar), results=tuple(results), duty=state, due=due)


def latest_entries(uow: UnitOfWork, clock: Clock, calendar: Calendar, most: int) -> list[EntryView]:
    """By last change, newest first, for the feed."""
    now = clock.now()
    with uow.reading():
        return [_shown(entry, now, calendar) for entry in uow.public.register.latest(most)]


def public_results(uow: UnitOfWork, **named: str) -> dict[str, list[Result]]:
    """Case -> results that stand, oldest first, without what is confidential; of all or of the `case` named."""
    known = _by_case(uow.public.results.where(**named))
    redactions = uow.public.register.redactions(known)
    return {case: [_redacted(one, redactions[case]) for one in standing(found)] for case, found in known.items()}


def _redacted(result: Result, redaction: Redaction) -> Result:
    return replace(
        result,
        title=redaction.text(result.title),
        lay_summary=redaction.text(result.lay_summary),
        link=result.link if redaction.text(result.link) == result.link else "",
    )


def standing(results: list[Result]) -> list[Result]:
    """Those that no later one corrects."""
    corrected = {result.supersedes for result in results}
    return [result for result in results if result.id not in corrected]


def duty_of(uow: UnitOfWork, entry: RegisterEntry, now: datetime, calendar: Calendar) -> tuple[Duty, date | None]:
    """How the duty to publish results of a case stands; inside a transaction."""
    case = uow.clocks.of_subject(_number(entry), now)
    results, extensions = uow.public.results.where(case=entry.case), uow.public.extensions.where(case=entry.case)
    return duty(entry, publication_of(case.facts if case else (), results, extensions, calendar), now, calendar)


def duties_of(
    uow: UnitOfWork, entries: Sequence[RegisterEntry], now: datetime, calendar: Calendar
) -> list[tuple[Duty, date | None]]:
    """`duty_of` of many entries, with three look-ups for all of them; before anything is written."""
    facts = {case.number: case.facts for case in uow.clocks.all(now)}
    results, extensions = _by_case(uow.public.results.where()), _by_case(uow.public.extensions.where())
    return [
        duty(e, publication_of(facts.get(_number(e), ()), results[e.case], extensions[e.case], calendar), now, calendar)
        for e in entries
    ]


def _by_case(records: Iterable[OfCase]) -> dict[str, list[OfCase]]:
    found: dict[str, list[OfCase]] = defaultdict(list)
    for record in records:
        found[record.case].append(record)
    return found


def _number(entry: RegisterEntry) -> str:
    """What the case's clocks are called by: its permit's number, where it has one."""
    return entry.permit_number or entry.number


def catch_up(uow: UnitOfWork, clock: Clock) -> int:
    """Enter applications that were received before there was a register; run at the start, safe to run again."""
    with uow.reading():
        missing = uow.public.register.missing()
    if missing:
        with uow:
            for application in uow.public.register.missing():
                uow.public.register.refresh(application, clock.now())
            uow.commit()
    return len(missing)


def declare_confidential(
    uow: UnitOfWork, clock: Clock, by: Actor, case: str,
    *, part: Part, ground: Ground, reason: str, passage: str = "",
) -> ConfidentialPart:  # fmt: skip
    """Name a part of a case confidential; what the public sees of the case is rewritten at once.

    For the applicant until the decision, and for the access body. Reasons of a decision on such a case are held back
    until the access body looked at them (`publish_decision`).
    """
    check_passage(passage)
    with uow:
        now, application = clock.now(), uow.applications.get(case)
        if by.id != application.applicant:
            check_may(by, PublicAction.DECLARE_CONFIDENTIAL)
            check_impartial(uow, by, application)
        elif application.decided_at is not None:
            raise WrongState("the case is decided; ask the access body to withhold more of it")
        if len(uow.public.confidential.where(case=application.id)) >= MOST_PARTS:
            raise InvalidInput(f"a case has at most {MOST_PARTS} confidential parts")
        declared = ConfidentialPart(new_id("cnf"), application.id, part, ground, reason, by.id, now, passage)
        details = {"number": application.number, "part": part.value, "ground": ground.value}
        event = AuditEvent(EventKind.PART_DECLARED_CONFIDENTIAL, by.id, application.id, now, details)
        uow.public.confidential.add(declared, event)
        uow.commit()
    return declared


def lift_confidential(uow: UnitOfWork, clock: Clock, by: Actor, part_id: str, *, reason: str) -> ConfidentialPart:
    """Publish a part after all: the access body decides alone what is confidential (Art. 52(3))."""
    check_may(by, PublicAction.DECLARE_CONFIDENTIAL)
    with uow:
        now, part = clock.now(), uow.public.confidential.get(part_id)
        check_impartial(uow, by, uow.applications.get(part.case))
        lifted = replace(part, id=new_id("cnf"), reason=reason, declared_by=by.id, declared_at=now, lifts=part.id)
        details = {"part": part.part.value, "lifted": part.id}
        event = AuditEvent(EventKind.PART_DECLARED_CONFIDENTIAL, by.id, part.case, now, details)
        uow.public.confidential.add(lifted, event)
        uow.commit()
    return lifted


def list_confidential(uow: UnitOfWork, by: Actor, case: str) -> list[ConfidentialPart]:
    """Everything declared of a case, for its applicant and the access body."""
    with uow.reading():
        application = uow.applications.get(case)
        if by.id != application.applicant and not may(by, PublicAction.DECLARE_CONFIDENTIAL):
            raise NotFound(f"there is no application {case}")
        return uow.public.confidential.where(case=application.id)


def list_unpublished(
    uow: UnitOfWork, clock: Clock, by: Actor, calendar: Calendar, *, after: str = "", most: int = 100
) -> list[tuple[EntryView, bool]]:
    """Decisions whose reasons wait for publication, the oldest first, and whether each is overdue; a page of them."""
    check_may(by, PublicAction.PUBLISH_DECISION)
    now = clock.now()
    with uow.reading():
        shown = [_shown(entry, now, calendar) for entry in uow.public.register.unpublished(after, most)]
    return [(view, view.publish_by is not None and view.publish_by < calendar.day_of(now)) for view in shown]


def publish_decision(uow: UnitOfWork, clock: Clock, by: Actor, number: str) -> RegisterEntry:
    """Publish the reasons of a decision, confidential parts left out (Art. 57(1)(j)(iii))."""
    check_may(by, PublicAction.PUBLISH_DECISION)
    with uow:
        now, entry = clock.now(), uow.public.register.get(number)
        check_impartial(uow, by, uow.applications.get(entry.case))
        if entry.stage not in DECIDED:
            raise WrongState(f"case {entry.number} is not decided yet")
        if entry.reasons_published_at is not None:
            raise WrongState(f"the decision on {entry.number} was published on {entry.reasons_published_at:%Y-%m-%d}")
        event = AuditEvent(EventKind.DECISION_PUBLISHED, by.id, entry.case, now, {"number": entry.number})
        uow.public.publications.add(DecisionPublication(new_id("pub"), entry.case, by.id, now), event)
        uow.commit()
    with uow.reading():
        return uow.public.register.get(number)


def _shown(entry: RegisterEntry, now: datetime, calendar: Calendar) -> EntryView:
    due = publish_by(entry.decided_at, calendar) if entry.decided_at and entry.stage in DECIDED else None
    return EntryView(entry, entry.state(now), due)
