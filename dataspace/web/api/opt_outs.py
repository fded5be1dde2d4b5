"""Opting out of secondary use (Art. 71), for the access body's desk. Identifiers come in bodies, never in addresses."""

from fastapi import APIRouter

from dataspace import wire
from dataspace.domain.opt_outs import Channel
from dataspace.services import opt_outs
from dataspace.web.api import present
from dataspace.web.auth import CurrentActor, CurrentNode

router = APIRouter(prefix="/opt-outs", tags=["opt-outs"])


@router.post("", status_code=201)
def opt_out(request: wire.OptOutRequest, node: CurrentNode, actor: CurrentActor) -> wire.OptOutReceipt:
    """Record that a person opts out: permits approved from now on do not see them. Reasons are not asked."""
    receipt = opt_outs.opt_out(
        node.unit_of_work(), node.clock, actor, node.pseudonyms, request.identifier,
        channel=Channel(request.channel), accept_partly=request.accept_partly,
    )  # fmt: skip
    return present.opt_out_receipt(receipt)


@router.post("/withdrawal", status_code=201)
def withdraw(request: wire.OptOutRequest, node: CurrentNode, actor: CurrentActor) -> wire.OptOutReceipt:
    """Record that a person comes back: permits approved from now on see them."""
    receipt = opt_outs.withdraw_opt_out(
        node.unit_of_work(), node.clock, actor, node.pseudonyms, request.identifier,
        channel=Channel(request.channel), accept_partly=request.accept_partly,
    )  # fmt: skip
    return present.opt_out_receipt(receipt)


@router.post("/status")
def status(request: wire.OptOutStatusRequest, node: CurrentNode, actor: CurrentActor) -> wire.OptOutStatus:
    """What counts for a permit approved now, or at a time; says nothing of where the person's data are."""
    found = opt_outs.opt_out_status(
        node.unit_of_work(), node.clock, actor, node.pseudonyms, request.identifier, at=request.at
    )
    return present.opt_out_status(found)
