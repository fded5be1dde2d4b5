"""The privacy ledger: allocations, charges, the releases they paid for, and the postings."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, String, Table, Text, UniqueConstraint

from dataspace.db.tables.base import amount, metadata, within
from dataspace.db.types import UtcDateTime

allocations = Table(
    "allocations",
    metadata,
    Column("permit", ForeignKey("permits.id"), primary_key=True),
    Column("dataset", ForeignKey("datasets.id"), primary_key=True, index=True),
    *amount("allocated"),
    *amount("spent", "0"),
    within("spent_within_allocation", ("spent",), "allocated"),
)

charges = Table(
    "charges",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("permit", ForeignKey("permits.id"), nullable=False),
    Column("actor", ForeignKey("persons.id"), nullable=False),
    Column("idempotency_key", String(200), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("datasets", JSON, nullable=False),
    *amount("loss"),
    Column("charged_at", UtcDateTime, nullable=False),
    UniqueConstraint("permit", "idempotency_key"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("charge", ForeignKey("charges.id"), nullable=False, unique=True),
    Column("permit", ForeignKey("permits.id"), nullable=False, index=True),
    Column("question", String(64), nullable=False, index=True),
    *amount("loss"),
    Column("released_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("source_kind", String(40), nullable=False),
    Column("source_dataset", String(100), nullable=False),
    Column("source_permit", String(40), nullable=False),
    Column("target_kind", String(40), nullable=False),
    Column("target_dataset", String(100), nullable=False),
    Column("target_permit", String(40), nullable=False),
    *amount("loss"),
    Column("reference", String(100), nullable=False, index=True),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
)
