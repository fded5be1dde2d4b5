"""Append-only tables: the database itself refuses to change or delete what was written."""

from sqlalchemy import Connection, text

from dataspace.db import postgresql, sqlite

_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


def protect(connection: Connection, table: str) -> None:
    """Install the triggers that refuse changes to rows of `table`."""
    for statement in _DIALECTS[connection.dialect.name].append_only_ddl(table):
        connection.execute(text(statement))
