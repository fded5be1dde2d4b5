"""Asking for more privacy budget under a permit, and the access body's answer.

A data user names what is missing and why; somebody else decides (Art. 55(3)). What was asked and what was decided are
never changed; a permit has at most one request that waits.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain.actors import Actor
from dataspace.domain.errors import NotPermitted, WrongState
from dataspace.domain.permissions import Party, parties
from dataspace.domain.permits import DataPermit, PermitState
from dataspace.domain.privacy import Guarantee, PrivacyLoss


class BudgetAction(StrEnum):
    VIEW = "view"
    ASK = "ask"
    GRANT = "grant"
    REFUSE = "refuse"


class BudgetRequestState(StrEnum):
    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"


BUDGET_ACTIONS = {
    Party.APPLICANT: frozenset({BudgetAction.VIEW, BudgetAction.ASK}),
    Party.NAMED: frozenset({BudgetAction.VIEW, BudgetAction.ASK}),
    Party.ASSESSOR: frozenset({BudgetAction.VIEW}),
    Party.DECISION_MAKER: frozenset({BudgetAction.VIEW, BudgetAction.GRANT, BudgetAction.REFUSE}),
    Party.OPERATOR: frozenset[BudgetAction](),
}
"""Who may do what; whoever applied or is named in the permit is never its decision maker."""

_IN_USE = frozenset({PermitState.PENDING, PermitState.ACTIVE, PermitState.SUSPENDED})

POSSIBLE = {
    BudgetAction.VIEW: frozenset(PermitState),
    BudgetAction.ASK: _IN_USE,
    BudgetAction.GRANT: _IN_USE,
    BudgetAction.REFUSE: frozenset(PermitState),
}
"""In which states of the permit each action is possible, whoever acts."""


@dataclass(frozen=True)
class BudgetDecision:
    """The access body's answer, with its reasons."""

    by: str
    at: datetime
    granted: bool
    reasons: str


@dataclass(frozen=True)
class BudgetRequest:
    """`more` on top of `limit`, the permit's budget when it was asked; `guarantee` is what both add up to."""

    id: str
    number: str
    permit: str
    asked_by: str
    asked_at: datetime
    reasons: str
    limit: PrivacyLoss
    more: PrivacyLoss
    guarantee: Guarantee
    decision: BudgetDecision | None = None

    @property
    def state(self) -> BudgetRequestState:
        if self.decision is None:
            return BudgetRequestState.WAITING
        return BudgetRequestState.GRANTED if self.decision.granted else BudgetRequestState.REFUSED


def check_may(actor: Actor, action: BudgetAction, permit: DataPermit, now: datetime) -> None:
    """Raises NotPermitted for the wrong person, then WrongState for the wrong state of the permit."""
    mine = parties(actor, permit.holder, permit.persons)
    if not any(action in BUDGET_ACTIONS[party] for party in mine):
        raise NotPermitted(_refusal(action, mine, permit))
    state = permit.state(now)
    if state not in POSSIBLE[action]:
        states = " or ".join(sorted(POSSIBLE[action]))
        raise WrongState(f"permit {permit.number} is {state}; to {action} more budget, it must be {states}")


def may(actor: Actor, action: BudgetAction, permit: DataPermit, now: datetime) -> bool:
    """The yes/no shadow of `check_may`."""
    try:
        check_may(actor, action, permit, now)
    except (NotPermitted, WrongState):
        return False
    return True


def check_decidable(request: BudgetRequest, actor: Actor) -> None:
    """Raises WrongState for a request that was decided, NotPermitted for the person who asked."""
    if request.decision is not None:
        raise WrongState(f"budget request {request.number} was {request.state} already")
    if actor.id == request.asked_by:
        raise NotPermitted(f"you made budget request {request.number}; another person decides on it (Art. 55(3))")


def _refusal(action: BudgetAction, mine: frozenset[Party], permit: DataPermit) -> str:
    if action in (BudgetAction.GRANT, BudgetAction.REFUSE) and mine & {Party.APPLICANT, Party.NAMED}:
        return f"you applied for or are named in permit {permit.number}, so another person decides (Art. 55(3))"
    allowed = " or ".join(party for party in Party if action in BUDGET_ACTIONS[party])
    return f"to {action} more budget under permit {permit.number}, you must be its {allowed}"
