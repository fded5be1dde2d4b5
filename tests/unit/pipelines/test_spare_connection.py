"""Whoever opens a snapshot gets a connection that nobody else has or had."""

import duckdb

from pipelines.store.spare import Spare


def test_every_connection_is_handed_out_once() -> None:
    made: list[duckdb.DuckDBPyConnection] = []

    def make() -> duckdb.DuckDBPyConnection:
        made.append(duckdb.connect(":memory:"))
        return made[-1]

    spare = Spare(make)
    taken = [spare.take() for _ in range(5)]
    assert len({id(connection) for connection in taken}) == 5
    assert {id(connection) for connection in taken} <= {id(connection) for connection in made}


def test_settings_of_one_do_not_reach_the_next() -> None:
    spare = Spare(lambda: duckdb.connect(":memory:"))
    first, second = spare.take(), spare.take()
    first.execute("SET enable_external_access = false")
    first.execute("SET lock_configuration = true")
    first.execute("CREATE TABLE t (x INTEGER)")
    assert second.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
    second.execute("SET threads = 1")
