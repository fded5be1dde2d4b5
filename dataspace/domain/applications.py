"""The data access application (Art. 67): its form, what makes it complete, and its states."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dataspace.domain.actors import Organisation
from dataspace.domain.errors import InvalidApplication, WrongState
from dataspace.domain.privacy import Guarantee
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope

LONGEST_PERIOD = timedelta(days=3653)
"""Ten years (Art. 68(12))."""


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_ASSESSMENT = "under-assessment"
    PROPOSED = "proposed"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ApplicationAction(StrEnum):
    VIEW = "view"
    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    START_ASSESSMENT = "start-assessment"
    VIEW_ASSESSMENT = "view-assessment"
    ASSESS = "assess"
    PROPOSE = "propose"
    SEND_BACK = "send-back"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    DECLARE_INTEREST = "declare-interest"
    STAND_DOWN = "stand-down"
    GRANT = "grant"
    REFUSE = "refuse"


TRANSITIONS = {
    (ApplicationState.DRAFT, ApplicationAction.EDIT): ApplicationState.DRAFT,
    (ApplicationState.DRAFT, ApplicationAction.SUBMIT): ApplicationState.SUBMITTED,
    (ApplicationState.DRAFT, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.SUBMITTED, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.SUBMITTED, ApplicationAction.START_ASSESSMENT): ApplicationState.UNDER_ASSESSMENT,
    (ApplicationState.UNDER_ASSESSMENT, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.UNDER_ASSESSMENT, ApplicationAction.ASSESS): ApplicationState.UNDER_ASSESSMENT,
    (ApplicationState.UNDER_ASSESSMENT, ApplicationAction.PROPOSE): ApplicationState.PROPOSED,
    (ApplicationState.UNDER_ASSESSMENT, ApplicationAction.STAND_DOWN): ApplicationState.SUBMITTED,
    (ApplicationState.PROPOSED, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.PROPOSED, ApplicationAction.SEND_BACK): ApplicationState.UNDER_ASSESSMENT,
    (ApplicationState.PROPOSED, ApplicationAction.OFFER): ApplicationState.OFFERED,
    (ApplicationState.PROPOSED, ApplicationAction.GRANT): ApplicationState.GRANTED,
    (ApplicationState.PROPOSED, ApplicationAction.REFUSE): ApplicationState.REFUSED,
    (ApplicationState.PROPOSED, ApplicationAction.STAND_DOWN): ApplicationState.SUBMITTED,
    (ApplicationState.OFFERED, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.OFFERED, ApplicationAction.ACCEPT): ApplicationState.ACCEPTED,
    (ApplicationState.OFFERED, ApplicationAction.DECLINE): ApplicationState.UNDER_ASSESSMENT,
    (ApplicationState.OFFERED, ApplicationAction.STAND_DOWN): ApplicationState.SUBMITTED,
    (ApplicationState.ACCEPTED, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.ACCEPTED, ApplicationAction.SEND_BACK): ApplicationState.UNDER_ASSESSMENT,
    (ApplicationState.ACCEPTED, ApplicationAction.GRANT): ApplicationState.GRANTED,
    (ApplicationState.ACCEPTED, ApplicationAction.STAND_DOWN): ApplicationState.SUBMITTED,
}
"""What each action makes of each state; a pair that is not here is not possible."""

CHANGES_NOTHING = {
    ApplicationAction.VIEW: frozenset(ApplicationState),
    ApplicationAction.VIEW_ASSESSMENT: frozenset(ApplicationState) - {ApplicationState.DRAFT},
    ApplicationAction.DECLARE_INTEREST: frozenset(ApplicationState) - {ApplicationState.DRAFT},
}
"""Actions that leave the state as it is, and the states in which they are possible."""


@dataclass(frozen=True)
class Period:
    """From `start` until before `end`, both in UTC with zone; at most ten years."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidApplication("a period is given with time zones")
        if self.start >= self.end:
            raise InvalidApplication("the period ends before it begins")
        if self.end - self.start > LONGEST_PERIOD:
            raise InvalidApplication("the period is longer than ten years (Art. 68(12))")


NO_DATA = Scope()


@dataclass(frozen=True)
class ApplicationForm:
    """What the applicant writes (Art. 67(2)); a draft may leave anything empty.

    `persons` are the identifiers of all natural persons who are to have access (67(2)(a)). `acting_for` names the
    public body on whose behalf a third party pursues a purpose of Art. 53(1)(a) to (c).
    """

    title: str = ""
    purposes: frozenset[Purpose] = frozenset()
    scope: Scope = NO_DATA
    justification: str = ""
    lay_summary: str = ""
    legal_basis: LegalBasis | None = None
    persons: frozenset[str] = frozenset()
    guarantee: Guarantee | None = None
    period: Period | None = None
    acting_for: str = ""


@dataclass(frozen=True)
class AccessApplication:
    """One case. `version` counts changes, so that a stale edit is noticed; persons are named by identifier."""

    id: str
    number: str
    applicant: str
    form: ApplicationForm
    filed_at: datetime
    state: ApplicationState = ApplicationState.DRAFT
    version: int = 1
    submitted_at: datetime | None = None
    assessor: str | None = None
    decided_at: datetime | None = None
    decision_maker: str | None = None
    reasons: str = ""

    def after(self, action: ApplicationAction) -> "AccessApplication":
        """The application in the state that `action` leads to. Raises WrongState."""
        check_possible(action, self)
        return replace(self, state=TRANSITIONS[self.state, action], version=self.version + 1)


def check_possible(action: ApplicationAction, application: AccessApplication) -> None:
    """Raises WrongState if the application's state does not allow the action, whoever asks."""
    possible_in = CHANGES_NOTHING.get(action) or {state for state, known in TRANSITIONS if known is action}
    if application.state in possible_in:
        return
    possible = " or ".join(sorted(possible_in))
    raise WrongState(
        f"application {application.number} is {application.state}; to {action.replace('-', ' ')} it must be {possible}"
    )


COMPLETENESS = {
    "title": "give the application a title",
    "purposes": "choose at least one purpose of Art. 53(1)",
    "scope": "name the tables or columns that are needed (Art. 67(2)(d))",
    "justification": "describe the intended use and its benefit (Art. 67(2)(c))",
    "lay_summary": "summarise it for the public",
    "legal_basis": "name the ground of Art. 6(1) GDPR (Art. 67(4))",
    "persons": "name every natural person who is to have access (Art. 67(2)(a))",
    "guarantee": "ask for a privacy budget",
    "period": "say from when until when (Art. 67(2)(h))",
}
"""Fields that must be filled before an application can be submitted, and what to do about each."""


def missing_fields(form: ApplicationForm) -> dict[str, str]:
    """Field -> what to do, for each field that is still empty."""
    empty: tuple[object, ...] = ("", None, frozenset(), NO_DATA)
    values = {name: getattr(form, name) for name in COMPLETENESS}
    return {
        name: advice
        for name, advice in COMPLETENESS.items()
        if (values[name].strip() if isinstance(values[name], str) else values[name]) in empty
    }


def check_complete(form: ApplicationForm, organisation: Organisation, now: datetime) -> None:
    """Raises InvalidApplication if `form` cannot be submitted by a member of `organisation` at `now`."""
    missing = missing_fields(form)
    if missing:
        raise InvalidApplication("the application is not complete: " + "; ".join(missing.values()))
    if form.period is not None and form.period.end <= now:
        raise InvalidApplication("the period asked for is already over; ask for one that ends in the future")
    reserved = sorted(p.letter for p in form.purposes if p.reserved_to_public_bodies)
    if reserved and not organisation.public_body and not form.acting_for.strip():
        raise InvalidApplication(
            f"purpose {', '.join(reserved)} is reserved to public bodies (Art. 53(2)); name the body you act for,"
            " or choose another purpose"
        )
