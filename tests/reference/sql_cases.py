"""A small hospital for the query language: its dictionary, its records in DuckDB, and the plain answer to a query.

`answer` is what a release would say without bounds on persons and without noise.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import product
from math import floor, sqrt
from statistics import variance
from typing import Any

import duckdb

from catalog.schema import Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from dataspace.domain.queries import Aggregate, AggregateKind, Query
from dataspace.sql import parse_query

_DATES = Bounds(date(1908, 1, 1), date(2020, 12, 31))
_CODE, _INTEGER, _DATE, _TEXT = ColumnType.CODE, ColumnType.INTEGER, ColumnType.DATE, ColumnType.TEXT

PERSON = Table(
    "person",
    TableKind.PERSONS,
    (
        Column("sex", _CODE, values=(CodedValue("F", "female"), CodedValue("M", "male")), person_level=True),
        Column(
            "year_of_birth",
            _INTEGER,
            bounds=Bounds(Decimal(1900), Decimal(2020)),
            required=True,
            person_level=True,
        ),
    ),
)
CONDITIONS = Table(
    "condition_occurrence",
    TableKind.EVENTS,
    (
        Column("condition_concept_id", _INTEGER, required=True),
        Column("condition_start_date", _DATE, bounds=_DATES, required=True),
    ),
    rows_per_person=5,
    groups_per_person=3,
)
DRUGS = Table(
    "drug_exposure",
    TableKind.EVENTS,
    (
        Column("drug_concept_id", _INTEGER),
        Column("days_supply", _INTEGER, bounds=Bounds(Decimal(0), Decimal(365))),
        Column("drug_exposure_start_date", _DATE, bounds=_DATES),
        Column("dose", ColumnType.DECIMAL, bounds=Bounds(Decimal(0), Decimal(100)), step=Decimal("0.5")),
    ),
    rows_per_person=5,
)
CONCEPTS = Table(
    "concept",
    TableKind.LOOKUP,
    (Column("concept_id", _INTEGER, required=True), Column("concept_name", _TEXT), Column("domain_id", _CODE)),
)
STAYS = Table(
    "stay",
    TableKind.EVENTS,
    (
        Column("admitted", ColumnType.TIMESTAMP),
        Column("ward", _CODE, values=(CodedValue("A", "acute"), CodedValue("B", "day care")), required=True),
        Column("urgent", ColumnType.BOOLEAN, required=True),
    ),
)
HOSPITAL = DatasetSchema("hospital", (PERSON, CONDITIONS, DRUGS, CONCEPTS, STAYS))
REGISTRY = DatasetSchema("cancer-registry", (PERSON, Table("tumour", TableKind.EVENTS, (Column("site", _TEXT),))))
DICTIONARY = {"hospital": HOSPITAL}

_TYPES = {
    _CODE: "VARCHAR",
    _TEXT: "VARCHAR",
    _INTEGER: "BIGINT",
    _DATE: "DATE",
    ColumnType.DECIMAL: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.TIMESTAMP: "TIMESTAMP",
}
Records = Mapping[str, Sequence[tuple[Any, ...]]]
"""Rows per table: person key, then the columns of the dictionary; lookup tables without the key."""


def database(records: Records, schema: DatasetSchema = HOSPITAL) -> duckdb.DuckDBPyConnection:
    """The records as the store's views; the rank of a row is its position among the sorted rows of its person."""
    con = duckdb.connect(":memory:", config={"threads": 1})
    con.execute(f'CREATE SCHEMA "{schema.dataset}"')
    for table in schema:
        personal = table.kind is not TableKind.LOOKUP
        columns = ["person_key BIGINT", "row_rank INTEGER"] if personal else []
        columns += [f'"{c.name}" {_TYPES[c.type]}' for c in table.columns]
        name = f'"{schema.dataset}"."{table.name}"'
        con.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        rows = ranked(records.get(table.name, ())) if personal else list(records.get(table.name, ()))
        if rows:
            con.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
    return con


def ranked(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with their rank within the person, by content alone."""
    found: list[tuple[Any, ...]] = []
    seen: dict[int, int] = {}
    for row in sorted(rows, key=repr):
        seen[row[0]] = seen.get(row[0], 0) + 1
        found.append((row[0], seen[row[0]], *row[1:]))
    return found


def ask(sql: str, con: duckdb.DuckDBPyConnection, dictionary: Mapping[str, DatasetSchema] = DICTIONARY) -> list[tuple]:
    """The exact answer, columns in the order of the query's SELECT list, groups in the order of the domains."""
    query = parse_query(sql, dictionary)
    names = [k.name for k in query.keys] + [a.name for a in query.aggregates]
    rows = [dict(zip(names, row, strict=True)) for row in answer(query, con)]
    return [tuple(row[name] for name in query.output) for row in rows]


def answer(query: Query, con: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Keys and exact aggregates per group: every group of public domains, else the groups found."""
    groups: dict[tuple, list[tuple]] = {}
    domains = [k.domain for k in query.keys]
    if all(d is not None for d in domains):
        groups = {cell: [] for cell in product(*(d for d in domains if d is not None))}
    for row in con.execute(query.rows).fetchall():
        cell = row[1 : 1 + len(query.keys)]
        if all(d is None or v in d for d, v in zip(domains, cell, strict=True)):
            groups.setdefault(cell, []).append(row)
    first = 1 + len(query.keys)
    return [
        (*cell, *(_aggregate(a, [(r[0], r[first:]) for r in rows]) for a in query.aggregates))
        for cell, rows in groups.items()
    ]


def _aggregate(a: Aggregate, rows: list[tuple[int, tuple]]) -> Any:
    values = [(p, 1.0 if a.value is None else v[a.value]) for p, v in rows]
    present = [(p, v) for p, v in values if v is not None]
    if a.kind is AggregateKind.PERSONS:
        return len({p for p, _ in present})
    if a.kind is AggregateKind.ROWS:
        return len(present)
    assert a.bounds is not None
    clamped = [min(max(v, float(a.bounds.low)), float(a.bounds.high)) for _, v in present]
    if a.kind is AggregateKind.RATE:
        below = [v[a.denominator] for _, v in rows if v[a.denominator] is not None]
        return sum(clamped) / sum(below) if sum(below) else None
    return _number(a, clamped)


def _number(a: Aggregate, values: list[float]) -> float | None:
    if a.kind is AggregateKind.SUM:
        return sum(values)
    if a.kind in (AggregateKind.MEAN, AggregateKind.PROPORTION):
        return sum(values) / len(values) if values else None
    if a.kind is AggregateKind.QUANTILE:
        return _quantile(sorted(values), float(a.quantile or 0)) if values else None
    spread = variance(values) if len(values) > 1 else None
    return spread if a.kind is AggregateKind.VARIANCE or spread is None else sqrt(spread)


def _quantile(values: list[float], share: float) -> float:
    place = share * (len(values) - 1)
    low = floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])
