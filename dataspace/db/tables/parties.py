"""Organisations, natural persons and their access tokens."""

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

organisations = Table(
    "organisations",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("public_body", Boolean, nullable=False),
    Column("kind", String(40)),
    Column("country", String(2)),
    Column("legal_id", String(64)),
    Column("size", String(20)),
    Column("trusted_until", Date),
)

persons = Table(
    "persons",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("organisation", ForeignKey("organisations.name"), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("email", String(320)),
    Column("deactivated_at", UtcDateTime),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("scopes", JSON(none_as_null=True)),
    Column("last_used_on", Date),
)
