"""Connections to a PostgreSQL database that is delivered: read-only, on one snapshot, the password never in a plan."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import adbc_driver_postgresql.dbapi as postgresql  # type: ignore[import-untyped]

from pipelines import sqltext as sql
from pipelines.errors import SourceError

OPTIONS = ("schema", "password_env")

BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

SETTINGS = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL IntervalStyle = 'iso_8601'",
)
"""Waiting is no error here, and text forms do not depend on the server."""


@dataclass(frozen=True)
class Database:
    """Where to connect, with the password (`url`), without it for messages (`shown`), and the snapshot to read."""

    url: str = field(repr=False)
    shown: str
    schema: str
    snapshot: str = ""

    @contextmanager
    def reading(self) -> Iterator[postgresql.Connection]:
        """A connection on the snapshot."""
        with closing(postgresql.connect(self.url, autocommit=True)) as connection:
            run(connection, BEGIN)
            run(connection, f"SET TRANSACTION SNAPSHOT {sql.text(self.snapshot)}")
            for setting in SETTINGS:
                run(connection, setting)
            yield connection


def run(connection: postgresql.Connection, statement: str) -> None:
    """Execute a statement without a result."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)


def rows(connection: postgresql.Connection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a small result."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def database_of(location: str, options: Mapping[str, Any]) -> Database:
    """The database a plan names; raises SourceError if it holds a password or an unknown option."""
    unknown = [key for key in options if key not in OPTIONS]
    if unknown:
        raise SourceError(f"PostgreSQL option {unknown[0]!r} is not known. Known: {', '.join(OPTIONS)}.")
    url = urlsplit(location)
    if url.scheme not in ("postgresql", "postgres"):
        raise SourceError("A PostgreSQL delivery has a URL as location: postgresql://account@host:5432/database.")
    if url.password or "password" in parse_qs(url.query):
        raise SourceError(
            "A password does not belong into a plan. Name the variable that holds it: option password_env."
        )
    account, _, host = url.netloc.rpartition("@")
    password = quote(_password(options), safe="")
    netloc = f"{account.partition(':')[0]}{':' + password if password else ''}@{host}" if account or password else host
    query = url.query if "connect_timeout" in url.query else "&".join(filter(None, (url.query, "connect_timeout=20")))
    shown = f"the PostgreSQL database {url.path.strip('/') or 'of the account'} at {host or 'this machine'}"
    return Database(urlunsplit((url.scheme, netloc, url.path, query, "")), shown, str(options.get("schema", "public")))


def _password(options: Mapping[str, Any]) -> str:
    variable = options.get("password_env")
    if variable is None:
        return ""
    if variable not in os.environ:
        raise SourceError(f"The environment variable {variable}, which the plan names under password_env, is not set.")
    return os.environ[variable]
