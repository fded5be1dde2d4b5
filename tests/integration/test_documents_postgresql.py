"""Documents, checkpoints and the stranger's cross-check of a node whose accounts are in PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from dataspace.bootstrap import check_books
from dataspace.client.crosscheck import cross_check
from dataspace.client.public_files import download
from dataspace.client.verification import verify_permit
from dataspace.db import SqlUnitOfWork
from dataspace.jose import read_keys
from dataspace.services.documents import permit_document
from dataspace.services.permits import revoke_permit
from dataspace.settings import Settings
from dataspace.web.app import create_app
from tests.api_node import ApiNode, make_api_node
from tests.databases import node_on
from tests.factories import Node


@pytest.fixture(scope="module")
def people(postgres: str) -> Iterator[Node]:
    with node_on(postgres) as made:
        made.dataset()
        yield made


def test_what_leaves_the_node_signed_holds(people: Node, tmp_path: Path) -> None:
    api: ApiNode = make_api_node(tmp_path)
    settings = Settings(home=tmp_path / "postgresql", release_grid_ms=0)
    node = replace(api.node, settings=settings, unit_of_work=lambda: SqlUnitOfWork(people.engine), clock=people.clock)
    client = TestClient(create_app(node))
    kept, ended = people.permit(), people.permit()
    people.charge(kept, 5)
    assert client.get("/api/v1/ledger/checkpoint").status_code == 200
    people.charge(ended, 7)
    revoke_permit(people.uow, people.clock, people.decision_maker, ended.id, reasons="breach")
    files = download("", client)
    assert cross_check(files).mismatches == ()
    token = permit_document(
        people.uow, people.clock, people.researcher, kept.id, node.signatures, settings.public_url
    ).token
    assert verify_permit(token, read_keys(files.keys), people.clock.now(), files.status).number == kept.number
    check_books(node)
