"""From an application under assessment to a decision that can be issued: findings, proposal, offer, interests.

Issuing the permit and refusing are in `permits`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from catalog.schema import DatasetSchema
from dataspace.domain import assessments, fees
from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction, ApplicationState
from dataspace.domain.assessments import Assessment, Criterion, Finding, Verdict
from dataspace.domain.errors import InvalidInput, NotFound, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permissions import check_may_act_on_application, may_act_on_application
from dataspace.domain.proposals import NO_TERMS, CaseStep, Outcome, Proposal, Step, Terms, check_proposal
from dataspace.domain.reasons import check_reasons
from dataspace.domain.tabulations import TabulationPlan
from dataspace.services.duties import check_free_to_act, check_official
from dataspace.services.populations import check_population
from dataspace.services.ports import Clock, UnitOfWork

KEPT = "they go on record"
"""What becomes of reasons here."""


@dataclass(frozen=True)
class CaseFile:
    """What officials see of a case: the findings that count, the last proposal, every step."""

    application: AccessApplication
    assessment: Assessment
    proposal: Proposal | None
    steps: tuple[CaseStep, ...]


def record_findings(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    application_id: str,
    verdicts: Mapping[Criterion, tuple[Verdict, str]],
    *,
    version: int | None = None,
) -> CaseFile:
    """Write verdicts with their reasons; one on a criterion that has one takes its place, until it is proposed."""
    now = clock.now()
    if not verdicts:
        raise InvalidInput("give a verdict on at least one criterion")
    with uow:
        before = _taken(uow, by, application_id, ApplicationAction.ASSESS, version)
        findings = [
            Finding(criterion, verdict, reason, by.id, now) for criterion, (verdict, reason) in verdicts.items()
        ]
        details = {f.criterion.value: f.verdict.value for f in findings} | {"number": before.number}
        assessed = before.after(ApplicationAction.ASSESS)
        uow.decisions.add_findings(before.id, findings)
        uow.applications.save(assessed, _event(EventKind.CRITERIA_ASSESSED, by, assessed, clock, **details))
        file = _file(uow, assessed)
        uow.commit()
    return file


def propose(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    application_id: str,
    *,
    outcome: Outcome,
    reasons: str,
    terms: Terms = NO_TERMS,
    criteria: tuple[Criterion, ...] = (),
    fee: tuple[fees.FeeLine, ...] = (),
    plan: TabulationPlan | None = None,
    version: int | None = None,
) -> CaseFile:
    """Propose a decision.

    Raises InvalidApplication for one that does not follow from the assessment, or names a population that cannot be
    told from the data.
    """
    now = clock.now()
    with uow:
        before = _taken(uow, by, application_id, ApplicationAction.PROPOSE, version)
        holders = frozenset(uow.datasets.get(dataset).holder for dataset in before.form.scope.datasets)
        estimate = fees.estimate(fee, holders, now)
        proposal = Proposal(outcome, reasons.strip(), by.id, now, terms, criteria, estimate, plan)
        check_proposal(proposal, before.form, _assessment(uow, before))
        schemas = _schemas(uow, before)
        left = terms.granted_columns(before.form.scope, before.form.scope.expand(schemas))
        check_population(terms.population, [schemas[dataset] for dataset in {ref[0] for ref in left}])
        proposed = before.after(ApplicationAction.PROPOSE)
        uow.decisions.add_proposal(before.id, proposal)
        file = _step(uow, clock, by, proposed, Step.PROPOSED, EventKind.DECISION_PROPOSED, outcome=outcome.value)
        uow.commit()
    return file


def send_back(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, reasons: str, version: int | None = None
) -> CaseFile:
    """The decision maker does not adopt the proposal; the assessor goes on, told why."""
    check_reasons(reasons, kept=KEPT)
    with uow:
        before = _taken(uow, by, application_id, ApplicationAction.SEND_BACK, version)
        after = before.after(ApplicationAction.SEND_BACK)
        file = _step(uow, clock, by, after, Step.SENT_BACK, EventKind.PROPOSAL_SENT_BACK, reasons)
        uow.commit()
    return file


def offer(uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, version: int | None = None) -> CaseFile:
    """Tell the applicant the intended decision and its fee before it is issued (Art. 62(5), 68(3)).

    Raises WrongState where there is nothing to accept: then it is issued at once.
    """
    with uow:
        before = _taken(uow, by, application_id, ApplicationAction.OFFER, version)
        proposal = uow.decisions.proposals(before.id)[-1]
        if not proposal.needs_acceptance:
            raise WrongState(
                f"application {before.number} has nothing to accept: no fee, and what was asked for; decide on it"
            )
        after = before.after(ApplicationAction.OFFER)
        details = {"outcome": proposal.outcome.value, "fee_cents": str(proposal.fee.total_cents)}
        file = _step(uow, clock, by, after, Step.OFFERED, EventKind.DECISION_OFFERED, **details)
        uow.commit()
    return file


def accept_offer(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, version: int | None = None
) -> AccessApplication:
    """The applicant accepts the fee, and the kind of answer; on record as their consent."""
    with uow:
        before = _own(uow, clock, by, application_id, ApplicationAction.ACCEPT, version)
        after = before.after(ApplicationAction.ACCEPT)
        _step(uow, clock, by, after, Step.ACCEPTED, EventKind.OFFER_ACCEPTED)
        uow.commit()
    return after


def decline_offer(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, reasons: str = "", version: int | None = None
) -> AccessApplication:
    """The applicant does not accept: the case goes back to its assessor, and can still be withdrawn."""
    with uow:
        before = _own(uow, clock, by, application_id, ApplicationAction.DECLINE, version)
        after = before.after(ApplicationAction.DECLINE)
        _step(uow, clock, by, after, Step.DECLINED, EventKind.OFFER_DECLINED, reasons)
        uow.commit()
    return after


def declare_interest(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, interest: str
) -> AccessApplication:
    """Stand aside from a case: from now on `by` neither assesses nor decides on it, nor on its permit.

    If `by` is its assessor, the case waits for another one, who assesses anew.
    """
    check_reasons(interest, kept=KEPT)
    now = clock.now()
    with uow:
        case = _seen(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.DECLARE_INTEREST, case)
        details = {"number": case.number}
        uow.decisions.recuse(
            case.id, by.id, interest.strip(), AuditEvent(EventKind.INTEREST_DECLARED, by.id, case.id, now, details)
        )
        if case.assessor == by.id and may_act_on_application(by, ApplicationAction.STAND_DOWN, case):
            case = replace(case.after(ApplicationAction.STAND_DOWN), assessor=None)
            _step(uow, clock, by, case, Step.STOOD_DOWN, EventKind.ASSESSOR_STOOD_DOWN)
        uow.commit()
    return case


def get_case_file(uow: UnitOfWork, by: Actor, application_id: str) -> CaseFile:
    """For officials of the access body. Raises NotFound for a case they may not see."""
    with uow.reading():
        case = _seen(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.VIEW_ASSESSMENT, case)
        return _file(uow, case)


TOLD = frozenset(
    {ApplicationState.OFFERED, ApplicationState.ACCEPTED, ApplicationState.GRANTED, ApplicationState.REFUSED}
)
"""States in which the applicant is told what was proposed."""


def get_offer(uow: UnitOfWork, by: Actor, application_id: str) -> Proposal:
    """The intended decision with its fee, for whoever may see the application, once it was offered or decided."""
    with uow.reading():
        case = _seen(uow, by, application_id)
        proposals = uow.decisions.proposals(case.id)
        if case.state not in TOLD or not proposals:
            raise NotFound(f"application {case.number} has no offer: it is {case.state}")
        return proposals[-1]


def _taken(
    uow: UnitOfWork, by: Actor, application_id: str, action: ApplicationAction, version: int | None
) -> AccessApplication:
    """The case, if `by` may do `action` with it as an official and read its present version."""
    case = _seen(uow, by, application_id)
    check_official(uow, by, action, case)
    check_version(case, version)
    return case


def _own(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, action: ApplicationAction, version: int | None
) -> AccessApplication:
    case = _seen(uow, by, application_id)
    check_may_act_on_application(by, action, case)
    check_free_to_act(uow, by, clock.now())
    check_version(case, version)
    return case


def _seen(uow: UnitOfWork, by: Actor, application_id: str) -> AccessApplication:
    case = uow.applications.get(application_id)
    if not may_act_on_application(by, ApplicationAction.VIEW, case):
        raise NotFound(f"there is no application {application_id}")
    return case


def check_version(case: AccessApplication, version: int | None) -> None:
    """Raises WrongState if `version`, the one that was read, is not the present one."""
    if version is not None and version != case.version:
        raise WrongState(f"application {case.number} was changed by someone else meanwhile; read it again")


def _assessment(uow: UnitOfWork, case: AccessApplication) -> Assessment:
    return assessments.current(uow.decisions.findings(case.id), case.assessor)


def _file(uow: UnitOfWork, case: AccessApplication) -> CaseFile:
    proposals, steps = uow.decisions.proposals(case.id), uow.decisions.steps(case.id)
    return CaseFile(case, _assessment(uow, case), proposals[-1] if proposals else None, tuple(steps))


def _schemas(uow: UnitOfWork, case: AccessApplication) -> dict[str, DatasetSchema]:
    """The data dictionaries of the datasets asked for, as they are now."""
    current = {dataset: uow.datasets.get(dataset).current for dataset in case.form.scope.datasets}
    return {d: uow.datasets.schema(d, s) for d, s in current.items() if s is not None}


def _step(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    case: AccessApplication,
    step: Step,
    kind: EventKind,
    reasons: str = "",
    **details: str,
) -> CaseFile:
    """Save the case and the step that brought it here, with one event."""
    uow.decisions.add_step(case.id, CaseStep(step, by.id, clock.now(), reasons.strip()))
    uow.applications.save(case, _event(kind, by, case, clock, **details))
    return _file(uow, case)


def _event(kind: EventKind, by: Actor, case: AccessApplication, clock: Clock, **details: str) -> AuditEvent:
    return AuditEvent(kind, by.id, case.id, clock.now(), {"number": case.number, **details})
