"""Significant findings about a person's health (Art. 58(3), 61(5)), for the parties to each alone."""

from fastapi import APIRouter

from dataspace.domain.findings import FindingState
from dataspace.services import findings
from dataspace.web.api import public_present as present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import public as wire

router = APIRouter(tags=["findings"])


@router.post("/permits/{permit_id}/findings", status_code=201)
def report(
    permit_id: Identifier, request: wire.FindingRequest, node: CurrentNode, actor: CurrentActor
) -> wire.FindingEntry:
    """Report a finding, by pseudonym alone."""
    view = findings.report_finding(
        node.unit_of_work(), node.clock, actor, permit_id,
        dataset=request.dataset, pseudonym=request.pseudonym, text=request.text,
    )  # fmt: skip
    return present.finding(view)


@router.get("/findings")
def list_visible(node: CurrentNode, actor: CurrentActor) -> list[wire.FindingEntry]:
    """Findings the caller is a party to; a holder's from the day they were forwarded."""
    return [present.finding(view) for view in findings.list_findings(node.unit_of_work(), actor)]


@router.post("/findings/{finding_id}/state")
def move(
    finding_id: Identifier, request: wire.FindingMove, node: CurrentNode, actor: CurrentActor
) -> wire.FindingEntry:
    """Forward to the holder (access body), or note what became of it (holder)."""
    state = FindingState(request.state)
    return present.finding(findings.move_finding(node.unit_of_work(), node.clock, actor, finding_id, state))
