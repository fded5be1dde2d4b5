"""Data permits and the persons named in them."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from dataspace.db.tables.base import amount, metadata, within
from dataspace.db.types import UtcDateTime

permits = Table(
    "permits",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("application", ForeignKey("applications.id"), nullable=False, unique=True),
    Column("holder", ForeignKey("persons.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("epsilon", String(40), nullable=False),
    Column("delta", String(40), nullable=False),
    *amount("limit"),
    *amount("spent", "0"),
    *amount("returned", "0"),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_until", UtcDateTime, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("granted_by", ForeignKey("persons.id"), nullable=False),
    Column("suspended_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("reasons", Text, nullable=False),
    # the order in which lists of permits are read, a page at a time
    Index("ix_permits_granted_at", "granted_at", "number"),
    within("spent_within_limit", ("spent", "returned"), "limit"),
)

permit_persons = Table(
    "permit_persons",
    metadata,
    Column("permit", ForeignKey("permits.id"), primary_key=True),
    Column("person", ForeignKey("persons.id"), primary_key=True, index=True),
)
