"""Messages to be sent, never changed; and beside each, how far it got."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

outbox_messages = Table(
    "outbox_messages",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("key", String(500), nullable=False, unique=True),
    Column("channel", String(20), nullable=False),
    Column("recipient", String(500), nullable=False),
    Column("subject", String(500), nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

outbox_deliveries = Table(
    "outbox_deliveries",
    metadata,
    Column("message", ForeignKey("outbox_messages.id"), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("worker", String(40), nullable=False),
    Column("fault", String(100), nullable=False),
    Column("sent_at", UtcDateTime),
    # while a message is being sent, the time of its next try is the end of the worker's lease
    Index("ix_outbox_deliveries_state", "state", "next_try_at"),
)
