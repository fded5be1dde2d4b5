"""Signing in: passwords, identities at the provider, one-time links, sessions, failed attempts."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

local_accounts = Table(
    "local_accounts",
    metadata,
    Column("login", String(200), primary_key=True),
    Column("person", ForeignKey("persons.id"), nullable=False, unique=True),
    Column("password_hash", String(300), nullable=False),
    Column("demo", Boolean, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    Column("linked_at", UtcDateTime, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    Column("login", String(200), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    Column("method", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)

throttles = Table(
    "throttles",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime),
)
