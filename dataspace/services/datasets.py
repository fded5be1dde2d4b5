"""Datasets: registering one with its privacy capacity, and deciding which snapshot is current."""

from dataclasses import replace

from catalog.schema import DatasetSchema
from catalog.values import is_slug
from dataspace.domain.actors import Actor
from dataspace.domain.datasets import Dataset, check_may_publish
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.domain.permits import ENDED
from dataspace.domain.privacy import Guarantee
from dataspace.services.ports import Clock, ToLimit, UnitOfWork


def register_dataset(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    *,
    dataset: str,
    title: str,
    capacity: Guarantee,
    to_limit: ToLimit,
    holder: str | None = None,
) -> Dataset:
    """Register a dataset of `holder` (by default the actor's organisation) with what all permits together may spend.

    The capacity is posted in the ledger and stays; raises WrongState for a dataset that is registered already.
    """
    check_may(by, NodeAction.REGISTER_DATASET)
    if not title.strip():
        raise InvalidInput("a dataset is registered with an identifier and a title")
    if not is_slug(dataset):
        raise InvalidInput(
            "the identifier of a dataset is lower-case letters, digits, - and _, at most 64, and begins and ends with a"
            " letter or digit: it stands in addresses, file names and queries"
        )
    registered = Dataset(dataset, title, holder or by.organisation.name, capacity, to_limit(capacity), clock.now())
    check_may_publish(by, registered)
    details = {"epsilon": str(capacity.epsilon), "delta": str(capacity.delta)}
    event = AuditEvent(EventKind.DATASET_REGISTERED, by.id, dataset, registered.registered_at, details)
    with uow:
        if registered.holder not in {person.organisation.name for person in uow.accounts.all()}:
            raise InvalidInput(f"data holder {registered.holder} is not registered; register one of its persons first")
        uow.datasets.add(registered, event)
        uow.ledger.open_dataset(registered)
        uow.commit()
    return registered


def publish_snapshot(uow: UnitOfWork, clock: Clock, by: Actor, *, schema: DatasetSchema, snapshot: str) -> Dataset:
    """Make `snapshot` the current one of `schema.dataset`; publishing the current one again changes nothing.

    Raises NotPermitted, NotFound for a dataset that is not registered, WrongState for a snapshot that was published
    with another data dictionary.
    """
    check_may(by, NodeAction.PUBLISH_SNAPSHOT)
    if not snapshot:
        raise InvalidInput("a snapshot has an identifier")
    now = clock.now()
    with uow:
        dataset = uow.datasets.get(schema.dataset)
        check_may_publish(by, dataset)
        if dataset.current == snapshot and uow.datasets.schema(dataset.id, snapshot) == schema:
            return dataset
        published = replace(dataset, current=snapshot, published_at=now)
        event = AuditEvent(EventKind.SNAPSHOT_PUBLISHED, by.id, dataset.id, now, {"snapshot": snapshot})
        uow.datasets.publish(published, schema, event)
        uow.commit()
    return published


def snapshots_in_use(uow: UnitOfWork, clock: Clock, by: Actor, dataset_id: str) -> frozenset[str]:
    """Snapshots of a dataset that must be kept: the current one, and what a permit not ended or any release names.

    A permit that has not begun, or is suspended, has not ended. Raises NotPermitted, NotFound.
    """
    check_may(by, NodeAction.PUBLISH_SNAPSHOT)
    with uow.reading():
        dataset = uow.datasets.get(dataset_id)
        check_may_publish(by, dataset)
        standing = [p for p in uow.permits.all() if p.state(clock.now()) not in ENDED]
        named = {p.snapshots[dataset_id] for p in standing if dataset_id in p.snapshots}
        current = {dataset.current} if dataset.current else set()
        return frozenset(named | current | uow.releases.snapshots(dataset_id))


def list_datasets(uow: UnitOfWork) -> list[Dataset]:
    """All registered datasets; public."""
    with uow.reading():
        return uow.datasets.all()


def get_dataset(uow: UnitOfWork, dataset_id: str) -> Dataset:
    """Raises NotFound; public."""
    with uow.reading():
        return uow.datasets.get(dataset_id)


def get_schema(uow: UnitOfWork, dataset_id: str, snapshot: str | None = None) -> DatasetSchema:
    """The data dictionary of a snapshot, by default the current one; public. Raises NotFound."""
    with uow.reading():
        wanted = snapshot or uow.datasets.get(dataset_id).current
        if wanted is None:
            raise NotFound(f"dataset {dataset_id} has no published snapshot yet")
        return uow.datasets.schema(dataset_id, wanted)
