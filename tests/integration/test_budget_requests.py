"""More budget under a permit: asked for by one person, decided by another, never beyond a dataset's capacity."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import text

from dataspace.domain.actors import Actor, Role
from dataspace.domain.budget_requests import BudgetRequest, BudgetRequestState
from dataspace.domain.errors import InsufficientBudget, InvalidInput, NotFound, NotPermitted, WrongState
from dataspace.domain.events import EventKind
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.services import budget_requests, ledger, permits
from dataspace.services.budget_requests import MoreRho, Total, Wish
from tests.factories import AUTHORITY, Node, to_limit

RHO = 10**12
LIMIT = RHO // 10
"""A permit of epsilon 1 has rho 0.1 in these tests, a dataset of epsilon 10 has rho 1."""

TENTH = MoreRho(Fraction(1, 10))


def to_epsilon(loss: PrivacyLoss, guarantee: Guarantee) -> Decimal:
    """The other way of `tests.factories.to_limit`."""
    return Decimal(loss.pico_rho * 10) / RHO


def ask(node: Node, permit: DataPermit, wish: Wish = TENTH, by: Actor | None = None) -> BudgetRequest:
    return budget_requests.ask_for_budget(
        node.uow, node.clock, by or node.researcher, permit.id, wish,
        reasons="the second year's tables", to_limit=to_limit, to_epsilon=to_epsilon,
    )  # fmt: skip


def grant(node: Node, request: BudgetRequest, by: Actor | None = None) -> BudgetRequest:
    by = by or node.decision_maker
    return budget_requests.grant_budget(node.uow, node.clock, by, request.id, reasons="needed for the purpose")


def limit(node: Node, permit: DataPermit) -> int:
    return ledger.get_budget(node.uow, node.clock, node.researcher, permit.id).limit.pico_rho


def test_what_was_granted_can_be_spent_and_not_one_quantum_more(node: Node) -> None:
    permit = node.permit()
    node.charge(permit, LIMIT)
    request = ask(node, permit)
    with pytest.raises(InsufficientBudget):
        node.charge(permit, 1)
    assert grant(node, request).state is BudgetRequestState.GRANTED
    node.charge(permit, LIMIT)
    with pytest.raises(InsufficientBudget):
        node.charge(permit, 1)
    raised = permits.get_permit(node.uow, node.clock, node.researcher, permit.id)
    assert (raised.limit.pico_rho, raised.guarantee.epsilon) == (2 * LIMIT, 2)
    assert ledger.get_allotment(node.uow, "registry").allocated.pico_rho == 2 * LIMIT
    assert ledger.verify(node.uow).sound


def test_by_epsilon_and_delta_the_sum_is_named(node: Node) -> None:
    permit = node.permit()
    grant(node, ask(node, permit, Total(Guarantee(Decimal(3), Decimal("0.000002")))))
    raised = permits.get_permit(node.uow, node.clock, node.researcher, permit.id)
    assert raised.guarantee == Guarantee(Decimal(3), Decimal("0.000002"))
    assert raised.limit == to_limit(raised.guarantee)
    assert ledger.verify(node.uow).sound


@pytest.mark.parametrize(
    "wish",
    [
        Total(Guarantee(Decimal(1), Decimal("0.000001"))),
        Total(Guarantee(Decimal("0.9"), Decimal("0.000001"))),
        Total(Guarantee(Decimal(2), Decimal("0.0000001"))),
        MoreRho(Fraction(1, 10**13)),
        MoreRho(Fraction(2)),
    ],
)
def test_what_is_not_more_or_beyond_every_guarantee_is_refused(node: Node, wish: Wish) -> None:
    permit = node.permit()
    with pytest.raises(InvalidInput):
        ask(node, permit, wish)
    assert budget_requests.list_requests(node.uow, node.clock, node.researcher, permit.id) == []


def test_a_capacity_is_never_over_allocated(node: Node) -> None:
    node.dataset("narrow", epsilon="1.5")
    permit = node.permit("narrow", "registry")
    request = ask(node, permit)
    with pytest.raises(InsufficientBudget, match=r"dataset narrow has rho 0\.05 .*left, rho 0\.05 missing"):
        grant(node, request)
    assert limit(node, permit) == LIMIT
    assert ledger.get_allotment(node.uow, "registry").allocated.pico_rho == LIMIT
    assert budget_requests.list_waiting(node.uow, node.clock, node.decision_maker) == [request]
    assert ledger.verify(node.uow).sound


def test_two_decisions_at_once_move_the_budget_once(node: Node) -> None:
    permit = node.permit()
    request = ask(node, permit)

    def decide(_: int) -> bool:
        try:
            grant(node, request)
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(decide, range(4))) == 1
    assert limit(node, permit) == 2 * LIMIT
    assert ledger.verify(node.uow).sound


def test_requests_race_for_the_last_of_a_dataset(node: Node) -> None:
    requests = [ask(node, node.permit()) for _ in range(7)]

    def decide(request: BudgetRequest) -> bool:
        try:
            grant(node, request)
        except InsufficientBudget:
            return False
        return True

    with ThreadPoolExecutor(7) as pool:
        assert sum(pool.map(decide, requests)) == 3
    assert ledger.get_allotment(node.uow, "registry").free.pico_rho == 0
    assert ledger.verify(node.uow).sound


def test_one_request_at_a_time(node: Node) -> None:
    permit = node.permit()
    first = ask(node, permit)
    with pytest.raises(WrongState, match=first.number):
        ask(node, permit)
    budget_requests.refuse_budget(node.uow, node.clock, node.decision_maker, first.id, reasons="enough is left")
    assert limit(node, permit) == LIMIT
    grant(node, ask(node, permit))
    states = [r.state for r in budget_requests.list_requests(node.uow, node.clock, node.researcher, permit.id)]
    assert states == [BudgetRequestState.REFUSED, BudgetRequestState.GRANTED]


@pytest.mark.parametrize("decide", [budget_requests.grant_budget, budget_requests.refuse_budget])
def test_a_decision_stands(node: Node, decide: object) -> None:
    request = grant(node, ask(node, node.permit()))
    with pytest.raises(WrongState, match="was granted already"):
        decide(node.uow, node.clock, node.decision_maker, request.number, reasons="again")  # type: ignore[operator]


@pytest.mark.parametrize("decide", [budget_requests.grant_budget, budget_requests.refuse_budget])
def test_who_asked_or_is_named_does_not_decide(node: Node, decide: object) -> None:
    both = node.person("Bo", AUTHORITY, Role.APPLICANT, Role.HDAB_DECISION_MAKER)
    form = node.form()
    named = node.permit(form=type(form)(**{**vars(form), "persons": form.persons | {both.id}}))
    for asker in (node.researcher, both):
        request = ask(node, named, by=asker)
        with pytest.raises(NotPermitted, match=r"Art\. 55\(3\)"):
            decide(node.uow, node.clock, both, request.id, reasons="mine")  # type: ignore[operator]
        budget_requests.refuse_budget(node.uow, node.clock, node.decision_maker, request.id, reasons="no")


def test_strangers_see_nothing_and_others_do_not_decide(node: Node) -> None:
    permit = node.permit()
    request = ask(node, permit)
    for stranger in (node.colleague, node.holder, node.desk):
        with pytest.raises(NotFound):
            grant(node, request, stranger)
        with pytest.raises(NotFound):
            ask(node, permit, by=stranger)
        assert budget_requests.list_waiting(node.uow, node.clock, stranger) == []
    with pytest.raises(NotPermitted, match="decision-maker"):
        grant(node, request, node.assessor)
    with pytest.raises(NotPermitted, match="applicant or named"):
        ask(node, permit, by=node.assessor)
    assert limit(node, permit) == LIMIT


def test_an_ended_permit_gets_nothing_and_its_request_is_refused(node: Node) -> None:
    permit = node.permit()
    request = ask(node, permit)
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    with pytest.raises(WrongState, match="revoked"):
        grant(node, request)
    with pytest.raises(WrongState, match="revoked"):
        ask(node, permit)
    refused = budget_requests.refuse_budget(node.uow, node.clock, node.decision_maker, request.id, reasons="it ended")
    assert refused.state is BudgetRequestState.REFUSED
    assert ledger.verify(node.uow).sound


def test_a_budget_that_changed_meanwhile_is_asked_for_again(node: Node) -> None:
    permit = node.permit()
    request = ask(node, permit)
    with node.engine.begin() as connection:
        connection.execute(text("update permits set limit_pico_rho = limit_pico_rho + 1"))
    with pytest.raises(WrongState, match="asks again"):
        grant(node, request)


def test_reasons_are_wanted_and_every_step_is_on_record(node: Node) -> None:
    permit = node.permit()
    request = ask(node, permit)
    with pytest.raises(InvalidInput, match="reasons"):
        budget_requests.refuse_budget(node.uow, node.clock, node.decision_maker, request.id, reasons=" ")
    grant(node, request)
    with node.uow.reading() as uow:
        last = [entry.event for entry in uow.audit.entries(permit.id)][-2:]
    assert [(e.kind, e.actor) for e in last] == [
        (EventKind.BUDGET_REQUESTED, node.researcher.id),
        (EventKind.BUDGET_GRANTED, node.decision_maker.id),
    ]
    assert last[-1].details["more"] == "rho 0.1"
    assert "second year" not in str(last[0].details)
