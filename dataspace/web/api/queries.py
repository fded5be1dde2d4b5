"""Asking under a permit: estimate for free, query for a price."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Header

from dataspace import wire
from dataspace.domain.privacy import ByAccuracy, ByEpsilon, ByRho, ContributionBounds, Price
from dataspace.domain.purposes import Purpose
from dataspace.services import permits, queries
from dataspace.services.queries import Question
from dataspace.web.api import present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.web.grid import on_the_grid

router = APIRouter(prefix="/permits/{permit_id}", tags=["queries"])

IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$")
]


@router.post("/estimate")
def estimate(
    permit_id: Identifier, request: wire.QueryRequest, node: CurrentNode, actor: CurrentActor
) -> wire.QueryEstimate:
    """What a query would cost and how wide its 95 % intervals would be. Free; no data are touched."""
    uow = node.unit_of_work()
    permit = permits.identify(uow, node.clock, actor, permit_id)
    outlook = queries.estimate_query(uow, node.clock, actor, permit, _question(request), node.engine.store)
    return present.estimate(outlook, node.epsilon_of)


@router.post("/queries")
def query(
    permit_id: Identifier, request: wire.QueryRequest, node: CurrentNode, actor: CurrentActor, key: IdempotencyKey
) -> wire.Answer:
    """A differentially private answer, paid from the permit's budget; the same question again is free."""
    with on_the_grid(node.settings.release_grid_ms):
        uow, asked = node.unit_of_work(), _question(request)
        permit = permits.identify(uow, node.clock, actor, permit_id)
        answered = queries.run_query(uow, node.clock, actor, permit, asked, key, node.engine)
        return present.answer(answered, node.epsilon_of)


def _question(request: wire.QueryRequest) -> Question:
    return Question(
        sql=request.sql,
        price=_price(request),
        bounds=ContributionBounds(request.bounds.groups, request.bounds.rows) if request.bounds else None,
        purpose=Purpose(request.purpose) if request.purpose else None,
    )


def _price(request: wire.QueryRequest) -> Price:
    if request.epsilon is not None:
        return ByEpsilon(request.epsilon)
    if request.rho is not None:
        return ByRho(Fraction(request.rho))
    return ByAccuracy(request.accuracy or Decimal(0))
