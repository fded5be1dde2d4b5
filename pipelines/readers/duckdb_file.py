"""A DuckDB database file as a delivery, opened read-only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import SourceError, without_engine_text
from pipelines.readers.engine_tables import EngineTable
from pipelines.readers.limits import Limits
from pipelines.readers.source import Source, digest_file
from pipelines.readers.unchanged import note


def open_duckdb(location: Path, options: Mapping[str, Any], limits: Limits) -> Source:
    """Option `schema`: the database schema the tables are in, "main" unless given. Views are not read, since their rows
    have no order of their own.
    """
    if not location.is_file():
        raise SourceError(f"{location}: a DuckDB delivery is one database file.")
    files = (location, location.with_name(location.name + ".wal"))
    noted = note(files)
    schema = str(options.get("schema", "main"))
    with without_engine_text(f"{location} cannot be opened as a DuckDB database", SourceError):
        connection = connect(limits.memory, limits.threads, database=location, read_only=True)
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY ALL",
            [schema],
        ).fetchall()
        connection.execute("SET enable_external_access = false")
    tables = {t: EngineTable(t, connection, f"{sql.name(schema)}.{sql.name(t)}") for (t,) in names}
    return Source(tables, lambda: [digest_file(f) for f in files if f.exists()], connection.close, noted.check)
