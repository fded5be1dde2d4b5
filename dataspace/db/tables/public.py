"""What the public sees and what follows a permit. The register is a projection; all the others are append-only."""

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, Text

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

MANDATORY = (
    "length(applicant) > 0 and length(purposes) > 0 and length(title) > 0 and length(lay_summary) > 0 and "
    "((permit_number is null) = (issued_at is null)) and ((permit_number is null) = (valid_from is null)) and "
    "((permit_number is null) = (valid_until is null))"
)
"""The five particulars of Art. 57(1)(e) are never empty: date of issue and duration from the permit on."""

register_entries = Table(
    "register_entries",
    metadata,
    Column("number", String(40), primary_key=True),
    Column("case_id", String(40), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("applicant", String(200), nullable=False),
    Column("public_body", Boolean, nullable=False),
    Column("title", Text, nullable=False),
    Column("lay_summary", Text, nullable=False),
    Column("purposes", String(20), nullable=False),
    Column("datasets", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("reasons", Text, nullable=False),
    Column("reasons_published_at", UtcDateTime),
    Column("permit_number", String(40), index=True),
    Column("issued_at", UtcDateTime),
    Column("valid_from", UtcDateTime),
    Column("valid_until", UtcDateTime),
    Column("suspended_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("permit_reasons", Text, nullable=False),
    Column("words", Text, nullable=False),
    CheckConstraint(MANDATORY, name="mandatory"),
    Index("ix_register_entries_received", "received_at", "number"),
    Index("ix_register_entries_updated", "updated_at", "number"),
)


def _records(name: str, *columns: Column[object]) -> Table:
    """An append-only table: its rows in the order of writing, each with an identifier."""
    return Table(
        name,
        metadata,
        Column("seq", Integer, primary_key=True),
        Column("id", String(40), nullable=False, unique=True),
        *columns,
    )


def _text(name: str, length: int | None = None, *, index: bool = False) -> Column[object]:
    return Column(name, String(length) if length else Text, nullable=False, index=index)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, UtcDateTime, nullable=nullable)


confidential_parts = _records(
    "confidential_parts",
    _text("case", 40, index=True),
    _text("part", 20),
    _text("ground", 30),
    _text("reason"),
    _text("declared_by", 40),
    _time("declared_at"),
    _text("passage"),
    _text("lifts", 40),
)

decision_publications = _records(
    "decision_publications", _text("case", 40, index=True), _text("published_by", 40), _time("published_at")
)

results = _records(
    "results",
    _text("case", 40, index=True),
    _text("kind", 30),
    _text("title"),
    _text("link"),
    _text("lay_summary"),
    _text("registered_by", 40),
    _time("registered_at"),
    _text("supersedes", 40),
)

publication_extensions = _records(
    "publication_extensions",
    _text("case", 40, index=True),
    _time("until"),
    _text("reason"),
    _text("granted_by", 40),
    _time("granted_at"),
)

findings = _records(
    "findings",
    _text("permit", 40, index=True),
    _text("dataset", 100, index=True),
    _text("pseudonym", 80),
    _text("text"),
    _text("reported_by", 40),
    _time("reported_at"),
)

finding_steps = _records(
    "finding_steps", _text("finding", 40, index=True), _text("state", 20), _text("taken_by", 40), _time("taken_at")
)

complaints = _records(
    "complaints",
    Column("receipt", String(40), nullable=False, unique=True),
    _text("digest", 64),
    _text("subject", 30),
    _text("case", 40),
    Column("complainants", JSON, nullable=False),
    _text("contact", 400),
    _text("text"),
    _time("received_at"),
)

complaint_steps = _records(
    "complaint_steps",
    _text("complaint", 40, index=True),
    _text("state", 20),
    _text("text"),
    _text("taken_by", 40),
    _time("taken_at"),
)

measures = _records(
    "measures",
    Column("number", String(40), nullable=False, unique=True),
    _text("kind", 20),
    _text("organisation", 200),
    _text("permit_number", 40),
    _text("reasons"),
    _text("decided_by", 40),
    _time("decided_at"),
    _time("until", nullable=True),
)

activity_facts = _records(
    "activity_facts",
    _text("kind", 40),
    Column("on", Date, nullable=False),
    _text("amount", 40),
    _text("text"),
    _text("entered_by", 40),
    _time("entered_at"),
    _text("cancels", 40),
)

report_editions = _records(
    "report_editions",
    Column("start", Date, nullable=False),
    Column("end", Date, nullable=False),
    Column("number", Integer, nullable=False),
    _text("content"),
    _text("sha256", 64),
    _text("frozen_by", 40),
    _time("frozen_at"),
    _text("supersedes", 40),
)

PUBLIC_RECORDS = (
    "confidential_parts",
    "decision_publications",
    "results",
    "publication_extensions",
    "findings",
    "finding_steps",
    "complaints",
    "complaint_steps",
    "measures",
    "activity_facts",
    "report_editions",
)
"""Append-only."""
