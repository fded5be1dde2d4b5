"""The audit trail, the heads of the hash chains, and running numbers."""

from sqlalchemy import JSON, BigInteger, Column, Index, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("actor", String(40), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("details", JSON, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
    # the trail is read by each of these, in its order, a page at a time
    Index("ix_audit_events_actor", "actor", "seq"),
    Index("ix_audit_events_subject", "subject", "seq"),
    Index("ix_audit_events_kind", "kind", "seq"),
)

chains = Table(
    "chains",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
