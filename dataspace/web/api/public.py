"""What everyone may read without signing in: datasets, catalogue records, the register, the state of the ledger."""

from fastapi import APIRouter, Response

from dataspace import wire
from dataspace.services import datasets, ledger, register
from dataspace.web.api import present
from dataspace.web.auth import CurrentNode, Identifier

router = APIRouter(tags=["public"])


@router.get("/health")
def health(node: CurrentNode) -> wire.Health:
    """Whether the node answers."""
    return wire.Health(version=node.version)


@router.get("/datasets")
def list_datasets(node: CurrentNode) -> list[wire.DatasetEntry]:
    """Published datasets with their data dictionaries."""
    uow = node.unit_of_work()
    published = [entry for entry in datasets.list_datasets(uow) if entry.current is not None]
    return [present.dataset(entry, datasets.get_schema(uow, entry.id)) for entry in published]


@router.get("/datasets/{dataset_id}")
def get_dataset(dataset_id: Identifier, node: CurrentNode) -> wire.DatasetEntry:
    """One dataset with its data dictionary."""
    uow = node.unit_of_work()
    return present.dataset(datasets.get_dataset(uow, dataset_id), datasets.get_schema(uow, dataset_id))


@router.get("/datasets/{dataset_id}/record", response_class=Response)
def get_record(dataset_id: Identifier, node: CurrentNode) -> Response:
    """The HealthDCAT-AP record of a dataset, as Turtle."""
    dataset = datasets.get_dataset(node.unit_of_work(), dataset_id)
    return Response(node.record_turtle(dataset.id), media_type="text/turtle")


@router.get("/register")
def get_register(node: CurrentNode) -> list[wire.RegisterEntry]:
    """Who uses which data, why, until when (Art. 57(1)(j), 58(1))."""
    return [present.register(row) for row in register.list_register(node.unit_of_work(), node.clock)]


@router.get("/ledger")
def get_ledger(node: CurrentNode) -> wire.LedgerState:
    """Recompute the privacy ledger and the audit trail, and say whether they are sound."""
    return present.ledger(ledger.verify(node.unit_of_work()))
