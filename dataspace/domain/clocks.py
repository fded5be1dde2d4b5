"""What a deadline is made of; the deadlines themselves are the table in `clock_rules`."""

from dataclasses import dataclass
from enum import StrEnum

from dataspace.domain.calendars import Length


class Subject(StrEnum):
    """What a clock is about."""

    APPLICATION = "application"
    DATA_REQUEST = "data-request"
    PERMIT = "permit"
    DATASET = "dataset"
    EXCLUSION = "exclusion"
    NODE = "node"


class Side(StrEnum):
    """Who owes, or waits; which person that is, is told by the case."""

    APPLICANT = "applicant"
    DATA_USER = "data-user"
    DATA_HOLDER = "data-holder"
    TRUSTED_HOLDER = "trusted-holder"
    ACCESS_BODY = "access-body"
    PARTY_CONCERNED = "party-concerned"
    PUBLIC = "public"
    COMMISSION_AND_BOARD = "commission-and-board"


class Sense(StrEnum):
    """What the end of the period means."""

    DUTY = "duty"  # something must have been done by then; not done, it is overdue
    LIMIT = "limit"  # something may last, or be asked for, until then
    KEEP = "keep"  # nothing may be deleted before


class ClockName(StrEnum):
    PUBLISH_APPLICATION = "publish-application"
    PUBLISH_DECISION = "publish-decision"
    PERMIT_DECISION = "permit-decision"
    PERMIT_DECISION_ACCELERATED = "permit-decision-accelerated"
    COMPLETE_APPLICATION = "complete-application"
    REQUEST_ASSESSMENT = "request-assessment"
    REQUEST_ANSWER = "request-answer"
    TRUSTED_HOLDER_PROPOSAL = "trusted-holder-proposal"
    TRUSTED_HOLDER_DECISION = "trusted-holder-decision"
    ORDER_DATA = "order-data"
    DELIVER_DATA = "deliver-data"
    PROVIDE_DATA = "provide-data"
    AGREE_FEE = "agree-fee"
    VIEWS_ON_FINDING = "views-on-finding"
    PERMIT_LENGTH = "permit-length"
    ASK_FOR_EXTENSION = "ask-for-extension"
    DELETE_SPE_DATA = "delete-spe-data"
    PUBLISH_RESULTS = "publish-results"
    EXCLUSION = "exclusion"
    KEEP_ACCESS_LOGS = "keep-access-logs"
    CHECK_DESCRIPTION = "check-description"
    ACTIVITY_REPORT = "activity-report"


@dataclass(frozen=True)
class Extension:
    """Once, by the access body, with a reason that who waits can read.

    `length` is what is added; None where the law leaves it to the decision: then a last day is chosen.
    """

    length: Length | None
    article: str


@dataclass(frozen=True)
class ClockRule:
    """One deadline. `starts`, `stops`, `ends` and `settles` are kinds of facts.

    `ends` takes the duty away without meeting it. Until `settles`, a new start begins the period again. `item` is the
    detail of the facts that tells several clocks of one subject apart. `automatic` says how the node keeps the deadline
    by itself.
    """

    name: ClockName
    article: str
    en: str
    fr: str
    subjects: frozenset[Subject]
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    length: Length
    owes: Side
    waits: Side
    ends: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    sense: Sense = Sense.DUTY
    extension: Extension | None = None
    pauses: bool = False
    accelerated: bool | None = None
    repeats: bool = False
    backwards: bool = False
    reminds: bool = True
    item: str = ""
    automatic: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.starts + self.stops + self.ends + self.settles
