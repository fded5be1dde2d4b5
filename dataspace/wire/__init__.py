"""JSON shapes of the API, shared by the web layer, the client and federation. Unknown fields are refused.

Amounts of privacy travel as decimal strings, never as floating-point numbers.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

STORABLE = r"^[^\x00]*$"
"""No NUL, which no database keeps; half a surrogate pair is refused of every text anyway."""
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
D = TypeVar("D", bound=date)


def near(day: D) -> D:
    """`day`, unless it is so early or late that nothing can be counted from it (ValueError)."""
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise ValueError(f"give a date from the year {EARLIEST_YEAR} to {LATEST_YEAR}")
    return day


Moment = Annotated[AwareDatetime, AfterValidator(near)]
"""A time with zone that is sent to the node: far enough from the ends of the calendar to count with."""
Day = Annotated[date, AfterValidator(near)]
"""A date that is sent to the node."""
Plain = Annotated[str, StringConstraints(pattern=STORABLE)]
"""Any text that is sent to the node and may be kept."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=STORABLE)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]
Amount = Annotated[Decimal, Field(gt=0, le=1_000_000_000, allow_inf_nan=False, max_digits=24)]
PurposeLetter = Literal["a", "b", "c", "d", "e", "f"]
"""A purpose of Art. 53(1)."""
Label = str | int | float | bool | date | None


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Shape):
    """RFC 9457 problem details; `code` is stable, `detail` is for people."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str
    code: str


class Guarantee(Shape):
    """(epsilon, delta)-differential privacy."""

    epsilon: Amount
    delta: Amount = Decimal("0.000001")


class Bounds(Shape):
    """How much one person can weigh: at most `groups` groups and `rows` rows in each."""

    groups: int = Field(ge=1, le=10_000)
    rows: int = Field(ge=1, le=10_000)


class QueryRequest(Shape):
    """SQL and one way to price it. `accuracy` is the wanted half width of the 95 % intervals.

    `purpose` is what the query serves; without it, the permit's only purpose.
    """

    sql: Plain = Field(min_length=1, max_length=65_536)
    epsilon: Amount | None = None
    rho: Amount | None = None
    accuracy: Amount | None = None
    bounds: Bounds | None = None
    purpose: PurposeLetter | None = None

    @model_validator(mode="after")
    def _one_price(self) -> "QueryRequest":
        given = [name for name in ("epsilon", "rho", "accuracy") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of epsilon, rho and accuracy")
        return self


class Estimate(Shape):
    """One released number with its 95 % interval; null where the noisy data do not determine it.

    `withheld` says that it is null because it tells about fewer persons than the permit's minimum cell size.
    """

    value: float | None
    low: float | None
    high: float | None
    withheld: bool = False


class Row(Shape):
    keys: list[Label]
    estimates: list[Estimate]


class Price(Shape):
    """What a release costs: zero-concentrated loss and delta as charged, epsilon as shown at the permit's delta."""

    rho: Decimal
    delta: Decimal
    epsilon: Decimal


class Budget(Shape):
    """A permit's privacy budget in the three ways people look at it."""

    permit_id: str
    granted: Guarantee
    limit: Price
    spent: Price
    remaining: Price
    releases: int


class QueryEstimate(Shape):
    """What a query would cost and how wide its intervals would be; asking is free."""

    price: Price
    affordable: bool
    half_widths: dict[str, float | None]
    bounds: Bounds
    groups: int | None
    notes: list[str]
    already_released: bool


class Answer(Shape):
    """A release. `repeated` says that it had been paid for before: nothing was charged this time."""

    release_id: str
    permit_id: str
    released_at: datetime
    snapshots: dict[str, str]
    output: list[str]
    key_names: list[str]
    aggregate_names: list[str]
    rows: list[Row]
    notes: list[str]
    bounds: Bounds
    charged: Price
    repeated: bool
    budget: Budget


class ColumnEntry(Shape):
    name: str
    type: str
    title: str
    description: str
    unit: str | None
    code_system: str | None
    values: dict[str, str] | None
    low: str | None
    high: str | None
    person_level: bool


class TableEntry(Shape):
    name: str
    kind: str
    title: str
    description: str
    rows_per_person: int
    groups_per_person: int
    columns: list[ColumnEntry]


class DatasetEntry(Shape):
    """A dataset that can be asked for, with its data dictionary."""

    id: str
    title: str
    holder: str
    snapshot_id: str
    tables: list[TableEntry]


class ApplicationRequest(Shape):
    """A health data access application (Art. 67(2)) in the fields a decision needs.

    `columns` are (dataset, table, column) triples; column `*` asks for the whole table. `persons` are the identifiers
    of all who are to have access; the applicant is added. `purposes` are letters of Art. 53(1), `legal_basis` one of
    Art. 6(1) GDPR.
    """

    title: Text
    purposes: list[PurposeLetter] = Field(min_length=1, max_length=6)
    columns: list[tuple[Slug, Slug, Plain]] = Field(min_length=1, max_length=5000)
    justification: Text
    lay_summary: Text
    legal_basis: Literal["a", "c", "e", "f"]
    persons: list[Plain] = Field(default=[], max_length=100)
    acting_for: Plain = Field(default="", max_length=400)
    requested: Guarantee
    valid_from: Moment
    valid_until: Moment


class ApplicationEntry(Shape):
    id: str
    number: str
    title: str
    applicant: str
    purposes: list[str]
    datasets: list[str]
    state: str
    version: int
    requested: Guarantee | None
    reasons: str
    kind: str = "access-application"


class GrantRequest(Shape):
    """The access body's decision to grant what is proposed (Art. 68); `conditions` are added to those proposed."""

    conditions: list[Text] = Field(default=[], max_length=50)
    version: int | None = Field(default=None, ge=1)


class ReasonsRequest(Shape):
    """A decision against somebody, which the law wants with reasons."""

    reasons: Text


class PermitEntry(Shape):
    id: str
    number: str
    holder: str
    persons: list[str]
    purposes: list[str]
    datasets: list[str]
    columns: list[tuple[str, str, str]]
    guarantee: Guarantee
    valid_from: datetime
    valid_until: datetime
    state: str
    conditions: list[str]


class LedgerState(Shape):
    """Whether both hash chains and every balance recompute, and the heads that were reached."""

    sound: bool
    findings: list[str]
    postings: int
    postings_hash: str
    events: int
    events_hash: str


class Posting(Shape):
    """One entry of the privacy ledger; every field but the two hashes is what its hash covers, spelled as it covers it.

    `hash` is SHA-256 over `previous`, a line feed, and the other fields as JSON: keys sorted, no spaces, ASCII.
    """

    seq: int
    at: str
    kind: str
    source: str
    target: str
    pico_rho: str
    atto_delta: str
    reference: str
    previous: str
    hash: str


class AboutPerson(Shape):
    """Names a natural person by the identifier that data holders use; errors and logs never repeat it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    identifier: Plain = Field(min_length=1, max_length=200, repr=False)


class OptOutRequest(AboutPerson):
    """A person's choice, brought by themselves or by someone acting for them; no reasons are asked (Art. 71(1)).

    `accept_partly` records it even if the identifier fails the check of some pseudonymisation domains.
    """

    channel: Literal["at-access-body", "on-behalf"] = "at-access-body"
    accept_partly: bool = False


class OptOutStatusRequest(AboutPerson):
    """`at` is the time of a permit's approval; now by default."""

    at: Moment | None = None


class OptOutChoice(Shape):
    """One choice a person made: `opt-out` or `withdrawal`."""

    number: str
    choice: str
    at: datetime
    channel: str


class OptOutReceipt(OptOutChoice):
    """What the person keeps. `not_covered` are pseudonymisation domains whose check the identifier does not pass."""

    meaning: str
    not_covered: list[str]


class OptOutStatus(Shape):
    """Whether a permit approved at `at` leaves the person out, and every choice, oldest first."""

    opted_out: bool
    at: datetime
    history: list[OptOutChoice]


class Health(Shape):
    status: Literal["ok"] = "ok"
    version: str
