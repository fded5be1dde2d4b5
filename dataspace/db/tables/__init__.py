"""The tables of the accounts database, one module a subject. A change here needs a migration; a test compares the two.

The checks are the last line: whatever the code above does, no permit spends and no dataset allocates beyond its limit.
"""

from dataspace.db.tables.archives import audit_archives
from dataspace.db.tables.base import amount, metadata, within
from dataspace.db.tables.budgets import budget_decisions, budget_requests
from dataspace.db.tables.cases import applications
from dataspace.db.tables.datasets import dataset_preparers, dataset_snapshots, datasets
from dataspace.db.tables.decisions import case_steps, criterion_findings, exclusions, proposals, recusals
from dataspace.db.tables.ledger import allocations, charges, postings, releases
from dataspace.db.tables.opt_outs import opt_outs
from dataspace.db.tables.outbox import outbox_deliveries, outbox_messages
from dataspace.db.tables.parties import organisations, persons, tokens
from dataspace.db.tables.permit_life import permit_changes, permit_versions, tabulation_plans, tabulation_runs
from dataspace.db.tables.permits import permit_persons, permits
from dataspace.db.tables.public import PUBLIC_RECORDS, register_entries
from dataspace.db.tables.sign_in import identities, invitations, local_accounts, sessions, throttles
from dataspace.db.tables.submissions import (
    application_editions,
    application_persons,
    application_returns,
    attachments,
)
from dataspace.db.tables.trail import audit_events, chains, counters

__all__ = [
    "APPEND_ONLY",
    "allocations",
    "amount",
    "application_editions",
    "application_persons",
    "application_returns",
    "applications",
    "attachments",
    "audit_archives",
    "audit_events",
    "budget_decisions",
    "budget_requests",
    "case_steps",
    "chains",
    "charges",
    "counters",
    "criterion_findings",
    "dataset_preparers",
    "dataset_snapshots",
    "datasets",
    "exclusions",
    "identities",
    "invitations",
    "local_accounts",
    "metadata",
    "opt_outs",
    "organisations",
    "outbox_deliveries",
    "outbox_messages",
    "permit_changes",
    "permit_persons",
    "permit_versions",
    "permits",
    "persons",
    "postings",
    "proposals",
    "recusals",
    "register_entries",
    "releases",
    "sessions",
    "tabulation_plans",
    "tabulation_runs",
    "throttles",
    "tokens",
    "within",
]

APPEND_ONLY = (
    "charges",
    "releases",
    "postings",
    "audit_events",
    "dataset_preparers",
    "dataset_snapshots",
    "opt_outs",
    "application_editions",
    "application_returns",
    "outbox_messages",
    "criterion_findings",
    "proposals",
    "case_steps",
    "recusals",
    "exclusions",
    "permit_versions",
    "tabulation_plans",
    *PUBLIC_RECORDS,
    "budget_requests",
    "budget_decisions",
    "audit_archives",
)
"""Tables whose rows triggers protect from update and delete."""
