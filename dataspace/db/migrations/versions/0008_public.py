"""The public register and what follows a permit: results, findings, complaints, measures, the activity report.

Applications that were received before are entered into the register when the node starts.
"""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RECORDS = (
    "confidential_parts",
    "decision_publications",
    "results",
    "publication_extensions",
    "findings",
    "finding_steps",
    "complaints",
    "complaint_steps",
    "measures",
    "activity_facts",
    "report_editions",
)

MANDATORY = (
    "length(applicant) > 0 and length(purposes) > 0 and length(title) > 0 and length(lay_summary) > 0 and "
    "((permit_number is null) = (issued_at is null)) and ((permit_number is null) = (valid_from is null)) and "
    "((permit_number is null) = (valid_until is null))"
)


def upgrade() -> None:
    op.create_table(
        "register_entries",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("applicant", sa.String(length=200), nullable=False),
        sa.Column("public_body", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("lay_summary", sa.Text(), nullable=False),
        sa.Column("purposes", sa.String(length=20), nullable=False),
        sa.Column("datasets", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("reasons_published_at", sa.DateTime(), nullable=True),
        sa.Column("permit_number", sa.String(length=40), nullable=True),
        sa.Column("issued_at", sa.DateTime(), nullable=True),
        sa.Column("valid_from", sa.DateTime(), nullable=True),
        sa.Column("valid_until", sa.DateTime(), nullable=True),
        sa.Column("suspended_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("permit_reasons", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(MANDATORY, name="mandatory"),
        sa.PrimaryKeyConstraint("number", name="pk_register_entries"),
        sa.UniqueConstraint("case_id", name="uq_register_entries_case_id"),
    )
    op.create_index("ix_register_entries_permit_number", "register_entries", ["permit_number"])
    op.create_index("ix_register_entries_received", "register_entries", ["received_at", "number"])
    op.create_index("ix_register_entries_updated", "register_entries", ["updated_at", "number"])
    _records(
        "confidential_parts",
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("ground", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.String(length=40), nullable=False),
        sa.Column("declared_at", sa.DateTime(), nullable=False),
        sa.Column("passage", sa.Text(), nullable=False),
        sa.Column("lifts", sa.String(length=40), nullable=False),
    )
    op.create_index("ix_confidential_parts_case", "confidential_parts", ["case"])
    _records(
        "decision_publications",
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("published_by", sa.String(length=40), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_decision_publications_case", "decision_publications", ["case"])
    _records(
        "results",
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("lay_summary", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.String(length=40), nullable=False),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("supersedes", sa.String(length=40), nullable=False),
    )
    op.create_index("ix_results_case", "results", ["case"])
    _records(
        "publication_extensions",
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.String(length=40), nullable=False),
        sa.Column("granted_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_publication_extensions_case", "publication_extensions", ["case"])
    _records(
        "findings",
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("pseudonym", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.String(length=40), nullable=False),
        sa.Column("reported_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_findings_permit", "findings", ["permit"])
    op.create_index("ix_findings_dataset", "findings", ["dataset"])
    _records(
        "finding_steps",
        sa.Column("finding", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("taken_by", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_finding_steps_finding", "finding_steps", ["finding"])
    _records(
        "complaints",
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=30), nullable=False),
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("complainants", sa.JSON(), nullable=False),
        sa.Column("contact", sa.String(length=400), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("receipt", name="uq_complaints_receipt"),
    )
    _records(
        "complaint_steps",
        sa.Column("complaint", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_complaint_steps_complaint", "complaint_steps", ["complaint"])
    _records(
        "measures",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("permit_number", sa.String(length=40), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.UniqueConstraint("number", name="uq_measures_number"),
    )
    _records(
        "activity_facts",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.String(length=40), nullable=False),
        sa.Column("entered_at", sa.DateTime(), nullable=False),
        sa.Column("cancels", sa.String(length=40), nullable=False),
    )
    _records(
        "report_editions",
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("frozen_by", sa.String(length=40), nullable=False),
        sa.Column("frozen_at", sa.DateTime(), nullable=False),
        sa.Column("supersedes", sa.String(length=40), nullable=False),
    )
    for table in RECORDS:
        protect(op.get_bind(), table)


def _records(name: str, *columns: sa.Column[object] | sa.UniqueConstraint) -> None:
    op.create_table(
        name,
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"),
        sa.UniqueConstraint("id", name=f"uq_{name}_id"),
    )


def downgrade() -> None:
    for table in (*reversed(RECORDS), "register_entries"):
        op.drop_table(table)
