"""Who may do what after a permit and towards the public: role x action. Parties to one case are checked with it."""

from enum import StrEnum

from dataspace.domain.actors import Actor, Role
from dataspace.domain.errors import NotPermitted


class PublicAction(StrEnum):
    DECLARE_CONFIDENTIAL = "declare-confidential"
    PUBLISH_DECISION = "publish-decision"
    EXTEND_PUBLICATION = "extend-publication"
    FORWARD_FINDING = "forward-finding"
    HANDLE_COMPLAINT = "handle-complaint"
    DECIDE_COMPLAINT = "decide-complaint"
    TAKE_MEASURE = "take-measure"
    ENTER_FACT = "enter-fact"
    FREEZE_REPORT = "freeze-report"


PUBLIC_ACTIONS = {
    Role.HDAB_ASSESSOR: frozenset(
        {PublicAction.DECLARE_CONFIDENTIAL, PublicAction.FORWARD_FINDING, PublicAction.ENTER_FACT}
    ),
    Role.HDAB_DECISION_MAKER: frozenset(set(PublicAction)),
    Role.HDAB_CITIZEN_DESK: frozenset({PublicAction.HANDLE_COMPLAINT}),
}
"""Applicants declare confidential parts of their own case, users register results and findings of their own permit,
holders note what became of findings in their own data: that is checked with the case."""


def may(actor: Actor, action: PublicAction) -> bool:
    return any(action in PUBLIC_ACTIONS.get(role, frozenset()) for role in actor.roles)


def check_may(actor: Actor, action: PublicAction) -> None:
    """Raises NotPermitted if none of the actor's roles allows `action`."""
    if not may(actor, action):
        roles = " or ".join(sorted(role for role, actions in PUBLIC_ACTIONS.items() if action in actions))
        raise NotPermitted(f"to {action.replace('-', ' ')} takes the role {roles}")
