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


def path(file: Path) -> str:
    """A literal by which the engine reads this one file, whatever its name: it takes a name for a pattern."""
    return text(_pattern(file))


def paths(files: Iterable[Path]) -> str:
    """A list literal by which the engine reads these files and no others."""
    return _listed(_pattern(f) for f in files)


def allowed_paths(files: Iterable[Path]) -> str:
    """A list literal for the engine's setting `allowed_paths`: it asks for the pattern, then for what that finds."""
    return _listed(name for f in files for name in dict.fromkeys((_pattern(f), str(f))))


def _pattern(file: Path) -> str:
    return re.sub(r"([\[*?])", r"[\1]", str(file))


def _listed(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(text, values)) + "]"


def alternatives(conditions: Iterable[str], otherwise: str = "false") -> str:
    """The conditions joined by OR; `otherwise` if there are none."""
    return " OR ".join(f"({c})" for c in conditions) or otherwise
