"""The opt-out register (Art. 71): choices by person key, never changed, never an identifier."""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opt_outs",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("domain", sa.String(length=63), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("person_key", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_opt_outs"),
    )
    op.create_index("ix_opt_outs_person", "opt_outs", ["domain", "key_id", "person_key", "at", "seq", "choice"])
    op.create_index("ix_opt_outs_key", "opt_outs", ["domain", "key_id", "seq"])
    op.create_index("ix_opt_outs_at", "opt_outs", ["at"])
    op.create_index("ix_opt_outs_receipt", "opt_outs", ["receipt"])
    protect(op.get_bind(), "opt_outs")


def downgrade() -> None:
    op.drop_table("opt_outs")
