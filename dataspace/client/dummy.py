"""Made-up rows that follow a dataset's dictionary: develop a query on them before any budget is spent.

Nothing here comes from data: types, closed lists and bounds are public, everything else is drawn at random.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from dataspace import wire

EPOCH = date(2000, 1, 1)

MACROS = """
CREATE MACRO clamp(x, lo, hi) AS least(greatest(x, lo), hi);
CREATE MACRO proportion(x) AS avg(CASE WHEN x THEN 1.0 WHEN NOT x THEN 0.0 END);
CREATE MACRO rate(events, person_time) AS sum(events) / sum(person_time);
CREATE MACRO quantile_of(x, q) AS quantile_disc(x, q);
CREATE MACRO bin(x, lo, hi, width) AS CASE WHEN x < lo THEN '<' || lo WHEN x >= hi THEN hi || '+'
  ELSE (lo + (x - lo) // width * width)::BIGINT || '-' || (lo + (x - lo) // width * width + width - 1)::BIGINT END;
"""
"""The node's own functions in DuckDB's words, near enough to try a query."""


class Dummy(Mapping[str, pd.DataFrame]):
    """Made-up tables by name, each with the column `person`; `query` runs SQL over them with DuckDB, if it is there."""

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def query(self, sql: str) -> pd.DataFrame:
        """Plain, unprotected result of `sql` on the made-up rows; needs the package duckdb."""
        import duckdb

        with duckdb.connect() as connection:
            connection.execute(MACROS)
            for name, frame in self._tables.items():
                connection.register(name, frame)
            result: pd.DataFrame = connection.sql(sql).df()
            return result


def make_dummy(dataset: wire.DatasetEntry, persons: int, seed: int) -> Dummy:
    """`persons` persons, up to five rows of each in every table of events, ten rows in public tables."""
    draw = random.Random(seed)  # noqa: S311 - made-up rows, not noise
    tables = {}
    for table in dataset.tables:
        owners = _owners(table.kind, persons, draw)
        columns = {column.name: [_maker(column, draw)() for _ in owners] for column in table.columns}
        who = {} if table.kind == "lookup" else {"person": owners}
        tables[table.name] = pd.DataFrame(who | columns)
    return Dummy(tables)


def _owners(kind: str, persons: int, draw: random.Random) -> list[int]:
    if kind == "persons":
        return list(range(persons))
    if kind == "lookup":
        return list(range(10))
    return [person for person in range(persons) for _ in range(draw.randint(0, 5))]


def _maker(column: wire.ColumnEntry, draw: random.Random) -> Callable[[], Any]:
    if column.values:
        return lambda: draw.choice(_typed(list(column.values or ()), column.type))
    makers: dict[str, Callable[[], Any]] = {
        "boolean": lambda: draw.random() < 0.5,
        "integer": lambda: draw.randint(*_whole(column)),
        "decimal": lambda: draw.uniform(*_whole(column)),
        "date": lambda: _day(column, draw),
        "timestamp": lambda: datetime.combine(_day(column, draw), datetime.min.time()),
    }
    return makers.get(column.type, lambda: f"{column.name} {draw.randint(1, 20)}")


def _typed(codes: list[str], kind: str) -> list[Any]:
    return [int(code) for code in codes] if kind == "integer" else codes


def _whole(column: wire.ColumnEntry) -> tuple[int, int]:
    return (int(float(column.low or 0)), int(float(column.high or 100)))


def _day(column: wire.ColumnEntry, draw: random.Random) -> date:
    low = date.fromisoformat(column.low) if column.low else EPOCH
    high = date.fromisoformat(column.high) if column.high else EPOCH + timedelta(days=7300)
    return low + timedelta(days=draw.randint(0, (high - low).days))
