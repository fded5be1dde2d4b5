"""The query path: the only place that knows the order of the steps from a researcher's SQL to a release.

No data are opened before the charge is durable; one charge allows exactly one release; a crash in between leaves the
charge standing, and the same idempotency key finishes it. Up to the charge, every step and every error depends on
public metadata alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dataspace.domain.actors import Actor
from dataspace.domain.errors import Busy, DataspaceError, NotFound, Unavailable
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import Budget, Charge, as_rho
from dataspace.domain.permissions import check_may_act_on_permit, may_act_on_permit
from dataspace.domain.permits import DataPermit, PermitAction, check_covers
from dataspace.domain.privacy import NOTHING, ContributionBounds, Price, PrivacyLoss
from dataspace.domain.purposes import Purpose
from dataspace.domain.queries import Query
from dataspace.domain.query_checks import check_aggregates, purposes_served
from dataspace.domain.releases import Release, ReleaseTable
from dataspace.domain.scopes import ColumnRef
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.noise import Noise
from dataspace.dp.plan import MeasurementPlan, plan_query
from dataspace.dp.shape import presented
from dataspace.logs import log
from dataspace.services.cohorts import Cohorts
from dataspace.services.duties import check_free_to_act
from dataspace.services.ports import Clock, PrivateStore, UnitOfWork
from dataspace.services.reading import check_linkable, check_told, opted_out, population_of, snapshots_of
from dataspace.sql import parse_query


@dataclass(frozen=True)
class Question:
    """What a data user sends: SQL, what they are ready to pay, how much one person may weigh, and what it is for."""

    sql: str
    price: Price
    bounds: ContributionBounds | None = None
    purpose: Purpose | None = None


@dataclass(frozen=True)
class Engine:
    """What answers: the store's read side, the source of noise, and the secret that fixes which rows are kept."""

    store: PrivateStore
    noise: Noise
    secret: bytes
    cohorts: Cohorts = field(default_factory=Cohorts)


@dataclass(frozen=True)
class Outlook:
    """What a question would cost and how good its answer would be. Free: no data are touched."""

    permit: DataPermit
    plan: MeasurementPlan
    budget: Budget
    already_released: bool

    @property
    def affordable(self) -> bool:
        return self.already_released or self.plan.loss.fits_in(self.budget.remaining)


@dataclass(frozen=True)
class Answered:
    """A release and the permit's budget after it; `repeated` if it had been paid for before."""

    permit: DataPermit
    release: Release
    query: Query
    budget: Budget
    repeated: bool

    @property
    def table(self) -> ReleaseTable:
        """The release under this question's names, in its order, cut to its limit: post-processing, free."""
        return presented(self.release.table, self.query)

    @property
    def charged(self) -> PrivacyLoss:
        return NOTHING if self.repeated else self.release.loss


@dataclass(frozen=True)
class _Prepared:
    permit: DataPermit
    purposes: frozenset[Purpose]
    snapshots: Mapping[str, str]
    plan: MeasurementPlan

    @property
    def query(self) -> Query:
        return self.plan.query

    @property
    def letters(self) -> str:
        """The purposes served, as the audit trail keeps them."""
        return ",".join(purpose.letter for purpose in sorted(self.purposes))


def estimate_query(
    uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, question: Question, store: PrivateStore
) -> Outlook:
    """Price, expected intervals and whether the budget suffices; charges nothing, opens nothing."""
    with uow.reading() as work:
        prepared = _prepare(work, by, permit_id, question, clock, store)
        stored = _stored(work, prepared)
        return Outlook(prepared.permit, prepared.plan, work.ledger.budget(permit_id), stored is not None)


def run_query(
    uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, question: Question, idempotency_key: str, engine: Engine
) -> Answered:
    """Answer a question under a permit, paid from its budget.

    Raises InvalidQuery, InvalidPrice, PurposeNotStated, NotPermitted, OutOfScope, WrongState or InsufficientBudget with
    nothing charged; Unavailable after the charge, which then stands and is finished by the same `idempotency_key`.
    """
    try:
        with uow.reading() as work:
            prepared = _prepare(work, by, permit_id, question, clock, engine.store)
        with uow as work:
            stored = _stored(work, prepared)
            if stored is not None:
                return _repeat(work, prepared, stored, by, clock)
            charge = _charge(work, prepared, by, idempotency_key, clock)
            finished = work.releases.of_charge(charge.id)
            if finished is not None:
                return _repeat(work, prepared, finished, by, clock)
            work.commit()
    except DataspaceError as refusal:
        _record_refusal(refusal, by, permit_id, uow, clock)
        raise
    release = _measure(prepared, question, engine, uow, clock)
    return _store(release, charge, prepared, by, uow, clock)


def _prepare(
    work: UnitOfWork, by: Actor, permit_id: str, question: Question, clock: Clock, store: PrivateStore
) -> _Prepared:
    """Permission, then purpose, then the validated query, then the permit's scope, then the plan and its price."""
    permit = work.permits.get(permit_id)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, clock.now()):
        raise NotFound(f"there is no permit {permit_id}")
    check_may_act_on_permit(by, PermitAction.QUERY, permit, clock.now())
    check_free_to_act(work, by, clock.now())
    purposes = purposes_served(permit, by, question.purpose)
    snapshots = snapshots_of(work, permit)
    dictionary = {dataset: work.datasets.schema(dataset, snapshot) for dataset, snapshot in snapshots.items()}
    query = parse_query(question.sql, dictionary)
    check_covers(permit, by, _touched(query), clock.now())
    check_aggregates(permit, query.kinds)
    asked = {dataset: snapshots[dataset] for dataset in query.datasets}
    check_linkable(asked, store)
    population = population_of(permit, dictionary)
    if population is not None:
        asked |= {population.dataset: snapshots[population.dataset]}
        check_told(permit, population, asked, store)
    plan = plan_query(query, dictionary, question.price, permit.guarantee, question.bounds, permit.min_cell, population)
    return _Prepared(permit, purposes, asked, plan)


def _touched(query: Query) -> frozenset[ColumnRef]:
    """All columns a query reads, and each table even if it only counts its persons."""
    return query.columns | {(dataset, table, "") for dataset, table in query.tables}


def _stored(work: UnitOfWork, prepared: _Prepared) -> Release | None:
    """The same question, on the same snapshots and bounds, released before at no lower a price."""
    release = work.releases.find(prepared.permit.id, prepared.plan.fingerprint, prepared.snapshots)
    return release if release is not None and prepared.plan.loss.fits_in(release.loss) else None


def _repeat(work: UnitOfWork, prepared: _Prepared, release: Release, by: Actor, clock: Clock) -> Answered:
    """The release that stands, free; that it was read again is on record."""
    details = {"release": release.id, "purpose": prepared.letters}
    work.audit.append(_event(EventKind.QUERY_REPEATED, by, prepared.permit.id, clock, **details))
    budget = work.ledger.budget(prepared.permit.id)
    work.commit()
    return Answered(prepared.permit, release, prepared.query, budget, repeated=True)


def _charge(work: UnitOfWork, prepared: _Prepared, by: Actor, idempotency_key: str, clock: Clock) -> Charge:
    order = Charge(
        id=new_id("chg"),
        permit_id=prepared.permit.id,
        actor=by.id,
        loss=prepared.plan.loss,
        fingerprint=prepared.plan.fingerprint,
        idempotency_key=idempotency_key,
        # a population's dataset is read too, and pays
        datasets=tuple(sorted(prepared.snapshots)),
        charged_at=clock.now(),
    )
    details = {"charge": order.id, "price": as_rho(order.loss), "purpose": prepared.letters}
    event = _event(EventKind.QUERY_CHARGED, by, prepared.permit.id, clock, **details)
    return work.ledger.charge(order, event)


def _record_refusal(refusal: DataspaceError, by: Actor, permit_id: str, uow: UnitOfWork, clock: Clock) -> None:
    """Refusals are on record by their code; a busy or full database must not hide the refusal itself."""
    try:
        with uow as work:
            work.audit.append(_event(EventKind.QUERY_REFUSED, by, permit_id, clock, code=refusal.code))
            work.commit()
    except (Busy, Unavailable):
        log.warning("refusal not recorded", code=refusal.code, permit_id=permit_id)


def _event(kind: EventKind, by: Actor, subject: str, clock: Clock, **details: str) -> AuditEvent:
    return AuditEvent(kind, by.id, subject, clock.now(), details)


def _measure(prepared: _Prepared, question: Question, engine: Engine, uow: UnitOfWork, clock: Clock) -> Release:
    """Open the snapshots, bound and add exactly, add the noise. Whatever fails here fails in one opaque way."""
    try:
        with uow.reading() as work:
            excluded = opted_out(work, prepared.permit, prepared.snapshots, engine.store, engine.cohorts)
        columns = _touched(prepared.query)
        with engine.store.open(prepared.snapshots, columns, excluded, prepared.plan.population) as rows:
            totals = aggregate(rows, prepared.plan, engine.secret)
        table = measure(prepared.plan, totals, engine.noise)
    except Exception as error:  # noqa: BLE001 - its cause may depend on the data, so nothing of it may show
        log.error("query failed after its charge", error_type=type(error).__name__, permit_id=prepared.permit.id)
        raise Unavailable(
            "the node could not finish this query; its charge stands, and sending it again with the same"
            " idempotency key costs nothing more"
        ) from None
    return Release(
        id=new_id("rel"),
        permit_id=prepared.permit.id,
        sql=question.sql,
        fingerprint=prepared.plan.fingerprint,
        snapshots=prepared.snapshots,
        bounds=prepared.plan.bounds,
        loss=prepared.plan.loss,
        table=table,
        released_at=clock.now(),
    )


def _store(release: Release, charge: Charge, prepared: _Prepared, by: Actor, uow: UnitOfWork, clock: Clock) -> Answered:
    """Durable before it leaves; if another request finished the charge first, that release is the one that leaves."""
    details = {"charge": charge.id, "release": release.id, "purpose": prepared.letters}
    event = _event(EventKind.RELEASE_STORED, by, prepared.permit.id, clock, **details)
    with uow as work:
        kept = work.releases.add(charge.id, release, event)
        budget = work.ledger.budget(release.permit_id)
        work.commit()
    return Answered(prepared.permit, kept, prepared.query, budget, repeated=kept.id != release.id)
