"""Asking for more privacy budget under a permit, and the access body's decision on it."""

from decimal import Decimal
from fractions import Fraction

from fastapi import APIRouter

from dataspace import wire
from dataspace.domain.budget_requests import BudgetRequest
from dataspace.services import budget_requests
from dataspace.services.budget_requests import MoreRho, Total, Wish
from dataspace.web.api import contents
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire.ledger import BudgetRequestEntry, BudgetWish

router = APIRouter(tags=["budget requests"])


@router.post("/permits/{permit_id}/budget-requests")
def ask(permit_id: Identifier, wish: BudgetWish, node: CurrentNode, actor: CurrentActor) -> BudgetRequestEntry:
    """Ask for more budget under a permit you hold or are named in; another person decides."""
    made = budget_requests.ask_for_budget(
        node.unit_of_work(),
        node.clock,
        actor,
        permit_id,
        _wish(wish),
        reasons=wish.reasons,
        to_limit=node.limit_of,
        to_epsilon=node.epsilon_of,
    )
    return _entry(made)


@router.get("/permits/{permit_id}/budget-requests")
def list_of_permit(permit_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[BudgetRequestEntry]:
    """Every request for more budget under a permit, oldest first."""
    found = budget_requests.list_requests(node.unit_of_work(), node.clock, actor, permit_id)
    return [_entry(request) for request in found]


@router.get("/budget-requests")
def list_waiting(node: CurrentNode, actor: CurrentActor) -> list[BudgetRequestEntry]:
    """Requests that wait for a decision and that you may see, the one that waits longest first."""
    return [_entry(request) for request in budget_requests.list_waiting(node.unit_of_work(), node.clock, actor)]


@router.post("/budget-requests/{request_id}/grant")
def grant(
    request_id: Identifier, decision: wire.ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> BudgetRequestEntry:
    """Give the permit what was asked for, out of every dataset's capacity."""
    uow, reasons = node.unit_of_work(), decision.reasons
    return _entry(budget_requests.grant_budget(uow, node.clock, actor, request_id, reasons=reasons))


@router.post("/budget-requests/{request_id}/refusal")
def refuse(
    request_id: Identifier, decision: wire.ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> BudgetRequestEntry:
    """Leave the permit's budget as it is, with reasons."""
    uow, reasons = node.unit_of_work(), decision.reasons
    return _entry(budget_requests.refuse_budget(uow, node.clock, actor, request_id, reasons=reasons))


def _wish(wish: BudgetWish) -> Wish:
    if wish.total is not None:
        return Total(contents.guarantee(wish.total))
    return MoreRho(Fraction(wish.rho or 0))


def _entry(request: BudgetRequest) -> BudgetRequestEntry:
    decision = request.decision
    return BudgetRequestEntry(
        id=request.id,
        number=request.number,
        permit_id=request.permit,
        asked_by=request.asked_by,
        asked_at=request.asked_at,
        reasons=request.reasons,
        more_rho=_decimal(request.more.rho),
        more_delta=_decimal(request.more.delta),
        total=wire.Guarantee(epsilon=request.guarantee.epsilon, delta=request.guarantee.delta),
        state=request.state.value,
        decided_by=decision.by if decision else None,
        decided_at=decision.at if decision else None,
        decision_reasons=decision.reasons if decision else None,
    )


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
