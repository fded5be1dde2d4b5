"""Measures of non-compliance, published with reasons (Art. 57(1)(j)(iv), 63)."""

from dataclasses import replace
from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.errors import InvalidInput, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.measures import Measure, MeasureKind
from dataspace.domain.public_permissions import PublicAction, check_may
from dataspace.domain.public_register import PublicState
from dataspace.domain.redaction import Redaction
from dataspace.services.ports import Clock, UnitOfWork

_STATES = {MeasureKind.SUSPENSION: PublicState.SUSPENDED, MeasureKind.REVOCATION: PublicState.REVOKED}


def take_measure(
    uow: UnitOfWork, clock: Clock, by: Actor,
    *, kind: MeasureKind, organisation: str, reasons: str, permit_number: str = "", until: datetime | None = None,
) -> Measure:  # fmt: skip
    """Record and publish a measure. A suspension or revocation is made first, by `permits`; here it is given out."""
    check_may(by, PublicAction.TAKE_MEASURE)
    with uow:
        now = clock.now()
        known = {p.organisation.name for p in uow.accounts.all()} | {d.holder for d in uow.datasets.all()}
        if organisation not in known:
            raise InvalidInput("no user or holder of that name is registered; write it as it is registered")
        number = uow.public.next_number("MNC", now.year)
        measure = Measure(new_id("mnc"), number, kind, organisation, permit_number.strip(), reasons, by.id, now, until)
        if permit_number:
            _check_permit(uow, measure, now)
        details = {"number": number, "kind": kind.value, "reasons": reasons}
        uow.public.measures.add(measure, AuditEvent(EventKind.MEASURE_TAKEN, by.id, measure.id, now, details))
        uow.commit()
    return measure


def list_measures(uow: UnitOfWork) -> list[Measure]:
    """All measures, newest first, as the public sees them: without names of persons and confidential passages."""
    with uow.reading():
        return public_measures(uow)


def public_measures(uow: UnitOfWork) -> list[Measure]:
    """As `list_measures`, inside a transaction."""
    measures = uow.public.measures.where()
    if not measures:
        return []
    names = [person.name for person in uow.accounts.all() if person.name != person.organisation.name]
    anybody = Redaction.of((), names)
    cases = uow.public.register.cases_of({measure.permit_number for measure in measures if measure.permit_number})
    redactions = uow.public.register.redactions(set(cases.values()))
    passages = {number: redactions[case].passages for number, case in cases.items()}
    return [
        replace(one, reasons=replace(anybody, passages=passages.get(one.permit_number, ())).text(one.reasons))
        for one in reversed(measures)
    ]


def _check_permit(uow: UnitOfWork, measure: Measure, now: datetime) -> None:
    entry = uow.public.register.get(measure.permit_number)
    if entry.applicant != measure.organisation:
        raise InvalidInput(f"permit {measure.permit_number} is not {measure.organisation}'s")
    wanted = _STATES.get(measure.kind)
    if wanted is not None and entry.state(now) is not wanted:
        raise WrongState(f"permit {measure.permit_number} is {entry.state(now)}: make it {wanted} first")
