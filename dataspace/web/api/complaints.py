"""Complaints (Art. 81): filed and followed without sign-in, handled by the access body."""

from fastapi import APIRouter, Depends, Request

from dataspace.domain.complaints import Complainant, ComplaintState, Subject
from dataspace.services import complaints
from dataspace.web.api import public_present as present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.web.limits import Limiter
from dataspace.wire import public as wire

router = APIRouter(prefix="/complaints", tags=["complaints"])

FILED_EACH, FILED_IN_ALL = 5, 100
FOLLOWED_EACH, FOLLOWED_IN_ALL = 60, 1_000
HOUR = 3600.0


def may_file(request: Request) -> None:
    """At most five complaints an hour from one address."""
    _limiter(request, "complaints", FILED_EACH, FILED_IN_ALL).check(_address(request))


def may_follow(request: Request) -> None:
    """At most sixty looks an hour from one address."""
    _limiter(request, "following", FOLLOWED_EACH, FOLLOWED_IN_ALL).check(_address(request))


@router.post("", status_code=201, dependencies=[Depends(may_file)])
def file(request: wire.ComplaintRequest, node: CurrentNode) -> wire.ComplaintReceipt:
    """Complain, alone or together. Keep the receipt and the secret: they show what becomes of it."""
    filed = complaints.file_complaint(
        node.unit_of_work(), node.clock, subject=Subject(request.subject), text=request.text,
        complainants=[Complainant(one.name, one.legal_person) for one in request.complainants],
        contact=request.contact, case=request.case,
    )  # fmt: skip
    return wire.ComplaintReceipt(receipt=filed.receipt, secret=filed.secret, state=filed.state.value)


@router.post("/progress", dependencies=[Depends(may_follow)])
def follow(request: wire.ComplaintKey, node: CurrentNode) -> wire.ComplaintProgress:
    """What became of a complaint, by receipt and secret."""
    return present.progress(complaints.follow_complaint(node.unit_of_work(), request.receipt, request.secret))


@router.get("")
def list_all(node: CurrentNode, actor: CurrentActor) -> list[wire.ComplaintEntry]:
    """All complaints, newest first, for the access body."""
    return [present.complaint(one) for one in complaints.list_complaints(node.unit_of_work(), actor)]


@router.post("/{receipt}/state")
def move(
    receipt: Identifier, request: wire.ComplaintMove, node: CurrentNode, actor: CurrentActor
) -> wire.ComplaintEntry:
    """Examine or decide; the text is for the complainants."""
    state = ComplaintState(request.state)
    return present.complaint(
        complaints.move_complaint(node.unit_of_work(), node.clock, actor, receipt, state, request.text)
    )


def _limiter(request: Request, name: str, each: int, in_all: int) -> Limiter:
    limiters: dict[str, Limiter] = request.app.state.limiters
    return limiters.setdefault(name, Limiter(each, in_all, HOUR))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
