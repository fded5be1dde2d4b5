"""A permit after its grant: versions, amendment, extension, suspension, and the answers of a data request."""

from fastapi import APIRouter

from dataspace import wire
from dataspace.domain.permit_changes import ChangeKind, Wanted
from dataspace.services import permit_life, permits, tabulations
from dataspace.web.api import present, present_decisions
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import decisions as shapes

router = APIRouter(tags=["permits"])
permit = "/permits/{permit_id}"
change = "/permit-changes/{change_id}"


@router.get(permit + "/versions")
def list_versions(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[shapes.PermitVersion]:
    """Every version of a permit with its contents (Art. 68(10)), oldest first."""
    found = permit_life.list_versions(node.unit_of_work(), node.clock, actor, permit_id)
    return [present_decisions.permit_version(version) for version in found]


@router.post(permit + "/suspension")
def suspend(
    permit_id: Identifier, decision: wire.ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> wire.PermitEntry:
    """Stop queries for the time being; the budget stays with the permit."""
    found = permits.suspend_permit(node.unit_of_work(), node.clock, actor, permit_id, reasons=decision.reasons)
    return present.permit(found, found.state(node.clock.now()))


@router.post(permit + "/resumption")
def resume(
    permit_id: Identifier, decision: wire.ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> wire.PermitEntry:
    """End a suspension."""
    found = permits.resume_permit(node.unit_of_work(), node.clock, actor, permit_id, reasons=decision.reasons)
    return present.permit(found, found.state(node.clock.now()))


@router.get(permit + "/changes")
def list_changes(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[shapes.PermitChange]:
    """Amendments and extensions that were asked for, oldest first."""
    found = permit_life.list_changes(node.unit_of_work(), node.clock, actor, permit_id)
    return [present_decisions.change(entry) for entry in found]


@router.post(permit + "/amendment", status_code=201)
def ask_amendment(
    permit_id: Identifier, request: shapes.AmendmentRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.PermitChange:
    """Ask for other columns, persons or conditions (Art. 68(13)); for the permit's holder."""
    wanted = Wanted(
        columns=frozenset(request.columns),
        persons=frozenset(request.persons),
        persons_leaving=frozenset(request.persons_leaving),
        conditions=None if request.conditions is None else tuple(request.conditions),
    )
    return _ask(permit_id, ChangeKind.AMENDMENT, wanted, request.reasons, node, actor)


@router.post(permit + "/extension", status_code=201)
def ask_extension(
    permit_id: Identifier, request: shapes.ExtensionRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.PermitChange:
    """Ask for a longer period, once and at least one month before expiry (Art. 68(12)); for the permit's holder."""
    wanted = Wanted(valid_until=request.valid_until)
    return _ask(permit_id, ChangeKind.EXTENSION, wanted, request.reasons, node, actor)


@router.post(change + "/withdrawal")
def withdraw_change(change_id: Identifier, node: CurrentNode, actor: CurrentActor) -> shapes.PermitChange:
    """Withdraw one's own request for a change."""
    return present_decisions.change(permit_life.withdraw_change(node.unit_of_work(), node.clock, actor, change_id))


@router.post(change + "/proposal")
def propose_change(
    change_id: Identifier, request: shapes.ChangeProposalRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.PermitChange:
    """Propose to approve or to reject a change; for an assessor."""
    proposed = permit_life.propose_change(
        node.unit_of_work(), node.clock, actor, change_id,
        favourable=request.favourable, reasons=request.reasons, version=request.version,
    )  # fmt: skip
    return present_decisions.change(proposed)


@router.post(change + "/return")
def send_back_change(
    change_id: Identifier, request: shapes.ReasonedStepRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.PermitChange:
    """Send the proposal back to be assessed again; for the decision maker."""
    uow = node.unit_of_work()
    back = permit_life.send_back_change(
        uow, node.clock, actor, change_id, reasons=request.reasons, version=request.version
    )
    return present_decisions.change(back)


@router.post(change + "/decision")
def decide_change(
    change_id: Identifier, request: shapes.ReasonedStepRequest, node: CurrentNode, actor: CurrentActor
) -> shapes.PermitChange:
    """Adopt the proposal; for the decision maker, who is not its assessor."""
    uow = node.unit_of_work()
    decided = permit_life.decide_change(
        uow, node.clock, actor, change_id, reasons=request.reasons, version=request.version
    )
    return present_decisions.change(decided)


@router.get(permit + "/tabulations")
def list_answers(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[shapes.TabulationAnswer]:
    """The answers of an approved data request, for its applicant."""
    answers = tabulations.list_answers(node.unit_of_work(), node.clock, actor, permit_id)
    return [present_decisions.tabulation(answer) for answer in answers]


@router.post(permit + "/tabulations/retry")
def retry_failed(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[shapes.TabulationAnswer]:
    """Try what failed again; nothing is charged twice."""
    tabulations.retry_failed(node.unit_of_work(), node.clock, actor, permit_id, node.ask_tabulation)
    return list_answers(permit_id, node, actor)


def _ask(
    permit_id: str, kind: ChangeKind, wanted: Wanted, reasons: str, node: CurrentNode, actor: CurrentActor
) -> shapes.PermitChange:
    uow = node.unit_of_work()
    return present_decisions.change(
        permit_life.ask_change(uow, node.clock, actor, permit_id, kind, wanted, reasons=reasons)
    )
