"""The tables of who may do what in which state, composed of the tables that decide.

Nothing is decided here: the cells are what the tables of `applications`, `permits`, `permissions` and their like say,
and a test asks the functions that decide about every one of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dataspace.domain import budget_requests, permits
from dataspace.domain.actors import Role
from dataspace.domain.applications import CHANGES_NOTHING, TRANSITIONS, ApplicationAction, ApplicationState
from dataspace.domain.budget_requests import BUDGET_ACTIONS, BudgetAction
from dataspace.domain.complaints import DECISIONS, ComplaintState
from dataspace.domain.complaints import FOLLOWING as COMPLAINT_FOLLOWING
from dataspace.domain.findings import FOLLOWING as FINDING_FOLLOWING
from dataspace.domain.findings import FindingState
from dataspace.domain.permissions import (
    APPLICATION_ACTIONS,
    ASSESSORS_OWN,
    DECIDES,
    PERMIT_ACTIONS,
    SEES_DRAFTS,
    Party,
)
from dataspace.domain.permit_changes import CHANGE_TRANSITIONS, ChangeAction, ChangeState
from dataspace.domain.permits import PermitAction, PermitState
from dataspace.domain.public_permissions import PUBLIC_ACTIONS, PublicAction
from dataspace.domain.public_register import DECIDED, ISSUED, STAGES, Stage

OFFICIALS = {Role.HDAB_ASSESSOR: Party.ASSESSOR.value, Role.HDAB_DECISION_MAKER: Party.DECISION_MAKER.value}
CITIZEN_DESK, HOLDER, EVERYBODY = "citizen-desk", "data-holder", "everybody"
WHO_ASSESSED, TWO_PERSONS, CONFLICT = "¹", "²", "³"

Cells = dict[tuple[str, str], frozenset[str]]
"""(action, state) -> who may."""


@dataclass(frozen=True)
class Sheet:
    """One table. `marks` put signs of separated duties behind actions; `leads` is (state, action) -> state."""

    title: str
    states: tuple[str, ...]
    actions: tuple[str, ...]
    cells: Cells
    about: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    leads: Mapping[tuple[str, str], str] = field(default_factory=dict)


def sheets() -> list[Sheet]:
    """All tables, in the order in which a case meets them."""
    after_a_permit = [_changes(), _budget_requests(), _documents()]
    return [_applications(), _permits(), *after_a_permit, _register(), _findings(), _complaints()]


def _sheet(title: str, states: Iterable[StrEnum], actions: Iterable[StrEnum], cells: Cells, **more: object) -> Sheet:
    return Sheet(title, tuple(s.value for s in states), tuple(a.value for a in actions), cells, **more)  # type: ignore[arg-type]


def _applications() -> Sheet:
    cells: Cells = {}
    for action in ApplicationAction:
        possible = CHANGES_NOTHING.get(action) or {state for state, known in TRANSITIONS if known is action}
        who = {party for party, actions in APPLICATION_ACTIONS.items() if action in actions}
        for state in possible:
            seen = who & SEES_DRAFTS if state is ApplicationState.DRAFT else who
            cells[action, state] = frozenset(party.value for party in seen)
    marks = {action.value: WHO_ASSESSED + CONFLICT for action in ASSESSORS_OWN}
    marks |= {action.value: TWO_PERSONS + CONFLICT for action in DECIDES}
    # who declares an interest stands down by that
    marks |= {ApplicationAction.START_ASSESSMENT.value: CONFLICT, ApplicationAction.STAND_DOWN.value: WHO_ASSESSED}
    return _sheet(
        "Applications and data requests", ApplicationState, ApplicationAction, cells,
        about="`applicant` filed it, `named` is to have access. Who declares an interest while assessing stands down.",
        marks=marks, leads=TRANSITIONS,
    )  # fmt: skip


PERMIT_LEADS = {
    (PermitState.PENDING, PermitAction.SUSPEND): "suspended",
    (PermitState.ACTIVE, PermitAction.SUSPEND): "suspended",
    (PermitState.SUSPENDED, PermitAction.RESUME): "active, or pending before its first day",
    **{(state, PermitAction.REVOKE): "revoked" for state in permits.POSSIBLE[PermitAction.REVOKE]},
}
"""What a permit is after each act; pending becomes active, and either or suspended becomes expired, with time alone."""


def _permits() -> Sheet:
    cells: Cells = {
        (action, state): frozenset(party.value for party, actions in PERMIT_ACTIONS.items() if action in actions)
        for action in PermitAction
        for state in permits.POSSIBLE[action]
    }
    kept_apart = (PermitAction.SUSPEND, PermitAction.RESUME, PermitAction.REVOKE, PermitAction.PROPOSE_CHANGE)
    marks = {action.value: CONFLICT for action in kept_apart} | {
        PermitAction.DECIDE_CHANGE.value: TWO_PERSONS + CONFLICT
    }
    return _sheet(
        "Data permits", PermitState, PermitAction, cells, marks=marks, leads=PERMIT_LEADS,
        about="`applicant` holds it. With time alone pending becomes active, and whatever is not revoked expired.",
    )  # fmt: skip


CHANGES_BY = {
    ChangeAction.PROPOSE: PermitAction.PROPOSE_CHANGE,
    ChangeAction.SEND_BACK: PermitAction.DECIDE_CHANGE,
    ChangeAction.APPROVE: PermitAction.DECIDE_CHANGE,
    ChangeAction.REJECT: PermitAction.DECIDE_CHANGE,
    ChangeAction.WITHDRAW: PermitAction.WITHDRAW_CHANGE,
}
"""What one has to be allowed on the permit for each act on its change."""


def _changes() -> Sheet:
    cells: Cells = {
        (action, state): frozenset(p.value for p, actions in PERMIT_ACTIONS.items() if CHANGES_BY[action] in actions)
        for state, action in CHANGE_TRANSITIONS
    }
    official = (ChangeAction.SEND_BACK, ChangeAction.APPROVE, ChangeAction.REJECT)
    return _sheet(
        "Changes of a permit", ChangeState, ChangeAction, cells,
        marks={ChangeAction.PROPOSE.value: CONFLICT} | {action.value: TWO_PERSONS + CONFLICT for action in official},
        leads=CHANGE_TRANSITIONS,
        about="While the permit is pending, active or suspended; withdrawn also afterwards. Approved or rejected is as"
        " the assessor proposed: who does not follow sends back.",
    )  # fmt: skip


def _budget_requests() -> Sheet:
    cells: Cells = {
        (action, state): frozenset(party.value for party, actions in BUDGET_ACTIONS.items() if action in actions)
        for action in BudgetAction
        for state in budget_requests.POSSIBLE[action]
    }
    return _sheet(
        "Requests for more budget", PermitState, BudgetAction, cells,
        marks={BudgetAction.GRANT.value: TWO_PERSONS, BudgetAction.REFUSE.value: TWO_PERSONS},
        about="By state of the permit. One request waits at a time; it is granted or refused once.",
    )  # fmt: skip


class DocumentAction(StrEnum):
    READ_PERMIT_DOCUMENT = "read-permit-document"
    READ_VISA = "read-visa"
    READ_STATUS_LIST = "read-status-list"


def _documents() -> Sheet:
    seen = frozenset(party.value for party, actions in PERMIT_ACTIONS.items() if PermitAction.VIEW in actions)
    cells: Cells = {(DocumentAction.READ_PERMIT_DOCUMENT, state): seen for state in permits.POSSIBLE[PermitAction.VIEW]}
    cells |= {
        (DocumentAction.READ_VISA, state): frozenset({Party.NAMED.value})
        for state in permits.POSSIBLE[PermitAction.QUERY]
    }
    cells |= {(DocumentAction.READ_STATUS_LIST, state): frozenset({EVERYBODY}) for state in PermitState}
    return _sheet(
        "Documents", PermitState, DocumentAction, cells,
        about="By state of the permit. The permit document is a signed statement, an ODRL agreement or a print; a visa"
        " is for oneself alone.",
    )  # fmt: skip


class RegisterAction(StrEnum):
    READ_ENTRY = "read-entry"
    DECLARE_CONFIDENTIAL = "declare-confidential"
    LIFT_CONFIDENTIAL = "lift-confidential"
    PUBLISH_DECISION = "publish-decision"
    REGISTER_RESULT = "register-result"
    EXTEND_PUBLICATION = "extend-publication"


def _register() -> Sheet:
    stages = tuple(stage for stage in Stage if stage in {*STAGES.values(), Stage.UNDER_ASSESSMENT})
    users = frozenset({Party.APPLICANT.value, Party.NAMED.value})
    declaring = _roles(PublicAction.DECLARE_CONFIDENTIAL)
    cells: Cells = {}
    for stage in stages:
        cells[RegisterAction.READ_ENTRY, stage] = frozenset({EVERYBODY})
        undecided = frozenset() if stage in DECIDED else frozenset({Party.APPLICANT.value})
        cells[RegisterAction.DECLARE_CONFIDENTIAL, stage] = declaring | undecided
        cells[RegisterAction.LIFT_CONFIDENTIAL, stage] = declaring
        if stage in DECIDED:
            cells[RegisterAction.PUBLISH_DECISION, stage] = _roles(PublicAction.PUBLISH_DECISION)
        if stage in ISSUED:
            cells[RegisterAction.REGISTER_RESULT, stage] = users
            cells[RegisterAction.EXTEND_PUBLICATION, stage] = _roles(PublicAction.EXTEND_PUBLICATION)
    return _sheet(
        "The public register", stages, RegisterAction, cells,
        about="By stage of the case. A decision is published by itself unless the case has confidential parts."
        " More time for results is given as long as there is none.",
    )  # fmt: skip


class FindingAction(StrEnum):
    FORWARD = "forward"
    NOTE_WHO_WAS_TOLD = "note-who-was-told"


def _findings() -> Sheet:
    cells: Cells = {}
    leads = {}
    for state, following in FINDING_FOLLOWING.items():
        for after in following:
            forwards = after is FindingState.FORWARDED
            action = FindingAction.FORWARD if forwards else FindingAction.NOTE_WHO_WAS_TOLD
            cells[action, state] = _roles(PublicAction.FORWARD_FINDING) if forwards else frozenset({HOLDER})
            leads[state, action] = " or ".join(sorted(following))
    return _sheet(
        "Significant findings", FindingState, FindingAction, cells, leads=leads,
        about="Reported by a person named in the permit. The `data-holder` is that of the dataset.",
    )  # fmt: skip


class ComplaintAction(StrEnum):
    EXAMINE = "examine"
    DECIDE = "decide"


def _complaints() -> Sheet:
    cells: Cells = {}
    leads = {}
    for state, following in COMPLAINT_FOLLOWING.items():
        for after in following:
            decides = after in DECISIONS
            action = ComplaintAction.DECIDE if decides else ComplaintAction.EXAMINE
            cells[action, state] = _roles(PublicAction.DECIDE_COMPLAINT if decides else PublicAction.HANDLE_COMPLAINT)
            leads[state, action] = " or ".join(sorted(DECISIONS)) if decides else after.value
    return _sheet(
        "Complaints", ComplaintState, ComplaintAction, cells, leads=leads,
        about="Filed by everybody, followed by whoever has the receipt and its secret. What is about opting out begins"
        " as forwarded: it is the data protection authority's.",
    )  # fmt: skip


def _roles(action: PublicAction) -> frozenset[str]:
    names = OFFICIALS | {Role.HDAB_CITIZEN_DESK: CITIZEN_DESK}
    return frozenset(names[role] for role, actions in PUBLIC_ACTIONS.items() if action in actions)
