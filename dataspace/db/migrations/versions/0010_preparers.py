"""Who prepared which dataset (Art. 55(3)), also once the trail that tells it is archived."""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect, unprotect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_preparers",
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name="fk_dataset_preparers_dataset_datasets"),
        sa.PrimaryKeyConstraint("dataset", "person", name="pk_dataset_preparers"),
    )
    op.execute(
        "insert into dataset_preparers (dataset, person) select distinct d.id, e.actor from audit_events e"
        " join datasets d on d.id = e.subject where e.kind in ('dataset-registered', 'snapshot-published')"
    )
    # written anew when the node starts: approvals stood there as permits
    op.execute("delete from register_entries where case_id in (select application from tabulation_plans)")
    protect(op.get_bind(), "dataset_preparers")


def downgrade() -> None:
    unprotect(op.get_bind(), "dataset_preparers")
    op.drop_table("dataset_preparers")
