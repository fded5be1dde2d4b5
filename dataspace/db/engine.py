"""Opening the accounts database by URL: an SQLite file by default, PostgreSQL where one is named."""

from sqlalchemy import Engine, ExceptionContext, create_engine, event, make_url

from dataspace.db import postgresql, sqlite
from dataspace.domain.errors import InvalidInput

_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


def open_engine(url: str) -> Engine:
    """Engine for `url`, for example `sqlite:///accounts.db` or `postgresql://…`; creates an SQLite file's folder.

    Raises Unavailable if the file cannot be written, InvalidInput for another kind of database.
    """
    parsed = make_url(url)
    dialect = _DIALECTS.get(parsed.get_backend_name())
    if dialect is None:
        raise InvalidInput(f"accounts are kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}")
    if dialect is sqlite:
        sqlite.prepare_file(parsed)
    engine = create_engine(parsed, pool_size=16, max_overflow=48, pool_timeout=15, **dialect.engine_options())
    if dialect is sqlite:
        sqlite.install(engine)
    event.listen(engine, "handle_error", _translate)
    return engine


def _translate(context: ExceptionContext) -> None:
    """Raise the project's error for what the database says; defects go through as they are."""
    original = context.original_exception
    meaning = _DIALECTS[context.dialect.name].meaning(original)
    if meaning is not None:
        raise meaning from original
