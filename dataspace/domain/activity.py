"""The activity report every two years (Art. 59(1)): its period, what it is computed from, its frozen editions.

What is counted is in `figures`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from dataspace.domain.calendars import moved
from dataspace.domain.clock_rules import REPORTING_PERIOD
from dataspace.domain.errors import InvalidInput
from dataspace.domain.measures import Measure
from dataspace.domain.public_register import RegisterEntry
from dataspace.domain.results import Duty, Result

LAST_YEAR = 2999


class FactKind(StrEnum):
    """What is entered by hand, because nothing else at the node records it."""

    FINE_OF_USER = "fine-of-user"
    FINE_OF_HOLDER = "fine-of-holder"
    AUDIT_OF_USER = "audit-of-user"
    INTERNAL_AUDIT = "internal-audit-of-environment"
    THIRD_PARTY_AUDIT = "third-party-audit-of-environment"
    DATA_PROTECTION_REQUEST = "data-protection-request"
    STAKEHOLDER_MEETING = "stakeholder-meeting"
    REVENUE = "revenue"
    LABEL_ISSUED = "label-issued"


WITH_AMOUNT = frozenset({FactKind.FINE_OF_USER, FactKind.FINE_OF_HOLDER, FactKind.REVENUE})


@dataclass(frozen=True)
class Fact:
    """One fact on a day. `amount` in euro, where the kind has one; `text` is public, for a label its quality category.

    `cancels` is the identifier of a fact entered in error.
    """

    id: str
    kind: FactKind
    on: date
    amount: Decimal
    text: str
    entered_by: str
    entered_at: datetime
    cancels: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidInput("describe the fact in a few words")
        if not self.amount.is_finite() or self.amount < 0 or self.amount != round(self.amount, 2):
            raise InvalidInput("an amount is in euro, zero or more, with at most two decimals")
        if (self.kind in WITH_AMOUNT) != (self.amount > 0) and not self.cancels:
            raise InvalidInput(f"a {self.kind} {'has' if self.kind in WITH_AMOUNT else 'has no'} amount")
        if self.on > self.entered_at.date():
            raise InvalidInput("a fact is entered when it happened, not before")


@dataclass(frozen=True)
class Period:
    """From `start` until before `end`, both days in UTC."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise InvalidInput("the period ends before it begins")
        if self.end.year > LAST_YEAR:
            raise InvalidInput(f"a period ends by the year {LAST_YEAR}")

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at.astimezone(UTC).date() < self.end

    @property
    def is_two_years(self) -> bool:
        return moved(self.start, REPORTING_PERIOD) == self.end


@dataclass(frozen=True)
class Recorded:
    """What was on record at a node when the figures were computed.

    `cases` are all in the register, `results` and `facts` those that stand, `duties` (state and day) those of every
    case, `complaints` the times and subjects, `categories` the Art. 51 categories of a dataset.
    """

    cases: tuple[RegisterEntry, ...] = ()
    results: tuple[Result, ...] = ()
    facts: tuple[Fact, ...] = ()
    measures: tuple[Measure, ...] = ()
    duties: tuple[tuple[Duty, date | None], ...] = ()
    complaints: tuple[tuple[datetime, str], ...] = ()
    categories: Mapping[str, tuple[str, ...]] | None = None


ITEMS = {
    "a": "Applications and requests: applicants, permits, refusals, purposes, data, results",
    "b": "Commitments kept by users and holders, measures and fines",
    "c": "Audits of users in secure environments",
    "d": "Audits of secure environments, internal and by third parties",
    "e": "Data protection requests of natural persons",
    "f": "Work with stakeholders",
    "g": "Revenue from permits and requests",
    "h": "Average days from application or request to access",
    "i": "Labels of data quality and utility issued, by category",
    "j": "Papers, policy documents and regulatory procedures",
    "k": "Digital health products and services, also of artificial intelligence",
}
"""Art. 59(1), shortened."""


def content_bytes(content: Mapping[str, object]) -> bytes:
    """The one spelling of a report: what its SHA-256 covers."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


@dataclass(frozen=True)
class Edition:
    """A frozen report of a period; a later edition of the same one names what it supersedes, which stays."""

    id: str
    start: date
    end: date
    number: int
    content: str
    sha256: str
    frozen_by: str
    frozen_at: datetime
    supersedes: str = ""

    @property
    def sound(self) -> bool:
        return sha256(self.content.encode("ascii")).hexdigest() == self.sha256
