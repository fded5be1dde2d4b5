"""One transaction on the accounts database, with every repository on it. The only place that commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dataspace.db.accounts import SqlAccounts
from dataspace.db.addresses import SqlAddresses
from dataspace.db.applications import SqlApplications
from dataspace.db.attachments import SqlAttachments
from dataspace.db.audit import SqlAuditTrail
from dataspace.db.budget_requests import SqlBudgetRequests
from dataspace.db.clocks import SqlClocks
from dataspace.db.datasets import SqlDatasets
from dataspace.db.decisions import SqlDecisions
from dataspace.db.exclusions import SqlExclusions
from dataspace.db.ledger import SqlLedger
from dataspace.db.opt_outs import SqlOptOuts
from dataspace.db.organisations import SqlOrganisations
from dataspace.db.outbox import SqlOutbox
from dataspace.db.permit_changes import SqlPermitChanges
from dataspace.db.permits import SqlPermits
from dataspace.db.public import SqlPublic
from dataspace.db.releases import SqlReleases
from dataspace.db.sessions import SqlSessions
from dataspace.db.sign_ins import SqlSignIns
from dataspace.db.sqlite import BUSY_TIMEOUT_MS, READ_ONLY
from dataspace.db.submissions import SqlSubmissions
from dataspace.db.tabulations import SqlTabulations
from dataspace.db.writers import take_turn, turns_of
from dataspace.domain.chain import ChainHead
from dataspace.domain.errors import Busy


class SqlUnitOfWork:
    """See `dataspace.services.ports.UnitOfWork`; the repositories exist only inside `with`."""

    audit: SqlAuditTrail
    accounts: SqlAccounts
    datasets: SqlDatasets
    applications: SqlApplications
    permits: SqlPermits
    ledger: SqlLedger
    releases: SqlReleases
    opt_outs: SqlOptOuts
    organisations: SqlOrganisations
    sign_ins: SqlSignIns
    sessions: SqlSessions
    submissions: SqlSubmissions
    attachments: SqlAttachments
    clocks: SqlClocks
    outbox: SqlOutbox
    addresses: SqlAddresses
    decisions: SqlDecisions
    permit_changes: SqlPermitChanges
    exclusions: SqlExclusions
    tabulations: SqlTabulations
    public: SqlPublic
    budget_requests: SqlBudgetRequests

    def __init__(self, engine: Engine, noted: Callable[[ChainHead], None] = lambda _: None) -> None:
        """`noted` hears the ledger's head after every commit that moved it."""
        self._engine, self._noted = engine, noted
        self._connection: Connection | None = None
        self._writes = False

    def __enter__(self) -> Self:
        return self._open(read_only=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        try:
            # Closing rolls back what was not committed.
            connection.close()
        finally:
            self._end_turn()

    def commit(self) -> None:
        if self._connection is None:
            raise RuntimeError("commit outside of `with`")
        self.public.register.follow(self.audit.written)
        moved = self.ledger.moved
        self._connection.commit()
        if moved is not None:
            self._noted(moved)
        # Nothing may follow in the same `with`: it would be lost without a word.
        self.__exit__(None, None, None)

    @contextmanager
    def reading(self) -> Iterator[Self]:
        self._open(read_only=True)
        try:
            yield self
        finally:
            self.__exit__(None, None, None)

    def _open(self, *, read_only: bool) -> Self:
        if self._connection is not None:
            raise RuntimeError("a unit of work is open already; take another one for another thread")
        if not read_only:
            take_turn(self._engine, BUSY_TIMEOUT_MS / 1000)
            self._writes = True
        try:
            self._connection = self._begun(read_only)
        except BaseException:
            self._end_turn()
            raise
        self._bind(self._connection)
        return self

    def _end_turn(self) -> None:
        if self._writes:
            self._writes = False
            turns_of(self._engine).give_up()

    def _begun(self, read_only: bool) -> Connection:
        connection = self._connect().execution_options(**{READ_ONLY: read_only, "postgresql_readonly": read_only})
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except PoolTimeoutError as error:
            raise Busy("too many requests at once; nothing was changed or charged, try again") from error

    def _bind(self, connection: Connection) -> None:
        self.audit = SqlAuditTrail(connection)
        self.accounts = SqlAccounts(connection, self.audit)
        self.datasets = SqlDatasets(connection, self.audit)
        self.applications = SqlApplications(connection, self.audit)
        self.permits = SqlPermits(connection, self.audit)
        self.ledger = SqlLedger(connection, self.audit)
        self.releases = SqlReleases(connection, self.audit)
        self.opt_outs = SqlOptOuts(connection, self.audit)
        self.organisations = SqlOrganisations(connection, self.audit)
        self.sign_ins = SqlSignIns(connection, self.audit)
        self.sessions = SqlSessions(connection, self.audit)
        self.submissions = SqlSubmissions(connection)
        self.attachments = SqlAttachments(connection, self.audit)
        self.clocks = SqlClocks(connection)
        self.outbox = SqlOutbox(connection, self.audit)
        self.addresses = SqlAddresses(connection)
        self.decisions = SqlDecisions(connection, self.audit)
        self.permit_changes = SqlPermitChanges(connection, self.audit)
        self.exclusions = SqlExclusions(connection, self.audit)
        self.tabulations = SqlTabulations(connection, self.audit)
        self.public = SqlPublic(connection, self.audit)
        self.budget_requests = SqlBudgetRequests(connection, self.audit)
