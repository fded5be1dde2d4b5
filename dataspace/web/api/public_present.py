"""What the public sees and what follows a permit, as wire shapes."""

from dataspace.domain.activity import Edition, Fact
from dataspace.domain.measures import Measure
from dataspace.domain.public_register import RegisterEntry
from dataspace.domain.redaction import ConfidentialPart
from dataspace.domain.results import Duty, Result
from dataspace.services.complaints import Progress
from dataspace.services.findings import FindingView
from dataspace.services.register import EntryView
from dataspace.wire import public as wire


def entry(view: EntryView, public_url: str) -> wire.RegisterEntry:
    e = view.entry
    return wire.RegisterEntry(
        number=e.number,
        url=address(e, public_url),
        kind=e.kind.value,
        state=view.state.value,
        applicant=e.applicant,
        public_body=e.public_body,
        title=e.title,
        lay_summary=e.lay_summary,
        purposes=[wire.Purpose(letter=purpose.letter, text=purpose.text) for purpose in e.purposes],
        datasets=list(e.datasets),
        received_at=e.received_at,
        updated_at=e.updated_at,
        decided_at=e.decided_at,
        publish_by=view.publish_by,
        reasons=e.reasons,
        reasons_published_at=e.reasons_published_at,
        permit_number=e.permit_number,
        issued_at=e.issued_at,
        valid_from=e.valid_from,
        valid_until=e.valid_until,
        permit_reasons=e.permit_reasons,
        results=[result(one) for one in view.results],
        results_duty=view.duty.value if view.due else None,
        results_due=view.due,
    )


def address(of: RegisterEntry, public_url: str) -> str:
    """The permanent address of an entry."""
    return f"{public_url.rstrip('/')}/register/{of.number}"


def page(views: list[EntryView], total: int, most: int, public_url: str) -> wire.RegisterPage:
    entries = [entry(view, public_url) for view in views]
    return wire.RegisterPage(total=total, next=entries[-1].number if len(entries) == most else None, entries=entries)


def result(of: Result) -> wire.ResultEntry:
    return wire.ResultEntry(
        id=of.id,
        kind=of.kind.value,
        title=of.title,
        link=of.link,
        lay_summary=of.lay_summary,
        registered_at=of.registered_at,
    )


def duty(of: tuple[RegisterEntry, Duty, object]) -> wire.DutyEntry:
    case, state, due = of
    return wire.DutyEntry.model_validate(
        {"number": case.number, "applicant": case.applicant, "state": state.value, "due": due}
    )


def confidential(part: ConfidentialPart) -> wire.ConfidentialEntry:
    return wire.ConfidentialEntry(
        id=part.id,
        part=part.part.value,
        ground=part.ground.value,
        reason=part.reason,
        passage=part.passage,
        declared_at=part.declared_at,
        lifts=part.lifts,
    )


def finding(view: FindingView) -> wire.FindingEntry:
    f = view.finding
    steps = [wire.StepEntry(state=step.state.value, at=step.taken_at) for step in view.steps]
    return wire.FindingEntry(
        id=f.id, dataset=f.dataset, pseudonym=f.pseudonym, text=f.text, state=view.state.value, steps=steps
    )


def progress(of: Progress) -> wire.ComplaintProgress:
    c = of.complaint
    return wire.ComplaintProgress(
        receipt=c.receipt,
        subject=c.subject.value,
        case=c.case,
        received_at=c.received_at,
        state=of.state.value,
        steps=[wire.StepEntry(state=s.state.value, at=s.taken_at, text=s.text) for s in of.steps],
    )


def complaint(of: Progress) -> wire.ComplaintEntry:
    c = of.complaint
    persons = [wire.ComplainantEntry(name=one.name, legal_person=one.legal_person) for one in c.complainants]
    return wire.ComplaintEntry(
        **progress(of).model_dump(exclude={"steps"}), steps=progress(of).steps,
        complainants=persons, contact=c.contact, text=c.text,
    )  # fmt: skip


def measure(of: Measure) -> wire.MeasureEntry:
    return wire.MeasureEntry(
        number=of.number,
        kind=of.kind.value,
        organisation=of.organisation,
        permit_number=of.permit_number,
        reasons=of.reasons,
        decided_at=of.decided_at,
        until=of.until,
    )


def fact(of: Fact) -> wire.FactEntry:
    return wire.FactEntry.model_validate(
        {"id": of.id, "kind": of.kind.value, "on": of.on, "text": of.text, "amount": of.amount, "cancels": of.cancels}
    )


def edition(of: Edition) -> wire.EditionEntry:
    return wire.EditionEntry(
        id=of.id,
        number=of.number,
        start=of.start,
        end=of.end,
        sha256=of.sha256,
        frozen_at=of.frozen_at,
        supersedes=of.supersedes,
        content=of.content,
    )
