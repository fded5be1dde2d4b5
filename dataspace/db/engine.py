"""Opening the accounts database by URL: an SQLite file by default, PostgreSQL where one is named."""

from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from dataspace.db import postgresql, sqlite
from dataspace.domain.errors import InvalidInput, Unavailable

_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


def open_engine(url: str) -> Engine:
    """Engine for `url`, for example `sqlite:///accounts.db` or `postgresql://…`; creates an SQLite file's folder.

    Raises Unavailable if the file cannot be written, InvalidInput for another kind of database.
    """
    parsed = _parsed(url)
    dialect = _DIALECTS.get(parsed.get_backend_name())
    if dialect is None:
        raise InvalidInput(f"accounts are kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}")
    if dialect is sqlite:
        sqlite.prepare_file(parsed)
    try:
        engine = create_engine(parsed, **dialect.engine_options())
    except ImportError as error:
        raise Unavailable(f"the driver for this database is missing: install {error.name}") from error
    if dialect is sqlite:
        sqlite.install(engine)
    event.listen(engine, "handle_error", _translate)
    return engine


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        # The URL may hold a password, so it is not repeated.
        raise InvalidInput("the database URL cannot be read; write sqlite:///path or postgresql://…") from None


def _translate(context: ExceptionContext) -> None:
    """Raise the project's error for what the database says; defects go through as they are."""
    original = context.original_exception
    meaning = _DIALECTS[context.dialect.name].meaning(original)
    if meaning is not None:
        raise meaning from original
