"""What of an application was submitted and returned, its files, and who is named in it."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

application_persons = Table(
    "application_persons",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    # a draft may name whoever it likes; they are checked when it is submitted
    Column("person", String(100), primary_key=True, index=True),
)

application_editions = Table(
    "application_editions",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("form", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("submitted_by", String(40), nullable=False),
)

application_returns = Table(
    "application_returns",
    metadata,
    Column("application", ForeignKey("applications.id"), primary_key=True),
    Column("edition", Integer, primary_key=True, autoincrement=False),
    Column("missing", JSON, nullable=False),
    Column("returned_at", UtcDateTime, nullable=False),
    Column("returned_by", String(40), nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("application", ForeignKey("applications.id"), nullable=False, index=True),
    Column("field", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", String(40), nullable=False),
)
