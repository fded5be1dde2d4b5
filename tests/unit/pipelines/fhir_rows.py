"""Views over resources in memory, for tests that need no file."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from pipelines.readers.fhir.compiler import compile_view
from pipelines.readers.fhir.definition import read_view

Row = dict[str, Any]

LINES = "SELECT line, true AS named FROM delivered"


def rows(definition: Mapping[str, Any], resources: Iterable[Any]) -> list[Row]:
    """The rows our SQL makes; a resource that is None stands for a line that is no JSON."""
    with _delivered(resources) as connection:
        found = connection.sql(compile_view(read_view(dict(definition))).query(LINES))
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def faults(definition: Mapping[str, Any], resources: Iterable[Any]) -> list[tuple[int, str | None, str]]:
    """Row number, column and reason of what could not be read."""
    with _delivered(resources) as connection:
        query = compile_view(read_view(dict(definition))).fault_query(LINES, "number")
        return connection.execute(query).fetchall()


def value(path: str, resource: Mapping[str, Any], type_: str = "string", **constants: Any) -> Any:
    """The value of one path over one resource."""
    return _only(resource, constants, {"name": "x", "path": path, "type": type_})


def values(path: str, resource: Mapping[str, Any], type_: str = "string") -> Any:
    """All values of one path over one resource."""
    return _only(resource, {}, {"name": "x", "path": path, "type": type_, "collection": True})


def _only(resource: Mapping[str, Any], constants: Mapping[str, Any], column: Row) -> Any:
    given = [{"name": name, "valueString": constant} for name, constant in constants.items()]
    view = {"resource": resource["resourceType"], "constant": given, "select": [{"column": [column]}]}
    (row,) = rows(view, [resource])
    return row["x"]


def _delivered(resources: Iterable[Any]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE delivered (line JSON)")
    lines = [[None if resource is None else json.dumps(resource)] for resource in resources]
    if lines:
        connection.executemany("INSERT INTO delivered VALUES (?)", lines)
    return connection
