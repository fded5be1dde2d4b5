"""JSON shapes of what the public sees and of what follows a permit."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from dataspace.wire import STORABLE, Day, Moment, Plain, Shape, Text

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=STORABLE)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=STORABLE)]
ResultKind = Literal["paper", "policy-document", "regulatory-procedure", "product-or-service", "algorithm"]
Part = Literal["title", "lay-summary", "reasons", "passage"]
Ground = Literal["trade-secret", "intellectual-property", "personal-data", "security"]
Subject = Literal["application", "permit", "data-holder", "protected-data", "access-body", "rights", "opt-out", "other"]
MeasureKind = Literal["warning", "suspension", "revocation", "exclusion"]
FactKind = Literal[
    "fine-of-user",
    "fine-of-holder",
    "audit-of-user",
    "internal-audit-of-environment",
    "third-party-audit-of-environment",
    "data-protection-request",
    "stakeholder-meeting",
    "revenue",
    "label-issued",
]


class Purpose(Shape):
    """A purpose of Art. 53(1): its letter, and what it says."""

    letter: str
    text: str


class ResultEntry(Shape):
    """What a user published (Art. 61(4)). `link` is empty where it is withheld."""

    id: str
    kind: str
    title: str
    link: str
    lay_summary: str
    registered_at: datetime


class RegisterEntry(Shape):
    """A case as the public sees it (Art. 57(1)(e), (j)); `[withheld: …]` stands for what is confidential.

    `publish_by` is the last day to publish the decision with its reasons; `results_duty` and `results_due` are of the
    duty to publish results, given for a single entry.
    """

    number: str
    url: str
    kind: str
    state: str
    applicant: str
    public_body: bool
    title: str
    lay_summary: str
    purposes: list[Purpose]
    datasets: list[str]
    received_at: datetime
    updated_at: datetime
    decided_at: datetime | None
    publish_by: date | None
    reasons: str
    reasons_published_at: datetime | None
    permit_number: str | None
    issued_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    permit_reasons: str
    results: list[ResultEntry]
    results_duty: str | None
    results_due: date | None


class RegisterPage(Shape):
    """Entries that fit, newest receipt first; `next` is what to give as `after` for the next page, null on the last."""

    total: int
    next: str | None
    entries: list[RegisterEntry]


class ConfidentialRequest(Shape):
    """Names a part of a case confidential. `reason` is for the access body; the ground is published."""

    part: Part
    ground: Ground
    reason: Text
    passage: Plain = Field(default="", max_length=2000)


class ConfidentialEntry(Shape):
    id: str
    part: str
    ground: str
    reason: str
    passage: str
    declared_at: datetime
    lifts: str


class UnpublishedDecision(Shape):
    """A decision whose reasons wait for publication."""

    entry: RegisterEntry
    overdue: bool


class ResultRequest(Shape):
    """A result; `link` is an https address or a DOI. `supersedes` names the result that it corrects."""

    kind: ResultKind
    title: Title
    link: Plain = Field(min_length=1, max_length=500)
    lay_summary: Text
    supersedes: Plain = Field(default="", max_length=40)


class ResultRegistered(Shape):
    """`acknowledgement` is the text that the publication carries (Art. 61(4))."""

    result: ResultEntry
    acknowledgement: str


class ExtensionRequest(Shape):
    until: Moment
    reason: Text


class DutyEntry(Shape):
    """How a duty to publish results stands."""

    number: str
    applicant: str
    state: str
    due: date | None


class FindingRequest(Shape):
    """A significant finding, by pseudonym alone: no name, address, number or date of birth (Art. 61(5))."""

    model_config = ConfigDict(hide_input_in_errors=True)

    dataset: Plain = Field(max_length=100)
    pseudonym: Plain = Field(max_length=80, repr=False)
    text: Text = Field(repr=False)


class FindingMove(Shape):
    state: Literal["forwarded", "person-told", "clinician-told", "not-to-be-told"]


class StepEntry(Shape):
    state: str
    at: datetime
    text: str = ""


class FindingEntry(Shape):
    id: str
    dataset: str
    pseudonym: str
    text: str
    state: str
    steps: list[StepEntry]


class ComplainantEntry(Shape):
    name: Name
    legal_person: bool = False


class ComplaintRequest(Shape):
    """A complaint (Art. 81), by one or several natural or legal persons; `case` is a number of the register, if any."""

    model_config = ConfigDict(hide_input_in_errors=True)

    subject: Subject
    complainants: list[ComplainantEntry] = Field(min_length=1, max_length=50, repr=False)
    text: Text = Field(repr=False)
    contact: Plain = Field(default="", max_length=400, repr=False)
    case: Plain = Field(default="", max_length=40)


class ComplaintReceipt(Shape):
    """Keep both: they are the only way to follow the complaint, and the secret is not told again."""

    receipt: str
    secret: str
    state: str


class ComplaintKey(Shape):
    model_config = ConfigDict(hide_input_in_errors=True)

    receipt: Plain = Field(max_length=60)
    secret: Plain = Field(max_length=100, repr=False)


class ComplaintProgress(Shape):
    receipt: str
    subject: str
    case: str
    received_at: datetime
    state: str
    steps: list[StepEntry]


class ComplaintEntry(ComplaintProgress):
    """As those see it who handle it."""

    complainants: list[ComplainantEntry]
    contact: str
    text: str


class ComplaintMove(Shape):
    """`text` is what the complainants read; for a decision, its reasons."""

    state: Literal["under-examination", "upheld", "partly-upheld", "rejected"]
    text: Text


class MeasureRequest(Shape):
    kind: MeasureKind
    organisation: Name
    reasons: Text
    permit_number: Plain = Field(default="", max_length=40)
    until: Moment | None = None


class MeasureEntry(Shape):
    """A measure of non-compliance, with its reasons (Art. 57(1)(j)(iv))."""

    number: str
    kind: str
    organisation: str
    permit_number: str
    reasons: str
    decided_at: datetime
    until: datetime | None


class FactRequest(Shape):
    """Something for the activity report that nothing at the node records; `amount` in euro."""

    kind: FactKind
    on: Day
    text: Title
    amount: Decimal = Field(default=Decimal(0), ge=0, max_digits=14, decimal_places=2)


class FactEntry(FactRequest):
    id: str
    cancels: str


class PeriodRequest(Shape):
    """From a day until before a day."""

    start: Day
    end: Day


class EditionEntry(Shape):
    """A frozen report. `content` is the text that `sha256` is of; `supersedes` the edition that it replaces."""

    id: str
    number: int
    start: date
    end: date
    sha256: str
    frozen_at: datetime
    supersedes: str
    content: str
