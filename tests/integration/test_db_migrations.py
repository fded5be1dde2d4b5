"""The accounts database from nothing: created, migrated, protected, and refused where it cannot be kept safely."""

import importlib.util
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Table, event, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, ResourceClosedError
from sqlalchemy.schema import CreateTable

from dataspace.db import SqlUnitOfWork, migrate, open_engine, sqlite
from dataspace.db.migrate import check_no_drift
from dataspace.db.tables import APPEND_ONLY, metadata
from dataspace.domain.errors import Busy, InvalidInput, Unavailable
from dataspace.domain.ledger import Charge
from dataspace.services import ledger, permits
from dataspace.services.forms import return_application
from tests.factories import make_charge, make_node
from tests.public_records import record_everything

ROOT = Path(__file__).parents[2]


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_from_nothing_to_the_present_tables(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path / "new" / "folder" / "accounts.db"))
    migrate(engine)
    migrate(engine)
    assert set(inspect(engine).get_table_names()) == set(metadata.tables) | {"alembic_version"}
    check_no_drift(engine)


def test_the_file_is_for_this_user_only(tmp_path: Path) -> None:
    open_engine(url(tmp_path / "accounts.db"))
    assert stat.S_IMODE((tmp_path / "accounts.db").stat().st_mode) == 0o600


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path / "accounts.db"))
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(Unavailable, match="newer version"):
        migrate(engine)


def test_migrating_backwards_leaves_nothing_behind(tmp_path: Path) -> None:
    from alembic import command

    from dataspace.db.migrate import _config

    engine = open_engine(url(tmp_path / "accounts.db"))
    migrate(engine)
    with engine.begin() as connection:
        command.downgrade(_config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    check_no_drift(engine)


def test_permits_of_before_keep_the_version_they_are_in(tmp_path: Path) -> None:
    from alembic import command

    from dataspace.db.migrate import _config

    node = make_node(tmp_path)
    node.dataset()
    granted, ended = node.permit(), node.permit()
    revoked = permits.revoke_permit(node.uow, node.clock, node.decision_maker, ended.id, reasons="misuse")
    with node.engine.begin() as connection:
        command.downgrade(_config(connection), "0002")
    migrate(node.engine)
    with node.uow.reading() as uow:
        assert [version.permit for version in uow.permits.versions(granted.id)] == [granted]
        assert [version.permit for version in uow.permits.versions(revoked.id)] == [revoked]


def test_every_connection_is_strict_and_durable(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path / "accounts.db"))
    with engine.connect() as connection:
        pragma = {
            name: connection.execute(text(f"pragma {name}")).scalar_one()
            for name in ("foreign_keys", "synchronous", "recursive_triggers", "busy_timeout", "journal_mode")
        }
    assert pragma == {
        "foreign_keys": 1,
        "synchronous": 2,
        "recursive_triggers": 1,
        "busy_timeout": 15_000,
        "journal_mode": sqlite.journal_mode(),
    }


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "delete"),
        ((3, 44, 5), "delete"),
        ((3, 44, 6), "wal"),
        ((3, 45, 0), "delete"),
        ((3, 50, 6), "delete"),
        ((3, 50, 7), "wal"),
        ((3, 51, 2), "delete"),
        ((3, 51, 3), "wal"),
        ((3, 52, 0), "wal"),
    ],
)
def test_write_ahead_log_only_where_it_does_not_lose_commits(version: tuple[int, ...], mode: str) -> None:
    assert sqlite.journal_mode(version) == mode


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as raised:
        open_engine(url(tmp_path / "file" / "accounts.db"))
    assert "cannot be written" in raised.value.message
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:"])
def test_memory_is_refused(bad: str) -> None:
    with pytest.raises(Unavailable, match="would forget charges"):
        open_engine(bad)


def test_other_databases_are_refused() -> None:
    with pytest.raises(InvalidInput, match="SQLite or PostgreSQL"):
        open_engine("mysql://somewhere/accounts")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "accounts.db").write_text("this is not a database, it is a text that is long enough to be read" * 20)
    with pytest.raises(Unavailable, match="operator"):
        migrate(open_engine(url(tmp_path / "accounts.db")))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_append_only_tables_refuse_every_way_of_changing_them(tmp_path: Path, table: str) -> None:
    node = make_node(tmp_path)
    node.dataset()
    node.release(node.charge(node.permit(), 5))
    node.opt_out()
    return_application(node.uow, node.clock, node.assessor, node.submitted().id, missing={"title": "say it shortly"})
    node.message()
    node.written_on()
    record_everything(node)
    node.refused_budget_request()
    with node.engine.begin() as connection:
        # names no entry of the trail, so that none may leave it
        connection.execute(text("insert into audit_archives values (0, 0, '', '', '', '2026-01-01 00:00:00.000000')"))
    column = metadata.tables[table].c[0].name
    for statement in (
        f"update {table} set {column} = {column}",
        f"delete from {table}",
        f"insert or replace into {table} select * from {table}",
    ):
        with pytest.raises(IntegrityError, match="append-only"), node.engine.begin() as connection:
            connection.execute(text(statement))


def test_the_last_line_of_defence_is_in_the_tables(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.dataset()
    node.permit()
    for statement in (
        "update permits set spent_pico_rho = limit_pico_rho + 1",
        "update permits set spent_atto_delta = -1",
        "update permits set spent_pico_rho = limit_pico_rho, returned_pico_rho = 1",
        "update datasets set allocated_pico_rho = capacity_pico_rho + 1",
        "update allocations set spent_pico_rho = allocated_pico_rho + 1",
    ):
        with pytest.raises(IntegrityError, match="ck_"), node.engine.begin() as connection:
            connection.execute(text(statement))


def test_a_lock_that_is_not_free_in_time_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = make_node(tmp_path)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    other = open_engine(node.url)
    with node.uow, pytest.raises(Busy, match="nothing was changed"):
        SqlUnitOfWork(other).__enter__()


def test_reading_does_not_write_and_does_not_wait(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    with node.uow, node.uow.reading() as reader:
        assert reader.accounts.all()
    with node.uow.reading() as reader, pytest.raises(Unavailable):
        reader.applications.next_number(2026)
    # The same connection writes again afterwards.
    node.draft()


def test_left_without_commit_nothing_happened(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    before = (tmp_path / "accounts.db").read_bytes()
    with node.uow as uow:
        uow.applications.next_number(2026)
    assert (tmp_path / "accounts.db").read_bytes() == before


def test_after_the_commit_nothing_can_follow_unnoticed(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    with node.uow as uow:
        uow.applications.next_number(2026)
        uow.commit()
        with pytest.raises(ResourceClosedError):
            uow.applications.next_number(2026)
        with pytest.raises(RuntimeError, match="outside"):
            uow.commit()


def test_a_full_disk_refuses_the_charge_and_keeps_the_books(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.dataset()
    permit = node.permit()
    full = open_engine(node.url)
    event.listen(full, "connect", lambda connection, _: connection.execute("pragma max_page_count = 1"))
    charged: list[Charge] = []

    def charge_for_ever() -> None:
        while True:
            charged.append(make_charge(SqlUnitOfWork(full), node.order(permit, 1)))

    with pytest.raises(Unavailable, match="disk"):
        charge_for_ever()
    assert ledger.get_budget(node.uow, node.clock, node.researcher, permit.id).spent.pico_rho == len(charged)
    assert ledger.verify(node.uow).sound


def test_two_nodes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    code = f"from dataspace.db import *; migrate(open_engine({url(tmp_path / 'accounts.db')!r}))"
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    check_no_drift(open_engine(url(tmp_path / "accounts.db")))


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_tables_can_be_said_in_postgresql(table: Table) -> None:
    assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_a_missing_driver_and_an_unreadable_url_are_one_line() -> None:
    with pytest.raises(InvalidInput, match="cannot be read") as raised:
        open_engine("secret without scheme")
    assert "secret" not in raised.value.message
    if importlib.util.find_spec("psycopg") is None:
        with pytest.raises(Unavailable, match="install psycopg"):
            open_engine("postgresql://someone@nowhere/accounts")


def test_a_plain_sqlite_client_can_read_the_ledger(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.dataset()
    with sqlite3.connect(tmp_path / "accounts.db") as connection:
        assert connection.execute("select kind, source_kind, target_kind from postings").fetchall() == [
            ("capacity", "authority", "dataset-free")
        ]


def test_what_was_submitted_before_forms_is_its_first_edition(tmp_path: Path) -> None:
    from alembic import command

    from dataspace.db.migrate import _config

    node = make_node(tmp_path)
    node.dataset()
    case, draft = node.submitted(), node.draft()
    back = return_application(node.uow, node.clock, node.assessor, node.submitted().id, missing={"title": "shorter"})
    with node.engine.begin() as connection:
        command.downgrade(_config(connection), "0002")
    migrate(node.engine)
    with node.uow.reading() as uow:
        assert [edition.written.form for edition in uow.submissions.editions(case.id)] == [case.form]
        assert uow.submissions.editions(draft.id) == []
        assert uow.applications.get(case.id) == case
        assert uow.applications.get(back.id).state == "submitted"
