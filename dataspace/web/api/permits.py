"""Data permits: what a person may see, what is left of the budget, and revocation."""

from typing import Annotated

from fastapi import APIRouter, Query

from dataspace import wire
from dataspace.services import ledger, permits
from dataspace.web.api import present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier

router = APIRouter(prefix="/permits", tags=["permits"])

After = Annotated[
    str | None, Query(max_length=40, pattern=r"^[A-Za-z0-9-]+$", description="number of the last permit you have")
]
Most = Annotated[int, Query(ge=1, le=500)]


@router.get("")
def list_visible(
    node: CurrentNode, actor: CurrentActor, after: After = None, most: Most = 100
) -> list[wire.PermitEntry]:
    """Permits the caller holds or is named in, newest first; everybody's, for the access body. A page at a time."""
    now, visible = node.clock.now(), permits.page_permits(node.unit_of_work(), actor, after, most)
    return [present.permit(permit, permit.state(now)) for permit in visible]


@router.get("/{permit_id}")
def get(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.PermitEntry:
    """One permit, for those it concerns."""
    permit = permits.get_permit(node.unit_of_work(), node.clock, actor, permit_id)
    return present.permit(permit, permit.state(node.clock.now()))


@router.get("/{permit_id}/budget")
def get_budget(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.Budget:
    """Granted, spent and remaining privacy budget."""
    permit = permits.get_permit(node.unit_of_work(), node.clock, actor, permit_id)
    amounts = ledger.get_budget(node.unit_of_work(), node.clock, actor, permit_id)
    return present.budget(permit, amounts, node.epsilon_of)


@router.post("/{permit_id}/revocation")
def revoke(
    permit_id: Identifier, decision: wire.ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> wire.PermitEntry:
    """Stop a permit (Art. 63(3)): its next query is refused, what is unspent goes back to the datasets."""
    permit = permits.revoke_permit(node.unit_of_work(), node.clock, actor, permit_id, reasons=decision.reasons)
    return present.permit(permit, permit.state(node.clock.now()))
