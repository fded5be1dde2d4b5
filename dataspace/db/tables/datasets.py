"""Datasets with their privacy capacity, and the snapshots that were published."""

from sqlalchemy import JSON, Column, ForeignKey, String, Table

from dataspace.db.tables.base import amount, metadata, within
from dataspace.db.types import UtcDateTime

datasets = Table(
    "datasets",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("title", String(500), nullable=False),
    Column("holder", ForeignKey("organisations.name"), nullable=False),
    Column("epsilon", String(40), nullable=False),
    Column("delta", String(40), nullable=False),
    *amount("capacity"),
    *amount("allocated", "0"),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("current", String(100)),
    Column("published_at", UtcDateTime),
    within("allocated_within_capacity", ("allocated",), "capacity"),
)

dataset_snapshots = Table(
    "dataset_snapshots",
    metadata,
    Column("dataset", ForeignKey("datasets.id"), primary_key=True),
    Column("snapshot", String(100), primary_key=True),
    Column("schema", JSON, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
)

dataset_preparers = Table(
    "dataset_preparers",
    metadata,
    Column("dataset", ForeignKey("datasets.id"), primary_key=True),
    Column("person", String(40), primary_key=True),
)
