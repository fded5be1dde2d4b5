"""The passes over stored files give what a slow and obvious count over the same rows gives."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.schema import Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from pipelines.quality.distributions import BINS, distributions
from pipelines.quality.metrics import covered, periods, table_metrics
from pipelines.quality.persons import find_life, person_facts
from pipelines.workbench import Bench, pseudonymised_bench

STAY = Table(
    "stay",
    TableKind.EVENTS,
    (
        Column("day", ColumnType.DATE),
        Column("ward", ColumnType.CODE, values=(CodedValue("A", "Cardiology"), CodedValue("B", "Neurology"))),
        Column("cost", ColumnType.DECIMAL, step=Decimal("0.5"), bounds=Bounds(Decimal(0), Decimal(100))),
        Column("sex", ColumnType.CODE, person_level=True),
    ),
)
PERSON = Table(
    "person",
    TableKind.PERSONS,
    (Column("birth_year", ColumnType.INTEGER, person_level=True), Column("sex", ColumnType.CODE, person_level=True)),
)
DEATH = Table("death", TableKind.EVENTS, (Column("death_date", ColumnType.DATE, person_level=True),))
SCHEMA = DatasetSchema("clinic", (PERSON, STAY, DEATH))
TODAY = date(2024, 6, 1)

Row = tuple[int, date | None, str | None, float | None, str]
days = st.one_of(st.none(), st.dates(date(1999, 1, 1), date(2025, 12, 31)))
costs = st.one_of(st.none(), st.integers(-10, 300).map(lambda n: n / 2))
rows_of_stays = st.lists(
    st.tuples(st.integers(0, 5), days, st.sampled_from(["A", "B", None]), costs, st.just("F")), max_size=30
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    opened = pseudonymised_bench(tmp_path_factory.mktemp("bench"))
    yield opened
    opened.close()


def stored(folder: Path, table: Table, rows: list[tuple]) -> list[Path]:
    """Rows (person key first) as the store keeps them: sorted, ranked, equal rows of a person side by side."""
    kept = sorted(rows, key=lambda row: (row[0], repr(row)))
    ranks, seen = [], Counter[int]()
    for row in kept:
        seen[row[0]] += 1
        ranks.append(seen[row[0]])
    types = {ColumnType.DATE: pa.date32(), ColumnType.DECIMAL: pa.float64(), ColumnType.INTEGER: pa.int64()}
    arrays = {
        c.name: pa.array([r[n + 1] for r in kept], types.get(c.type, pa.string())) for n, c in enumerate(table.columns)
    }
    arrays |= {"person_key": pa.array([r[0] for r in kept], pa.int64()), "row_rank": pa.array(ranks, pa.int32())}
    file = folder / f"{table.name}.parquet"
    pq.write_table(pa.table(arrays), file)
    return [file]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows_of_stays)
def test_counts_of_a_table_are_exact(bench: Bench, rows: list[Row]) -> None:
    found = table_metrics(bench.connection, STAY, stored(bench.folder, STAY, rows), TODAY)
    dates = [day for _, day, *_ in rows if day]
    values = [cost for *_, cost, _ in rows if cost is not None]
    assert found["rows"] == len(rows)
    assert found["persons"] == len({person for person, *_ in rows})
    assert found["duplicates"] == sum(n - 1 for n in Counter(rows).values())
    assert found["columns"]["day"] | {"distinct": 0} == {
        "filled": len(dates),
        "distinct": 0,
        "future": sum(day > TODAY for day in dates),
        "first_days": sum(day.day == 1 for day in dates),
    }
    assert found["columns"]["cost"]["in_bounds"] == sum(0 <= cost <= 100 for cost in values)
    # steps of a half: the last digit counts halves
    assert found["columns"]["cost"]["round_ends"] == sum(int(cost * 2) % 5 == 0 for cost in values)
    # a code is neither counted nor measured
    assert set(found["columns"]["ward"]) == {"filled", "distinct"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows_of_stays)
def test_periods_are_exact_in_rows_and_never_too_many_in_persons(bench: Bench, rows: list[Row]) -> None:
    found = periods(bench.connection, STAY, stored(bench.folder, STAY, rows))
    for part, length in (("years", 4), ("months", 7)):
        expected = Counter(str(day)[:length] for _, day, *_ in rows if day)
        assert {period: n for period, (n, _) in found[part].items()} == dict(expected)
        for period, (_, persons) in found[part].items():
            # keys below 1024 are told apart
            assert persons == len({row[0] for row in rows if row[1] and str(row[1])[:length] == period})


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows_of_stays)
def test_distributions_count_codes_and_bins_of_the_dictionary(bench: Bench, rows: list[Row]) -> None:
    found = distributions(bench.connection, STAY, stored(bench.folder, STAY, rows))
    wards = Counter(ward for _, _, ward, *_ in rows)
    assert found["ward"] == {"codes": [wards["A"], wards["B"]]}
    bins = Counter(min(BINS - 1, max(0, int(cost // (100 / BINS)))) for *_, cost, _ in rows if cost is not None)
    assert found["cost"] == {"bins": [bins[n] for n in range(BINS)]}
    # no list of values, no bounds: nothing that could show a value
    assert set(found) == {"ward", "cost"}


def test_a_table_without_rows_has_no_metrics_to_divide_by(bench: Bench) -> None:
    assert table_metrics(bench.connection, STAY, [], TODAY)["rows"] == 0
    assert periods(bench.connection, STAY, []) == {}
    assert distributions(bench.connection, STAY, []) == {}


def test_a_period_is_covered_from_enough_persons_on() -> None:
    assert covered({"2020": [500, 9], "2021": [10, 10], "2022": [40, 12]}) == ["2021", "2022"]


def test_facts_about_persons(bench: Bench) -> None:
    persons = [(1, 1980, "F"), (2, 1990, "M"), (3, None, "F")]
    stays = [
        (1, date(2000, 1, 1), "A", 1.0, "F"),
        (1, date(2020, 1, 1), "A", 1.0, "F"),
        (2, date(1985, 1, 1), "A", 1.0, "F"),
        (2, date(2021, 5, 1), "A", 1.0, "F"),
        (3, date(2021, 5, 1), None, None, "F"),
    ]
    deaths = [(1, date(2010, 1, 1))]
    files = {
        table.name: {0: stored(bench.folder, table, rows)[0]}
        for table, rows in ((PERSON, persons), (STAY, stays), (DEATH, deaths))
    }
    facts = person_facts(bench.connection, SCHEMA, files, find_life(SCHEMA, {}))
    # mean years are (2000 + 2020 + 2010) / 3 and (1985 + 2021) / 2; when the third was born is not known
    assert facts.ages == {30: 1, 13: 1}
    assert facts.persons_timed == 3
    assert facts.days == (date(2020, 1, 1) - date(2000, 1, 1)).days + (date(2021, 5, 1) - date(1985, 1, 1)).days
    assert facts.outside_life["stay"] == {"birth_known": 4, "outside_birth": 1, "death_known": 2, "outside_death": 1}
    assert facts.outside_life["death"] == {"birth_known": 1, "outside_birth": 0}
    # person 2 is M in one table and F in the other
    assert (facts.contradictions, facts.compared) == (1, 3)


def test_where_births_are_kept_is_stated_or_told_by_the_name() -> None:
    found = find_life(SCHEMA, {})
    places = [place and (place.table, place.column.name) for place in (found.birth, found.death, found.sex)]
    assert places == [("person", "birth_year"), ("death", "death_date"), ("person", "sex")]
    stated = find_life(SCHEMA, {"death": "stay.day"}).death
    assert stated
    assert stated.table == "stay"
    assert find_life(DatasetSchema("d", (STAY,)), {}).birth is None
