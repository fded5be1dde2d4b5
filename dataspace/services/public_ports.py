"""What the services need for the public register and what follows a permit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from dataspace.domain.activity import Edition, Fact
from dataspace.domain.complaints import Complaint, ComplaintStep
from dataspace.domain.events import AuditEvent
from dataspace.domain.findings import Finding as ReportedFinding
from dataspace.domain.findings import FindingStep
from dataspace.domain.measures import Measure
from dataspace.domain.public_register import DecisionPublication, RegisterEntry, Search
from dataspace.domain.redaction import ConfidentialPart, Redaction
from dataspace.domain.results import PublicationExtension, Result

R = TypeVar("R")


class Records(Protocol[R]):
    """Append-only records of one kind."""

    def add(self, record: R, event: AuditEvent) -> None: ...
    def get(self, record_id: str) -> R: ...
    def where(self, **named: object) -> list[R]:
        """Those whose fields have these values, or one of a list; oldest first; all, if none is named."""
        ...


class PublicRegister(Protocol):
    """The register's entries: confidential parts are replaced before they come here.

    Entries of applications follow every committed change by themselves; other cases (`CaseKind.REQUEST`) are `put`.
    """

    def refresh(self, application_id: str, at: datetime) -> None:
        """Write the entry of an application anew."""
        ...

    def redactions(self, cases: Iterable[str]) -> dict[str, Redaction]:
        """What to leave out of texts on each case."""
        ...

    def put(self, entry: RegisterEntry) -> None: ...
    def get(self, number: str) -> RegisterEntry:
        """By number of the case or of its permit, or by its identifier."""
        ...

    def search(self, asked: Search, now: datetime) -> tuple[list[RegisterEntry], int]:
        """One page of what fits, newest receipt first, and how many fit in all."""
        ...

    def latest(self, most: int) -> list[RegisterEntry]:
        """By last change, newest first."""
        ...

    def all(self) -> list[RegisterEntry]: ...
    def cases_of(self, permit_numbers: Iterable[str]) -> dict[str, str]:
        """The case of each permit, by the permit's number."""
        ...

    def unpublished(self, after: str, most: int) -> list[RegisterEntry]:
        """Decided cases whose reasons are not published yet, the oldest decision first.

        At most `most`, from the one that follows number `after` on; the same holds for `ended`.
        """
        ...

    def ended(self, now: datetime, after: str, most: int) -> list[RegisterEntry]:
        """Cases whose access or processing has ended, the oldest receipt first."""
        ...

    def missing(self) -> list[str]:
        """Applications that were received and have no entry."""
        ...


class Public(Protocol):
    """What the public sees and what follows a permit."""

    @property
    def register(self) -> PublicRegister: ...
    @property
    def confidential(self) -> Records[ConfidentialPart]: ...
    @property
    def publications(self) -> Records[DecisionPublication]: ...
    @property
    def results(self) -> Records[Result]: ...
    @property
    def extensions(self) -> Records[PublicationExtension]: ...
    @property
    def findings(self) -> Records[ReportedFinding]: ...
    @property
    def finding_steps(self) -> Records[FindingStep]: ...
    @property
    def complaints(self) -> Records[Complaint]: ...
    @property
    def complaint_steps(self) -> Records[ComplaintStep]: ...
    @property
    def measures(self) -> Records[Measure]: ...
    @property
    def facts(self) -> Records[Fact]: ...
    @property
    def editions(self) -> Records[Edition]: ...
    def next_number(self, series: str, year: int) -> str: ...
