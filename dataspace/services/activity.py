"""The activity report (Art. 59): computed from what is on record, frozen in editions that are never overwritten."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from hashlib import sha256

from dataspace.domain.activity import Edition, Fact, FactKind, Period, Recorded, content_bytes
from dataspace.domain.actors import Actor
from dataspace.domain.calendars import Calendar
from dataspace.domain.errors import InvalidInput, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.figures import compute
from dataspace.domain.identifiers import new_id
from dataspace.domain.public_permissions import PublicAction, check_may
from dataspace.services.measures import public_measures
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.register import duties_of, public_results

CategoriesOf = Callable[[str], tuple[str, ...]]
"""The Art. 51(1) categories in a dataset's catalogue record; ("not-stated",) where it states none."""

Content = dict[str, object]


def report(uow: UnitOfWork, clock: Clock, period: Period, calendar: Calendar, categories_of: CategoriesOf) -> Content:
    """The report of a period as it would be frozen now; public."""
    with uow.reading():
        return _content(uow, clock, period, calendar, categories_of)


def recorded_until(uow: UnitOfWork) -> int:
    """How many events are on record: a report computed at the same number, on the same day, is the same."""
    with uow.reading():
        return uow.audit.head().seq


def freeze_report(
    uow: UnitOfWork, clock: Clock, by: Actor, period: Period, calendar: Calendar, categories_of: CategoriesOf
) -> Edition:
    """Freeze an edition; of a period that has one, the new edition supersedes it and both stay."""
    check_may(by, PublicAction.FREEZE_REPORT)
    if not period.is_two_years:
        raise InvalidInput("a report covers two years (Art. 59(1)): give a period of 24 months")
    with uow:
        now = clock.now()
        if now.date() < period.end:
            raise WrongState(f"the period ends on {period.end}; a report is frozen after it")
        content = content_bytes(_content(uow, clock, period, calendar, categories_of)).decode("ascii")
        earlier = uow.public.editions.where(start=period.start, end=period.end)
        edition = Edition(
            new_id("rep"), period.start, period.end, len(earlier) + 1, content,
            sha256(content.encode("ascii")).hexdigest(), by.id, now, earlier[-1].id if earlier else "",
        )  # fmt: skip
        details = {"sha256": edition.sha256, "period": f"{period.start}/{period.end}", "edition": str(edition.number)}
        uow.public.editions.add(edition, AuditEvent(EventKind.REPORT_FROZEN, by.id, edition.id, now, details))
        uow.commit()
    return edition


def list_editions(uow: UnitOfWork) -> list[Edition]:
    """All frozen editions, newest first; public."""
    with uow.reading():
        return list(reversed(uow.public.editions.where()))


def get_edition(uow: UnitOfWork, edition_id: str) -> Edition:
    """One edition by identifier; public."""
    with uow.reading():
        return uow.public.editions.get(edition_id)


def enter_fact(
    uow: UnitOfWork, clock: Clock, by: Actor, *, kind: FactKind, on: date, text: str, amount: Decimal = Decimal(0)
) -> Fact:
    """Enter something that nothing at the node records, as a fine or an audit."""
    check_may(by, PublicAction.ENTER_FACT)
    with uow:
        now = clock.now()
        fact = Fact(new_id("fct"), kind, on, amount, text, by.id, now)
        uow.public.facts.add(fact, AuditEvent(EventKind.FACT_ENTERED, by.id, fact.id, now, {"kind": kind.value}))
        uow.commit()
    return fact


def cancel_fact(uow: UnitOfWork, clock: Clock, by: Actor, fact_id: str, *, text: str) -> Fact:
    """Take back a fact that was entered in error; both entries stay on record."""
    check_may(by, PublicAction.ENTER_FACT)
    with uow:
        now, wrong = clock.now(), uow.public.facts.get(fact_id)
        if wrong.cancels or uow.public.facts.where(cancels=fact_id):
            raise WrongState(f"fact {fact_id} is cancelled already, or cancels another")
        fact = Fact(new_id("fct"), wrong.kind, wrong.on, wrong.amount, text, by.id, now, fact_id)
        details = {"kind": wrong.kind.value, "cancels": fact_id}
        uow.public.facts.add(fact, AuditEvent(EventKind.FACT_ENTERED, by.id, fact.id, now, details))
        uow.commit()
    return fact


def list_facts(uow: UnitOfWork, by: Actor) -> list[Fact]:
    """Everything entered, oldest first, for those who enter it."""
    check_may(by, PublicAction.ENTER_FACT)
    with uow.reading():
        return uow.public.facts.where()


def _content(uow: UnitOfWork, clock: Clock, period: Period, calendar: Calendar, categories_of: CategoriesOf) -> Content:
    recorded = _recorded(uow, clock, calendar, categories_of)
    head = uow.audit.head()
    numbers = {entry.case: entry.number for entry in recorded.cases}
    return {
        "period": {"from": period.start.isoformat(), "to": period.end.isoformat()},
        "items": compute(recorded, period),
        "results": [
            {"case": numbers[r.case], "kind": r.kind.value, "title": r.title, "link": r.link, "summary": r.lay_summary}
            for r in recorded.results
            if period.holds(r.registered_at)
        ],
        "trail": {"events": head.seq, "hash": head.hash},
    }


def _recorded(uow: UnitOfWork, clock: Clock, calendar: Calendar, categories_of: CategoriesOf) -> Recorded:
    now, cases, facts = clock.now(), tuple(uow.public.register.all()), uow.public.facts.where()
    cancelled = {fact.cancels for fact in facts if fact.cancels}
    published = public_results(uow)
    return Recorded(
        cases=cases,
        results=tuple(result for case in cases for result in published.get(case.case, ())),
        facts=tuple(fact for fact in facts if not fact.cancels and fact.id not in cancelled),
        measures=tuple(public_measures(uow)),
        duties=tuple(duties_of(uow, cases, now, calendar)),
        complaints=tuple((c.received_at, c.subject.value) for c in uow.public.complaints.where()),
        categories={d: categories_of(d) for d in {dataset for case in cases for dataset in case.datasets}},
    )
