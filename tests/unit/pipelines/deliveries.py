"""Small deliveries and plans for the tests of the ingestion: written by hand, wrong where a test wants them wrong."""

from pathlib import Path

import duckdb

PLAN = """
[dataset]
id = "clinic"
title = "A clinic"

[dataset.holder]
name = "The clinic"

[source]
format = "duckdb"
location = "clinic.duckdb"

[pseudonyms]
domain = "tests"
normalise = ["no-spaces", "upper"]

[quarantine]
threshold = 0.5

[tables.person]
kind = "persons"
person = "person_id"
identifiers = ["full_name"]

[tables.person.columns.sex]
type = "code"
values = { F = "Female", M = "Male" }

[tables.person.columns.year_of_birth]
source = "birth_date"
type = "integer"
generalise = "year"
bounds = [1900, 2030]

[tables.stay]
kind = "events"
person = "person_id"
rows_per_person = 5

[tables.stay.columns.day]
type = "date"
required = true
bounds = [2000-01-01, 2025-12-31]

[tables.stay.columns.ward]
type = "code"
values_from = { table = "ward", code = "code", label = "name", where = { open = "yes" } }

[tables.stay.columns.cost]
type = "decimal"
step = 0.01
bounds = [0, 10000]

[tables.stay.columns.nights]
type = "integer"

[tables.ward]
kind = "lookup"

[tables.ward.columns.code]
type = "code"
required = true

[tables.ward.columns.name]
type = "text"

[tables.ward.columns.open]
type = "code"
"""

PERSONS = [
    ("ab 1", "Anna Archambault", "1950-03-01", "F"),
    ("AB2", "Boris Bellanger", "1960-07-09", "M"),
    ("AB3", "Chloe Castelnau", "1971-12-31", "F"),
    ("AB4", "Denis Dutilleul", "1980-01-01", "M"),
]
STAYS = [
    ("AB1", "2020-01-01", "CARD", "10.25", "1"),
    ("AB1", "2020-02-01", "CARD", "10.25", "1"),
    ("ab1", "2020-01-01", "CARD", "10.25", "1"),
    ("AB2", "2021-05-06", "NEUR", "0.1", "3"),
    ("AB3", "2022-05-06", "", "", ""),
]
WARDS = [("CARD", "Cardiology", "yes"), ("NEUR", "Neurology", "yes"), ("OLD", "Closed ward", "no")]


def write_plan(folder: Path, text: str = PLAN) -> Path:
    """A plan file in `folder`."""
    file = folder / "clinic.toml"
    file.write_text(text, encoding="utf-8")
    return file


def write_clinic(
    folder: Path,
    persons: list[tuple[str, ...]] = PERSONS,
    stays: list[tuple[str, ...]] = STAYS,
    wards: list[tuple[str, ...]] = WARDS,
) -> Path:
    """A delivery as a DuckDB file, every cell text as a careless export leaves it."""
    file = folder / "clinic.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        _table(connection, "person", ("person_id", "full_name", "birth_date", "sex"), persons)
        _table(connection, "stay", ("person_id", "day", "ward", "cost", "nights"), stays)
        _table(connection, "ward", ("code", "name", "open"), wards)
    return file


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} VARCHAR' for c in columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
