"""A node behind its HTTP API, over an in-memory dataset, for tests of the query path and the web layer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from dataspace.bootstrap import Node
from dataspace.db import SqlUnitOfWork
from dataspace.domain.actors import Actor
from dataspace.domain.permits import DataPermit
from dataspace.domain.populations import Population
from dataspace.dp.accountant import budget_of
from dataspace.dp.noise import Noise, OpenDPNoise
from dataspace.services import accounts
from dataspace.services.queries import Engine
from dataspace.settings import Settings
from dataspace.web.app import create_app
from pipelines.store.record import Key
from tests.factories import Node as People
from tests.factories import make_node
from tests.fakes import REGISTRY_KEY, FakePseudonyms

PERSONS = 400


class MemoryRows:
    """400 persons, half F and half M, each with one to three visits of kind a or b, in one bucket."""

    buckets = 1

    def __init__(self, excluded: NDArray[np.int64], population: Population | None = None) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(f"""
            CREATE SCHEMA registry;
            CREATE TABLE registry.person AS SELECT i::BIGINT AS person_key, 1::INTEGER AS row_rank,
              CASE WHEN i % 2 = 0 THEN 'F' ELSE 'M' END AS sex, 1940 + i % 60 AS birth_year FROM range({PERSONS}) t(i);
            CREATE TABLE registry.visit AS SELECT i::BIGINT AS person_key, r::INTEGER AS row_rank,
              CASE WHEN (i + r) % 3 = 0 THEN 'a' ELSE 'b' END AS kind, (i % 20) AS days
              FROM range({PERSONS}) t(i), range(1, 4) u(r) WHERE r <= 1 + i % 3 ORDER BY ALL;
        """)
        gone = ", ".join(map(str, excluded.tolist()))
        for table in ("person", "visit"):
            self._connection.execute(f"DELETE FROM registry.{table} WHERE person_key IN ({gone or 'NULL'})")
        if population is not None:
            self._connection.execute(f"CREATE TABLE meant AS {population.persons}")
            for table in ("person", "visit"):
                outside = "person_key NOT IN (SELECT person_key FROM meant)"
                self._connection.execute(f"DELETE FROM registry.{table} WHERE {outside}")

    def scan(self, sql: str, bucket: int, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:  # noqa: ARG002
        for name, table in (lookups or {}).items():
            self._connection.register(name, table)
        return self._connection.sql(sql).to_arrow_table()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._connection.close()


@dataclass
class MemoryStore:
    """Opens `MemoryRows`; `before_opening` lets a test look at the books, or fail, at that very moment."""

    before_opening: Callable[[], None] = lambda: None
    opened: int = 0
    asked: list[frozenset[tuple[str, str, str]]] = field(default_factory=list)

    def key(self, dataset: str, snapshot_id: str) -> Key:  # noqa: ARG002
        return Key(REGISTRY_KEY.domain, 1, REGISTRY_KEY.id)

    def open(
        self,
        snapshots: Mapping[str, str],  # noqa: ARG002
        columns: frozenset[tuple[str, str, str]],
        excluded: Mapping[str, NDArray[np.int64]],
        population: Population | None,
    ) -> MemoryRows:
        self.opened += 1
        self.asked.append(columns)
        self.before_opening()
        return MemoryRows(excluded.get("registry", np.empty(0, np.int64)), population)


@dataclass
class ApiNode:
    """The web application, the people who use it, and the store behind it."""

    people: People
    store: MemoryStore
    client: TestClient
    permit: DataPermit
    node: Node

    def token(self, person: Actor) -> dict[str, str]:
        issued = accounts.issue_token(self.people.uow, self.people.clock, person, person.id)
        return {"Authorization": f"Bearer {issued.plaintext}"}


def make_api_node(folder: Path, noise: Noise | None = None, epsilon: str = "1") -> ApiNode:
    """A node with a published dataset `registry` and a permit for the researcher."""
    people = make_node(folder)
    people.to_limit = budget_of
    people.dataset()
    permit = people.permit(epsilon=epsilon)
    store = MemoryStore()
    node = Node(
        settings=Settings(home=folder, release_grid_ms=0),
        unit_of_work=lambda: SqlUnitOfWork(people.engine),
        store=store,  # type: ignore[arg-type]
        clock=people.clock,
        engine=Engine(store=store, noise=noise or OpenDPNoise(), secret=b"a secret of 32 bytes for testing"),
        pseudonyms=FakePseudonyms(),
    )
    return ApiNode(people, store, TestClient(create_app(node), raise_server_exceptions=False), permit, node)
