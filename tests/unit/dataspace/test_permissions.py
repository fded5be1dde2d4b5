"""Who may do what in which state: the whole table, written out, compared with what the checks really say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from dataspace.domain import permissions
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.applications import (
    CHANGES_NOTHING,
    TRANSITIONS,
    AccessApplication,
    ApplicationAction,
    ApplicationForm,
    ApplicationState,
)
from dataspace.domain.errors import NotPermitted, WrongState
from dataspace.domain.permissions import (
    APPLICATION_ACTIONS,
    ASSESSORS_OWN,
    CONFLICTS,
    DECIDES,
    NODE_ACTIONS,
    PERMIT_ACTIONS,
    CaseFacts,
    NodeAction,
    Party,
    check_no_conflict,
)
from dataspace.domain.permits import POSSIBLE, DataPermit, PermitAction, PermitState
from dataspace.domain.privacy import Guarantee, PrivacyLoss

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ORGANISATION = Organisation("anywhere")


def actor(name: str, *roles: Role) -> Actor:
    return Actor(name, name, ORGANISATION, frozenset(roles))


PEOPLE = {
    "applicant": actor("applicant", Role.APPLICANT),
    "named": actor("named", Role.APPLICANT),
    "assessor": actor("assessor", Role.HDAB_ASSESSOR),
    "decision-maker": actor("decision-maker", Role.HDAB_DECISION_MAKER),
    "citizen-desk": actor("citizen-desk", Role.HDAB_CITIZEN_DESK),
    "holder": actor("holder", Role.DATA_HOLDER),
    "operator": actor("operator", Role.OPERATOR),
    "stranger": actor("stranger", Role.APPLICANT),
}

APPLICATION_TABLE = """
state            | applicant                 | named | assessor                                         | decision-maker | operator
draft            | edit submit view withdraw | view  |                                                  | |
submitted        | view withdraw             | view  | declare-interest file return start-assessment view | declare-interest file view |
incomplete       | edit submit view withdraw | view  | declare-interest file lapse view | declare-interest file view | lapse
lapsed           | view                      | view  | declare-interest file view | declare-interest file view |
under-assessment | view withdraw             | view  | assess declare-interest file propose stand-down view | declare-interest file view |
proposed         | view withdraw             | view  | declare-interest file stand-down view            | declare-interest file grant offer refuse send-back view |
offered          | accept decline view withdraw | view | declare-interest file stand-down view          | declare-interest file view |
accepted         | view withdraw             | view  | declare-interest file stand-down view            | declare-interest file grant send-back view |
granted          | view                      | view  | declare-interest file view | declare-interest file view |
refused          | view                      | view  | declare-interest file view | declare-interest file view |
withdrawn        | view                      | view  | declare-interest file view | declare-interest file view |
""".replace("file", "view-assessment")  # noqa: E501

PERMIT_TABLE = """
state     | applicant                             | named      | assessor            | decision-maker
pending   | ask-change answers view withdraw-change | view       | propose-change view | decide-change revoke suspend view
active    | ask-change answers retry-answers view withdraw-change | query view | propose-change view | decide-change revoke suspend view
suspended | ask-change answers view withdraw-change | view       | propose-change view | decide-change resume revoke view
revoked   | answers view withdraw-change            | view       | view                | view
expired   | answers view withdraw-change            | view       | view                | view
""".replace(" answers", " view-answers")  # noqa: E501


def expected(table: str) -> dict[tuple[str, str], set[str]]:
    """(person, state) -> actions; whoever has no column may do nothing."""
    head, *lines = table.strip().splitlines()
    people = [cell.strip() for cell in head.split("|")][1:]
    cells: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        state, *actions = [cell.strip() for cell in line.split("|")]
        cells |= {(person, state): set(cell.split()) for person, cell in zip(people, actions, strict=True)}
    return cells


def application(state: ApplicationState) -> AccessApplication:
    form = ApplicationForm(persons=frozenset({"named"}))
    return AccessApplication("app", "DAA-1", "applicant", form, NOW, state=state, assessor="assessor")


def permit(state: PermitState) -> DataPermit:
    base = DataPermit(
        id="pmt",
        number="DP-1",
        application="app",
        holder="applicant",
        persons=frozenset({"named"}),
        columns=frozenset({("d", "t", "c")}),
        purposes=frozenset(),
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=1),
        guarantee=Guarantee(Decimal(1), Decimal("0.000001")),
        limit=PrivacyLoss(1),
        snapshots={"d": "s"},
        granted_at=NOW,
        granted_by="decision-maker",
    )
    return {
        PermitState.PENDING: replace(base, valid_from=NOW + timedelta(seconds=1)),
        PermitState.ACTIVE: base,
        PermitState.SUSPENDED: replace(base, suspended_at=NOW),
        PermitState.REVOKED: replace(base, revoked_at=NOW),
        PermitState.EXPIRED: replace(base, valid_until=NOW),
    }[state]


@pytest.mark.parametrize(("person", "state", "action"), list(product(PEOPLE, ApplicationState, ApplicationAction)))
def test_every_person_state_and_action_of_an_application(
    person: str, state: ApplicationState, action: ApplicationAction
) -> None:
    allowed = permissions.may_act_on_application(PEOPLE[person], action, application(state))
    assert allowed == (action in expected(APPLICATION_TABLE).get((person, state), set()))


@pytest.mark.parametrize(("person", "state", "action"), list(product(PEOPLE, PermitState, PermitAction)))
def test_every_person_state_and_action_of_a_permit(person: str, state: PermitState, action: PermitAction) -> None:
    assert permit(state).state(NOW) is state
    allowed = permissions.may_act_on_permit(PEOPLE[person], action, permit(state), NOW)
    row = expected(PERMIT_TABLE).get((person, state), set())
    assert allowed == (("view" if action is PermitAction.VIEW_BUDGET else action) in row)


def test_tables_are_complete() -> None:
    assert set(APPLICATION_ACTIONS) == set(PERMIT_ACTIONS) == set(Party)
    assert set(NODE_ACTIONS) == set(Role)
    assert frozenset.union(*APPLICATION_ACTIONS.values()) == set(ApplicationAction)
    assert frozenset.union(*PERMIT_ACTIONS.values()) == set(PermitAction) == set(POSSIBLE)
    assert frozenset.union(*NODE_ACTIONS.values()) == set(NodeAction)
    assert {action for _, action in TRANSITIONS} == set(ApplicationAction) - set(CHANGES_NOTHING)


def test_every_application_state_can_be_reached_and_ends_somewhere() -> None:
    assert set(TRANSITIONS.values()) == set(ApplicationState)
    final = set(ApplicationState) - {state for state, _ in TRANSITIONS}
    ended = {ApplicationState.GRANTED, ApplicationState.REFUSED, ApplicationState.WITHDRAWN}
    assert final == ended | {ApplicationState.LAPSED}


@pytest.mark.parametrize("conflicted", ["applicant", "named"])
@pytest.mark.parametrize("action", sorted(DECIDES | {ApplicationAction.START_ASSESSMENT}))
def test_who_applied_or_is_named_never_decides_whatever_their_roles(conflicted: str, action: ApplicationAction) -> None:
    official = actor(conflicted, Role.APPLICANT, Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    with pytest.raises(NotPermitted, match=r"Art\. 55\(3\)"):
        permissions.check_may_act_on_application(official, action, application(ApplicationState.PROPOSED))


@pytest.mark.parametrize("action", sorted(DECIDES))
def test_who_assessed_does_not_decide(action: ApplicationAction) -> None:
    both = actor("assessor", Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    with pytest.raises(NotPermitted, match="two-person decision"):
        permissions.check_may_act_on_application(both, action, application(ApplicationState.PROPOSED))


@pytest.mark.parametrize("action", sorted(ASSESSORS_OWN))
def test_who_did_not_take_a_case_up_does_not_assess_it(action: ApplicationAction) -> None:
    other = actor("other", Role.HDAB_ASSESSOR)
    with pytest.raises(NotPermitted, match="another person"):
        permissions.check_may_act_on_application(other, action, application(ApplicationState.UNDER_ASSESSMENT))


FACTS = {
    "recused": CaseFacts(recused=frozenset({"official"})),
    "holder": CaseFacts(holders=frozenset({ORGANISATION.name})),
    "preparer": CaseFacts(preparers=frozenset({"official"})),
}


def test_each_conflict_has_a_case() -> None:
    assert set(FACTS) == set(CONFLICTS)


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_each_conflict_keeps_an_official_out_and_says_why(conflict: str) -> None:
    official = actor("official", Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    with pytest.raises(NotPermitted, match=r"Art\. 55\(3\)") as raised:
        check_no_conflict(official, FACTS[conflict])
    assert CONFLICTS[conflict].reason in raised.value.message
    check_no_conflict(official, CaseFacts(frozenset({"another"}), frozenset({"another"}), frozenset({"another"})))


def test_an_official_named_in_a_permit_does_not_decide_on_it() -> None:
    official = actor("named", Role.HDAB_DECISION_MAKER)
    with pytest.raises(NotPermitted, match=r"Art\. 55\(3\)"):
        permissions.check_may_act_on_permit(official, PermitAction.REVOKE, permit(PermitState.ACTIVE), NOW)


def test_the_wrong_person_hears_that_before_the_state() -> None:
    with pytest.raises(NotPermitted):
        permissions.check_may_act_on_permit(PEOPLE["stranger"], PermitAction.QUERY, permit(PermitState.REVOKED), NOW)
    with pytest.raises(WrongState, match=r"permit DP-1 was revoked; to query, it must be active"):
        permissions.check_may_act_on_permit(PEOPLE["named"], PermitAction.QUERY, permit(PermitState.REVOKED), NOW)


@pytest.mark.parametrize(("role", "action"), list(product(Role, NodeAction)))
def test_roles_without_a_case(role: Role, action: NodeAction) -> None:
    person = actor("someone", role)
    assert permissions.may(person, action) == (action in NODE_ACTIONS[role])
    if not permissions.may(person, action):
        with pytest.raises(NotPermitted, match="takes the role"):
            permissions.check_may(person, action)
