"""Append-only tables: the database itself refuses to change or delete what was written."""

from sqlalchemy import Connection, text

from dataspace.db import postgresql, sqlite

_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


def protect(connection: Connection, table: str) -> None:
    """Install the triggers that refuse changes to rows of `table`."""
    _run(connection, _DIALECTS[connection.dialect.name].append_only_ddl(table))


def unprotect(connection: Connection, table: str) -> None:
    """Remove the triggers, for a migration that puts others in their place in the same transaction."""
    _run(connection, _DIALECTS[connection.dialect.name].unprotected_ddl(table))


def only_archived_leave(connection: Connection, table: str, archives: str) -> None:
    """Install triggers that refuse every change of `table`, but the removal of rows that `archives` lists as moved.

    Rows of `table` are known by `seq`; `last` of `archives` is the newest that was moved.
    """
    _run(connection, _DIALECTS[connection.dialect.name].archived_ddl(table, archives))


def _run(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.execute(text(statement))
