"""The accounts database: persons, datasets, applications, permits, the ledger, releases, the audit trail."""

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "audit_events",
    "chains",
    "counters",
    "organisations",
    "postings",
    "datasets",
    "persons",
    "applications",
    "dataset_snapshots",
    "tokens",
    "permits",
    "allocations",
    "charges",
    "permit_persons",
    "releases",
)
"""In the order in which they refer to each other."""

APPEND_ONLY = ("charges", "releases", "postings", "audit_events", "dataset_snapshots")


def upgrade() -> None:
    for create in (
        _audit_events,
        _chains,
        _counters,
        _organisations,
        _postings,
        _datasets,
        _persons,
        _applications,
        _dataset_snapshots,
        _tokens,
        _permits,
        _allocations,
        _charges,
        _permit_persons,
        _releases,
    ):
        create()
    for table in APPEND_ONLY:
        protect(op.get_bind(), table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _amount(name: str, *, zero: bool = False) -> tuple[sa.Column[int], sa.Column[int]]:
    default = "0" if zero else None
    return (
        sa.Column(f"{name}_pico_rho", sa.BigInteger(), server_default=default, nullable=False),
        sa.Column(f"{name}_atto_delta", sa.BigInteger(), server_default=default, nullable=False),
    )


def _audit_events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_events"),
        sa.UniqueConstraint("previous", name="uq_audit_events_previous"),
    )
    op.create_index("ix_audit_events_actor", "audit_events", ["actor"])
    op.create_index("ix_audit_events_subject", "audit_events", ["subject"])


def _chains() -> None:
    op.create_table(
        "chains",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chains"),
    )


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("public_body", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_organisations"),
    )


def _postings() -> None:
    op.create_table(
        "postings",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source_kind", sa.String(length=40), nullable=False),
        sa.Column("source_dataset", sa.String(length=100), nullable=False),
        sa.Column("source_permit", sa.String(length=40), nullable=False),
        sa.Column("target_kind", sa.String(length=40), nullable=False),
        sa.Column("target_dataset", sa.String(length=100), nullable=False),
        sa.Column("target_permit", sa.String(length=40), nullable=False),
        *_amount("loss"),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_postings"),
        sa.UniqueConstraint("previous", name="uq_postings_previous"),
    )
    op.create_index("ix_postings_reference", "postings", ["reference"])


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("epsilon", sa.String(length=40), nullable=False),
        sa.Column("delta", sa.String(length=40), nullable=False),
        *_amount("capacity"),
        *_amount("allocated", zero=True),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("current", sa.String(length=100), nullable=True),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "allocated_pico_rho >= 0 and allocated_pico_rho <= capacity_pico_rho"
            " and allocated_atto_delta >= 0 and allocated_atto_delta <= capacity_atto_delta",
            name="ck_datasets_allocated_within_capacity",
        ),
        sa.ForeignKeyConstraint(["holder"], ["organisations.name"], name="fk_datasets_holder"),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
    )


def _persons() -> None:
    op.create_table(
        "persons",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["organisation"], ["organisations.name"], name="fk_persons_organisation"),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
    )


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("applicant", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("filed_at", sa.DateTime(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=True),
        sa.Column("assessor", sa.String(length=40), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decision_maker", sa.String(length=40), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["applicant"], ["persons.id"], name="fk_applications_applicant"),
        sa.ForeignKeyConstraint(["assessor"], ["persons.id"], name="fk_applications_assessor"),
        sa.ForeignKeyConstraint(["decision_maker"], ["persons.id"], name="fk_applications_decision_maker"),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
        sa.UniqueConstraint("number", name="uq_applications_number"),
    )
    op.create_index("ix_applications_applicant", "applications", ["applicant"])
    op.create_index("ix_applications_state", "applications", ["state"])


def _dataset_snapshots() -> None:
    op.create_table(
        "dataset_snapshots",
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("snapshot", sa.String(length=100), nullable=False),
        sa.Column("schema", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name="fk_dataset_snapshots_dataset"),
        sa.PrimaryKeyConstraint("dataset", "snapshot", name="pk_dataset_snapshots"),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_tokens_person"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_person", "tokens", ["person"])


def _permits() -> None:
    op.create_table(
        "permits",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("epsilon", sa.String(length=40), nullable=False),
        sa.Column("delta", sa.String(length=40), nullable=False),
        *_amount("limit"),
        *_amount("spent", zero=True),
        *_amount("returned", zero=True),
        sa.Column("valid_from", sa.DateTime(), nullable=False),
        sa.Column("valid_until", sa.DateTime(), nullable=False),
        sa.Column("granted_at", sa.DateTime(), nullable=False),
        sa.Column("granted_by", sa.String(length=40), nullable=False),
        sa.Column("suspended_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "spent_pico_rho >= 0 and returned_pico_rho >= 0 and spent_pico_rho + returned_pico_rho <= limit_pico_rho"
            " and spent_atto_delta >= 0 and returned_atto_delta >= 0"
            " and spent_atto_delta + returned_atto_delta <= limit_atto_delta",
            name="ck_permits_spent_within_limit",
        ),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name="fk_permits_application"),
        sa.ForeignKeyConstraint(["granted_by"], ["persons.id"], name="fk_permits_granted_by"),
        sa.ForeignKeyConstraint(["holder"], ["persons.id"], name="fk_permits_holder"),
        sa.PrimaryKeyConstraint("id", name="pk_permits"),
        sa.UniqueConstraint("application", name="uq_permits_application"),
        sa.UniqueConstraint("number", name="uq_permits_number"),
    )
    op.create_index("ix_permits_holder", "permits", ["holder"])


def _allocations() -> None:
    op.create_table(
        "allocations",
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("dataset", sa.String(length=100), nullable=False),
        *_amount("allocated"),
        *_amount("spent", zero=True),
        sa.CheckConstraint(
            "spent_pico_rho >= 0 and spent_pico_rho <= allocated_pico_rho"
            " and spent_atto_delta >= 0 and spent_atto_delta <= allocated_atto_delta",
            name="ck_allocations_spent_within_allocation",
        ),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name="fk_allocations_dataset"),
        sa.ForeignKeyConstraint(["permit"], ["permits.id"], name="fk_allocations_permit"),
        sa.PrimaryKeyConstraint("permit", "dataset", name="pk_allocations"),
    )
    op.create_index("ix_allocations_dataset", "allocations", ["dataset"])


def _charges() -> None:
    op.create_table(
        "charges",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("datasets", sa.JSON(), nullable=False),
        *_amount("loss"),
        sa.Column("charged_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor"], ["persons.id"], name="fk_charges_actor"),
        sa.ForeignKeyConstraint(["permit"], ["permits.id"], name="fk_charges_permit"),
        sa.PrimaryKeyConstraint("id", name="pk_charges"),
        sa.UniqueConstraint("permit", "idempotency_key", name="uq_charges_permit_idempotency_key"),
    )


def _permit_persons() -> None:
    op.create_table(
        "permit_persons",
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["permit"], ["permits.id"], name="fk_permit_persons_permit"),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_permit_persons_person"),
        sa.PrimaryKeyConstraint("permit", "person", name="pk_permit_persons"),
    )
    op.create_index("ix_permit_persons_person", "permit_persons", ["person"])


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("charge", sa.String(length=40), nullable=False),
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        *_amount("loss"),
        sa.Column("released_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["charge"], ["charges.id"], name="fk_releases_charge"),
        sa.ForeignKeyConstraint(["permit"], ["permits.id"], name="fk_releases_permit"),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.UniqueConstraint("charge", name="uq_releases_charge"),
    )
    op.create_index("ix_releases_permit", "releases", ["permit"])
    op.create_index("ix_releases_question", "releases", ["question"])
