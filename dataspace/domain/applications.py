"""The data access application (Art. 67) and the data request (Art. 69): typed heart, completeness, states."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dataspace.domain.actors import Organisation
from dataspace.domain.errors import InvalidApplication, WrongState
from dataspace.domain.privacy import Guarantee, Price
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope

LONGEST_PERIOD = timedelta(days=3653)
"""Ten years (Art. 68(12))."""

LONGEST_LEAD = timedelta(days=366)
"""How long before its longest period begins a permit is applied for at the earliest; a choice of this node."""


class ApplicationKind(StrEnum):
    """What is asked for: access under a permit, or an answer in anonymised statistical format."""

    ACCESS = "access-application"
    REQUEST = "data-request"


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    INCOMPLETE = "incomplete"
    LAPSED = "lapsed"
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
    RETURN = "return"
    LAPSE = "lapse"
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
    (ApplicationState.SUBMITTED, ApplicationAction.RETURN): ApplicationState.INCOMPLETE,
    (ApplicationState.INCOMPLETE, ApplicationAction.EDIT): ApplicationState.INCOMPLETE,
    (ApplicationState.INCOMPLETE, ApplicationAction.SUBMIT): ApplicationState.SUBMITTED,
    (ApplicationState.INCOMPLETE, ApplicationAction.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.INCOMPLETE, ApplicationAction.LAPSE): ApplicationState.LAPSED,
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
class PlannedTable:
    """One table of a tabulation plan: a query in the node's language, and what its answer may cost."""

    name: str
    sql: str
    price: Price
    description: str = ""


@dataclass(frozen=True)
class ApplicationForm:
    """What decisions and queries need of what the applicant writes (Art. 67(2)); a draft may leave anything empty.

    `persons` are the identifiers of all natural persons who are to have access (67(2)(a)). `acting_for` names the
    public body on whose behalf a third party pursues a purpose of Art. 53(1)(a) to (c). A data request names no
    persons and no period; its `tabulation` is the statistical content asked for (69(2)(d)).
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
    tabulation: tuple[PlannedTable, ...] = ()


@dataclass(frozen=True)
class Answers:
    """The other answers, `section.field` to value, under one version of a form; none for a short application."""

    form: str = ""
    version: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


NO_ANSWERS = Answers()


@dataclass(frozen=True)
class Written:
    """All that an applicant wrote at one time: the typed heart and the other answers."""

    form: ApplicationForm
    answers: Answers = NO_ANSWERS


@dataclass(frozen=True)
class Edition:
    """What was submitted, the first time (`number` 1) or after completion; never changed."""

    number: int
    written: Written
    submitted_at: datetime
    submitted_by: str


@dataclass(frozen=True)
class Return:
    """The access body's notice that a submission is not complete: `section.field` to what is missing (Art. 68(4))."""

    edition: int
    missing: Mapping[str, str]
    returned_at: datetime
    returned_by: str


@dataclass(frozen=True)
class AccessApplication:
    """One case. `version` counts changes, so that a stale edit is noticed; persons are named by identifier.

    `form` and `answers` are the draft, or what was submitted last; `reworked` is what the applicant has written since
    the access body returned it. `submitted_at` is the first time, `completed_at` the last.
    """

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
    kind: ApplicationKind = ApplicationKind.ACCESS
    answers: Answers = NO_ANSWERS
    reworked: Written | None = None
    completed_at: datetime | None = None
    returned_at: datetime | None = None

    @property
    def written(self) -> Written:
        """The newest that the applicant wrote."""
        return self.reworked or self.on_file

    @property
    def on_file(self) -> Written:
        """What the access body and the public go by: what was submitted last, or the draft before that."""
        return Written(self.form, self.answers)

    def rewritten(self, written: Written) -> "AccessApplication":
        """With what the applicant writes now; what was submitted stays beside it until it is submitted anew."""
        if self.state is ApplicationState.INCOMPLETE:
            return replace(self, reworked=written)
        return replace(self, form=written.form, answers=written.answers)

    def handed_in(self, at: datetime) -> "AccessApplication":
        """Submitted at `at`, with the newest that was written. Raises WrongState."""
        now = replace(self, form=self.written.form, answers=self.written.answers, reworked=None, completed_at=at)
        return replace(now.after(ApplicationAction.SUBMIT), submitted_at=self.submitted_at or at)

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
    check_allowed(form, organisation, now)


def check_allowed(form: ApplicationForm, organisation: Organisation, now: datetime) -> None:
    """Raises InvalidApplication for a period that is over or too far away, or a purpose not open to the applicant."""
    if form.period is not None:
        _check_near(form.period, now)
    reserved = sorted(p.letter for p in form.purposes if p.reserved_to_public_bodies)
    if reserved and not organisation.public_body and not form.acting_for.strip():
        raise InvalidApplication(
            f"purpose {', '.join(reserved)} is reserved to public bodies (Art. 53(2)); name the body you act for,"
            " or choose another purpose"
        )


def _check_near(period: Period, now: datetime) -> None:
    if period.end <= now:
        raise InvalidApplication("the period asked for is already over; ask for one that ends in the future")
    latest = now + LONGEST_LEAD + LONGEST_PERIOD
    if period.end > latest:
        raise InvalidApplication(
            f"the period asked for ends later than {latest:%Y-%m-%d}: a permit lasts ten years at most (Art. 68(12))"
            " and is applied for at most a year before it begins; ask for a period that ends earlier"
        )
