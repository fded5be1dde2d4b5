"""Quoting for the SQL this package writes: names and literals come from plans, and are quoted all the same."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path


def name(identifier: str) -> str:
    """A quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """A quoted string literal."""
    return "'" + value.replace("'", "''") + "'"


def literal(value: str | int | Decimal | date | datetime) -> str:
    """A literal of the value's own type."""
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return text(value) if isinstance(value, str) else str(value)


def paths(files: Iterable[Path]) -> str:
    """A list literal of file names."""
    return "[" + ", ".join(text(str(f)) for f in files) + "]"


def alternatives(conditions: Iterable[str], otherwise: str = "false") -> str:
    """The conditions joined by OR; `otherwise` if there are none."""
    return " OR ".join(f"({c})" for c in conditions) or otherwise
