"""Table Schema files (Frictionless, JSON) beside a delivery: what its documentation says of tables and columns.

Source: Frictionless Data Table Schema, https://specs.frictionlessdata.io/table-schema/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.schema import ColumnType

TYPES = {
    "integer": ColumnType.INTEGER, "number": ColumnType.DECIMAL, "boolean": ColumnType.BOOLEAN, "date": ColumnType.DATE,
    "datetime": ColumnType.TIMESTAMP, "string": ColumnType.CODE, "year": ColumnType.INTEGER,
    "yearmonth": ColumnType.CODE,
}  # fmt: skip

LARGEST = 5_000_000
"""Bytes of a schema file that is read."""

LONGEST = 500
"""Characters of a description that is copied."""


@dataclass(frozen=True)
class FieldSaid:
    """What a schema says of one column; `role` is "code" or "label" in the schemas of the SNDS."""

    title: str = ""
    description: str = ""
    type: ColumnType | None = None
    role: str = ""

    @property
    def is_text(self) -> bool:
        """True if the column is said to hold text, whatever its cells look like."""
        return self.type is ColumnType.CODE


@dataclass(frozen=True)
class Reference:
    """Columns of a table that are said to be found in columns of another."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class TableSaid:
    """What a schema says of one table; fields by column name in lower case."""

    title: str = ""
    description: str = ""
    fields: Mapping[str, FieldSaid] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()

    def field_of(self, column: str) -> FieldSaid | None:
        return self.fields.get(column.lower())

    @property
    def is_code_list(self) -> bool:
        """True if the schema says which column has the codes and which their meaning."""
        return {"code", "label"} <= {f.role for f in self.fields.values()}


def schema_beside(folder: Path | None, table: str) -> TableSaid | None:
    """The schema of a delivered table, if a JSON file of its name lies in the folder and is one."""
    files = sorted(folder.glob("*.json")) if folder else []
    file = next((f for f in files if f.stem.lower() == table.lower()), None)
    if file is None or file.stat().st_size > LARGEST:
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    document = document.get("schema", document) if isinstance(document, dict) else {}
    return _table(document) if isinstance(document, dict) and isinstance(document.get("fields"), list) else None


def _table(document: Mapping[str, Any]) -> TableSaid:
    fields = {str(f["name"]).lower(): _field(f) for f in document["fields"] if isinstance(f, dict) and f.get("name")}
    keys = document.get("foreignKeys")
    return TableSaid(
        title=_line(document.get("title")),
        description=_line(document.get("description")),
        fields=fields,
        key=_texts(document.get("primaryKey")),
        references=tuple(r for r in map(_reference, keys if isinstance(keys, list) else []) if r),
    )


def _field(said: Mapping[str, Any]) -> FieldSaid:
    title, description = _line(said.get("title")), _line(said.get("description"))
    if not title and len(description) <= 80:
        title, description = description, ""
    return FieldSaid(title, description, TYPES.get(str(said.get("type", ""))), _line(said.get("role")))


def _reference(key: Any) -> Reference | None:
    reference = key.get("reference") if isinstance(key, dict) else None
    if not isinstance(reference, dict) or not isinstance(reference.get("resource"), str):
        return None
    return Reference(_texts(key.get("fields")), reference["resource"], _texts(reference.get("fields")))


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def _line(value: Any) -> str:
    """One line of bounded length."""
    line = " ".join(value.split()) if isinstance(value, str) else ""
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
