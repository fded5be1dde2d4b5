"""What applicants file."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

applications = Table(
    "applications",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("applicant", ForeignKey("persons.id"), nullable=False),
    Column("state", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("form", JSON, nullable=False),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("submitted_at", UtcDateTime),
    Column("assessor", ForeignKey("persons.id")),
    Column("decided_at", UtcDateTime),
    Column("decision_maker", ForeignKey("persons.id")),
    Column("reasons", Text, nullable=False),
    Column("kind", String(40), nullable=False, server_default="access-application"),
    Column("answers", JSON, nullable=False, server_default="{}"),
    Column("reworked", JSON(none_as_null=True)),
    Column("completed_at", UtcDateTime),
    Column("returned_at", UtcDateTime),
    # each holds a list in the order in which it is shown
    Index("ix_applications_listed", "filed_at", "number"),
    Index("ix_applications_state_listed", "state", "filed_at", "number"),
    Index("ix_applications_applicant_listed", "applicant", "filed_at", "number"),
)
