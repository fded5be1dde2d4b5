"""Results of a project and the duty to publish them within 18 months (Art. 61(4))."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from dataspace.domain.calendars import Calendar
from dataspace.domain.clock_rules import BY_NAME, EXTENDED
from dataspace.domain.clock_states import Fact
from dataspace.domain.clocks import ClockName
from dataspace.domain.errors import InvalidInput
from dataspace.domain.public_register import RegisterEntry, Stage

RULE = BY_NAME[ClockName.PUBLISH_RESULTS]

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
        # what stands before an @ looks like the host and is none
        if (
            address.scheme != "https"
            or not address.hostname
            or "@" in address.netloc
            or set(self.link) & set(' "<>\\^`{|}\n\r\t')
        ):
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


def results_due(ended_at: datetime, calendar: Calendar) -> date:
    """The last day to publish results: 18 months after processing ended or the request was answered (Art. 61(4))."""
    return calendar.last_day(calendar.day_of(ended_at), RULE.length)


@dataclass(frozen=True)
class Publication:
    """How far the publication of a case's results is.

    `ended_at` is when processing ended, None before, `until` the latest extension.
    """

    ended_at: datetime | None = None
    until: date | None = None
    published: bool = False


def publication_of(
    facts: Iterable[Fact], results: Collection[Result], extensions: Iterable[PublicationExtension], calendar: Calendar
) -> Publication:
    """What is on record: in the register for good, and in the audit trail as long as that is kept."""
    known = tuple(facts)
    until = [date.fromisoformat(f.details["until"]) for f in known if _extends(f)]
    until += [calendar.day_of(extension.until) for extension in extensions]
    return Publication(
        min((fact.at for fact in known if fact.kind in RULE.starts), default=None),
        max(until, default=None),
        bool(results) or any(fact.kind in RULE.stops for fact in known),
    )


def end_of(entry: RegisterEntry, so_far: Publication) -> datetime | None:
    """When processing ended or will end: as the user said, or with the permit, or with the answer to a request."""
    if entry.stage is Stage.ANSWERED:
        return so_far.ended_at or entry.decided_at
    access = entry.revoked_at or entry.valid_until
    return min((at for at in (so_far.ended_at, access) if at is not None), default=None)


def _extends(fact: Fact) -> bool:
    return fact.kind == EXTENDED and fact.details.get("clock") == RULE.name and "until" in fact.details


def duty(entry: RegisterEntry, so_far: Publication, now: datetime, calendar: Calendar) -> tuple[Duty, date | None]:
    """How the duty stands and its last day, None where there is none; as the clock of Art. 61(4) counts it."""
    ended = end_of(entry, so_far)
    if ended is None:
        return (Duty.MET if so_far.published else Duty.NOT_YET), None
    due = max(results_due(ended, calendar), so_far.until or date.min)
    if so_far.published:
        return Duty.MET, due
    if now < ended:
        return Duty.NOT_YET, due
    if now >= calendar.over(due):
        return Duty.OVERDUE, due
    return (Duty.EXTENDED if so_far.until else Duty.DUE), due


def acknowledgement(permit_number: str, datasets: tuple[str, ...]) -> str:
    """The text that a publication carries (Art. 61(4)): the sources and the European Health Data Space."""
    return (
        f"This work used the electronic health data {', '.join(datasets)}, made available for secondary use under"
        f" {permit_number} within the European Health Data Space (Regulation (EU) 2025/327)."
    )
