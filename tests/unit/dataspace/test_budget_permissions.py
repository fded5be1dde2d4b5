"""Who may ask for more budget and who may decide, in every state of the permit: the whole table, written out."""

from itertools import product

import pytest

from dataspace.domain import budget_requests
from dataspace.domain.actors import Role
from dataspace.domain.budget_requests import BUDGET_ACTIONS, POSSIBLE, BudgetAction
from dataspace.domain.errors import NotPermitted
from dataspace.domain.permissions import Party
from dataspace.domain.permits import PermitState
from tests.unit.dataspace.test_permissions import NOW, PEOPLE, actor, expected, permit

TABLE = """
state     | applicant | named    | assessor | decision-maker
pending   | ask view  | ask view | view     | grant refuse view
active    | ask view  | ask view | view     | grant refuse view
suspended | ask view  | ask view | view     | grant refuse view
revoked   | view      | view     | view     | refuse view
expired   | view      | view     | view     | refuse view
"""


@pytest.mark.parametrize(("person", "state", "action"), list(product(PEOPLE, PermitState, BudgetAction)))
def test_every_person_state_and_action(person: str, state: PermitState, action: BudgetAction) -> None:
    allowed = budget_requests.may(PEOPLE[person], action, permit(state), NOW)
    assert allowed == (action in expected(TABLE).get((person, state), set()))


def test_tables_are_complete() -> None:
    assert set(BUDGET_ACTIONS) == set(Party)
    assert frozenset.union(*BUDGET_ACTIONS.values()) == set(BudgetAction) == set(POSSIBLE)


@pytest.mark.parametrize("conflicted", ["applicant", "named"])
@pytest.mark.parametrize("action", [BudgetAction.GRANT, BudgetAction.REFUSE])
def test_who_applied_or_is_named_never_decides_whatever_their_roles(conflicted: str, action: BudgetAction) -> None:
    official = actor(conflicted, *Role)
    with pytest.raises(NotPermitted, match=r"Art\. 55\(3\)"):
        budget_requests.check_may(official, action, permit(PermitState.ACTIVE), NOW)
