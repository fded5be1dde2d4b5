"""May this person do this? Law as tables: party x state x action.

What an object's state allows, whoever asks, is in `applications.TRANSITIONS` and `permits.POSSIBLE`; here is who.
`check_…` raises with a reason a person can read; `may_…` is its yes/no shadow, for buttons.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain import applications, permits
from dataspace.domain.actors import HDAB_ROLES, Actor, Role
from dataspace.domain.applications import AccessApplication, ApplicationAction, ApplicationState
from dataspace.domain.errors import DataspaceError, NotPermitted
from dataspace.domain.permits import DataPermit, PermitAction


class Party(StrEnum):
    """What an actor is to one application or permit."""

    APPLICANT = "applicant"  # filed it; the permit's holder
    NAMED = "named"  # named in it as a person who is to have access
    ASSESSOR = "assessor"
    DECISION_MAKER = "decision-maker"
    OPERATOR = "operator"


class NodeAction(StrEnum):
    """What a role allows without a case."""

    REGISTER_PERSON = "register-person"
    ISSUE_TOKEN = "issue-token"  # noqa: S105 - the name of an action
    REGISTER_DATASET = "register-dataset"
    PUBLISH_SNAPSHOT = "publish-snapshot"
    FILE_APPLICATION = "file-application"
    READ_AUDIT = "read-audit"
    ARCHIVE_AUDIT = "archive-audit"
    RECORD_OPT_OUT = "record-opt-out"
    READ_OPT_OUT = "read-opt-out"
    REKEY_OPT_OUTS = "rekey-opt-outs"
    MANAGE_PERSON = "manage-person"
    MANAGE_ORGANISATION = "manage-organisation"
    SEE_OUTBOX = "see-outbox"
    EXCLUDE_PERSON = "exclude-person"
    READ_EXCLUSIONS = "read-exclusions"
    ROTATE_SIGNING_KEY = "rotate-signing-key"


NODE_ACTIONS = {
    Role.DATA_HOLDER: frozenset({NodeAction.REGISTER_DATASET, NodeAction.PUBLISH_SNAPSHOT}),
    Role.APPLICANT: frozenset({NodeAction.FILE_APPLICATION}),
    Role.HDAB_ASSESSOR: frozenset({NodeAction.READ_AUDIT, NodeAction.READ_EXCLUSIONS}),
    Role.HDAB_DECISION_MAKER: frozenset({NodeAction.READ_AUDIT, NodeAction.READ_EXCLUSIONS, NodeAction.EXCLUDE_PERSON}),
    # whoever sees identifiers of citizens decides on no case and runs no machine
    Role.HDAB_CITIZEN_DESK: frozenset({NodeAction.RECORD_OPT_OUT, NodeAction.READ_OPT_OUT}),
    # prepares and links data for the access body, apart from who assesses and decides (Art. 55(3), 57(1)(b))
    Role.HDAB_DATA_PREPARER: frozenset({NodeAction.PUBLISH_SNAPSHOT}),
    Role.OPERATOR: frozenset(
        {
            NodeAction.REGISTER_PERSON,
            NodeAction.ISSUE_TOKEN,
            NodeAction.REGISTER_DATASET,
            NodeAction.PUBLISH_SNAPSHOT,
            NodeAction.READ_AUDIT,
            NodeAction.ARCHIVE_AUDIT,
            NodeAction.REKEY_OPT_OUTS,
            NodeAction.MANAGE_PERSON,
            NodeAction.MANAGE_ORGANISATION,
            NodeAction.SEE_OUTBOX,
            NodeAction.ROTATE_SIGNING_KEY,
        }
    ),
}

APPLICATION_ACTIONS = {
    Party.APPLICANT: frozenset(
        {
            ApplicationAction.VIEW,
            ApplicationAction.EDIT,
            ApplicationAction.SUBMIT,
            ApplicationAction.WITHDRAW,
            ApplicationAction.ACCEPT,
            ApplicationAction.DECLINE,
        }
    ),
    Party.NAMED: frozenset({ApplicationAction.VIEW}),
    Party.ASSESSOR: frozenset(
        {
            ApplicationAction.VIEW,
            ApplicationAction.VIEW_ASSESSMENT,
            ApplicationAction.START_ASSESSMENT,
            ApplicationAction.RETURN,
            ApplicationAction.LAPSE,
            ApplicationAction.ASSESS,
            ApplicationAction.PROPOSE,
            ApplicationAction.DECLARE_INTEREST,
            ApplicationAction.STAND_DOWN,
        }
    ),
    Party.DECISION_MAKER: frozenset(
        {
            ApplicationAction.VIEW,
            ApplicationAction.VIEW_ASSESSMENT,
            ApplicationAction.SEND_BACK,
            ApplicationAction.OFFER,
            ApplicationAction.GRANT,
            ApplicationAction.REFUSE,
            ApplicationAction.DECLARE_INTEREST,
        }
    ),
    # the node itself ends what was not completed in time, and sees nothing of it
    Party.OPERATOR: frozenset({ApplicationAction.LAPSE}),
}

DECIDES = frozenset(
    {ApplicationAction.SEND_BACK, ApplicationAction.OFFER, ApplicationAction.GRANT, ApplicationAction.REFUSE}
)
"""What the person who assessed the case never does (two-person decision)."""

ASSESSORS_OWN = frozenset({ApplicationAction.ASSESS, ApplicationAction.PROPOSE, ApplicationAction.STAND_DOWN})
"""What only the assessor who took the case up does."""

SEES_DRAFTS = frozenset({Party.APPLICANT, Party.NAMED})
"""A draft is the applicant's own: the access body sees it once it is submitted."""

PERMIT_ACTIONS = {
    Party.APPLICANT: frozenset(
        {
            PermitAction.VIEW,
            PermitAction.VIEW_BUDGET,
            PermitAction.VIEW_ANSWERS,
            PermitAction.RETRY_ANSWERS,
            PermitAction.ASK_CHANGE,
            PermitAction.WITHDRAW_CHANGE,
        }
    ),
    Party.NAMED: frozenset({PermitAction.VIEW, PermitAction.VIEW_BUDGET, PermitAction.QUERY}),
    Party.ASSESSOR: frozenset({PermitAction.VIEW, PermitAction.VIEW_BUDGET, PermitAction.PROPOSE_CHANGE}),
    Party.DECISION_MAKER: frozenset(
        {
            PermitAction.VIEW,
            PermitAction.VIEW_BUDGET,
            PermitAction.SUSPEND,
            PermitAction.RESUME,
            PermitAction.REVOKE,
            PermitAction.DECIDE_CHANGE,
        }
    ),
    Party.OPERATOR: frozenset[PermitAction](),
}


@dataclass(frozen=True)
class CaseFacts:
    """What the database knows of who is close to a case: holders of its data, who prepared them, who stood aside."""

    holders: frozenset[str] = frozenset()
    preparers: frozenset[str] = frozenset()
    recused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Conflict:
    """A reason for which an official does not act on a case (Art. 55(3))."""

    applies: Callable[[Actor, CaseFacts], bool]
    reason: str


CONFLICTS = {
    "recused": Conflict(lambda actor, facts: actor.id in facts.recused, "you declared an interest in this case"),
    "holder": Conflict(
        lambda actor, facts: actor.organisation.name in facts.holders,
        "your organisation holds data that are asked for",
    ),
    "preparer": Conflict(
        lambda actor, facts: actor.id in facts.preparers, "you registered or published data that are asked for"
    ),
}


def check_no_conflict(actor: Actor, facts: CaseFacts) -> None:
    """Raises NotPermitted if separation of duties keeps the actor from assessing or deciding on the case."""
    reasons = [conflict.reason for conflict in CONFLICTS.values() if conflict.applies(actor, facts)]
    if reasons:
        raise NotPermitted(f"{' and '.join(reasons)}; another official assesses and decides (Art. 55(3))")


_HDAB_PARTY = {Role.HDAB_ASSESSOR: Party.ASSESSOR, Role.HDAB_DECISION_MAKER: Party.DECISION_MAKER}


def parties(actor: Actor, applicant: str, persons: frozenset[str]) -> frozenset[Party]:
    """What `actor` is to a case of `applicant` naming `persons`.

    Who applied or is named is not the access body in that case, whatever their roles (Art. 55(3)).
    """
    own = {Party.APPLICANT} if actor.id == applicant else set()
    if actor.id in persons:
        own.add(Party.NAMED)
    official = set() if own else {party for role, party in _HDAB_PARTY.items() if actor.has(role)}
    operator = {Party.OPERATOR} if actor.has(Role.OPERATOR) else set()
    return frozenset(own | official | operator)


def sees_received(actor: Actor) -> bool:
    """Whether the actor may view every application that was received: the access body (SEES_DRAFTS aside)."""
    return any(role in _HDAB_PARTY for role in actor.roles)


def check_may(actor: Actor, action: NodeAction) -> None:
    """Raises NotPermitted if none of the actor's roles allows `action`."""
    if any(action in NODE_ACTIONS[role] for role in actor.roles):
        return
    roles = " or ".join(sorted(role for role, actions in NODE_ACTIONS.items() if action in actions))
    raise NotPermitted(f"to {action.replace('-', ' ')} takes the role {roles}")


def check_may_act_on_application(actor: Actor, action: ApplicationAction, application: AccessApplication) -> None:
    """Raises NotPermitted for the wrong person, then WrongState for the wrong state."""
    mine = parties(actor, application.applicant, application.form.persons)
    if application.state is ApplicationState.DRAFT:
        mine &= SEES_DRAFTS
    if not any(action in APPLICATION_ACTIONS[party] for party in mine):
        raise NotPermitted(f"{_cannot(actor, mine, action)} application {application.number}")
    if action in DECIDES and actor.id == application.assessor:
        raise NotPermitted(
            f"you assessed application {application.number}; another person decides on it (two-person decision)"
        )
    applications.check_possible(action, application)
    if action in ASSESSORS_OWN and actor.id != application.assessor:
        raise NotPermitted(f"application {application.number} is assessed by another person")


def check_may_act_on_permit(actor: Actor, action: PermitAction, permit: DataPermit, now: datetime) -> None:
    """Raises NotPermitted for the wrong person, then WrongState for the wrong state."""
    mine = parties(actor, permit.holder, permit.persons)
    if not any(action in PERMIT_ACTIONS[party] for party in mine):
        raise NotPermitted(f"{_cannot(actor, mine, action)} permit {permit.number}")
    permits.check_possible(action, permit, now)


def may(actor: Actor, action: NodeAction) -> bool:
    return any(action in NODE_ACTIONS[role] for role in actor.roles)


def may_act_on_application(actor: Actor, action: ApplicationAction, application: AccessApplication) -> bool:
    try:
        check_may_act_on_application(actor, action, application)
    except DataspaceError:
        return False
    return True


def may_act_on_permit(actor: Actor, action: PermitAction, permit: DataPermit, now: datetime) -> bool:
    try:
        check_may_act_on_permit(actor, action, permit, now)
    except DataspaceError:
        return False
    return True


def _cannot(actor: Actor, mine: frozenset[Party], action: StrEnum) -> str:
    if actor.roles & HDAB_ROLES and mine & {Party.APPLICANT, Party.NAMED}:
        return f"you applied or are named, so you may not {action.replace('-', ' ')} (Art. 55(3))"
    return f"you may not {action.replace('-', ' ')}"
