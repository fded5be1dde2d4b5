"""What the services need from outside, as protocols the core owns; `dataspace.bootstrap` supplies the real things."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from catalog.schema import DatasetSchema
from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationKind, ApplicationState
from dataspace.domain.audit_records import ArchivedPart, AuditFilter
from dataspace.domain.chain import ChainHead
from dataspace.domain.datasets import Dataset
from dataspace.domain.events import AuditEntry, AuditEvent
from dataspace.domain.ledger import Account, Allotment, Budget, Charge, Describe, Posting, as_rho
from dataspace.domain.opt_outs import KeyName, Latest, OptOutEntry, PersonKey, Pseudonymised
from dataspace.domain.permits import DataPermit, PermitVersion
from dataspace.domain.populations import Population
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.releases import Release
from dataspace.domain.tokens import AccessToken
from dataspace.dp.rows import Rows
from dataspace.services.clock_ports import Addresses, Clocks, Outbox
from dataspace.services.decision_ports import BudgetRequests, Decisions, Exclusions, PermitChanges, Tabulations
from dataspace.services.form_ports import Attachments, Submissions
from dataspace.services.public_ports import Public
from dataspace.services.sign_in_ports import Organisations, Sessions, SignIns


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
        population: Population | None,
    ) -> Rows:
        """Open one snapshot for each dataset; `columns` are (dataset, table, column) triples, no other is readable.

        `excluded` are the person keys that each dataset is read without. With a `population`, whose dataset is opened
        too, every table is read without the persons outside.
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
    def tokens_of(self, person_id: str) -> list[AccessToken]:
        """Oldest first, ended ones too."""
        ...

    def token_used(self, token_id: str, day: date) -> None: ...
    def change_roles(self, person: Actor, event: AuditEvent) -> None: ...
    def change_active(self, person_id: str, deactivated_at: datetime | None, event: AuditEvent) -> None: ...
    def find_by_email(self, email: str) -> Actor | None: ...


class Datasets(Protocol):
    """Registered datasets, and which snapshot of each is current."""

    def add(self, dataset: Dataset, event: AuditEvent) -> None: ...
    def publish(self, dataset: Dataset, schema: DatasetSchema, event: AuditEvent) -> None:
        """Make `dataset.current` the current snapshot, with its data dictionary."""
        ...

    def get(self, dataset_id: str) -> Dataset: ...
    def all(self) -> list[Dataset]: ...
    def schema(self, dataset_id: str, snapshot: str) -> DatasetSchema: ...
    def preparers(self, dataset_id: str) -> frozenset[str]:
        """Who registered it or published a snapshot of it, however long ago."""
        ...


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
    def named(self, permit_ids: Collection[str]) -> list[DataPermit]:
        """Those of these identifiers that there are, in no order."""
        ...

    def versions(self, permit_id: str) -> list[PermitVersion]:
        """Every version, oldest first."""
        ...

    def of_person(self, person_id: str) -> list[DataPermit]:
        """Permits that the person holds or is named in, newest first."""
        ...

    def of_application(self, application_id: str) -> list[DataPermit]:
        """What was issued on it: one permit or none."""
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
    def organisations(self) -> Organisations: ...
    @property
    def sign_ins(self) -> SignIns: ...
    @property
    def sessions(self) -> Sessions: ...
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
