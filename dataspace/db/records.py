"""Append-only tables of frozen dataclasses: one row a record, one column a field, in the order of writing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar, get_type_hints

from sqlalchemy import ColumnElement, Connection, Row, Table, insert, select

from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent
from dataspace.services.ports import AuditTrail

R = TypeVar("R")

BATCH = 500


class SqlRecords(Generic[R]):
    """Records of one `kind` in one `table`; `load` makes fields that are not plain values out of stored ones."""

    def __init__(
        self,
        connection: Connection,
        audit: AuditTrail,
        kind: type[R],
        table: Table,
        load: dict[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self._connection, self._audit, self._table, self._kind = connection, audit, table, kind
        self._load = _loaders(kind) | (load or {})

    def add(self, record: R, event: AuditEvent) -> None:
        values = {field.name: _plain(getattr(record, field.name)) for field in fields(record)}  # type: ignore[arg-type]
        self._connection.execute(insert(self._table).values(**values))
        self._audit.append(event)

    def get(self, record_id: str) -> R:
        found = self.where(id=record_id)
        if not found:
            raise NotFound(f"there is no record {record_id}")
        return found[0]

    def where(self, **named: object) -> list[R]:
        """Records whose columns have these values, or one of a list; oldest first; all, if none is named."""
        query = select(self._table).where(*(_is(self._table.c[name], value) for name, value in named.items()))
        return [self._record(row) for row in self._connection.execute(query.order_by(self._table.c.seq))]

    def _record(self, row: Row[Any]) -> R:
        stored = row._mapping
        values = {
            field.name: self._load.get(field.name, _same)(stored[field.name])
            for field in fields(self._kind)  # type: ignore[arg-type]
        }
        return self._kind(**values)


def batched(names: Iterable[str]) -> Iterator[list[str]]:
    """The names, some at a time: as many as a statement may well hold."""
    left = list(names)
    for start in range(0, len(left), BATCH):
        yield left[start : start + BATCH]


def _is(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    return column.in_([_plain(one) for one in value]) if isinstance(value, list) else column == _plain(value)


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str) and "\0" in value:
        raise InvalidInput("the text holds a character that cannot be stored; type it anew")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [{field.name: _plain(getattr(part, field.name)) for field in fields(part)} for part in value]
    return value


def _same(value: Any) -> Any:
    return value


def _loaders(kind: type) -> dict[str, Callable[[Any], Any]]:
    """Enumerations and decimals are stored as text."""
    hints = get_type_hints(kind)
    return {n: hint for n, hint in hints.items() if isinstance(hint, type) and issubclass(hint, (Enum, Decimal))}
