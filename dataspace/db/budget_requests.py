"""Requests for more budget: asked once, decided once."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, or_, select

from dataspace.db import counters
from dataspace.db import tables as t
from dataspace.domain.budget_requests import BudgetDecision, BudgetRequest
from dataspace.domain.errors import NotFound, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.services.ports import AuditTrail


class SqlBudgetRequests:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, request: BudgetRequest, event: AuditEvent) -> None:
        self._hold(request.permit)
        undecided = _all().where(t.budget_requests.c.permit == request.permit, t.budget_decisions.c.request.is_(None))
        waiting = self._connection.execute(undecided).first()
        if waiting is not None:
            raise WrongState(f"budget request {waiting.number} under this permit waits for its decision")
        self._connection.execute(insert(t.budget_requests).values(**_values(request)))
        self._audit.append(event)

    def decide(self, request: BudgetRequest, event: AuditEvent) -> None:
        decision = request.decision
        if decision is None:
            raise ValueError("a decision is missing")
        self._hold(request.permit)
        stands = select(t.budget_decisions.c.request).where(t.budget_decisions.c.request == request.id)
        if self._connection.execute(stands).first() is not None:
            raise WrongState(f"budget request {request.number} was decided meanwhile; read it again")
        self._connection.execute(
            insert(t.budget_decisions).values(
                request=request.id,
                decided_by=decision.by,
                decided_at=decision.at,
                granted=decision.granted,
                reasons=decision.reasons,
            )
        )
        self._audit.append(event)

    def get(self, request_id: str) -> BudgetRequest:
        c = t.budget_requests.c
        row = self._connection.execute(_all().where(or_(c.id == request_id, c.number == request_id))).one_or_none()
        if row is None:
            raise NotFound(f"there is no budget request {request_id}")
        return _request(row)

    def of_permit(self, permit_id: str) -> list[BudgetRequest]:
        query = _all().where(t.budget_requests.c.permit == permit_id).order_by(t.budget_requests.c.asked_at)
        return [_request(row) for row in self._connection.execute(query)]

    def waiting(self, most: int) -> list[BudgetRequest]:
        query = _all().where(t.budget_decisions.c.request.is_(None)).order_by(t.budget_requests.c.asked_at).limit(most)
        return [_request(row) for row in self._connection.execute(query)]

    def next_number(self, year: int) -> str:
        return counters.next_number(self._connection, "BR", year)

    def _hold(self, permit_id: str) -> None:
        """Keep others from asking or deciding under the permit until the transaction ends."""
        self._connection.execute(select(t.permits.c.id).where(t.permits.c.id == permit_id).with_for_update())


def _all() -> Select[Any]:
    d = t.budget_decisions.c
    decided = (d.decided_by, d.decided_at, d.granted, d.reasons.label("decision_reasons"))
    return select(t.budget_requests, *decided).select_from(t.budget_requests.outerjoin(t.budget_decisions))


def _values(request: BudgetRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "number": request.number,
        "permit": request.permit,
        "asked_by": request.asked_by,
        "asked_at": request.asked_at,
        "reasons": request.reasons,
        "limit_pico_rho": request.limit.pico_rho,
        "limit_atto_delta": request.limit.atto_delta,
        "more_pico_rho": request.more.pico_rho,
        "more_atto_delta": request.more.atto_delta,
        "epsilon": str(request.guarantee.epsilon),
        "delta": str(request.guarantee.delta),
    }


def _request(row: Row[Any]) -> BudgetRequest:
    decision = None
    if row.decided_by is not None:
        decision = BudgetDecision(row.decided_by, row.decided_at, row.granted, row.decision_reasons)
    return BudgetRequest(
        id=row.id,
        number=row.number,
        permit=row.permit,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        reasons=row.reasons,
        limit=PrivacyLoss(row.limit_pico_rho, row.limit_atto_delta),
        more=PrivacyLoss(row.more_pico_rho, row.more_atto_delta),
        guarantee=Guarantee(Decimal(row.epsilon), Decimal(row.delta)),
        decision=decision,
    )
