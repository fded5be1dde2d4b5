"""What the services need from outside, as protocols the core owns; `dataspace.bootstrap` supplies the real things."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.schema import DatasetSchema
from dataspace.domain.activity import Edition, Fact
from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationKind, ApplicationState
from dataspace.domain.assessments import Finding
from dataspace.domain.audit_records import ArchivedPart, AuditFilter
from dataspace.domain.budget_requests import BudgetRequest
from dataspace.domain.chain import ChainHead
from dataspace.domain.complaints import Complaint, ComplaintStep
from dataspace.domain.datasets import Dataset
from dataspace.domain.events import AuditEntry, AuditEvent
from dataspace.domain.exclusions import Exclusion
from dataspace.domain.findings import Finding as ReportedFinding
from dataspace.domain.findings import FindingStep
from dataspace.domain.ledger import Account, Allotment, Budget, Charge, Describe, Posting, as_rho
from dataspace.domain.measures import Measure
from dataspace.domain.opt_outs import KeyName, Latest, OptOutEntry, PersonKey, Pseudonymised
from dataspace.domain.permit_changes import PermitChange
from dataspace.domain.permits import DataPermit, PermitVersion
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.proposals import CaseStep, Proposal
from dataspace.domain.public_register import DecisionPublication, RegisterEntry, Search
from dataspace.domain.redaction import ConfidentialPart, Redaction
from dataspace.domain.releases import Release
from dataspace.domain.results import PublicationExtension, Result
from dataspace.domain.tabulations import TabulationPlan, TabulationRun
from dataspace.domain.tokens import AccessToken
from dataspace.dp.rows import Rows
from dataspace.jose import Claims, PublicKey, Typ
from dataspace.services.clock_ports import Addresses, Clocks, Outbox
from dataspace.services.form_ports import Attachments, Submissions


class Clock(Protocol):
    """The time, in UTC with zone."""

    def now(self) -> datetime: ...


class NamedKey(Protocol):
    """A pseudonymisation key by its domain and name, and how identifiers were spelled before it was used."""

    @property
    def domain(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def normalise(self) -> tuple[str, ...] | None: ...


class PrivateStore(Protocol):
    """The store's read side."""

    def key(self, dataset: str, snapshot_id: str) -> NamedKey:
        """Which key made the person keys of a snapshot."""
        ...

    def open(
        self,
        snapshots: Mapping[str, str],
        columns: frozenset[tuple[str, str, str]],
        excluded: Mapping[str, NDArray[np.int64]],
    ) -> Rows:
        """Open one snapshot for each dataset; `columns` are (dataset, table, column) triples, no other is readable.

        `excluded` are the person keys that each dataset is read without.
        """
        ...


class Pseudonyms(Protocol):
    """Turns an identifier into person keys; the only place outside of the ingestion that sees one."""

    @property
    def register_key(self) -> KeyName:
        """Name of the register's own key."""
        ...

    def of(self, identifier: str) -> Pseudonymised:
        """Raises InvalidInput for what cannot be an identifier; the text does not repeat it."""
        ...


ToLimit = Callable[[Guarantee], PrivacyLoss]
"""The largest privacy loss that stays within a guarantee; `dataspace.dp.accountant` supplies it."""


class Accounts(Protocol):
    """Persons and their access tokens."""

    def add(self, person: Actor, event: AuditEvent) -> None: ...
    def get(self, person_id: str) -> Actor: ...
    def all(self) -> list[Actor]: ...
    def add_token(self, token: AccessToken, event: AuditEvent) -> None: ...
    def find_token(self, digest: str) -> AccessToken | None: ...
    def revoke_token(self, token_id: str, at: datetime, event: AuditEvent) -> None: ...


class Datasets(Protocol):
    """Registered datasets, and which snapshot of each is current."""

    def add(self, dataset: Dataset, event: AuditEvent) -> None: ...
    def publish(self, dataset: Dataset, schema: DatasetSchema, event: AuditEvent) -> None:
        """Make `dataset.current` the current snapshot, with its data dictionary."""
        ...

    def get(self, dataset_id: str) -> Dataset: ...
    def all(self) -> list[Dataset]: ...
    def schema(self, dataset_id: str, snapshot: str) -> DatasetSchema: ...


@dataclass(frozen=True)
class Viewer:
    """Who looks at a list: their own cases and, for the access body, all that were received."""

    person: str
    sees_received: bool


class Applications(Protocol):
    """Data access applications. `save` raises WrongState if the stored version is not the one before."""

    def add(self, application: AccessApplication, event: AuditEvent) -> None: ...
    def save(self, application: AccessApplication, event: AuditEvent) -> None: ...
    def get(self, application_id: str) -> AccessApplication:
        """By identifier or case number."""
        ...

    def all(self) -> list[AccessApplication]: ...
    def page(
        self, viewer: Viewer, states: Collection[ApplicationState], after: str | None, most: int
    ) -> list[AccessApplication]:
        """What `viewer` may see, newest first: at most `most` that follow `after`, in one of `states` or in any."""
        ...

    def next_number(self, year: int, kind: ApplicationKind = ApplicationKind.ACCESS) -> str: ...


class Permits(Protocol):
    """Data permits. `save` writes what a decision after the grant may change, and is as strict as Applications.save.

    Each version that was added or saved stays readable.
    """

    def add(self, permit: DataPermit, event: AuditEvent) -> None: ...
    def save(self, permit: DataPermit, event: AuditEvent) -> None: ...
    def get(self, permit_id: str) -> DataPermit:
        """By identifier or number."""
        ...

    def all(self) -> list[DataPermit]: ...
    def versions(self, permit_id: str) -> list[PermitVersion]:
        """Every version, oldest first."""
        ...

    def of_person(self, person_id: str) -> list[DataPermit]:
        """Permits that the person holds or is named in, newest first."""
        ...

    def page(self, person_id: str | None, after: str | None, most: int) -> list[DataPermit]:
        """At most `most` of them, newest first, from the one that follows the permit of number `after` on.

        None stands for everybody's.
        """
        ...

    def next_number(self, year: int) -> str: ...


class Ledger(Protocol):
    """The privacy budget ledger. One conditional UPDATE decides; it is posted in the same transaction."""

    def open_dataset(self, dataset: Dataset) -> None:
        """Post the capacity of a dataset just added."""
        ...

    def allocate(self, permit: DataPermit, describe: Describe = as_rho) -> None:
        """Move the permit's limit out of each dataset's capacity. Raises InsufficientBudget, nothing moved."""
        ...

    def charge(self, charge: Charge, event: AuditEvent, describe: Describe = as_rho) -> Charge:
        """Spend, once for each (permit, idempotency key): asked again, it returns the charge that stands.

        Raises InsufficientBudget, WrongState if the permit is not in force at `charge.charged_at`, OutOfScope for a
        dataset that the permit has no allocation in, InvalidInput if the key was used for something else. The caller
        commits before opening any data.
        """
        ...

    def raise_limit(
        self, permit: DataPermit, more: PrivacyLoss, guarantee: Guarantee, at: datetime, describe: Describe = as_rho
    ) -> None:
        """Give the permit `more` out of each dataset's capacity. Raises InsufficientBudget, nothing moved."""
        ...

    def release_allocation(self, permit_id: str, event: AuditEvent) -> PrivacyLoss:
        """Give back all that the permit has not spent, for good; returns how much. Giving back twice moves nothing."""
        ...

    def find_charge(self, permit_id: str, idempotency_key: str) -> Charge | None: ...
    def charges(self, permit_id: str) -> list[Charge]: ...
    def all_charges(self) -> Iterator[Charge]: ...
    def budget(self, permit_id: str) -> Budget: ...
    def allotment(self, dataset_id: str) -> Allotment: ...
    def postings(self, after: int = 0, most: int | None = None) -> Iterator[Posting]:
        """In their order, from the one that follows entry `after` on, at most `most` of them."""
        ...

    def head(self) -> ChainHead: ...
    def balances(self) -> dict[Account, PrivacyLoss]:
        """Balances as the tables that decide hold them, to be compared with the postings."""
        ...


class Releases(Protocol):
    """Releases, at most one under each charge."""

    def add(self, charge_id: str, release: Release, event: AuditEvent) -> Release:
        """Store the release; if the charge already has one, that one is returned and `release` must not leave."""
        ...

    def find(self, permit_id: str, fingerprint: str, snapshots: Mapping[str, str]) -> Release | None:
        """The most accurate stored release (highest rho) of the same question on the same snapshots."""
        ...

    def of_charge(self, charge_id: str) -> Release | None: ...
    def digests(self) -> dict[str, str]:
        """SHA-256 of each stored release, by its identifier; the event that stored it holds the same."""
        ...

    def of_permit(self, permit_id: str) -> list[Release]: ...
    def snapshots(self, dataset_id: str) -> frozenset[str]:
        """Snapshots of a dataset that a release was measured on."""
        ...


class OptOuts(Protocol):
    """The opt-out register: append-only, by person key."""

    def hold(self) -> Latest:
        """Wait until nobody else changes anything, and keep them out until the transaction ends.

        The clock is read after it: what is decided under it is decided after everything on record.
        """
        ...

    def add(self, entries: Iterable[OptOutEntry], event: AuditEvent) -> None: ...
    def carry(self, entries: Iterable[OptOutEntry]) -> int:
        """Add those that are not there yet, by person key and receipt; returns how many."""
        ...

    def history(self, person: PersonKey) -> list[OptOutEntry]:
        """Oldest first."""
        ...

    def pages(self, key: KeyName, size: int) -> Iterator[list[OptOutEntry]]:
        """All entries under a key in their order, `size` at a time."""
        ...

    def opted_out(self, key: KeyName, at: datetime) -> NDArray[np.int64]:
        """Numbers of all persons whose choice in force at `at` is to opt out, ascending; a million in some seconds."""
        ...

    def last(self, key: KeyName) -> int:
        """Place of the newest entry under a key, 0 if there is none."""
        ...

    def grew(self, key: KeyName, after: int, at: datetime) -> bool:
        """Whether an entry that counts at `at` was written after place `after`."""
        ...


class Decisions(Protocol):
    """What the access body writes about each application; added, never changed."""

    def add_findings(self, application_id: str, findings: list[Finding]) -> None: ...
    def findings(self, application_id: str) -> list[Finding]:
        """Oldest first."""
        ...

    def add_proposal(self, application_id: str, proposal: Proposal) -> None: ...
    def proposals(self, application_id: str) -> list[Proposal]:
        """Oldest first; the last one counts."""
        ...

    def add_step(self, application_id: str, step: CaseStep) -> None: ...
    def steps(self, application_id: str) -> list[CaseStep]: ...
    def recuse(self, application_id: str, person_id: str, interest: str, event: AuditEvent) -> None:
        """Once for each person; said again, nothing changes."""
        ...

    def recused(self, application_id: str) -> frozenset[str]: ...


class PermitChanges(Protocol):
    """Amendments and extensions asked for. `save` is as strict as Applications.save."""

    def add(self, change: PermitChange, event: AuditEvent) -> None: ...
    def save(self, change: PermitChange, event: AuditEvent) -> None: ...
    def get(self, change_id: str) -> PermitChange: ...
    def of_permit(self, permit_id: str) -> list[PermitChange]: ...


class Exclusions(Protocol):
    """The exclusion list (Art. 63(3)), also what has ended."""

    def add(self, exclusion: Exclusion, event: AuditEvent) -> None: ...
    def of(self, persons: Iterable[str]) -> list[Exclusion]: ...
    def all(self) -> list[Exclusion]: ...


class Tabulations(Protocol):
    """Tabulation plans, and what became of each tabulation."""

    def set_plan(self, application_id: str, plan: TabulationPlan, event: AuditEvent) -> None:
        """Raises WrongState if the application has one."""
        ...

    def plan(self, application_id: str) -> TabulationPlan | None: ...
    def add_runs(self, runs: list[TabulationRun]) -> None: ...
    def save_run(self, run: TabulationRun, event: AuditEvent) -> None:
        """What was answered stays answered."""
        ...

    def runs(self, permit_id: str) -> list[TabulationRun]:
        """In the order of the plan."""
        ...

    def waiting(self) -> list[str]:
        """Permits with a tabulation that was not tried yet."""
        ...


class BudgetRequests(Protocol):
    """Requests for more budget. `add` raises WrongState while one waits, `decide` if it was decided."""

    def add(self, request: BudgetRequest, event: AuditEvent) -> None: ...
    def decide(self, request: BudgetRequest, event: AuditEvent) -> None: ...
    def get(self, request_id: str) -> BudgetRequest:
        """By identifier or number."""
        ...

    def of_permit(self, permit_id: str) -> list[BudgetRequest]: ...
    def waiting(self, most: int) -> list[BudgetRequest]: ...
    def next_number(self, year: int) -> str: ...


class AuditTrail(Protocol):
    """The append-only, hash-chained record of every change and access."""

    def append(self, event: AuditEvent) -> None: ...
    def entries(self, subject: str | None = None) -> Iterator[AuditEntry]: ...
    def search(self, wanted: AuditFilter, after: int, most: int) -> list[AuditEntry]:
        """In their order, from the one that follows entry `after` on, at most `most` of them."""
        ...

    def archives(self) -> list[ArchivedPart]:
        """Oldest first."""
        ...

    def archive(self, part: ArchivedPart, event: AuditEvent) -> None:
        """Let the entries of a part leave the table."""
        ...

    def head(self) -> ChainHead: ...


R = TypeVar("R")


class Records(Protocol[R]):
    """Append-only records of one kind."""

    def add(self, record: R, event: AuditEvent) -> None: ...
    def get(self, record_id: str) -> R: ...
    def where(self, **named: object) -> list[R]:
        """Those whose fields have these values, oldest first; all, if none is named."""
        ...


class PublicRegister(Protocol):
    """The register's entries: confidential parts are replaced before they come here.

    Entries of applications follow every committed change by themselves; other cases (`CaseKind.REQUEST`) are `put`.
    """

    def refresh(self, application_id: str, at: datetime) -> None:
        """Write the entry of an application anew."""
        ...

    def redaction(self, application_id: str) -> Redaction:
        """What to leave out of texts on an application."""
        ...

    def put(self, entry: RegisterEntry) -> None: ...
    def get(self, number: str) -> RegisterEntry:
        """By number of the case or of its permit, or by its identifier."""
        ...

    def search(self, asked: Search, now: datetime) -> tuple[list[RegisterEntry], int]:
        """One page of what fits, newest receipt first, and how many fit in all."""
        ...

    def latest(self, most: int) -> list[RegisterEntry]:
        """By last change, newest first."""
        ...

    def all(self) -> list[RegisterEntry]: ...
    def unpublished(self) -> list[RegisterEntry]:
        """Decided cases whose reasons are not published yet, the oldest decision first."""
        ...

    def missing(self) -> list[str]:
        """Applications that were received and have no entry."""
        ...


class Public(Protocol):
    """What the public sees and what follows a permit."""

    @property
    def register(self) -> PublicRegister: ...
    @property
    def confidential(self) -> Records[ConfidentialPart]: ...
    @property
    def publications(self) -> Records[DecisionPublication]: ...
    @property
    def results(self) -> Records[Result]: ...
    @property
    def extensions(self) -> Records[PublicationExtension]: ...
    @property
    def findings(self) -> Records[ReportedFinding]: ...
    @property
    def finding_steps(self) -> Records[FindingStep]: ...
    @property
    def complaints(self) -> Records[Complaint]: ...
    @property
    def complaint_steps(self) -> Records[ComplaintStep]: ...
    @property
    def measures(self) -> Records[Measure]: ...
    @property
    def facts(self) -> Records[Fact]: ...
    @property
    def editions(self) -> Records[Edition]: ...
    def next_number(self, series: str, year: int) -> str: ...


@dataclass(frozen=True)
class NewKey:
    """A signing key not stored yet, as a JWK with its private part, which nothing prints."""

    kid: str
    private: Mapping[str, Any] = field(repr=False)


class Signatures(Protocol):
    """The node's signing keys."""

    def published(self) -> tuple[PublicKey, ...]:
        """Oldest first; the last one signs."""
        ...

    def draw(self) -> NewKey: ...
    def keep(self, key: NewKey, at: datetime) -> None: ...
    def sign(self, typ: Typ, claims: Claims, header: Claims | None = None) -> str: ...


class CheckpointStore(Protocol):
    """Where signed checkpoints are kept, apart from the database."""

    @property
    def name(self) -> str: ...
    def add(self, places: tuple[int, int], token: str) -> None:
        """Keep the checkpoint at these places of the ledger and of the audit trail."""
        ...

    def newest(self) -> str | None: ...


class ArchiveFiles(Protocol):
    """Where parts of the audit trail go after their retention."""

    def write(self, entries: Sequence[AuditEntry], at: datetime) -> ArchivedPart:
        """Durable on return. Raises Unavailable."""
        ...

    def read(self, part: ArchivedPart) -> list[AuditEntry]:
        """Raises ValueError if it is missing or not what was written."""
        ...


class UnitOfWork(Protocol):
    """One transaction on the accounts database: `with uow: … uow.commit()`; left without commit, nothing happened.

    May be entered again after it was left, not while it is open, and not by two threads at once. Raises Busy if the
    lock is not free in time.
    """

    @property
    def accounts(self) -> Accounts: ...
    @property
    def datasets(self) -> Datasets: ...
    @property
    def applications(self) -> Applications: ...
    @property
    def permits(self) -> Permits: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def releases(self) -> Releases: ...
    @property
    def opt_outs(self) -> OptOuts: ...
    @property
    def submissions(self) -> Submissions: ...
    @property
    def attachments(self) -> Attachments: ...
    @property
    def clocks(self) -> Clocks: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def addresses(self) -> Addresses: ...
    @property
    def decisions(self) -> Decisions: ...
    @property
    def permit_changes(self) -> PermitChanges: ...
    @property
    def exclusions(self) -> Exclusions: ...
    @property
    def tabulations(self) -> Tabulations: ...
    @property
    def budget_requests(self) -> BudgetRequests: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def public(self) -> Public: ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def commit(self) -> None:
        """Make everything since `with` durable; on return it is on disk. The transaction is over."""
        ...

    def reading(self) -> AbstractContextManager[Self]:
        """A transaction that only reads and does not wait for writers' locks longer than it must."""
        ...
