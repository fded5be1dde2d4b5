"""JSON shapes of assessing, deciding, and of what happens to a permit afterwards. Fees are whole euro cents."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dataspace.wire import STORABLE, Amount, Guarantee, Moment, Plain, Row, Shape, Slug, Text

Version = Annotated[
    int | None, Field(default=None, ge=1, description="the version that was read; a stale one is refused")
]
CriterionCode = Literal["1a", "1b", "1c", "1d", "1e", "1f", "1g", "1h", "2-security", "2-regulators"]
VerdictCode = Literal["met", "not-met", "not-applicable"]
OutcomeCode = Literal["grant", "grant-in-part", "refuse", "statistical-answer"]
ActivityCode = Literal["assessment", "preparation", "environment", "support", "holder-preparation"]
Column = tuple[Slug, Slug, Plain]
PersonId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=STORABLE)]


class Verdict(Shape):
    """A verdict on one criterion of Art. 68(1) or (2), with its reason."""

    criterion: CriterionCode
    verdict: VerdictCode
    reason: Text


class FindingsRequest(Shape):
    verdicts: list[Verdict] = Field(min_length=1, max_length=10)
    version: Version = None


class FeeLine(Shape):
    """One activity; `holder` names the data holder it compensates, empty for the access body's own."""

    activity: ActivityCode
    cents: int = Field(ge=0, le=10**12)
    holder: Plain = Field(default="", max_length=400)


class FeeEstimate(Shape):
    schedule: str
    lines: list[FeeLine]
    total_cents: int
    holders_cents: int


class Terms(Shape):
    """How a permit differs from what was asked; nothing by default. Column `*` strikes a whole table.

    `min_cell` is in persons: what is of fewer is withheld. `population` is `dataset.table WHERE condition` in the query
    language, without sub-queries: only persons with such a row count, in every table; its columns need not be granted.
    """

    struck_columns: list[Column] = Field(default=[], max_length=5000)
    struck_persons: list[PersonId] = Field(default=[], max_length=100)
    purposes: list[Literal["a", "b", "c", "d", "e", "f"]] = Field(default=[], max_length=6)
    guarantee: Guarantee | None = None
    valid_until: Moment | None = None
    conditions: list[Text] = Field(default=[], max_length=50)
    min_cell: int = Field(default=0, ge=0)
    aggregates: list[Plain] = Field(default=[], max_length=50)
    population: Plain = Field(default="", max_length=4000)
    snapshot_rule: Literal["at-grant", "current"] = "at-grant"
    opt_out_exception: Plain = Field(default="", max_length=4000)
    principal_investigator: Plain = Field(default="", max_length=100)


class Tabulation(Shape):
    """One named question of a tabulation plan and its price."""

    name: Slug
    sql: Plain = Field(min_length=1, max_length=65_536)
    epsilon: Amount


class TabulationPlan(Shape):
    tabulations: list[Tabulation] = Field(min_length=1, max_length=100)


class ProposalRequest(Shape):
    """What the assessor proposes; a refusal names the criteria that fail, a statistical answer has its plan."""

    outcome: OutcomeCode
    reasons: Text
    terms: Terms = Terms()
    criteria: list[CriterionCode] = Field(default=[], max_length=10)
    fee: list[FeeLine] = Field(default=[], max_length=50)
    plan: TabulationPlan | None = None
    version: Version = None


class StepRequest(Shape):
    """An action that needs nothing but to be taken."""

    version: Version = None


class ReasonedStepRequest(StepRequest):
    reasons: Text


class DeclineRequest(StepRequest):
    reasons: Plain = Field(default="", max_length=4000)


class InterestRequest(Shape):
    interest: Text


class CaseStanding(Shape):
    """Where a case stands, for somebody who no longer takes part in it."""

    number: str
    state: str


class Proposal(Shape):
    outcome: OutcomeCode
    reasons: str
    by: str
    at: datetime
    terms: Terms
    criteria: list[CriterionCode]
    fee: FeeEstimate
    plan: TabulationPlan | None
    needs_acceptance: bool


class Offer(Shape):
    """The intended decision, as the applicant is told it."""

    outcome: OutcomeCode
    reasons: str
    terms: Terms
    criteria: list[CriterionCode]
    fee: FeeEstimate
    plan: TabulationPlan | None
    needs_acceptance: bool


class Finding(Verdict):
    article: str
    text: str
    assessor: str
    at: datetime


class CaseStep(Shape):
    step: str
    by: str
    at: datetime
    reasons: str


class CaseFile(Shape):
    """A case as officials see it; `unassessed` are criteria without a verdict."""

    id: str
    number: str
    state: str
    version: int
    findings: list[Finding]
    unassessed: list[CriterionCode]
    proposal: Proposal | None
    steps: list[CaseStep]


class AmendmentRequest(Shape):
    """What is to change in a permit; `conditions` replaces all of them, null leaves them."""

    columns: list[Column] = Field(default=[], max_length=5000)
    persons: list[PersonId] = Field(default=[], max_length=100)
    persons_leaving: list[PersonId] = Field(default=[], max_length=100)
    conditions: list[Text] | None = Field(default=None, max_length=50)
    reasons: Text


class ExtensionRequest(Shape):
    valid_until: Moment
    reasons: Text


class ChangeProposalRequest(ReasonedStepRequest):
    favourable: bool


class PermitChange(Shape):
    id: str
    permit_id: str
    kind: Literal["amendment", "extension"]
    state: str
    version: int
    columns: list[Column]
    persons: list[str]
    persons_leaving: list[str]
    conditions: list[str] | None
    valid_until: datetime | None
    reasons: str
    asked_at: datetime
    favourable: bool | None
    assessment: str
    decided_at: datetime | None
    decision: str


class PermitVersion(Shape):
    """A permit as one decision left it; `contents` are the letters (a) to (h) of Art. 68(10)."""

    version: int
    at: datetime
    reasons: str
    persons: list[str]
    columns: list[Column]
    conditions: list[str]
    valid_from: datetime
    valid_until: datetime
    granted_at: datetime
    min_cell: int
    aggregates: list[str]
    population: str
    suspended: bool
    revoked: bool
    contents: dict[str, str]


class TabulationAnswer(Shape):
    """One tabulation under an approval: `waiting`, `answered` with its rows, or `failed` with the reason."""

    name: str
    sql: str
    epsilon: Decimal
    state: Literal["waiting", "answered", "failed"]
    attempts: int
    code: str
    message: str
    release_id: str | None
    key_names: list[str]
    aggregate_names: list[str]
    rows: list[Row]
    notes: list[str]


class ExclusionRequest(Shape):
    person: PersonId
    until: Moment
    reasons: Text


class Exclusion(Shape):
    id: str
    person: str
    starts: datetime
    until: datetime
    reasons: str
    decided_by: str
    in_force: bool
