"""Organisations, natural persons and their access tokens."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

organisations = Table(
    "organisations",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("public_body", Boolean, nullable=False),
)

persons = Table(
    "persons",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("organisation", ForeignKey("organisations.name"), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("email", String(320)),
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
)
