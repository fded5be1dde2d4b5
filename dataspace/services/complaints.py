"""Complaints (Art. 81): filed without signing in, followed with receipt and secret, decided with reasons."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dataspace.domain.actors import Actor
from dataspace.domain.complaints import (
    DECISIONS,
    Complainant,
    Complaint,
    ComplaintState,
    ComplaintStep,
    Subject,
    check_follows,
    digest,
    first_state,
    new_receipt,
    new_secret,
    opens,
)
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.public_permissions import PublicAction, check_may
from dataspace.services.duties import check_impartial
from dataspace.services.ports import Clock, UnitOfWork

PUBLIC = "public"
"""Who acts in an event that nobody signed in for."""

UNKNOWN = "there is no complaint with this receipt and secret; look at both again"


@dataclass(frozen=True)
class Filed:
    """What the complainants keep; the secret is told once and kept nowhere."""

    receipt: str
    secret: str = field(repr=False)
    state: ComplaintState


@dataclass(frozen=True)
class Progress:
    """A complaint and what was done about it, oldest first."""

    complaint: Complaint
    steps: tuple[ComplaintStep, ...]

    @property
    def state(self) -> ComplaintState:
        return self.steps[-1].state


def file_complaint(
    uow: UnitOfWork, clock: Clock,
    *, subject: Subject, complainants: Iterable[Complainant], text: str, contact: str = "", case: str = "",
) -> Filed:  # fmt: skip
    """Record a complaint. One about the opt-out is the data protection authority's: it is forwarded at once.

    The event `complaint-forwarded` is for whatever sends messages; it holds the identifier alone.
    """
    now, secret = clock.now(), new_secret()
    complaint = Complaint(
        new_id("cpl"), new_receipt(now.year), digest(secret), subject, case.strip(), tuple(complainants),
        contact.strip(), text, now,
    )  # fmt: skip
    state = first_state(subject)
    with uow:
        event = AuditEvent(EventKind.COMPLAINT_RECEIVED, PUBLIC, complaint.id, now, {"subject": subject.value})
        uow.public.complaints.add(complaint, event)
        step = ComplaintStep(new_id("cps"), complaint.id, state, "", PUBLIC, now)
        uow.public.complaint_steps.add(step, _moved(step))
        uow.commit()
    return Filed(complaint.receipt, secret, state)


def follow_complaint(uow: UnitOfWork, receipt: str, secret: str) -> Progress:
    """What became of a complaint. A wrong secret says the same as a receipt that does not exist."""
    with uow.reading():
        found = uow.public.complaints.where(receipt=receipt)
        if not opens(secret, found[0].digest if found else None):
            raise NotFound(UNKNOWN)
        return _progress(uow, found[0])


def list_complaints(uow: UnitOfWork, by: Actor) -> list[Progress]:
    """All complaints, newest first, for those who handle them."""
    check_may(by, PublicAction.HANDLE_COMPLAINT)
    with uow.reading():
        found, steps = uow.public.complaints.where(), uow.public.complaint_steps.where()
    taken: dict[str, list[ComplaintStep]] = {complaint.id: [] for complaint in found}
    for step in steps:
        taken[step.complaint].append(step)
    return [Progress(complaint, tuple(taken[complaint.id])) for complaint in reversed(found)]


def move_complaint(
    uow: UnitOfWork, clock: Clock, by: Actor, receipt: str, state: ComplaintState, text: str
) -> Progress:
    """Examine, or decide with reasons; `text` is what the complainants read."""
    check_may(by, PublicAction.DECIDE_COMPLAINT if state in DECISIONS else PublicAction.HANDLE_COMPLAINT)
    if not text.strip():
        raise InvalidInput("tell the complainants what is done and why (Art. 81)")
    with uow:
        found = uow.public.complaints.where(receipt=receipt)
        if not found:
            raise NotFound(f"there is no complaint {receipt}")
        before = _progress(uow, found[0])
        _check_impartial(uow, by, before.complaint.case)
        check_follows(before.state, state)
        step = ComplaintStep(new_id("cps"), before.complaint.id, state, text, by.id, clock.now())
        uow.public.complaint_steps.add(step, _moved(step))
        uow.commit()
    return Progress(before.complaint, (*before.steps, step))


def _check_impartial(uow: UnitOfWork, by: Actor, number: str) -> None:
    """Nobody decides on a complaint about a case of their own; one about no case that is known here concerns nobody."""
    try:
        application = uow.applications.get(uow.public.register.get(number).case)
    except NotFound:
        return
    check_impartial(uow, by, application)


def _progress(uow: UnitOfWork, complaint: Complaint) -> Progress:
    return Progress(complaint, tuple(uow.public.complaint_steps.where(complaint=complaint.id)))


def _moved(step: ComplaintStep) -> AuditEvent:
    forwarded = step.state is ComplaintState.FORWARDED
    kind = EventKind.COMPLAINT_FORWARDED if forwarded else EventKind.COMPLAINT_MOVED
    details = {"state": step.state.value} | ({"to": "data-protection-authority"} if forwarded else {})
    return AuditEvent(kind, step.taken_by, step.complaint, step.taken_at, details)
