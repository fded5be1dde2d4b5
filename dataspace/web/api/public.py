"""What everyone may read without signing in: datasets, catalogue records, the state of the ledger."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from dataspace import wire
from dataspace.services import datasets, ledger
from dataspace.web.api import present
from dataspace.web.auth import CurrentNode, Identifier

router = APIRouter(tags=["public"])

PAGE = 500
"""Postings in one answer."""

After = Annotated[int, Query(ge=0, le=2**62, description="the last entry you have")]


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


@router.get("/ledger")
def get_ledger(node: CurrentNode) -> wire.LedgerState:
    """Recompute the privacy ledger and the audit trail, and say whether they are sound."""
    return present.ledger(ledger.verify(node.unit_of_work(), node.audit_files))


@router.get("/ledger/postings")
def list_postings(node: CurrentNode, after: After = 0) -> list[wire.Posting]:
    """The ledger itself, 500 entries at a time, none when you have them all: recompute every hash and balance."""
    return [present.posting(entry) for entry in ledger.list_postings(node.unit_of_work(), after, PAGE)]
