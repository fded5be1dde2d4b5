"""Kinds of organisations, deactivated persons, scopes of tokens; passwords, identities, sessions, failed attempts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ADDED: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "organisations": {
        "kind": sa.String(length=40),
        "country": sa.String(length=2),
        "legal_id": sa.String(length=64),
        "size": sa.String(length=20),
        "trusted_until": sa.Date(),
    },
    "persons": {"deactivated_at": sa.DateTime()},
    "tokens": {"scopes": sa.JSON(), "last_used_on": sa.Date()},
}


def upgrade() -> None:
    for table, columns in _ADDED.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))
    op.create_table(
        "local_accounts",
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_local_accounts_person_persons"),
        sa.PrimaryKeyConstraint("login", name="pk_local_accounts"),
        sa.UniqueConstraint("person", name="uq_local_accounts_person"),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_identities_person_persons"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identities"),
    )
    op.create_table(
        "invitations",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime()),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_invitations_person_persons"),
        sa.PrimaryKeyConstraint("digest", name="pk_invitations"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime()),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_sessions_person_persons"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("digest", name="uq_sessions_digest"),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.Column("blocked_until", sa.DateTime()),
        sa.PrimaryKeyConstraint("key", name="pk_throttles"),
    )
    for table in ("identities", "invitations", "sessions"):
        op.create_index(f"ix_{table}_person", table, ["person"])


def downgrade() -> None:
    for table in ("throttles", "sessions", "invitations", "identities", "local_accounts"):
        op.drop_table(table)
    for table, columns in _ADDED.items():
        for name in columns:
            op.drop_column(table, name)
