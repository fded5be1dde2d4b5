"""The tables of the accounts database. A change here needs a migration; a test compares the two.

Amounts of privacy loss are whole quanta (`dataspace.domain.privacy`), two columns each. The checks are the last line:
whatever the code above does, no permit spends and no dataset allocates beyond its limit.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from dataspace.db.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

APPEND_ONLY = ("charges", "releases", "postings", "audit_events", "dataset_snapshots", "opt_outs")
"""Tables whose rows triggers protect from update and delete."""


def amount(name: str, default: str | None = None) -> tuple[Column[int], Column[int]]:
    """A privacy loss: `<name>_pico_rho` and `<name>_atto_delta`."""
    return (
        Column(f"{name}_pico_rho", BigInteger, nullable=False, server_default=default),
        Column(f"{name}_atto_delta", BigInteger, nullable=False, server_default=default),
    )


def within(name: str, parts: tuple[str, ...], limit: str) -> CheckConstraint:
    """Both quanta of the sum of `parts` stay between zero and `limit`."""
    tests = []
    for quantum in ("pico_rho", "atto_delta"):
        names = [f"{part}_{quantum}" for part in parts]
        tests += [f"{column} >= 0" for column in names] + [f"{' + '.join(names)} <= {limit}_{quantum}"]
    return CheckConstraint(" and ".join(tests), name=name)


organisations = Table(
    "organisations",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("public_body", Boolean, nullable=False),
)

persons = Table(
    "persons",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("organisation", ForeignKey("organisations.name"), nullable=False),
    Column("roles", JSON, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

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

applications = Table(
    "applications",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("applicant", ForeignKey("persons.id"), nullable=False, index=True),
    Column("state", String(40), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("form", JSON, nullable=False),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("submitted_at", UtcDateTime),
    Column("assessor", ForeignKey("persons.id")),
    Column("decided_at", UtcDateTime),
    Column("decision_maker", ForeignKey("persons.id")),
    Column("reasons", Text, nullable=False),
)

permits = Table(
    "permits",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("application", ForeignKey("applications.id"), nullable=False, unique=True),
    Column("holder", ForeignKey("persons.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("epsilon", String(40), nullable=False),
    Column("delta", String(40), nullable=False),
    *amount("limit"),
    *amount("spent", "0"),
    *amount("returned", "0"),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_until", UtcDateTime, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("granted_by", ForeignKey("persons.id"), nullable=False),
    Column("suspended_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("reasons", Text, nullable=False),
    within("spent_within_limit", ("spent", "returned"), "limit"),
)

permit_persons = Table(
    "permit_persons",
    metadata,
    Column("permit", ForeignKey("permits.id"), primary_key=True),
    Column("person", ForeignKey("persons.id"), primary_key=True, index=True),
)

allocations = Table(
    "allocations",
    metadata,
    Column("permit", ForeignKey("permits.id"), primary_key=True),
    Column("dataset", ForeignKey("datasets.id"), primary_key=True, index=True),
    *amount("allocated"),
    *amount("spent", "0"),
    within("spent_within_allocation", ("spent",), "allocated"),
)

charges = Table(
    "charges",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("permit", ForeignKey("permits.id"), nullable=False),
    Column("actor", ForeignKey("persons.id"), nullable=False),
    Column("idempotency_key", String(200), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("datasets", JSON, nullable=False),
    *amount("loss"),
    Column("charged_at", UtcDateTime, nullable=False),
    UniqueConstraint("permit", "idempotency_key"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("charge", ForeignKey("charges.id"), nullable=False, unique=True),
    Column("permit", ForeignKey("permits.id"), nullable=False, index=True),
    Column("question", String(64), nullable=False, index=True),
    *amount("loss"),
    Column("released_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("source_kind", String(40), nullable=False),
    Column("source_dataset", String(100), nullable=False),
    Column("source_permit", String(40), nullable=False),
    Column("target_kind", String(40), nullable=False),
    Column("target_dataset", String(100), nullable=False),
    Column("target_permit", String(40), nullable=False),
    *amount("loss"),
    Column("reference", String(100), nullable=False, index=True),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("actor", String(40), nullable=False, index=True),
    Column("subject", String(100), nullable=False, index=True),
    Column("details", JSON, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("domain", String(63), nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("person_key", BigInteger, nullable=False),
    Column("choice", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("channel", String(20), nullable=False),
    Column("receipt", String(40), nullable=False, index=True),
    # holds all that is read of a whole domain, in the order in which it is read
    Index("ix_opt_outs_person", "domain", "key_id", "person_key", "at", "seq", "choice"),
    Index("ix_opt_outs_key", "domain", "key_id", "seq"),
)

chains = Table(
    "chains",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
