"""What applicants file."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

applications = Table(
    "applications",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("applicant", ForeignKey("persons.id"), nullable=False, index=True),
    Column("state", String(40), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("form", JSON, nullable=False),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("submitted_at", UtcDateTime),
    Column("assessor", ForeignKey("persons.id")),
    Column("decided_at", UtcDateTime),
    Column("decision_maker", ForeignKey("persons.id")),
    Column("reasons", Text, nullable=False),
)
