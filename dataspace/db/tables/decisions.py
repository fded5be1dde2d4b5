"""What the access body writes about a case: findings, proposals, steps, declared interests; and the exclusion list."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

criterion_findings = Table(
    "criterion_findings",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("criterion", String(20), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("assessor", ForeignKey("persons.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String(20), nullable=False),
    Column("body", JSON, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("by", ForeignKey("persons.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

case_steps = Table(
    "case_steps",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("step", String(20), nullable=False),
    Column("by", ForeignKey("persons.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reasons", Text, nullable=False),
)

recusals = Table(
    "recusals",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("person", ForeignKey("persons.id"), primary_key=True),
    Column("interest", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

exclusions = Table(
    "exclusions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    Column("starts", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("decided_by", ForeignKey("persons.id"), nullable=False),
)
