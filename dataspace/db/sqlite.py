"""All that is particular to SQLite: how it is opened, how it locks, what its errors mean.

Durable means durable: synchronous=FULL, and WAL only on versions without the WAL-reset bug, which could lose a
committed charge. One writer at a time: BEGIN IMMEDIATE takes the lock before anything is read.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from dataspace.domain.errors import Busy, DataspaceError, Unavailable

READ_ONLY = "accounts_read_only"
"""Execution option of a connection whose next transaction only reads."""

BUSY_TIMEOUT_MS = 15_000

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_BROKEN = ("SQLITE_READONLY", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB")


def journal_mode(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """WAL where the WAL-reset bug is fixed (3.51.3, and the back-ports 3.50.7 and 3.44.6), else DELETE."""
    fixed = version >= (3, 51, 3) or (version[:2] == (3, 50) and version >= (3, 50, 7))
    return "wal" if fixed or (version[:2] == (3, 44) and version >= (3, 44, 6)) else "delete"


def prepare_file(url: URL) -> None:
    """Create the folder and the file, readable by this user only. Raises Unavailable with a one-line reason."""
    if not url.database or url.database == ":memory:":
        raise Unavailable(
            "the accounts database must be a file or a PostgreSQL server; in memory it would forget charges"
        )
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unavailable(
            f"the accounts database {path} cannot be written ({error.strerror}); free or choose another folder"
        ) from error


def install(engine: Engine) -> None:
    """Make every connection of `engine` strict and durable."""
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    try:
        _set_pragmas(connection)
    except sqlite3.Error as error:
        raise meaning(error) or error from error


def _set_pragmas(connection: sqlite3.Connection) -> None:
    # The driver must not open transactions by itself: `_begin` does.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "foreign_keys = on",
        "synchronous = full",
        # Without it, INSERT OR REPLACE would delete rows past the append-only triggers.
        "recursive_triggers = on",
        "trusted_schema = off",
    ):
        connection.execute(f"pragma {pragma}")
    wanted = journal_mode()
    if connection.execute("pragma journal_mode").fetchone()[0] != wanted:
        connection.execute(f"pragma journal_mode = {wanted}")


def _begin(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(READ_ONLY, False))
    connection.exec_driver_sql(f"pragma query_only = {int(reading)}")
    connection.exec_driver_sql("begin" if reading else "begin immediate")


def meaning(error: BaseException) -> DataspaceError | None:
    """What the driver's error is to a person; None if it is a defect."""
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith(_BUSY):
        return Busy("the accounts database is busy; nothing was changed or charged, try again")
    if name.startswith(_BROKEN):
        return Unavailable("the accounts database cannot be written; the operator must look at its disk")
    return None


def append_only_ddl(table: str) -> list[str]:
    """Triggers that refuse update and delete."""
    return [
        f"create trigger {table}_no_{verb} before {verb} on {table} "
        f"begin select raise(abort, '{table} is append-only'); end"
        for verb in ("update", "delete")
    ]


def unprotected_ddl(table: str) -> list[str]:
    """Without the triggers of `append_only_ddl`, or of `archived_ddl`."""
    return [f"drop trigger {table}_no_{verb}" for verb in ("update", "delete")]


def archived_ddl(table: str, archives: str) -> list[str]:
    """Triggers that refuse update, and delete of what is not in the archives."""
    refused = f"select raise(abort, '{table} is append-only'); end"
    kept = f"old.seq > (select coalesce(max(last), 0) from {archives})"
    return [
        f"create trigger {table}_no_update before update on {table} begin {refused}",
        f"create trigger {table}_no_delete before delete on {table} when {kept} begin {refused}",
    ]


def engine_options() -> dict[str, Any]:
    pool = {"pool_size": 16, "max_overflow": 48, "pool_timeout": 15}
    return {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}, **pool}
