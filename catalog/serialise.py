"""Data dictionary <-> plain JSON values, exact both ways: decimals and dates as text, whole numbers as numbers.

`schema_from_dict(json.loads(json.dumps(schema_to_dict(s)))) == s` for every schema. Reading is strict: an unknown or
missing field is an error, so that a record written by a newer version is never half understood.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from catalog.errors import MalformedSchema
from catalog.schema import Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind

FORMAT = 1
"""Version of the layout below; raised when a field is added or changes its meaning."""

T = TypeVar("T")

_TABLE_FIELDS = frozenset(
    {"name", "kind", "title", "description", "rows_per_person", "groups_per_person", "dimensions", "columns"}
)
_COLUMN_FIELDS = frozenset(
    {
        "name",
        "type",
        "title",
        "description",
        "required",
        "code_system",
        "values",
        "bounds",
        "step",
        "unit",
        "person_level",
    }
)


def schema_to_dict(schema: DatasetSchema) -> dict[str, Any]:
    """JSON-ready dictionary; `schema_from_dict` reads it back."""
    return {"format": FORMAT, "dataset": schema.dataset, "tables": [_table_to_dict(t) for t in schema.tables]}


def schema_from_dict(record: Mapping[str, Any]) -> DatasetSchema:
    """Read back what `schema_to_dict` wrote. Raises `MalformedSchema` naming the place that cannot be read."""
    fields = _fields(record, frozenset({"format", "dataset", "tables"}), "schema")
    if fields["format"] != FORMAT:
        raise MalformedSchema(
            f"the schema has format {fields['format']!r} and this version reads format {FORMAT}; "
            "read it with the version that wrote it"
        )
    tables = tuple(_table_from_dict(t, f"tables[{i}]") for i, t in enumerate(_list(fields["tables"], "tables")))
    return _built(lambda: DatasetSchema(_text(fields["dataset"], "dataset"), tables), "schema")


def _table_to_dict(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "kind": table.kind.value,
        "title": table.title,
        "description": table.description,
        "rows_per_person": table.rows_per_person,
        "groups_per_person": table.groups_per_person,
        "dimensions": [list(columns) for columns in table.dimensions],
        "columns": [_column_to_dict(c) for c in table.columns],
    }


def _table_from_dict(value: object, where: str) -> Table:
    fields = _fields(value, _TABLE_FIELDS, where)
    columns = _list(fields["columns"], f"{where}.columns")
    return _built(
        lambda: Table(
            name=_text(fields["name"], f"{where}.name"),
            kind=TableKind(fields["kind"]),
            columns=tuple(_column_from_dict(c, f"{where}.columns[{i}]") for i, c in enumerate(columns)),
            title=_text(fields["title"], f"{where}.title"),
            description=_text(fields["description"], f"{where}.description"),
            rows_per_person=_whole(fields["rows_per_person"], f"{where}.rows_per_person"),
            groups_per_person=_whole(fields["groups_per_person"], f"{where}.groups_per_person"),
            dimensions=tuple(
                tuple(_text(name, f"{where}.dimensions[{i}]") for name in _list(columns, f"{where}.dimensions[{i}]"))
                for i, columns in enumerate(_list(fields["dimensions"], f"{where}.dimensions"))
            ),
        ),
        where,
    )


def _column_to_dict(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type.value,
        "title": column.title,
        "description": column.description,
        "required": column.required,
        "code_system": column.code_system,
        "values": None if column.values is None else [[v.code, v.label] for v in column.values],
        "bounds": None if column.bounds is None else _bounds_to_dict(column.bounds),
        "step": str(column.step),
        "unit": column.unit,
        "person_level": column.person_level,
    }


def _column_from_dict(value: object, where: str) -> Column:
    fields = _fields(value, _COLUMN_FIELDS, where)
    return _built(
        lambda: Column(
            name=_text(fields["name"], f"{where}.name"),
            type=ColumnType(fields["type"]),
            title=_text(fields["title"], f"{where}.title"),
            description=_text(fields["description"], f"{where}.description"),
            required=_flag(fields["required"], f"{where}.required"),
            code_system=_optional(_text, fields["code_system"], f"{where}.code_system"),
            values=_optional(_values, fields["values"], f"{where}.values"),
            bounds=_optional(_bounds_from_dict, fields["bounds"], f"{where}.bounds"),
            step=_decimal(fields["step"], f"{where}.step"),
            unit=_optional(_text, fields["unit"], f"{where}.unit"),
            person_level=_flag(fields["person_level"], f"{where}.person_level"),
        ),
        where,
    )


def _values(value: object, where: str) -> tuple[CodedValue, ...]:
    pairs = [_list(pair, where) for pair in _list(value, where)]
    if any(len(pair) != 2 or isinstance(pair[0], bool) or not isinstance(pair[0], str | int) for pair in pairs):
        raise MalformedSchema(f"{where}: each coded value is a pair of a code (text or whole number) and a label")
    return tuple(CodedValue(code, _text(label, where)) for code, label in pairs)


def _bounds_to_dict(bounds: Bounds) -> dict[str, str]:
    if isinstance(bounds.low, Decimal):
        return {"of": "number", "low": str(bounds.low), "high": str(bounds.high)}
    # a timestamp is a date too, so it is asked first
    kind = "timestamp" if isinstance(bounds.low, datetime) else "date"
    assert isinstance(bounds.high, date)  # noqa: S101 - Bounds holds two of one type
    return {"of": kind, "low": bounds.low.isoformat(), "high": bounds.high.isoformat()}


_BOUND_READERS: Mapping[str, Callable[[str], Decimal | date]] = {
    "number": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
}


def _bounds_from_dict(value: object, where: str) -> Bounds:
    fields = _fields(value, frozenset({"of", "low", "high"}), where)
    read = _BOUND_READERS.get(_text(fields["of"], f"{where}.of"))
    if read is None:
        raise MalformedSchema(f"{where}.of is one of {', '.join(_BOUND_READERS)}")
    low, high = _text(fields["low"], f"{where}.low"), _text(fields["high"], f"{where}.high")
    return _built(lambda: Bounds(read(low), read(high)), where)


def _fields(value: object, names: frozenset[str], where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedSchema(f"{where} is an object with the fields {', '.join(sorted(names))}")
    if set(value) != names:
        wrong = ", ".join(sorted(str(name) for name in set(value) ^ names))
        raise MalformedSchema(f"{where} has missing or unknown fields: {wrong}")
    return value


def _list(value: object, where: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise MalformedSchema(f"{where} is a list")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise MalformedSchema(f"{where} is text")
    return value


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedSchema(f"{where} is a whole number")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedSchema(f"{where} is true or false")
    return value


def _decimal(value: object, where: str) -> Decimal:
    return _built(lambda: Decimal(_text(value, where)), where)


def _optional(read: Callable[[object, str], T], value: object, where: str) -> T | None:
    return None if value is None else read(value, where)


def _built(build: Callable[[], T], where: str) -> T:
    """Call `build`, telling where it stood if the value is refused by the type it is meant for."""
    try:
        return build()
    except InvalidOperation as exc:
        raise MalformedSchema(f"{where} is a decimal number written as text") from exc
    except (ValueError, TypeError) as exc:
        raise MalformedSchema(f"{where}: {exc}") from exc
