"""Steps of the law that nothing else at the node records: who says that they happened, of what, in which order."""

from collections.abc import Iterable
from dataclasses import dataclass

from dataspace.domain.actors import HDAB_ROLES, Actor, Role
from dataspace.domain.clock_access import official
from dataspace.domain.clock_rules import PERMIT_EXPIRED
from dataspace.domain.clock_states import Case, Fact
from dataspace.domain.clocks import Subject
from dataspace.domain.errors import InvalidInput, NotPermitted, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permits import DataPermit

LONGEST_NOTE = 1000


@dataclass(frozen=True)
class Step:
    """`by` are the roles that may record it. `item` is the detail that names what it is about within the subject.

    `after` are facts, at least one of which came before (about the same item). `noted` says what the note has to
    hold; it is read by both sides and by auditors, so it names no patient and holds no secret. `once` forbids a second.
    """

    kind: EventKind
    article: str
    subjects: frozenset[Subject]
    by: frozenset[Role]
    after: tuple[str, ...] = ()
    item: str = ""
    noted: str = ""
    once: bool = True


_CASE, _REQUEST, _PERMIT, _DATASET = (
    frozenset({subject}) for subject in (Subject.APPLICATION, Subject.DATA_REQUEST, Subject.PERMIT, Subject.DATASET)
)
_DECISION_MAKER = frozenset({Role.HDAB_DECISION_MAKER})
_HOLDER = frozenset({Role.DATA_HOLDER})
_USER = frozenset({Role.APPLICANT})
PREPARES = frozenset({Role.OPERATOR, Role.HDAB_DATA_PREPARER})
"""Who prepares and provides data neither assesses nor decides (Art. 55(3))."""

STEPS = (
    Step(
        EventKind.DECISION_PUBLISHED,
        "57(1)(j)(iii)",
        _CASE | _REQUEST,
        _DECISION_MAKER,
        ("application-granted", "application-refused", "data-request-approved", "data-request-refused"),
        noted="the address of the publication",
    ),
    Step(EventKind.CASE_FORWARDED, "72(4)", _CASE | _REQUEST, HDAB_ROLES, item="holder"),
    Step(EventKind.DECISION_PROPOSED_BY_HOLDER, "72(5)", _CASE | _REQUEST, _HOLDER, ("case-forwarded",), item="holder"),
    Step(EventKind.DATA_DELIVERED, "60(2)", _PERMIT, _HOLDER, ("data-ordered",), item="dataset"),
    Step(EventKind.DATA_PROVIDED, "68(7)", _PERMIT, PREPARES, ("data-delivered",), item="dataset"),
    Step(EventKind.FEE_AGREED, "62(4)", _PERMIT, _USER | _HOLDER, ("permit-issued",)),
    Step(
        EventKind.FINDING_NOTIFIED,
        "63(2)",
        _PERMIT | _DATASET,
        _DECISION_MAKER,
        item="finding",
        noted="what was found",
    ),
    Step(
        EventKind.VIEWS_GIVEN,
        "63(2)",
        _PERMIT | _DATASET,
        _USER | _HOLDER,
        ("finding-notified",),
        item="finding",
        noted="the views",
    ),
    Step(EventKind.FINDING_CLOSED, "63(2)", _PERMIT | _DATASET, _DECISION_MAKER, ("finding-notified",), item="finding"),
    Step(EventKind.PROCESSING_ENDED, "61(4)", _PERMIT, _USER, ("permit-issued",)),
    Step(
        EventKind.RESULTS_PUBLISHED,
        "61(4)",
        _PERMIT | _REQUEST,
        _USER,
        ("permit-issued", "data-request-answered"),
        noted="the address of the publication",
        once=False,
    ),
    Step(EventKind.SPE_DATA_DELETED, "68(12)", _PERMIT, PREPARES, (PERMIT_EXPIRED, "permit-revoked")),
    Step(EventKind.DESCRIPTION_CHECKED, "60(3)", _DATASET, _HOLDER, once=False),
)

BY_KIND = {step.kind.value: step for step in STEPS}


def check_may_record(actor: Actor, step: Step, case: Case, item: str) -> None:
    """Raises NotPermitted for the wrong person, InvalidInput for the wrong thing, WrongState for the wrong moment."""
    if case.subject not in step.subjects:
        raise InvalidInput(f"{step.kind} is not a step of a {case.subject} (Art. {step.article})")
    if not any(actor.has(role) and _part(actor, role, case, step, item) for role in step.by):
        roles = " or ".join(sorted(step.by))
        raise NotPermitted(f"to record {step.kind} takes the role {roles}, and that part in {case.number}")
    before = [fact.kind for fact in _about(step, item, case.facts)]
    if step.after and not set(step.after) & set(before):
        needed = " or ".join(step.after)
        raise WrongState(f"{step.kind} follows on {needed}, which {case.number} has not had{_of(item)}")
    if step.once and step.kind in before:
        raise WrongState(f"{step.kind} is on record already for {case.number}{_of(item)}")


def check_note(step: Step, note: str) -> None:
    """Raises InvalidInput if what the step has to say is missing, or is too long."""
    if step.noted and not note.strip():
        raise InvalidInput(f"{step.kind} needs a note: {step.noted}")
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"a note holds at most {LONGEST_NOTE} characters; put the rest into the case's documents")


def data_orders(permit: DataPermit, issued: AuditEvent) -> tuple[AuditEvent, ...]:
    """One order to the holder of each dataset, made with the issue of the permit itself (Art. 68(7))."""
    details = {"number": permit.number}
    return tuple(
        AuditEvent(EventKind.DATA_ORDERED, issued.actor, permit.id, issued.at, details | {"dataset": dataset})
        for dataset in permit.datasets
    )


def _part(actor: Actor, role: Role, case: Case, step: Step, item: str) -> bool:
    """Whether an actor of this role has the part in the case that the role stands for."""
    if role in HDAB_ROLES:
        return official(actor, case)
    if role is Role.APPLICANT:
        return actor.id == case.user
    if role is Role.DATA_HOLDER:
        return actor.organisation.name in _holders(case, step, item)
    return role in PREPARES


def _holders(case: Case, step: Step, item: str) -> frozenset[str]:
    if step.item == "holder":
        return frozenset({item})
    if step.item == "dataset":
        return frozenset({case.holders.get(item, "")})
    return frozenset(case.holders.values())


def _about(step: Step, item: str, facts: Iterable[Fact]) -> Iterable[Fact]:
    return (fact for fact in facts if not step.item or fact.details.get(step.item, item) == item)


def _of(item: str) -> str:
    return f" about {item}" if item else ""
