"""Recording that a step of the law happened, where nothing else at the node does."""

from dataspace.domain.actors import HDAB_ROLES, Actor
from dataspace.domain.clock_access import may_see
from dataspace.domain.clock_states import Case, Counting, clocks_of
from dataspace.domain.clocks import Subject
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.steps import BY_KIND, PREPARES, Step, check_may_record, check_note
from dataspace.services.ports import Clock, UnitOfWork


def record_step(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    counting: Counting,
    *,
    subject: str,
    step: str,
    item: str = "",
    note: str = "",
) -> AuditEvent:
    """Record a step of an application, data request, permit or dataset; `item` is the dataset, holder or finding.

    A finding gets its identifier here. Raises InvalidInput, NotFound, NotPermitted, WrongState.
    """
    known = BY_KIND.get(step)
    if known is None:
        raise InvalidInput(f"{step} is not a step that is recorded like this; these are: {', '.join(BY_KIND)}")
    check_note(known, note)
    with uow:
        uow.clocks.hold()
        now = clock.now()
        case = uow.clocks.of_subject(subject, now)
        if case is None or not _part_in(by, case, counting, clock):
            raise NotFound(f"there is no {subject} that you may see")
        item = _item(uow, known, case, item)
        check_may_record(by, known, case, item)
        details = (
            {"number": case.number} | ({known.item: item} if known.item else {}) | ({"note": note} if note else {})
        )
        event = AuditEvent(known.kind, by.id, case.id, now, details)
        uow.audit.append(event)
        uow.commit()
    return event


def _item(uow: UnitOfWork, step: Step, case: Case, item: str) -> str:
    if step.kind is EventKind.FINDING_NOTIFIED:
        return new_id("fnd")
    if bool(step.item) is not bool(item):
        raise InvalidInput(f"{step.kind} names a {step.item}" if step.item else f"{step.kind} names nothing further")
    if step.item == "dataset" and item not in case.holders:
        raise NotFound(f"{case.number} is not about dataset {item}")
    if step.kind is EventKind.CASE_FORWARDED:
        _check_alone(uow, case, item)
    return item


def _check_alone(uow: UnitOfWork, case: Case, holder: str) -> None:
    """A case goes to a trusted holder only if it is about that holder's data alone (Art. 72(4))."""
    if case.subject is not Subject.APPLICATION:
        return
    datasets = uow.applications.get(case.id).form.scope.datasets
    if {uow.datasets.get(dataset).holder for dataset in datasets} != {holder}:
        raise InvalidInput(f"{case.number} is not about data of {holder} alone, so it is not forwarded (Art. 72(4))")


def _part_in(by: Actor, case: Case, counting: Counting, clock: Clock) -> bool:
    if by.roles & (HDAB_ROLES | PREPARES):
        return True
    return any(may_see(by, known) for known in clocks_of(case, counting, clock.now()))
