"""Quoting for the SQL this package writes: names and literals come from plans, and are quoted all the same."""

import re
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


def paths(files: Iterable[Path | str]) -> str:
    """A list literal of files to read: each stands for itself, whatever signs are in its name."""
    return "[" + ", ".join(text(literally(str(f))) for f in files) + "]"


def parquet(files: Iterable[Path]) -> str:
    """The rows of our own Parquet files; the names of their folders give no columns."""
    return f"read_parquet({paths(files)}, hive_partitioning = false)"


def literally(path: str) -> str:
    """The path so that the engine, which takes some signs for patterns, finds this file and no other."""
    return re.sub(r"([\[*?])", r"[\1]", path)


def allowed_paths(files: Iterable[Path]) -> str:
    """A list literal for the engine's setting of this name: it asks for the pattern, then for what that finds."""
    listed = (name for f in files for name in dict.fromkeys((literally(str(f)), str(f))))
    return "[" + ", ".join(map(text, listed)) + "]"


def alternatives(conditions: Iterable[str], otherwise: str = "false") -> str:
    """The conditions joined by OR; `otherwise` if there are none."""
    return " OR ".join(f"({c})" for c in conditions) or otherwise
