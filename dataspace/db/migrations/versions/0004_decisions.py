"""Decisions: findings, proposals, steps, interests, exclusions; versions and changes of permits; tabulations."""

import json

import sqlalchemy as sa
from alembic import op

from dataspace.db.append_only import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    "criterion_findings",
    "proposals",
    "case_steps",
    "recusals",
    "exclusions",
    "permit_versions",
    "permit_changes",
    "tabulation_plans",
    "tabulation_runs",
)

APPEND_ONLY = (
    "criterion_findings",
    "proposals",
    "case_steps",
    "recusals",
    "exclusions",
    "permit_versions",
    "tabulation_plans",
)

TIMES = ("valid_from", "valid_until", "granted_at", "suspended_at", "revoked_at")


def upgrade() -> None:
    for create in (
        _findings,
        _proposals,
        _case_steps,
        _recusals,
        _exclusions,
        _permit_versions,
        _permit_changes,
        _tabulation_plans,
        _tabulation_runs,
    ):
        create()
    _keep_present_versions()
    for table in APPEND_ONLY:
        protect(op.get_bind(), table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _keep_present_versions() -> None:
    """Permits granted before have the version they are in as their first readable one."""
    connection = op.get_bind()
    permits = sa.table(
        "permits",
        *(sa.column(name) for name in ("id", "number", "application", "holder", "version", "epsilon", "delta")),
        *(sa.column(name) for name in ("limit_pico_rho", "limit_atto_delta", "granted_by", "reasons")),
        sa.column("scope", sa.JSON()),
        *(sa.column(name, sa.DateTime()) for name in TIMES),
    )
    named = sa.table("permit_persons", sa.column("permit"), sa.column("person"))
    versions = sa.table(
        "permit_versions",
        *(sa.column(name) for name in ("permit", "version")),
        sa.column("at", sa.DateTime()),
        sa.column("body", sa.JSON()),
    )
    for row in connection.execute(sa.select(permits)).mappings().all():
        persons = connection.execute(
            sa.select(named.c.person).where(named.c.permit == row["id"]).order_by(named.c.person)
        ).scalars()
        times = {name: row[name].isoformat() + "+00:00" if row[name] else None for name in TIMES}
        body = {**row, **times, "persons": list(persons)}
        values = {"permit": row["id"], "version": row["version"], "at": row["granted_at"]}
        connection.execute(versions.insert().values(**values, body=json.loads(json.dumps(body))))


def _person(name: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], ["persons.id"], name=f"fk_{table}_{name}")


def _application(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["application"], ["applications.id"], name=f"fk_{table}_application")


def _permit(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["permit"], ["permits.id"], name=f"fk_{table}_permit")


def _findings() -> None:
    op.create_table(
        "criterion_findings",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("criterion", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("assessor", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        _application("criterion_findings"),
        _person("assessor", "criterion_findings"),
        sa.PrimaryKeyConstraint("application", "seq", name="pk_criterion_findings"),
    )


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        _application("proposals"),
        _person("by", "proposals"),
        sa.PrimaryKeyConstraint("application", "seq", name="pk_proposals"),
    )


def _case_steps() -> None:
    op.create_table(
        "case_steps",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        _application("case_steps"),
        _person("by", "case_steps"),
        sa.PrimaryKeyConstraint("application", "seq", name="pk_case_steps"),
    )


def _recusals() -> None:
    op.create_table(
        "recusals",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("interest", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        _application("recusals"),
        _person("person", "recusals"),
        sa.PrimaryKeyConstraint("application", "person", name="pk_recusals"),
    )


def _exclusions() -> None:
    op.create_table(
        "exclusions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("starts", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        _person("person", "exclusions"),
        _person("decided_by", "exclusions"),
        sa.PrimaryKeyConstraint("id", name="pk_exclusions"),
    )
    op.create_index("ix_exclusions_person", "exclusions", ["person"])


def _permit_versions() -> None:
    op.create_table(
        "permit_versions",
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        _permit("permit_versions"),
        sa.PrimaryKeyConstraint("permit", "version", name="pk_permit_versions"),
    )


def _permit_changes() -> None:
    op.create_table(
        "permit_changes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("assessor", sa.String(length=40)),
        sa.Column("favourable", sa.Boolean()),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=40)),
        sa.Column("decided_at", sa.DateTime()),
        sa.Column("decision", sa.Text(), nullable=False),
        _permit("permit_changes"),
        _person("asked_by", "permit_changes"),
        _person("assessor", "permit_changes"),
        _person("decided_by", "permit_changes"),
        sa.PrimaryKeyConstraint("id", name="pk_permit_changes"),
    )
    op.create_index("ix_permit_changes_permit", "permit_changes", ["permit"])


def _tabulation_plans() -> None:
    op.create_table(
        "tabulation_plans",
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        _application("tabulation_plans"),
        sa.PrimaryKeyConstraint("application", name="pk_tabulation_plans"),
    )


def _tabulation_runs() -> None:
    op.create_table(
        "tabulation_runs",
        sa.Column("permit", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("release", sa.String(length=40)),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        _permit("tabulation_runs"),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name="fk_tabulation_runs_release"),
        sa.PrimaryKeyConstraint("permit", "position", name="pk_tabulation_runs"),
    )
    op.create_index("ix_tabulation_runs_state", "tabulation_runs", ["state"])
