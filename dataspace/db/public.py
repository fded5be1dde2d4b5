"""What the public sees and what follows a permit: the register, and the append-only records it is fed from."""

from typing import Any

from sqlalchemy import Connection

from dataspace.db import counters
from dataspace.db.public_register import SqlPublicRegister
from dataspace.db.records import SqlRecords
from dataspace.db.tables import public as t
from dataspace.domain.activity import Edition, Fact
from dataspace.domain.complaints import Complainant, Complaint, ComplaintStep
from dataspace.domain.findings import Finding, FindingStep
from dataspace.domain.measures import Measure
from dataspace.domain.public_register import DecisionPublication
from dataspace.domain.redaction import ConfidentialPart
from dataspace.domain.results import PublicationExtension, Result
from dataspace.services.ports import AuditTrail


class SqlPublic:
    """See `dataspace.services.ports.Public`."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self.confidential = SqlRecords(connection, audit, ConfidentialPart, t.confidential_parts)
        self.publications = SqlRecords(connection, audit, DecisionPublication, t.decision_publications)
        self.register = SqlPublicRegister(connection, audit, self.confidential, self.publications)
        self.results = SqlRecords(connection, audit, Result, t.results)
        self.extensions = SqlRecords(connection, audit, PublicationExtension, t.publication_extensions)
        self.findings = SqlRecords(connection, audit, Finding, t.findings)
        self.finding_steps = SqlRecords(connection, audit, FindingStep, t.finding_steps)
        self.complaints = SqlRecords(connection, audit, Complaint, t.complaints, {"complainants": _complainants})
        self.complaint_steps = SqlRecords(connection, audit, ComplaintStep, t.complaint_steps)
        self.measures = SqlRecords(connection, audit, Measure, t.measures)
        self.facts = SqlRecords(connection, audit, Fact, t.activity_facts)
        self.editions = SqlRecords(connection, audit, Edition, t.report_editions)

    def next_number(self, series: str, year: int) -> str:
        return counters.next_number(self._connection, series, year)


def _complainants(stored: list[dict[str, Any]]) -> tuple[Complainant, ...]:
    return tuple(Complainant(**one) for one in stored)
