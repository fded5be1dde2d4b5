"""Registered datasets and their published snapshots: the point of truth which snapshot is current."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from catalog.schema import DatasetSchema
from catalog.serialise import schema_from_dict, schema_to_dict
from dataspace.db import tables as t
from dataspace.domain.datasets import Dataset
from dataspace.domain.errors import InvalidInput, NotFound, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.services.ports import AuditTrail


class SqlDatasets:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, dataset: Dataset, event: AuditEvent) -> None:
        if self._row(dataset.id) is not None:
            raise WrongState(f"dataset {dataset.id} is registered already; publish a snapshot of it instead")
        if (
            self._connection.execute(select(t.organisations).where(t.organisations.c.name == dataset.holder)).first()
            is None
        ):
            raise InvalidInput(f"no person of {dataset.holder} is registered; register one of this data holder first")
        self._connection.execute(
            insert(t.datasets).values(
                id=dataset.id,
                title=dataset.title,
                holder=dataset.holder,
                epsilon=str(dataset.capacity.epsilon),
                delta=str(dataset.capacity.delta),
                capacity_pico_rho=dataset.limit.pico_rho,
                capacity_atto_delta=dataset.limit.atto_delta,
                registered_at=dataset.registered_at,
            )
        )
        self._prepared(dataset.id, event.actor)
        self._audit.append(event)

    def publish(self, dataset: Dataset, schema: DatasetSchema, event: AuditEvent) -> None:
        if dataset.current is None or dataset.published_at is None:
            raise ValueError("a dataset is published with its current snapshot and the time")
        record = schema_to_dict(schema)
        known = self._stored_schema(dataset.id, dataset.current)
        if known is not None and known != record:
            raise WrongState(f"snapshot {dataset.current} of {dataset.id} was published with another data dictionary")
        if known is None:
            self._connection.execute(
                insert(t.dataset_snapshots).values(
                    dataset=dataset.id, snapshot=dataset.current, schema=record, published_at=dataset.published_at
                )
            )
        self._connection.execute(
            update(t.datasets)
            .where(t.datasets.c.id == dataset.id)
            .values(title=dataset.title, current=dataset.current, published_at=dataset.published_at)
        )
        self._prepared(dataset.id, event.actor)
        self._audit.append(event)

    def get(self, dataset_id: str) -> Dataset:
        row = self._row(dataset_id)
        if row is None:
            raise NotFound(f"no dataset {dataset_id} is registered")
        return _dataset(row)

    def all(self) -> list[Dataset]:
        return [_dataset(row) for row in self._connection.execute(select(t.datasets).order_by(t.datasets.c.id))]

    def schema(self, dataset_id: str, snapshot: str) -> DatasetSchema:
        record = self._stored_schema(dataset_id, snapshot)
        if record is None:
            raise NotFound(f"dataset {dataset_id} has no published snapshot {snapshot}")
        return schema_from_dict(record)

    def preparers(self, dataset_id: str) -> frozenset[str]:
        known = t.dataset_preparers.c
        return frozenset(self._connection.execute(select(known.person).where(known.dataset == dataset_id)).scalars())

    def _prepared(self, dataset_id: str, person: str) -> None:
        if person not in self.preparers(dataset_id):
            self._connection.execute(insert(t.dataset_preparers).values(dataset=dataset_id, person=person))

    def _row(self, dataset_id: str) -> Row[Any] | None:
        return self._connection.execute(select(t.datasets).where(t.datasets.c.id == dataset_id)).one_or_none()

    def _stored_schema(self, dataset_id: str, snapshot: str) -> dict[str, Any] | None:
        stored = t.dataset_snapshots.c
        query = select(stored.schema).where(stored.dataset == dataset_id, stored.snapshot == snapshot)
        record: dict[str, Any] | None = self._connection.execute(query).scalar_one_or_none()
        return record


def _dataset(row: Row[Any]) -> Dataset:
    return Dataset(
        id=row.id,
        title=row.title,
        holder=row.holder,
        capacity=Guarantee(Decimal(row.epsilon), Decimal(row.delta)),
        limit=PrivacyLoss(row.capacity_pico_rho, row.capacity_atto_delta),
        registered_at=row.registered_at,
        current=row.current,
        published_at=row.published_at,
    )
