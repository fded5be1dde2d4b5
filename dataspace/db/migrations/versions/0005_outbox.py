"""Addresses of persons, messages to be sent, and finding the events that clocks are derived from."""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("persons", sa.Column("email", sa.String(length=320), nullable=True))
    op.create_index("ix_audit_events_kind", "audit_events", ["kind", "seq"])
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_messages"),
        sa.UniqueConstraint("key", name="uq_outbox_messages_key"),
    )
    op.create_table(
        "outbox_deliveries",
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(), nullable=False),
        sa.Column("worker", sa.String(length=40), nullable=False),
        sa.Column("fault", sa.String(length=100), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("message", name="pk_outbox_deliveries"),
        sa.ForeignKeyConstraint(
            ["message"], ["outbox_messages.id"], name="fk_outbox_deliveries_message_outbox_messages"
        ),
    )
    op.create_index("ix_outbox_deliveries_state", "outbox_deliveries", ["state", "next_try_at"])
    protect(op.get_bind(), "outbox_messages")


def downgrade() -> None:
    op.drop_table("outbox_deliveries")
    op.drop_table("outbox_messages")
    op.drop_index("ix_audit_events_kind", "audit_events")
    op.drop_column("persons", "email")
