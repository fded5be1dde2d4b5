"""Asking for more privacy budget under a permit, and deciding on it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from dataspace.domain.actors import Actor
from dataspace.domain.budget_requests import (
    BudgetAction,
    BudgetDecision,
    BudgetRequest,
    check_decidable,
    check_may,
    may,
)
from dataspace.domain.errors import InvalidInput, NotFound, NotPermitted, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import Describe, as_rho
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import NOTHING, Guarantee, PrivacyLoss
from dataspace.domain.reasons import check_reasons
from dataspace.services.duties import check_free_to_act, check_no_conflict_on_permit
from dataspace.services.ports import Clock, ToLimit, UnitOfWork

ToEpsilon = Callable[[PrivacyLoss, Guarantee], Decimal]
"""Epsilon of a loss at the guarantee's delta, rounded up."""

MOST_WAITING = 500

KEPT = "they are part of the record"
"""What becomes of reasons here."""


@dataclass(frozen=True)
class MoreRho:
    """So much zero-concentrated loss on top of what the permit has."""

    rho: Fraction


@dataclass(frozen=True)
class Total:
    """What the permit is to guarantee as a whole afterwards; epsilons do not add up, so the sum is named."""

    guarantee: Guarantee


Wish = MoreRho | Total


def ask_for_budget(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    permit_id: str,
    wish: Wish,
    *,
    reasons: str,
    to_limit: ToLimit,
    to_epsilon: ToEpsilon,
) -> BudgetRequest:
    """Ask for more budget under a permit one holds or is named in.

    Raises NotPermitted, InvalidInput for a wish that is not more or above every guarantee, WrongState if the permit
    has ended or a request waits already.
    """
    check_reasons(reasons, kept=KEPT)
    now = clock.now()
    with uow:
        permit = _visible(uow, by, permit_id, now)
        check_may(by, BudgetAction.ASK, permit, now)
        check_free_to_act(uow, by, now)
        if uow.tabulations.plan(permit.application) is not None:
            raise WrongState("an approval of a data request has the budget of its plan; file another request")
        guarantee, more = _wanted(permit, wish, to_limit, to_epsilon)
        request = BudgetRequest(
            id=new_id("bud"),
            number=uow.budget_requests.next_number(now.year),
            permit=permit.id,
            asked_by=by.id,
            asked_at=now,
            reasons=reasons.strip(),
            limit=permit.limit,
            more=more,
            guarantee=guarantee,
        )
        uow.budget_requests.add(request, _event(EventKind.BUDGET_REQUESTED, by, request, now))
        uow.commit()
    return request


def grant_budget(
    uow: UnitOfWork, clock: Clock, by: Actor, request_id: str, *, reasons: str, describe: Describe = as_rho
) -> BudgetRequest:
    """Move what was asked for from every dataset's free capacity to the permit, in one transaction.

    Raises InsufficientBudget with nothing moved if a dataset has not so much left, WrongState if the request was
    decided or the permit's budget is not what it was when asked.
    """
    check_reasons(reasons, kept=KEPT)
    now = clock.now()
    with uow:
        request, permit = _undecided(uow, by, request_id, BudgetAction.GRANT, now)
        decided = _decided(request, by, now, True, reasons)
        uow.budget_requests.decide(decided, _event(EventKind.BUDGET_GRANTED, by, decided, now))
        if uow.ledger.budget(permit.id).limit != request.limit:
            raise WrongState(
                f"the budget of permit {permit.number} changed after request {request.number}; refuse it, so that the"
                " data user asks again"
            )
        uow.ledger.raise_limit(permit, request.more, request.guarantee, now, describe)
        uow.commit()
    return decided


def refuse_budget(uow: UnitOfWork, clock: Clock, by: Actor, request_id: str, *, reasons: str) -> BudgetRequest:
    """Leave the permit's budget as it is, with reasons."""
    check_reasons(reasons, kept=KEPT)
    now = clock.now()
    with uow:
        request, _ = _undecided(uow, by, request_id, BudgetAction.REFUSE, now)
        decided = _decided(request, by, now, False, reasons)
        uow.budget_requests.decide(decided, _event(EventKind.BUDGET_REFUSED, by, decided, now))
        uow.commit()
    return decided


def list_requests(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> list[BudgetRequest]:
    """Requests under one permit, oldest first."""
    with uow.reading():
        return uow.budget_requests.of_permit(_visible(uow, by, permit_id, clock.now()).id)


def list_waiting(uow: UnitOfWork, clock: Clock, by: Actor) -> list[BudgetRequest]:
    """Requests that wait for a decision and that `by` may see, the one that waits longest first; at most 500."""
    now = clock.now()
    with uow.reading():
        waiting = uow.budget_requests.waiting(MOST_WAITING)
        permits = {permit.id: permit for permit in uow.permits.named({request.permit for request in waiting})}
    return [request for request in waiting if may(by, BudgetAction.VIEW, permits[request.permit], now)]


def _wanted(permit: DataPermit, wish: Wish, to_limit: ToLimit, to_epsilon: ToEpsilon) -> tuple[Guarantee, PrivacyLoss]:
    if isinstance(wish, Total):
        limit = to_limit(wish.guarantee)
        if not permit.limit.fits_in(limit) or limit == permit.limit:
            raise InvalidInput(
                f"permit {permit.number} has {as_rho(permit.limit)}, what you name comes to {as_rho(limit)}: name the"
                " epsilon and delta of the whole permit, above what it has in both"
            )
        return wish.guarantee, limit - permit.limit
    more = PrivacyLoss.at_most(wish.rho)
    if more == NOTHING:
        raise InvalidInput("ask for at least rho 0.000000000001 more")
    delta = permit.guarantee.delta
    try:
        return Guarantee(to_epsilon(permit.limit + more, permit.guarantee), delta), more
    except ValueError as error:
        raise InvalidInput(f"permit {permit.number} with {as_rho(more)} more cannot be guaranteed: {error}") from None


def _undecided(
    uow: UnitOfWork, by: Actor, request_id: str, action: BudgetAction, now: datetime
) -> tuple[BudgetRequest, DataPermit]:
    request = uow.budget_requests.get(request_id)
    permit = uow.permits.get(request.permit)
    if not may(by, BudgetAction.VIEW, permit, now):
        raise NotFound(f"there is no budget request {request_id}")
    check_may(by, action, permit, now)
    check_no_conflict_on_permit(uow, by, permit)
    if by.id == uow.applications.get(permit.application).assessor:
        raise NotPermitted(
            f"you assessed the case of permit {permit.number}; another person decides (two-person decision)"
        )
    check_decidable(request, by)
    return request, permit


def _decided(request: BudgetRequest, by: Actor, now: datetime, granted: bool, reasons: str) -> BudgetRequest:
    return replace(request, decision=BudgetDecision(by.id, now, granted, reasons.strip()))


def _visible(uow: UnitOfWork, by: Actor, permit_id: str, now: datetime) -> DataPermit:
    permit = uow.permits.get(permit_id)
    if not may(by, BudgetAction.VIEW, permit, now):
        raise NotFound(f"there is no permit {permit_id}")
    return permit


def _event(kind: EventKind, by: Actor, request: BudgetRequest, now: datetime) -> AuditEvent:
    details = {"number": request.number, "request": request.id, "more": as_rho(request.more)}
    if request.decision is not None:
        details["reasons"] = request.decision.reasons
    return AuditEvent(kind, by.id, request.permit, now, details)
