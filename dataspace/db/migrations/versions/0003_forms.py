"""Forms: kinds of application, other answers, what was submitted and returned, attachments, faster lists."""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("application_editions", "application_returns")
NEW_COLUMNS = ("kind", "answers", "reworked", "completed_at", "returned_at")


def upgrade() -> None:
    _columns()
    _persons()
    _editions()
    _returns()
    _attachments()
    _fill()
    for table in APPEND_ONLY:
        protect(op.get_bind(), table)


def downgrade() -> None:
    """States that were not known before become the nearest that were."""
    op.execute("update applications set state = 'submitted' where state = 'incomplete'")
    op.execute("update applications set state = 'withdrawn' where state = 'lapsed'")
    op.drop_table("attachments")
    op.drop_table("application_returns")
    op.drop_table("application_editions")
    op.drop_table("application_persons")
    for index in ("listed", "state_listed", "applicant_listed"):
        op.drop_index(f"ix_applications_{index}", "applications")
    for column in NEW_COLUMNS:
        op.drop_column("applications", column)
    op.create_index("ix_applications_state", "applications", ["state"])
    op.create_index("ix_applications_applicant", "applications", ["applicant"])


def _columns() -> None:
    kind = sa.Column("kind", sa.String(length=40), server_default="access-application", nullable=False)
    op.add_column("applications", kind)
    op.add_column("applications", sa.Column("answers", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("applications", sa.Column("reworked", sa.JSON(), nullable=True))
    op.add_column("applications", sa.Column("completed_at", sa.DateTime(), nullable=True))
    op.add_column("applications", sa.Column("returned_at", sa.DateTime(), nullable=True))
    op.drop_index("ix_applications_state", "applications")
    op.drop_index("ix_applications_applicant", "applications")
    op.create_index("ix_applications_listed", "applications", ["filed_at", "number"])
    op.create_index("ix_applications_state_listed", "applications", ["state", "filed_at", "number"])
    op.create_index("ix_applications_applicant_listed", "applications", ["applicant", "filed_at", "number"])


def _persons() -> None:
    op.create_table(
        "application_persons",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["applications.id"], name="fk_application_persons_application"
        ),
        sa.PrimaryKeyConstraint("application", "person", name="pk_application_persons"),
    )  # fmt: skip
    op.create_index("ix_application_persons_person", "application_persons", ["person"])


def _editions() -> None:
    op.create_table(
        "application_editions",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=False),
        sa.Column("submitted_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name="fk_application_editions_application"),
        sa.PrimaryKeyConstraint("application", "number", name="pk_application_editions"),
    )


def _returns() -> None:
    op.create_table(
        "application_returns",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("edition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("returned_at", sa.DateTime(), nullable=False),
        sa.Column("returned_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name="fk_application_returns_application"),
        sa.PrimaryKeyConstraint("application", "edition", name="pk_application_returns"),
    )


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("added_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name="fk_attachments_application"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_application", "attachments", ["application"])


def _fill() -> None:
    """Applications from before: who they name, and what was submitted as their first edition."""
    connection = op.get_bind()
    known = sa.table(
        "applications",
        *(sa.column(name, sa.String()) for name in ("id", "applicant")),
        sa.column("form", sa.JSON()),
        *(sa.column(name, sa.DateTime()) for name in ("submitted_at", "completed_at")),
    )
    persons = sa.table("application_persons", sa.column("application"), sa.column("person"))
    editions = sa.table(
        "application_editions",
        *(sa.column(name) for name in ("application", "number", "submitted_by")),
        *(sa.column(name, sa.JSON()) for name in ("form", "answers")),
        sa.column("submitted_at", sa.DateTime()),
    )
    connection.execute(sa.update(known).values(completed_at=known.c.submitted_at))
    for row in connection.execute(sa.select(known)).all():
        named = [{"application": row.id, "person": person} for person in row.form["persons"]]
        if named:
            connection.execute(sa.insert(persons), named)
        if row.submitted_at is not None:
            connection.execute(
                sa.insert(editions).values(
                    application=row.id,
                    number=1,
                    form=row.form,
                    answers={},
                    submitted_at=row.submitted_at,
                    submitted_by=row.applicant,
                )
            )
