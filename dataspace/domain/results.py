"""Results of a project and the duty to publish them within 18 months (Art. 61(4))."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from dataspace.domain.errors import InvalidInput
from dataspace.domain.public_register import RegisterEntry, Stage

MONTHS_TO_PUBLISH = 18
"""From the end of processing, or from the answer to a request (Art. 61(4))."""

DOI = "https://doi.org/"


class ResultKind(StrEnum):
    """Kinds that Art. 59(1)(j) and (k) count."""

    PAPER = "paper"
    POLICY_DOCUMENT = "policy-document"
    REGULATORY_PROCEDURE = "regulatory-procedure"
    PRODUCT_OR_SERVICE = "product-or-service"
    ALGORITHM = "algorithm"


class Duty(StrEnum):
    """How the duty to publish stands."""

    NOT_YET = "not-yet"  # access has not ended
    DUE = "due"
    EXTENDED = "extended"
    OVERDUE = "overdue"
    MET = "met"


@dataclass(frozen=True)
class Result:
    """What a user published; anonymous by their declaration. `supersedes` is the result that this one corrects."""

    id: str
    case: str
    kind: ResultKind
    title: str
    link: str
    lay_summary: str
    registered_by: str
    registered_at: datetime
    supersedes: str = ""

    def __post_init__(self) -> None:
        if not (self.title.strip() and self.lay_summary.strip()):
            raise InvalidInput("a result has a title and a summary for the public (Art. 61(4))")
        address = urlsplit(self.link)
        if address.scheme != "https" or not address.hostname or set(self.link) & set(' "<>\\^`{|}\n\r\t'):
            raise InvalidInput("link to the result with an https:// address, or give its DOI (10.…)")


@dataclass(frozen=True)
class PublicationExtension:
    """More time to publish, given by the access body with its reason (Art. 61(4))."""

    id: str
    case: str
    until: datetime
    reason: str
    granted_by: str
    granted_at: datetime


def link_of(text: str) -> str:
    """An address as it is; a DOI, however it is written, as the address of its resolver."""
    bare = text.strip()
    for prefix in ("doi:", "https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/"):
        if bare.lower().startswith(prefix):
            bare = bare[len(prefix) :].strip()
    return DOI + bare if bare.startswith("10.") and "/" in bare else bare


def add_months(day: date, months: int) -> date:
    """The same day of a later month; its last day, where that month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def end_of_access(entry: RegisterEntry) -> datetime | None:
    """When processing ended or will end: revocation or expiry of the permit, or the answer to a request."""
    if entry.stage is Stage.ANSWERED:
        return entry.decided_at
    return entry.revoked_at or entry.valid_until


def results_due(ended_at: datetime) -> date:
    """The last day to publish results (Art. 61(4))."""
    return add_months(ended_at.date(), MONTHS_TO_PUBLISH)


def duty(entry: RegisterEntry, until: date | None, published: bool, now: datetime) -> tuple[Duty, date | None]:
    """How the duty stands and its day, None where there is none; `until` is the latest extension."""
    ended = end_of_access(entry)
    if ended is None:
        return (Duty.MET if published else Duty.NOT_YET), None
    due = max(results_due(ended), until or date.min)
    if published:
        return Duty.MET, due
    if now < ended:
        return Duty.NOT_YET, due
    if now.date() > due:
        return Duty.OVERDUE, due
    return (Duty.EXTENDED if until and until > results_due(ended) else Duty.DUE), due


def acknowledgement(permit_number: str, datasets: tuple[str, ...]) -> str:
    """The text that a publication carries (Art. 61(4)): the sources and the European Health Data Space."""
    return (
        f"This work used the electronic health data {', '.join(datasets)}, made available for secondary use under"
        f" {permit_number} within the European Health Data Space (Regulation (EU) 2025/327)."
    )
