"""The privacy budget ledger on SQL.

The tables `permits`, `allocations` and `datasets` hold the balances that decide; `postings` holds how they came about.
Both move in one transaction. Every decision is one conditional UPDATE: no row changed means refused. A charge locks its
permit's row first, so that two requests with one idempotency key, or for the last of a budget, come one after another.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, insert, select, update

from dataspace.db import audit, chains, postings
from dataspace.db import tables as t
from dataspace.domain.chain import ChainHead
from dataspace.domain.datasets import Dataset
from dataspace.domain.errors import InvalidInput, NotFound, OutOfScope, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.ledger import (
    Account,
    AccountKind,
    Allotment,
    Budget,
    Charge,
    Describe,
    Movement,
    Posting,
    allocation,
    as_rho,
    giving_back,
    opening,
    refusal,
    spending,
)
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.services.ports import AuditTrail


class SqlLedger:
    def __init__(self, connection: Connection, trail: AuditTrail) -> None:
        self._connection, self._audit = connection, trail
        self.moved: ChainHead | None = None
        """The newest posting of this transaction."""

    def open_dataset(self, dataset: Dataset) -> None:
        self._post(opening(dataset.id, dataset.limit), dataset.registered_at)

    def allocate(self, permit: DataPermit, describe: Describe = as_rho) -> None:
        for dataset in permit.datasets:
            changed = self._connection.execute(_take_capacity(dataset, permit.limit))
            if changed.rowcount == 0:
                free = self.allotment(dataset).free
                what = f"permit {permit.number}"
                advice = "grant a smaller budget, or wait until permits on this dataset end"
                raise refusal(what, f"dataset {dataset}", permit.limit, free, advice, describe)
            self._connection.execute(
                insert(t.allocations).values(permit=permit.id, dataset=dataset, **_columns("allocated", permit.limit))
            )
        movements = allocation(permit.id, permit.datasets, permit.limit)
        self._post(movements, permit.granted_at)

    def raise_limit(
        self, permit: DataPermit, more: PrivacyLoss, guarantee: Guarantee, at: datetime, describe: Describe = as_rho
    ) -> None:
        self._locked_permit(permit.id)
        for dataset in permit.datasets:
            if self._connection.execute(_take_capacity(dataset, more)).rowcount == 0:
                free = self.allotment(dataset).free
                advice = "refuse it, or wait until permits on this dataset end"
                raise refusal(f"more for permit {permit.number}", f"dataset {dataset}", more, free, advice, describe)
        mine = t.allocations.c.permit == permit.id
        self._connection.execute(update(t.allocations).where(mine).values(**_more("allocated", more, t.allocations)))
        shown = {"epsilon": str(guarantee.epsilon), "delta": str(guarantee.delta), "version": t.permits.c.version + 1}
        raised = update(t.permits).where(t.permits.c.id == permit.id)
        self._connection.execute(raised.values(**shown, **_more("limit", more, t.permits)))
        self._post(allocation(permit.id, permit.datasets, more), at)

    def charge(self, charge: Charge, event: AuditEvent, describe: Describe = as_rho) -> Charge:
        if not charge.datasets or charge.loss.pico_rho == 0:
            raise ValueError("a charge is above zero and names the datasets it is for")
        permit = self._locked_permit(charge.permit_id)
        standing = self.find_charge(charge.permit_id, charge.idempotency_key)
        if standing is not None:
            return _same(standing, charge)
        self._check_datasets(charge, permit.number)
        if self._connection.execute(_spend_permit(charge)).rowcount == 0:
            _check_in_force(permit, charge.charged_at)
            where, left = self._tightest(permit, charge)
            advice = "ask at a lower cost, or ask the access body for more budget"
            raise refusal("this query", where, charge.loss, left, advice, describe)
        self._connection.execute(_spend_allocations(charge))
        self._connection.execute(insert(t.charges).values(**_charge_values(charge)))
        self._post(spending(charge), charge.charged_at)
        self._audit.append(event)
        return charge

    def release_allocation(self, permit_id: str, event: AuditEvent) -> PrivacyLoss:
        available = _budget(self._locked_permit(permit_id)).remaining
        unspent = {a.dataset: _loss(a, "allocated") - _loss(a, "spent") for a in self._allocations(permit_id)}
        for dataset, loss in unspent.items():
            self._connection.execute(
                update(t.datasets).where(t.datasets.c.id == dataset).values(**_less("allocated", loss, t.datasets))
            )
        c = t.allocations.c
        as_spent = {"allocated_pico_rho": c.spent_pico_rho, "allocated_atto_delta": c.spent_atto_delta}
        self._connection.execute(update(t.allocations).where(c.permit == permit_id).values(**as_spent))
        self._connection.execute(
            update(t.permits).where(t.permits.c.id == permit_id).values(**_more("returned", available, t.permits))
        )
        self._post(giving_back(permit_id, available, unspent), event.at)
        self._audit.append(event)
        return available

    def find_charge(self, permit_id: str, idempotency_key: str) -> Charge | None:
        c = t.charges.c
        query = select(t.charges).where(c.permit == permit_id, c.idempotency_key == idempotency_key)
        row = self._connection.execute(query).one_or_none()
        return _charge(row) if row else None

    def charges(self, permit_id: str) -> list[Charge]:
        c = t.charges.c
        query = select(t.charges).where(c.permit == permit_id).order_by(c.charged_at, c.id)
        return [_charge(row) for row in self._connection.execute(query)]

    def all_charges(self) -> Iterator[Charge]:
        return (_charge(row) for row in self._connection.execute(select(t.charges)))

    def budget(self, permit_id: str) -> Budget:
        return self._counted(_budget(self._one(_permit_row(permit_id), permit_id)), permit_id)

    def allotment(self, dataset_id: str) -> Allotment:
        row = self._connection.execute(select(t.datasets).where(t.datasets.c.id == dataset_id)).one_or_none()
        if row is None:
            raise NotFound(f"no dataset {dataset_id} is registered")
        return Allotment(_loss(row, "capacity"), _loss(row, "allocated"))

    def postings(self, after: int = 0, most: int | None = None) -> Iterator[Posting]:
        return postings.read(self._connection, after, most)

    def head(self) -> ChainHead:
        return chains.head(self._connection, postings.CHAIN)

    def balances(self) -> dict[Account, PrivacyLoss]:
        kind, found = AccountKind, dict[Account, PrivacyLoss]()
        for row in self._connection.execute(select(t.datasets)):
            found[Account(kind.DATASET_FREE, row.id)] = _loss(row, "capacity") - _loss(row, "allocated")
        for row in self._connection.execute(select(t.allocations)):
            held = _loss(row, "allocated") - _loss(row, "spent")
            found[Account(kind.DATASET_ALLOCATED, row.dataset, row.permit)] = held
            found[Account(kind.DATASET_SPENT, row.dataset, row.permit)] = _loss(row, "spent")
        for row in self._connection.execute(select(t.permits)):
            found[Account(kind.PERMIT_AVAILABLE, permit=row.id)] = _budget(row).remaining
            found[Account(kind.PERMIT_SPENT, permit=row.id)] = _loss(row, "spent")
        return found

    def _post(self, movements: Iterable[Movement], at: datetime) -> None:
        self.moved = postings.post(self._connection, movements, at) or self.moved

    def _locked_permit(self, permit_id: str) -> Row[Any]:
        # SQLite has the whole database locked already and ignores FOR UPDATE.
        permit = self._one(_permit_row(permit_id).with_for_update(), permit_id)
        # The trail before the postings and the datasets, as in every other change: no two wait for each other.
        chains.locked_head(self._connection, audit.CHAIN)
        return permit

    def _one(self, query: Select[Any], permit_id: str) -> Row[Any]:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"there is no permit {permit_id}")
        return row

    def _allocations(self, permit_id: str) -> list[Row[Any]]:
        query = select(t.allocations).where(t.allocations.c.permit == permit_id).order_by(t.allocations.c.dataset)
        return list(self._connection.execute(query))

    def _check_datasets(self, charge: Charge, number: str) -> None:
        outside = sorted(set(charge.datasets) - {row.dataset for row in self._allocations(charge.permit_id)})
        if outside:
            raise OutOfScope(f"permit {number} has no budget in {', '.join(outside)}; apply for an amendment")

    def _tightest(self, permit: Row[Any], charge: Charge) -> tuple[str, PrivacyLoss]:
        """What the charge does not fit in, and how much is left there: the permit, or its share of one dataset."""
        left = _budget(permit).remaining
        if charge.loss.fits_in(left):
            for row in self._allocations(charge.permit_id):
                held = _loss(row, "allocated") - _loss(row, "spent")
                if row.dataset in charge.datasets and not charge.loss.fits_in(held):
                    return f"permit {permit.number} in dataset {row.dataset}", held
        return f"permit {permit.number}", left

    def _counted(self, budget: Budget, permit_id: str) -> Budget:
        charges, releases = (
            self._connection.execute(select(func.count()).select_from(x).where(x.c.permit == permit_id)).scalar_one()
            for x in (t.charges, t.releases)
        )
        return Budget(budget.limit, budget.spent, budget.returned, charges, releases)


def _take_capacity(dataset: str, loss: PrivacyLoss) -> Any:
    c = t.datasets.c
    fits = and_(
        c.allocated_pico_rho + loss.pico_rho <= c.capacity_pico_rho,
        c.allocated_atto_delta + loss.atto_delta <= c.capacity_atto_delta,
    )
    return update(t.datasets).where(c.id == dataset, fits).values(**_more("allocated", loss, t.datasets))


def _spend_permit(charge: Charge) -> Any:
    """The statement that decides: permit in force, its limit, and its allocation in every dataset."""
    c, loss, now = t.permits.c, charge.loss, charge.charged_at
    return (
        update(t.permits)
        .where(
            c.id == charge.permit_id,
            c.spent_pico_rho + c.returned_pico_rho + loss.pico_rho <= c.limit_pico_rho,
            c.spent_atto_delta + c.returned_atto_delta + loss.atto_delta <= c.limit_atto_delta,
            c.revoked_at.is_(None),
            c.suspended_at.is_(None),
            c.valid_from <= now,
            c.valid_until > now,
            _allocations_that_hold(charge) == len(charge.datasets),
        )
        .values(**_more("spent", loss, t.permits))
    )


def _allocations_that_hold(charge: Charge) -> ColumnElement[int]:
    a, loss = t.allocations.c, charge.loss
    return (
        select(func.count())
        .select_from(t.allocations)
        .where(
            a.permit == charge.permit_id,
            a.dataset.in_(charge.datasets),
            a.spent_pico_rho + loss.pico_rho <= a.allocated_pico_rho,
            a.spent_atto_delta + loss.atto_delta <= a.allocated_atto_delta,
        )
        .scalar_subquery()
    )


def _spend_allocations(charge: Charge) -> Any:
    a = t.allocations.c
    mine = and_(a.permit == charge.permit_id, a.dataset.in_(charge.datasets))
    return update(t.allocations).where(mine).values(**_more("spent", charge.loss, t.allocations))


def _check_in_force(permit: Row[Any], now: datetime) -> None:
    """Raises WrongState with the reason for which the deciding statement passed over the permit, if it is its state."""
    if permit.revoked_at is not None:
        raise WrongState(f"permit {permit.number} was revoked; nothing was charged")
    if permit.suspended_at is not None:
        raise WrongState(f"permit {permit.number} is suspended; nothing was charged")
    if not permit.valid_from <= now < permit.valid_until:
        raise WrongState(f"permit {permit.number} is not in force at this time; nothing was charged")


def _same(standing: Charge, asked: Charge) -> Charge:
    if not standing.same_order(asked):
        raise InvalidInput(
            "this idempotency key was used under this permit for another question or price; use a new key"
        )
    return standing


def _permit_row(permit_id: str) -> Select[Any]:
    return select(t.permits).where(t.permits.c.id == permit_id)


def _budget(permit: Row[Any]) -> Budget:
    return Budget(_loss(permit, "limit"), _loss(permit, "spent"), _loss(permit, "returned"))


def _loss(row: Row[Any], name: str) -> PrivacyLoss:
    found = row._mapping
    return PrivacyLoss(found[f"{name}_pico_rho"], found[f"{name}_atto_delta"])


def _columns(name: str, loss: PrivacyLoss) -> dict[str, int]:
    return {f"{name}_pico_rho": loss.pico_rho, f"{name}_atto_delta": loss.atto_delta}


def _more(name: str, loss: PrivacyLoss, table: Table) -> dict[str, ColumnElement[int]]:
    return {column: table.c[column] + quanta for column, quanta in _columns(name, loss).items()}


def _less(name: str, loss: PrivacyLoss, table: Table) -> dict[str, ColumnElement[int]]:
    return {column: table.c[column] - quanta for column, quanta in _columns(name, loss).items()}


def _charge_values(charge: Charge) -> dict[str, Any]:
    return {
        "id": charge.id,
        "permit": charge.permit_id,
        "actor": charge.actor,
        "idempotency_key": charge.idempotency_key,
        "fingerprint": charge.fingerprint,
        "datasets": list(charge.datasets),
        "charged_at": charge.charged_at,
        **_columns("loss", charge.loss),
    }


def _charge(row: Row[Any]) -> Charge:
    return Charge(
        id=row.id,
        permit_id=row.permit,
        actor=row.actor,
        loss=_loss(row, "loss"),
        fingerprint=row.fingerprint,
        idempotency_key=row.idempotency_key,
        datasets=tuple(row.datasets),
        charged_at=row.charged_at,
    )
