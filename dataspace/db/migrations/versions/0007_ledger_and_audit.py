"""Requests for more budget; the audit trail can be searched, and what is old leaves it for an archive."""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import only_archived_leave, protect, unprotect

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

SEARCHED = ("actor", "subject")


def upgrade() -> None:
    _budget_requests()
    _budget_decisions()
    op.create_table(
        "audit_archives",
        sa.Column("last", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("archived_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("last", name="pk_audit_archives"),
    )
    for table in ("budget_requests", "budget_decisions", "audit_archives"):
        protect(op.get_bind(), table)
    op.drop_index("ix_audit_events_actor", "audit_events")
    op.drop_index("ix_audit_events_subject", "audit_events")
    for column in SEARCHED:
        op.create_index(f"ix_audit_events_{column}", "audit_events", [column, "seq"])
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.create_index("ix_permits_granted_at", "permits", ["granted_at", "number"])
    unprotect(op.get_bind(), "audit_events")
    only_archived_leave(op.get_bind(), "audit_events", "audit_archives")


def downgrade() -> None:
    unprotect(op.get_bind(), "audit_events")
    protect(op.get_bind(), "audit_events")
    op.drop_index("ix_permits_granted_at", "permits")
    op.drop_index("ix_audit_events_at", "audit_events")
    for column in SEARCHED:
        op.drop_index(f"ix_audit_events_{column}", "audit_events")
    op.create_index("ix_audit_events_actor", "audit_events", ["actor"])
    op.create_index("ix_audit_events_subject", "audit_events", ["subject"])
    for table in ("audit_archives", "budget_decisions", "budget_requests"):
        op.drop_table(table)


def _budget_requests() -> None:
    op.create_table(
        "budget_requests",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("limit_pico_rho", sa.BigInteger(), nullable=False),
        sa.Column("limit_atto_delta", sa.BigInteger(), nullable=False),
        sa.Column("more_pico_rho", sa.BigInteger(), nullable=False),
        sa.Column("more_atto_delta", sa.BigInteger(), nullable=False),
        sa.Column("epsilon", sa.String(length=40), nullable=False),
        sa.Column("delta", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["permit"], ["permits.id"], name="fk_budget_requests_permit"),
        sa.ForeignKeyConstraint(["asked_by"], ["persons.id"], name="fk_budget_requests_asked_by"),
        sa.PrimaryKeyConstraint("id", name="pk_budget_requests"),
        sa.UniqueConstraint("number", name="uq_budget_requests_number"),
    )
    op.create_index("ix_budget_requests_permit", "budget_requests", ["permit"])
    op.create_index("ix_budget_requests_asked_at", "budget_requests", ["asked_at"])


def _budget_decisions() -> None:
    op.create_table(
        "budget_decisions",
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["budget_requests.id"], name="fk_budget_decisions_request"),
        sa.ForeignKeyConstraint(["decided_by"], ["persons.id"], name="fk_budget_decisions_decided_by"),
        sa.PrimaryKeyConstraint("request", name="pk_budget_decisions"),
    )
