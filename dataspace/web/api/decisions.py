"""Assessment, proposal, offer and what an applicant answers to it (Art. 68), and the exclusion list (Art. 63(3))."""

from fastapi import APIRouter

from dataspace import wire
from dataspace.domain.assessments import Criterion, Verdict
from dataspace.domain.proposals import Outcome
from dataspace.services import decisions, exclusions
from dataspace.web.api import present, present_decisions
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import decisions as shapes

router = APIRouter(tags=["decisions"])
case = "/applications/{application_id}"


@router.get(case + "/assessment")
def get_case_file(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> shapes.CaseFile:
    """Findings, proposal and steps of a case, for officials of the access body."""
    return present_decisions.case_file(decisions.get_case_file(node.unit_of_work(), actor, application_id))


@router.post(case + "/findings")
def record_findings(
    application_id: Identifier, request: shapes.FindingsRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.CaseFile:
    """Verdicts on criteria of Art. 68(1) and (2), by the assessor; a later one takes an earlier one's place."""
    verdicts = {Criterion(v.criterion): (Verdict(v.verdict), v.reason) for v in request.verdicts}
    file = decisions.record_findings(
        node.unit_of_work(), node.clock, actor, application_id, verdicts, version=request.version
    )
    return present_decisions.case_file(file)


@router.post(case + "/proposal")
def propose(
    application_id: Identifier, request: shapes.ProposalRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.CaseFile:
    """Propose a decision with its terms and its fee; it has to follow from the assessment."""
    file = decisions.propose(
        node.unit_of_work(), node.clock, actor, application_id,
        outcome=Outcome(request.outcome), reasons=request.reasons,
        terms=present_decisions.terms_from(request.terms), criteria=present_decisions.criteria_from(request.criteria),
        fee=present_decisions.fee_from(request.fee),
        plan=present_decisions.plan_from(request.plan) if request.plan else None, version=request.version,
    )  # fmt: skip
    return present_decisions.case_file(file)


@router.post(case + "/reconsideration")
def send_back(
    application_id: Identifier, request: shapes.ReasonedStepRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.CaseFile:
    """Send a proposal back to its assessor, with reasons; for the decision maker."""
    uow = node.unit_of_work()
    file = decisions.send_back(uow, node.clock, actor, application_id, reasons=request.reasons, version=request.version)
    return present_decisions.case_file(file)


@router.post(case + "/offer")
def offer(
    application_id: Identifier, request: shapes.StepRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.CaseFile:
    """Tell the applicant the intended decision and its fee before it is issued (Art. 62(5))."""
    file = decisions.offer(node.unit_of_work(), node.clock, actor, application_id, version=request.version)
    return present_decisions.case_file(file)


@router.get(case + "/offer")
def get_offer(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> shapes.Offer:
    """The intended decision with its fee, for the applicant, once it was offered."""
    return present_decisions.offer(decisions.get_offer(node.unit_of_work(), actor, application_id))


@router.post(case + "/offer/acceptance")
def accept(
    application_id: Identifier, request: shapes.StepRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ApplicationEntry:
    """Accept the fee and the kind of answer; the permit is issued afterwards."""
    return present.application(
        decisions.accept_offer(node.unit_of_work(), node.clock, actor, application_id, version=request.version)
    )


@router.post(case + "/offer/refusal")
def decline(
    application_id: Identifier, request: shapes.DeclineRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ApplicationEntry:
    """Decline the offer: the case goes back to its assessor."""
    uow = node.unit_of_work()
    return present.application(
        decisions.decline_offer(
            uow, node.clock, actor, application_id, reasons=request.reasons, version=request.version
        )
    )


@router.post(case + "/interest")
def declare_interest(
    application_id: Identifier, request: shapes.InterestRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.CaseStanding:
    """Stand aside from a case for good (Art. 55(3)); for officials."""
    after = decisions.declare_interest(
        node.unit_of_work(), node.clock, actor, application_id, interest=request.interest
    )
    return shapes.CaseStanding(number=after.number, state=after.state.value)


@router.post("/exclusions", status_code=201)
def exclude(request: shapes.ExclusionRequest, node: CurrentNode, actor: CurrentActor) -> shapes.Exclusion:
    """Exclude a person from access, at most five years; their very next query is refused."""
    entry = exclusions.exclude_person(
        node.unit_of_work(), node.clock, actor, request.person, until=request.until, reasons=request.reasons
    )
    return present_decisions.exclusion(entry, node.clock.now())


@router.get("/exclusions")
def list_exclusions(node: CurrentNode, actor: CurrentActor) -> list[shapes.Exclusion]:
    """Who is or was excluded, newest first; for the access body."""
    now = node.clock.now()
    return [present_decisions.exclusion(e, now) for e in exclusions.list_exclusions(node.unit_of_work(), actor)]
