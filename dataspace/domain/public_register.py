"""The public register (Art. 57(1)(e), (j), 58(1)): every case from its receipt on, as the public sees it.

An entry holds nothing that is not public: confidential parts are replaced before it is written (`redaction`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from dataspace.domain.applications import AccessApplication, ApplicationKind, ApplicationState
from dataspace.domain.calendars import Calendar
from dataspace.domain.clock_rules import BY_NAME
from dataspace.domain.clocks import ClockName
from dataspace.domain.errors import InvalidInput
from dataspace.domain.permits import DataPermit
from dataspace.domain.purposes import Purpose
from dataspace.domain.redaction import Part, Redaction

NOT_STATED = "(not stated)"
"""Stands in a mandatory column that was left empty, so that the column never is."""


class CaseKind(StrEnum):
    APPLICATION = "application"
    REQUEST = "request"


class Stage(StrEnum):
    """How far a case is; what a permit is now follows from its dates (`PublicState`)."""

    RECEIVED = "received"
    UNDER_ASSESSMENT = "under-assessment"
    PERMIT = "permit"
    APPROVED = "approved"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class PublicState(StrEnum):
    """The one state that is shown and searched by: the stage, for a permit what it is today."""

    RECEIVED = "received"
    UNDER_ASSESSMENT = "under-assessment"
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    APPROVED = "approved"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STAGES: Mapping[str, Stage] = {
    ApplicationState.SUBMITTED.value: Stage.RECEIVED,
    ApplicationState.GRANTED.value: Stage.PERMIT,
    ApplicationState.REFUSED.value: Stage.REFUSED,
    ApplicationState.WITHDRAWN.value: Stage.WITHDRAWN,
}
"""State of an application -> stage; every other state after receipt is one of assessment."""

ISSUED = frozenset({Stage.PERMIT, Stage.APPROVED, Stage.ANSWERED})
"""Access, or the approval of a tabulation plan and its answers."""

DECIDED = ISSUED | {Stage.REFUSED}


@dataclass(frozen=True)
class RegisterEntry:
    """One case. Applicant, purposes, title and summary (the description) are never empty; for a permit neither are
    its date of issue and its duration (Art. 57(1)(e)).

    `reasons` are published at `reasons_published_at`; until then they are empty here.
    """

    number: str
    case: str
    kind: CaseKind
    stage: Stage
    applicant: str
    public_body: bool
    title: str
    lay_summary: str
    purposes: tuple[Purpose, ...]
    datasets: tuple[str, ...]
    received_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None
    reasons: str = ""
    reasons_published_at: datetime | None = None
    permit_number: str | None = None
    issued_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    suspended_at: datetime | None = None
    revoked_at: datetime | None = None
    permit_reasons: str = ""

    def state(self, now: datetime) -> PublicState:
        """In the order of `DataPermit.state`: the gravest reason that ends access is named. No answer expires."""
        if self.stage not in ISSUED or self.valid_from is None or self.valid_until is None:
            return PublicState.PENDING if self.stage is Stage.PERMIT else PublicState(self.stage.value)
        if self.revoked_at is not None:
            return PublicState.REVOKED
        if self.stage is Stage.ANSWERED:
            return PublicState.ANSWERED
        if now >= self.valid_until:
            return PublicState.EXPIRED
        if self.suspended_at is not None:
            return PublicState.SUSPENDED
        if self.stage is Stage.APPROVED:
            return PublicState.APPROVED
        return PublicState.ACTIVE if now >= self.valid_from else PublicState.PENDING


@dataclass(frozen=True)
class DecisionPublication:
    """That the access body looked at the confidential parts of a decided case, and published its reasons."""

    id: str
    case: str
    published_by: str
    published_at: datetime


@dataclass(frozen=True)
class Search:
    """What of the register is asked for; empty fields do not restrict. `after` is the number of the last entry seen."""

    after: str = ""
    most: int = 50
    state: PublicState | None = None
    purpose: Purpose | None = None
    dataset: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        if "\0" in self.after + self.dataset + self.words:
            raise InvalidInput("the search holds a character that is in no text; type it anew")


def entry_of(
    application: AccessApplication,
    organisation: tuple[str, bool],
    permit: DataPermit | None,
    redaction: Redaction,
    reasons_published_at: datetime | None,
    at: datetime,
    answered: bool | None = None,
) -> RegisterEntry | None:
    """The public entry of an application as of `at`; None for one that was never received.

    `organisation` is the applicant's name and whether it is a public body. `answered` says whether every table of an
    approved tabulation plan is; None where access was given.
    """
    if application.submitted_at is None:
        return None
    form, stage = application.form, STAGES.get(application.state.value, Stage.UNDER_ASSESSMENT)
    if stage is Stage.PERMIT and answered is not None:
        stage = Stage.ANSWERED if answered else Stage.APPROVED
    name, public_body = organisation
    return RegisterEntry(
        number=application.number,
        case=application.id,
        kind=CaseKind.REQUEST if application.kind is ApplicationKind.REQUEST else CaseKind.APPLICATION,
        stage=stage,
        applicant=name,
        public_body=public_body,
        title=redaction.field(Part.TITLE, form.title) or NOT_STATED,
        lay_summary=redaction.field(Part.LAY_SUMMARY, form.lay_summary) or NOT_STATED,
        purposes=tuple(sorted(form.purposes)),
        datasets=form.scope.datasets,
        received_at=application.submitted_at,
        updated_at=at,
        decided_at=application.decided_at,
        reasons=redaction.field(Part.REASONS, application.reasons) if reasons_published_at else "",
        reasons_published_at=reasons_published_at,
        permit_number=permit.number if permit else None,
        issued_at=permit.granted_at if permit else None,
        valid_from=permit.valid_from if permit else None,
        valid_until=permit.valid_until if permit else None,
        suspended_at=permit.suspended_at if permit else None,
        revoked_at=permit.revoked_at if permit else None,
        permit_reasons=redaction.field(Part.REASONS, _of_state(permit)) if permit and reasons_published_at else "",
    )


def _of_state(permit: DataPermit) -> str:
    """Why a permit is suspended or revoked; what was said of other changes is not of its state."""
    return permit.reasons if permit.suspended_at or permit.revoked_at else ""


def publish_by(decided_at: datetime, calendar: Calendar) -> date:
    """The last day to publish a decision with its reasons: the 30th working day after it (Art. 57(1)(j)(iii))."""
    return calendar.last_day(calendar.day_of(decided_at), BY_NAME[ClockName.PUBLISH_DECISION].length)
