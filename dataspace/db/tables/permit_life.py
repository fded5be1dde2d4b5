"""What happens to a permit after its grant: its versions, requests for changes, the answers of a tabulation plan."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, String, Table, Text

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

permit_versions = Table(
    "permit_versions",
    metadata,
    Column("permit", ForeignKey("permits.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("body", JSON, nullable=False),
)

permit_changes = Table(
    "permit_changes",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("permit", ForeignKey("permits.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("asked_by", ForeignKey("persons.id"), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("assessor", ForeignKey("persons.id")),
    Column("favourable", Boolean),
    Column("assessment", Text, nullable=False),
    Column("decided_by", ForeignKey("persons.id")),
    Column("decided_at", UtcDateTime),
    Column("decision", Text, nullable=False),
)

tabulation_plans = Table(
    "tabulation_plans",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("plan", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

tabulation_runs = Table(
    "tabulation_runs",
    metadata,
    Column("permit", ForeignKey("permits.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("release", ForeignKey("releases.id")),
    Column("code", String(40), nullable=False),
    Column("message", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
