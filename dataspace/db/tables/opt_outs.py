"""The opt-out register."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from dataspace.db.tables.base import metadata
from dataspace.db.types import UtcDateTime

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("domain", String(63), nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("person_key", BigInteger, nullable=False),
    Column("choice", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("channel", String(20), nullable=False),
    Column("receipt", String(40), nullable=False, index=True),
    # holds all that is read of a whole domain, in the order in which it is read
    Index("ix_opt_outs_person", "domain", "key_id", "person_key", "at", "seq", "choice"),
    Index("ix_opt_outs_key", "domain", "key_id", "seq"),
)
