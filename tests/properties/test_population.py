"""Reading a population alone is the same as reading everybody but those outside, found one by one in plain Python."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.schema import DatasetSchema
from dataspace.dp.bounding import aggregate
from dataspace.dp.plan import MeasurementPlan
from dataspace.dp.totals import ExactTable
from dataspace.sql import parse_population
from pipelines.store.reader import Rows, Store
from tests.properties.test_dp_indexed import QUESTIONS, ROWS, opened, planned

KEY = b"sixteen byte key"
Row = dict[str, Any]
POPULATIONS: dict[str, Callable[[Row], bool]] = {
    "nights > 3": lambda row: row["nights"] is not None and row["nights"] > 3,
    "sex = 'F' AND region IN ('A', 'B')": lambda row: row["sex"] == "F" and row["region"] in ("A", "B"),
    "region IS NULL OR ward = 'w2'": lambda row: row["region"] is None or row["ward"] == "w2",
    "nights IS NULL": lambda row: row["nights"] is None,
    "nights < -100": lambda row: row is None,
    "nights <= 1000 OR nights IS NULL": lambda row: row is not None,
}


def everything(rows: Rows) -> list[Row]:
    found = 'SELECT person_key, region, sex, ward, nights FROM "stays"."stay"'
    return [row for bucket in range(rows.buckets) for row in rows.scan(found, bucket).to_pylist()]


def totals(rows: Rows, plan: MeasurementPlan) -> dict[object, list[int]]:
    """Cell -> its numbers, of the cells with any: groups that had to be found come in no order."""
    table: ExactTable = aggregate(rows, plan, KEY)
    found: dict[object, list[int]] = {}
    for place, cell in enumerate(table.cells):
        numbers = []
        for channel in table.channels:
            width = len(channel) // len(table.cells)
            numbers += channel[place * width : (place + 1) * width]
        if any(numbers):
            found[cell] = numbers
    return found


def reopened(rows: Rows, schema: DatasetSchema, **how: Any) -> Rows:
    columns = frozenset(("stays", "stay", name) for name in ("region", "sex", "ward", "nights"))
    [snapshot] = rows._snapshots.values()
    return Store(rows._root).open({schema.dataset: snapshot.id}, columns, **how)


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("sql", QUESTIONS)
@settings(deadline=None, max_examples=3, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, groups=st.integers(1, 3), most=st.integers(1, 3))
def test_it_is_a_brute_force_filter_of_persons(
    tmp_path_factory: pytest.TempPathFactory,
    sql: str,
    indexed: bool,
    rows: list[tuple[object, ...]],
    groups: int,
    most: int,
) -> None:
    with opened(tmp_path_factory.mktemp("index") / "node", rows)[0] as reader:
        dictionary: Mapping[str, DatasetSchema] = {"stays": reader._snapshots["stays"].schema}
        plan = planned(sql, dictionary, groups, most)
        if not indexed:
            plan = replace(plan, query=replace(plan.query, indexed=None))
        read = everything(reader)
        for condition, matches in POPULATIONS.items():
            population = parse_population(f"stays.stay WHERE {condition}", dictionary)
            inside = {row["person_key"] for row in read if matches(row)}
            outside = np.array(sorted({row["person_key"] for row in read} - inside), np.int64)
            with reopened(reader, dictionary["stays"], population=population) as some:
                assert everything(some) == [row for row in read if row["person_key"] in inside]
                found = totals(some, replace(plan, population=population))
            with reopened(reader, dictionary["stays"], excluded={"stays": outside}) as others:
                assert found == totals(others, plan), condition
