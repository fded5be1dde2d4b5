"""The contribution index, as ingestion writes it, bounds like the kernel and adds up like the slow twin."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataspace.domain.privacy import ByEpsilon, ContributionBounds, Guarantee
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.noise import ZeroNoise
from dataspace.dp.plan import MeasurementPlan, plan_query
from dataspace.dp.rows import Rows
from dataspace.dp.totals import ExactTable
from dataspace.sql import parse_query
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store

PLAN = """
[dataset]
id = "stays"
title = "Stays"

[dataset.holder]
name = "Hospital"

[source]
format = "csv"
location = "."

[pseudonyms]
domain = "test"

[tables.stay]
kind = "events"
person = "who"
rows_per_person = 3
groups_per_person = 2
dimensions = [["region"], ["sex", "region"], ["ward"]]

[tables.stay.columns.region]
type = "code"
values = { A = "a", B = "b", C = "c" }

[tables.stay.columns.sex]
type = "code"
values = { F = "f", M = "m" }

[tables.stay.columns.ward]
type = "code"

[tables.stay.columns.nights]
type = "integer"
bounds = [0, 30]
"""

QUESTIONS = [
    "SELECT region, COUNT(DISTINCT person) AS n FROM stay GROUP BY region",
    "SELECT region, COUNT(*) AS n, AVG(nights) AS m, SUM(nights) AS s FROM stay GROUP BY region",
    "SELECT region, sex, COUNT(DISTINCT person) AS n, VARIANCE(nights) AS v FROM stay GROUP BY region, sex",
    "SELECT sex, region, MEDIAN(nights) AS m, COUNT(*) AS n FROM stay GROUP BY sex, region",
    "SELECT ward, COUNT(DISTINCT person) AS n FROM stay GROUP BY ward",
    "SELECT region, RATE(CLAMP(nights, 0, 3), CLAMP(nights, 1, 30)) AS r FROM stay GROUP BY region",
]

ROWS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(["A", "B", "C", ""]),
        st.sampled_from(["F", "M"]),
        st.sampled_from(["w1", "w2", "w3"]),
        st.one_of(st.none(), st.integers(-5, 40)),
    ),
    min_size=1,
    max_size=40,
)


def opened(folder: Path, rows: list[tuple[object, ...]]) -> tuple[Rows, Mapping[str, object]]:
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(",".join("" if v is None else str(v) for v in row) for row in rows)
    (folder / "stay.csv").write_text(f"who,region,sex,ward,nights\n{text}\n")
    (folder / "plan.toml").write_text(PLAN)
    store = Store(folder / "store")
    done = ingest(load_plan(folder / "plan.toml"), store, Keystore(folder / "keys"), source=folder, validate=False)
    schema = done.snapshot.schema
    columns = frozenset(("stays", "stay", c.name) for c in schema.table["stay"].columns)
    return store.open({"stays": done.snapshot.id}, columns), {"stays": schema}


def planned(sql: str, dictionary: Mapping[str, object], groups: int, rows: int) -> MeasurementPlan:
    query = parse_query(sql, dictionary)  # type: ignore[arg-type]
    assert query.indexed is not None
    guarantee, bounds = Guarantee(Decimal(5), Decimal("1e-6")), ContributionBounds(groups, rows)
    return plan_query(query, dictionary, ByEpsilon(Decimal(1)), guarantee, bounds)  # type: ignore[arg-type]


def kernel_totals(rows: Rows, plan: MeasurementPlan) -> ExactTable:
    from dataclasses import replace

    return aggregate(rows, replace(plan, query=replace(plan.query, indexed=None)), b"sixteen byte key")


@pytest.mark.parametrize("sql", QUESTIONS)
@settings(deadline=None, max_examples=6, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_without_binding_bounds_the_index_and_the_kernel_agree(
    tmp_path_factory: pytest.TempPathFactory, sql: str, rows: list[tuple[object, ...]]
) -> None:
    opened_rows, dictionary = opened(tmp_path_factory.mktemp("index") / "node", rows)
    with opened_rows as reader:
        plan = planned(sql, dictionary, 20, 40)
        by_index = measure(plan, aggregate(reader, plan, b"sixteen byte key"), ZeroNoise())
        assert by_index == measure(plan, kernel_totals(reader, plan), ZeroNoise())


@pytest.mark.parametrize("sql", QUESTIONS)
@settings(deadline=None, max_examples=5, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, groups=st.integers(1, 3), most=st.integers(1, 3))
def test_leaving_one_person_out_moves_the_totals_by_no_more_than_the_bound(
    tmp_path_factory: pytest.TempPathFactory, sql: str, rows: list[tuple[object, ...]], groups: int, most: int
) -> None:
    folder = tmp_path_factory.mktemp("index")
    totals: list[dict[tuple[object, ...], list[tuple[int, ...]]]] = []
    plans = []
    left_out = [row for row in rows if row[0] != rows[0][0]] or [(99, "A", "F", "w1", None)]
    for name, given_rows in (("all", rows), ("fewer", left_out)):
        # the same keys, so that the same rows are kept
        if name == "fewer":
            (folder / name).mkdir(parents=True)
            (folder / "all" / "keys").rename(folder / name / "keys")
        opened_rows, dictionary = opened(folder / name, given_rows)
        with opened_rows as reader:
            plan = planned(sql, dictionary, groups, most)
            exact = aggregate(reader, plan, b"sixteen byte key")
        width = [len(channel) // max(1, len(exact.cells)) for channel in exact.channels]
        cells = {
            cell: [channel[i * w : (i + 1) * w] for channel, w in zip(exact.channels, width, strict=True)]
            for i, cell in enumerate(exact.cells)
        }
        totals.append(cells)
        plans.append(plan)
    if left_out[0][0] == 99:
        return
    for number, channel in enumerate(plans[0].channels):
        moved = 0
        for cell in totals[0].keys() | totals[1].keys():
            before, after = (t[cell][number] if cell in t else () for t in totals)
            size = max(len(before), len(after))
            pairs = zip((*before, *[0] * (size - len(before))), (*after, *[0] * (size - len(after))), strict=True)
            moved += sum((a - b) ** 2 for a, b in pairs)
        assert moved <= channel.l2_squared
