"""Requests for more budget under a permit, and what was decided on them; neither is ever changed."""

from sqlalchemy import Boolean, Column, ForeignKey, String, Table, Text

from dataspace.db.tables.base import amount, metadata
from dataspace.db.types import UtcDateTime

budget_requests = Table(
    "budget_requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("permit", ForeignKey("permits.id"), nullable=False, index=True),
    Column("asked_by", ForeignKey("persons.id"), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
    Column("reasons", Text, nullable=False),
    *amount("limit"),
    *amount("more"),
    Column("epsilon", String(40), nullable=False),
    Column("delta", String(40), nullable=False),
)

budget_decisions = Table(
    "budget_decisions",
    metadata,
    Column("request", ForeignKey("budget_requests.id"), primary_key=True),
    Column("decided_by", ForeignKey("persons.id"), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("reasons", Text, nullable=False),
)
