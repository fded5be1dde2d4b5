"""Audit events: who did what, when, to what. Written in the transaction of the change itself, never altered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dataspace.domain.chain import Canonical, ChainHead, Finding, Link, utc_text, verify_links


class EventKind(StrEnum):
    PERSON_REGISTERED = "person-registered"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the name of an event
    DATASET_REGISTERED = "dataset-registered"
    SNAPSHOT_PUBLISHED = "snapshot-published"
    APPLICATION_FILED = "application-filed"
    APPLICATION_EDITED = "application-edited"
    APPLICATION_SUBMITTED = "application-submitted"
    APPLICATION_WITHDRAWN = "application-withdrawn"
    ASSESSMENT_STARTED = "assessment-started"
    APPLICATION_GRANTED = "application-granted"
    APPLICATION_REFUSED = "application-refused"
    PERMIT_ISSUED = "permit-issued"
    PERMIT_SUSPENDED = "permit-suspended"
    PERMIT_RESUMED = "permit-resumed"
    PERMIT_REVOKED = "permit-revoked"
    BUDGET_RETURNED = "budget-returned"
    QUERY_CHARGED = "query-charged"
    QUERY_REPEATED = "query-repeated"
    QUERY_REFUSED = "query-refused"
    RELEASE_STORED = "release-stored"
    OPT_OUT_RECORDED = "opt-out-recorded"
    OPT_OUT_WITHDRAWN = "opt-out-withdrawn"
    OPT_OUT_READ = "opt-out-read"
    OPT_OUTS_REKEYED = "opt-outs-rekeyed"
    ORGANISATION_EDITED = "organisation-edited"
    ROLES_CHANGED = "roles-changed"
    PERSON_DEACTIVATED = "person-deactivated"
    PERSON_REACTIVATED = "person-reactivated"
    PERSON_EDITED = "person-edited"
    PERSON_INVITED = "person-invited"
    PASSWORD_SET = "password-set"  # noqa: S105 - the name of an event
    IDENTITY_LINKED = "identity-linked"
    SIGNED_IN = "signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGNED_OUT = "signed-out"
    SESSION_ENDED = "session-ended"
    APPLICATION_RETURNED = "application-returned"
    APPLICATION_RESUBMITTED = "application-resubmitted"
    APPLICATION_LAPSED = "application-lapsed"
    ATTACHMENT_ADDED = "attachment-added"
    ATTACHMENT_REMOVED = "attachment-removed"
    CLOCK_EXTENDED = "clock-extended"
    DATA_ORDERED = "data-ordered"
    DATA_DELIVERED = "data-delivered"
    DATA_PROVIDED = "data-provided"
    DECISION_PUBLISHED = "decision-published"
    CASE_FORWARDED = "case-forwarded"
    DECISION_PROPOSED_BY_HOLDER = "decision-proposed-by-holder"
    FEE_AGREED = "fee-agreed"
    FINDING_NOTIFIED = "finding-notified"
    VIEWS_GIVEN = "views-given"
    FINDING_CLOSED = "finding-closed"
    PROCESSING_ENDED = "processing-ended"
    RESULTS_PUBLISHED = "results-published"
    SPE_DATA_DELETED = "spe-data-deleted"
    DESCRIPTION_CHECKED = "description-checked"
    REMINDED = "reminded"
    MESSAGE_SENT = "message-sent"
    MESSAGE_DEAD = "message-dead"
    MESSAGE_REQUEUED = "message-requeued"
    PERSON_ADDRESSED = "person-addressed"
    CRITERIA_ASSESSED = "criteria-assessed"
    DECISION_PROPOSED = "decision-proposed"
    PROPOSAL_SENT_BACK = "proposal-sent-back"
    DECISION_OFFERED = "decision-offered"
    OFFER_ACCEPTED = "offer-accepted"
    OFFER_DECLINED = "offer-declined"
    INTEREST_DECLARED = "interest-declared"
    ASSESSOR_STOOD_DOWN = "assessor-stood-down"
    PERMIT_CHANGE_ASKED = "permit-change-asked"
    PERMIT_CHANGE_PROPOSED = "permit-change-proposed"
    PERMIT_CHANGE_SENT_BACK = "permit-change-sent-back"
    PERMIT_CHANGE_REJECTED = "permit-change-rejected"
    PERMIT_CHANGE_WITHDRAWN = "permit-change-withdrawn"
    PERMIT_AMENDED = "permit-amended"
    PERMIT_EXTENDED = "permit-extended"
    PERSON_EXCLUDED = "person-excluded"
    TABULATION_PLAN_SET = "tabulation-plan-set"
    TABULATION_ANSWERED = "tabulation-answered"
    TABULATION_FAILED = "tabulation-failed"
    DATA_REQUEST_ANSWERED = "data-request-answered"
    PART_DECLARED_CONFIDENTIAL = "part-declared-confidential"
    RESULT_REGISTERED = "result-registered"
    PUBLICATION_EXTENDED = "publication-extended"
    FINDING_REPORTED = "finding-reported"
    FINDING_MOVED = "finding-moved"
    COMPLAINT_RECEIVED = "complaint-received"
    COMPLAINT_FORWARDED = "complaint-forwarded"
    COMPLAINT_MOVED = "complaint-moved"
    MEASURE_TAKEN = "measure-taken"
    FACT_ENTERED = "fact-entered"
    REPORT_FROZEN = "report-frozen"
    SIGNING_KEY_ROTATED = "signing-key-rotated"
    DOCUMENT_ISSUED = "document-issued"
    BUDGET_REQUESTED = "budget-requested"
    BUDGET_GRANTED = "budget-granted"
    BUDGET_REFUSED = "budget-refused"
    AUDIT_READ = "audit-read"
    AUDIT_EXPORTED = "audit-exported"
    AUDIT_ARCHIVED = "audit-archived"


@dataclass(frozen=True)
class AuditEvent:
    """One entry of the audit trail.

    `subject` is the identifier of what was acted on. `details` are short public facts (numbers, states, an
    official's reasons); never anything read from personal data, never a credential.
    """

    kind: EventKind
    actor: str
    subject: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditEntry:
    """An event with its place in the trail's hash chain."""

    seq: int
    event: AuditEvent
    previous: str
    hash: str


def content(seq: int, event: AuditEvent) -> Canonical:
    """What the hash of an entry covers."""
    return {
        "seq": seq,
        "at": utc_text(event.at),
        "kind": event.kind.value,
        "actor": event.actor,
        "subject": event.subject,
        "details": dict(event.details),
    }


def verify(entries: Iterable[AuditEntry], head: ChainHead | None = None) -> tuple[Finding, ...]:
    """Everything wrong with the trail; empty if sound."""
    return verify_after(entries, ChainHead(), head)


def verify_after(entries: Iterable[AuditEntry], before: ChainHead, head: ChainHead | None) -> tuple[Finding, ...]:
    """Everything wrong with the part of the trail that follows `before`."""
    links = (Link(e.seq, content(e.seq, e.event), e.previous, e.hash) for e in entries)
    return verify_links(links, head, before)


def compare_releases(entries: Iterable[AuditEntry], digests: Mapping[str, str]) -> tuple[Finding, ...]:
    """Releases that are not what the trail says was stored; `digests` are SHA-256 by release identifier."""
    stored = (e.event.details for e in entries if e.event.kind is EventKind.RELEASE_STORED)
    recorded = {details.get("release", "?"): details.get("sha256", "") for details in stored}
    return tuple(
        Finding(f"release {release} is not what was stored under its charge")
        for release in sorted(recorded.keys() | digests.keys())
        if recorded.get(release) != digests.get(release)
    )
