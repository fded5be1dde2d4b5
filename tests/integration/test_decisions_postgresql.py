"""The life of a permit on PostgreSQL: the same walk, the same refusals."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dataspace.db.migrate import check_no_drift
from dataspace.domain.errors import DataspaceError
from dataspace.services import ledger
from tests.databases import node_on
from tests.factories import Node
from tests.journeys import grant, whole_life


@pytest.fixture(scope="module")
def node(postgres: str) -> Iterator[Node]:
    with node_on(postgres) as made:
        check_no_drift(made.engine)
        made.dataset()
        yield made


def test_the_whole_life_of_a_permit(node: Node) -> None:
    whole_life(node)
    assert ledger.verify(node.uow).sound


@pytest.mark.parametrize("table", ["criterion_findings", "proposals", "case_steps", "permit_versions"])
def test_what_was_written_about_a_case_stays(node: Node, table: str) -> None:
    node.permit()
    for change in (f"update {table} set at = at", f"delete from {table}", f"truncate {table}"):
        with pytest.raises(ProgrammingError, match="append-only"), node.engine.begin() as connection:
            connection.execute(text(change))


def test_decided_twice_at_once_there_is_one_permit(node: Node) -> None:
    case = node.proposed()

    def decide(_: int) -> bool:
        try:
            grant(node, case.id)
        except DataspaceError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(decide, range(4))) == [False, False, False, True]
    with node.uow.reading() as uow:
        assert len([p for p in uow.permits.all() if p.application == case.id]) == 1
