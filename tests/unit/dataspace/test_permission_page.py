"""The printed page of permissions, read back, says what the functions do: every state, person and action, both ways."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from dataspace.domain import budget_requests, permissions
from dataspace.domain.actors import Role
from dataspace.domain.applications import CHANGES_NOTHING, TRANSITIONS, ApplicationAction, ApplicationState
from dataspace.domain.budget_requests import BudgetAction
from dataspace.domain.errors import DataspaceError, WrongState
from dataspace.domain.permission_sheets import CHANGES_BY, sheets
from dataspace.domain.permissions import NodeAction
from dataspace.domain.permit_changes import ChangeAction, ChangeKind, ChangeState, PermitChange, Wanted
from dataspace.domain.permits import DataPermit, PermitAction, PermitState
from dataspace.domain.public_permissions import PublicAction
from dataspace.domain.public_permissions import may as may_publicly
from tests.permission_tables import printed
from tests.unit.dataspace.test_permissions import NOW, PEOPLE, actor, application, permit

PAGE = Path(__file__).parents[3] / "deploy" / "permissions.md"
CELLS, MOVES = printed(PAGE.read_text())
APPLICATIONS, PERMITS, CHANGES, BUDGET = (
    "Applications and data requests", "Data permits", "Changes of a permit", "Requests for more budget",
)  # fmt: skip


def test_nothing_is_left_out() -> None:
    assert [sheet.title for sheet in sheets()] == [title for title in CELLS if title in {s.title for s in sheets()}]
    wanted = {APPLICATIONS: (ApplicationState, ApplicationAction), PERMITS: (PermitState, PermitAction),
              CHANGES: (ChangeState, ChangeAction), BUDGET: (PermitState, BudgetAction)}  # fmt: skip
    for title, (states, actions) in wanted.items():
        assert set(CELLS[title]) == {(action.value, state.value) for action, state in product(actions, states)}
        assert any(CELLS[title].values())


@pytest.mark.parametrize(("action", "state"), list(product(ApplicationAction, ApplicationState)))
def test_an_application(action: ApplicationAction, state: ApplicationState) -> None:
    case = application(state)
    may = {name for name, person in PEOPLE.items() if permissions.may_act_on_application(person, action, case)}
    assert may == CELLS[APPLICATIONS][action, state]
    leads = MOVES[APPLICATIONS].get((state, action))
    if (state, action) in TRANSITIONS:
        assert case.after(action).state == leads
        return
    assert leads is None
    if action not in CHANGES_NOTHING:
        with pytest.raises(WrongState):
            case.after(action)


@pytest.mark.parametrize(("action", "state"), list(product(PermitAction, PermitState)))
def test_a_permit(action: PermitAction, state: PermitState) -> None:
    held = permit(state)
    may = {name for name, person in PEOPLE.items() if permissions.may_act_on_permit(person, action, held, NOW)}
    assert may == CELLS[PERMITS][action, state]
    makes = {
        PermitAction.SUSPEND: DataPermit.suspended,
        PermitAction.RESUME: DataPermit.resumed,
        PermitAction.REVOKE: DataPermit.revoked,
    }.get(action)
    leads = MOVES[PERMITS].get((state, action), "")
    if makes is not None and leads:
        assert leads.startswith(makes(held, NOW, "reasons").state(NOW))
    elif makes is not None:
        with pytest.raises(WrongState):
            makes(held, NOW, "reasons")
    else:
        assert not leads


def test_a_suspension_that_ends_before_the_permit_begins_leaves_it_pending() -> None:
    held = permit(PermitState.PENDING).suspended(NOW, "reasons").resumed(NOW, "reasons")
    assert f"or {held.state(NOW)} before its first day" in MOVES[PERMITS]["suspended", "resume"]


@pytest.mark.parametrize(("action", "state"), list(product(ChangeAction, ChangeState)))
def test_a_change_of_a_permit(action: ChangeAction, state: ChangeState) -> None:
    change = PermitChange("chg", "pmt", ChangeKind.AMENDMENT, Wanted(), "reasons", "applicant", NOW, state=state)
    leads = MOVES[CHANGES].get((state, action))
    try:
        assert change.after(action).state == leads
    except WrongState:
        assert leads is None
    held, needed = permit(PermitState.ACTIVE), CHANGES_BY[action]
    may = {name for name, person in PEOPLE.items() if permissions.may_act_on_permit(person, needed, held, NOW)}
    assert (may if leads else set()) == CELLS[CHANGES][action, state]


@pytest.mark.parametrize(("action", "state"), list(product(BudgetAction, PermitState)))
def test_a_request_for_more_budget(action: BudgetAction, state: PermitState) -> None:
    may = {name for name, person in PEOPLE.items() if budget_requests.may(person, action, permit(state), NOW)}
    assert may == CELLS[BUDGET][action, state]


@pytest.mark.parametrize("action", [*NodeAction, *PublicAction])
def test_without_a_case(action: NodeAction | PublicAction) -> None:
    asks = permissions.may if isinstance(action, NodeAction) else may_publicly
    may = {role.value for role in Role if asks(actor("someone", role), action)}  # type: ignore[operator]
    assert may == CELLS["Without a case"][action, "who"]


def test_signs_stand_where_the_functions_ask_for_another_person() -> None:
    marks = {sheet.title: sheet.marks for sheet in sheets()}
    both = actor("assessor", Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    for action, state in product(ApplicationAction, ApplicationState):
        if not CELLS[APPLICATIONS][action, state] & {"assessor", "decision-maker"}:
            continue
        case, mark = application(state), marks[APPLICATIONS].get(action, "")
        assert ("²" in mark) is not permissions.may_act_on_application(both, action, case)
        others = replace(case, assessor="somebody else")
        assert ("¹" in mark) is not permissions.may_act_on_application(both, action, others)


def test_a_page_that_says_anything_else_is_noticed() -> None:
    told = PAGE.read_text().replace("| grant²³ | - | - |", "| grant²³ | named | - |", 1)
    cells, _ = printed(told)
    assert cells[APPLICATIONS]["grant", "draft"] == {"named"} != CELLS[APPLICATIONS]["grant", "draft"]
    with pytest.raises(DataspaceError):
        permissions.check_may_act_on_application(
            PEOPLE["named"], ApplicationAction.GRANT, application(ApplicationState.DRAFT)
        )
