"""Parts of the audit trail that were moved to files after their retention; the list itself never shrinks."""

from sqlalchemy import BigInteger, Column, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

audit_archives = Table(
    "audit_archives",
    metadata,
    Column("last", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("last_hash", String(64), nullable=False),
    Column("file", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("archived_at", UtcDateTime, nullable=False),
)
