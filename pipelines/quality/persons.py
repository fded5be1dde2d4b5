"""What a load tells about its persons: ages, time in the dataset, events outside of a life, facts that contradict.

One bucket at a time: a person's rows of every table lie in the bucket of the same number, so memory holds the persons
of one bucket.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from catalog.schema import PERSON_KEY, ROW_RANK, Column, ColumnType, DatasetSchema, Table, TableKind
from pipelines import sqltext as sql
from pipelines.errors import without_engine_text
from pipelines.quality.metrics import DATES, event_date

BIRTH = ("birth", "naissance")
DEATH = ("death", "deces")
SEX = ("sex", "sexe", "gender")

OLDEST = 130
"""Ages beyond are not counted."""

Bucketed = Mapping[str, Mapping[int, Path]]
"""Stored files of each table by bucket."""


@dataclass(frozen=True)
class Place:
    """Where a fact about persons is kept."""

    table: str
    column: Column

    @property
    def rows(self) -> str:
        """Name of the fact, ready for SQL."""
        return sql.name(self.column.name)

    @property
    def year(self) -> str:
        """SQL of its year: a year of birth is kept as a number or as a date."""
        return f"year({self.rows})" if self.column.type in DATES else self.rows


@dataclass(frozen=True)
class Life:
    """Where the dataset says when a person was born and died, and of which sex; None where it does not."""

    birth: Place | None = None
    death: Place | None = None
    sex: Place | None = None


def find_life(schema: DatasetSchema, stated: Mapping[str, Any]) -> Life:
    """As the plan states it ("table.column"), else the person-level columns whose names tell."""
    return Life(
        _stated(schema, stated, "birth") or _named(schema, BIRTH, (ColumnType.INTEGER, *DATES)),
        _stated(schema, stated, "death") or _named(schema, DEATH, DATES),
        _stated(schema, stated, "sex") or _named(schema, SEX, (ColumnType.CODE, ColumnType.INTEGER)),
    )


def _stated(schema: DatasetSchema, stated: Mapping[str, Any], role: str) -> Place | None:
    table, _, column = str(stated.get(role, "")).partition(".")
    described = schema.table.get(table)
    return Place(table, described.column[column]) if described and column in described.column else None


def _named(schema: DatasetSchema, words: tuple[str, ...], types: tuple[ColumnType, ...]) -> Place | None:
    for table in schema:
        for column in table.columns:
            told = column.person_level and column.type in types and set(words) & set(column.name.split("_"))
            if told and table.kind is not TableKind.LOOKUP:
                return Place(table.name, column)
    return None


@dataclass(frozen=True)
class PersonFacts:
    """`ages` counts persons by their mean age at their events; `days` in the dataset are summed over `persons_timed`.

    `outside_life` has, for each table, the dated rows of persons with a known birth or death and those of them before
    the one or after the other. `contradictions` are persons with two values of a person-level fact kept in two tables,
    of `compared` persons.
    """

    ages: Mapping[int, int]
    days: int
    persons_timed: int
    outside_life: Mapping[str, Mapping[str, int]]
    contradictions: int
    compared: int


def person_facts(
    connection: duckdb.DuckDBPyConnection, schema: DatasetSchema, files: Bucketed, life: Life
) -> PersonFacts:
    """Facts over all buckets; exact."""
    ages: Counter[int] = Counter()
    days = timed = contradictions = compared = 0
    outside: dict[str, Counter[str]] = {}
    dated = [t for t in schema if t.kind is TableKind.EVENTS and event_date(t)]
    with without_engine_text("the facts about persons could not be measured"):
        for stored in _buckets(files):
            here = [t for t in dated if t.name in stored]
            stay, persons, of_ages = _spans(connection, here, stored, life.birth)
            days, timed = days + stay, timed + persons
            ages.update(of_ages)
            for table in here:
                outside.setdefault(table.name, Counter()).update(_outside_life(connection, table, stored, life))
            differing, both = _contradictions(connection, schema, stored)
            contradictions, compared = contradictions + differing, compared + both
    return PersonFacts(dict(sorted(ages.items())), days, timed, outside, contradictions, compared)


def _buckets(files: Bucketed) -> Iterator[dict[str, Path]]:
    """The file of each table that has rows in the bucket, bucket by bucket."""
    for bucket in sorted({b for by_bucket in files.values() for b in by_bucket}):
        yield {table: by_bucket[bucket] for table, by_bucket in files.items() if bucket in by_bucket}


def _once(place: Place, value: str, stored: Mapping[str, Path]) -> str:
    """SQL of each person's value of a person-level fact, as `fact`."""
    return f"SELECT {PERSON_KEY}, {value} AS fact FROM {sql.parquet([stored[place.table]])} WHERE {ROW_RANK} = 1"


def _spans(
    connection: duckdb.DuckDBPyConnection, dated: list[Table], stored: Mapping[str, Path], birth: Place | None
) -> tuple[int, int, dict[int, int]]:
    """Days from each person's first dated row to their last, summed; the persons; and how many are of each mean age."""
    if not dated:
        return 0, 0, {}
    days = " UNION ALL ".join(
        f"SELECT {PERSON_KEY}, CAST({sql.name(str(event_date(t)))} AS DATE) AS day FROM {sql.parquet([stored[t.name]])}"
        for t in dated
    )
    spans = (
        f"SELECT {PERSON_KEY}, max(day) - min(day) AS stay, avg(year(day)) AS mean FROM ({days})"
        f" WHERE day IS NOT NULL GROUP BY {PERSON_KEY}"
    )
    born, age = "", "NULL"
    if birth is not None and birth.table in stored:
        born, age = f" LEFT JOIN ({_once(birth, birth.year, stored)}) USING ({PERSON_KEY})", "round(mean - fact)"
    found = connection.execute(f"SELECT {age} AS age, sum(stay), count(*) FROM ({spans}){born} GROUP BY ALL").fetchall()
    ages = {int(a): int(persons) for a, _, persons in found if a is not None and 0 <= a <= OLDEST}
    return sum(int(stay or 0) for _, stay, _ in found), sum(int(persons) for *_, persons in found), ages


def _outside_life(
    connection: duckdb.DuckDBPyConnection, table: Table, stored: Mapping[str, Path], life: Life
) -> dict[str, int]:
    """Dated rows of persons whose birth (death) is known, and those before (after) it."""
    day = sql.name(str(event_date(table)))
    counts: dict[str, int] = {}
    asked = {"birth": (life.birth, f"year({day}) < fact"), "death": (life.death, f"CAST({day} AS DATE) > fact")}
    for role, (place, wrong) in asked.items():
        if place is None or place.table not in (stored.keys() - {table.name}):
            continue
        value = place.year if role == "birth" else f"CAST({place.rows} AS DATE)"
        known, outside = connection.execute(
            f"SELECT count(*), count(*) FILTER ({wrong}) FROM {sql.parquet([stored[table.name]])}"
            f" JOIN ({_once(place, value, stored)}) USING ({PERSON_KEY})"
            f" WHERE {day} IS NOT NULL AND fact IS NOT NULL"
        ).fetchall()[0]
        counts |= {f"{role}_known": int(known), f"outside_{role}": int(outside)}
    return counts


def _contradictions(
    connection: duckdb.DuckDBPyConnection, schema: DatasetSchema, stored: Mapping[str, Path]
) -> tuple[int, int]:
    """Persons whose person-level facts of one name differ between two tables, of those who have both."""
    differing = both = 0
    for first, second in _shared(schema):
        if first.table in stored and second.table in stored:
            found = connection.execute(
                "SELECT count(*) FILTER (a.fact <> b.fact), count(*)"
                f" FROM ({_once(first, first.rows, stored)}) a"
                f" JOIN ({_once(second, second.rows, stored)}) b USING ({PERSON_KEY})"
                " WHERE a.fact IS NOT NULL AND b.fact IS NOT NULL"
            ).fetchall()[0]
            differing, both = differing + int(found[0]), both + int(found[1])
    return differing, both


def _shared(schema: DatasetSchema) -> list[tuple[Place, Place]]:
    """Pairs of person-level columns with the same name and type: the first table that has it, and each other."""
    seen: dict[tuple[str, ColumnType], Place] = {}
    pairs = []
    for table in schema:
        for column in table.columns if table.kind is not TableKind.LOOKUP else ():
            if column.person_level:
                place = Place(table.name, column)
                first = seen.setdefault((column.name, column.type), place)
                pairs += [] if first is place else [(first, place)]
    return pairs
