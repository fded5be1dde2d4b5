"""The engine without noise gives what the slow twin gives, for all aggregates, keys, buckets and orders."""

from dataclasses import replace
from decimal import Decimal
from math import isclose

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schema import ColumnType
from dataspace.domain.privacy import ByEpsilon
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.noise import ZeroNoise
from dataspace.dp.plan import plan_query
from dataspace.dp.totals import ExactTable
from tests.reference import exact
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, World, floats, query, without_noise, worlds
from tests.reference.rows import bucketed


def totals_of(world: World, buckets: int, order: list[dict] | None = None) -> ExactTable:
    rows = [floats(row) for row in (world.rows if order is None else order)]
    return aggregate(bucketed(rows, world.schema, buckets), world.plan, KEY)


def by_cell(table: ExactTable, channel: int) -> dict:
    numbers = table.channels[channel]
    width = len(numbers) // max(1, len(table.cells))
    return {cell: list(numbers[i * width : (i + 1) * width]) for i, cell in enumerate(table.cells)}


@settings(deadline=None, derandomize=True)
@given(worlds(), st.integers(1, 3))
def test_totals_are_the_twins(world: World, buckets: int) -> None:
    table = totals_of(world, buckets)
    assert table.cells == world.plan.cells
    for position, channel in enumerate(world.plan.channels):
        expected = exact.channel_totals(world.rows, world.plan, channel, KEY)
        for cell, numbers in by_cell(table, position).items():
            assert numbers == expected.get(cell, [0] * len(numbers)), (channel, cell)


@settings(deadline=None, derandomize=True)
@given(worlds(unknown=True), st.integers(1, 3))
def test_totals_of_unknown_groups_are_the_twins(world: World, buckets: int) -> None:
    table = totals_of(world, buckets)
    for position, channel in enumerate(world.plan.channels):
        expected = exact.channel_totals(world.rows, world.plan, channel, KEY)
        found = {cell: numbers for cell, numbers in by_cell(table, position).items() if any(numbers)}
        assert found == {cell: numbers for cell, numbers in expected.items() if any(numbers)}, channel


@settings(deadline=None, derandomize=True)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_and_the_cut_of_the_rows_change_nothing(world: World, random) -> None:
    shuffled = list(world.rows)
    random.shuffle(shuffled)
    assert totals_of(world, 1) == totals_of(world, 3, shuffled)


@settings(deadline=None, derandomize=True)
@given(worlds())
def test_answers_without_noise_are_the_twins(world: World) -> None:
    plan = without_noise(world.plan)
    release = measure(plan, totals_of(replace(world, plan=plan), 2), ZeroNoise())
    assert [row.keys for row in release.rows] == list(plan.cells or ())
    for position, asked in enumerate(plan.query.aggregates):
        expected = exact.answer(world.rows, plan, asked, KEY)
        for row in release.rows:
            given_value, wanted = row.estimates[position].value, expected.get(row.keys)
            if wanted is None:
                assert given_value is None or given_value == 0, (asked, row)
            else:
                assert given_value is not None, (asked, row)
                # fixed point is exact; only the last division is a float's
                assert isclose(given_value, wanted, rel_tol=1e-9, abs_tol=1e-6), (asked, row)


@pytest.mark.parametrize("buckets", [1, 4])
def test_every_group_is_reported_even_if_nobody_is_in_it(buckets: int) -> None:
    key, asked = GroupKey("sex", ColumnType.CODE, ("F", "M")), Aggregate("n", AggregateKind.PERSONS)
    plan = plan_query(query((key,), (asked,)), DICTIONARY, ByEpsilon(Decimal(1)), GUARANTEE)
    fields = [("person_key", pa.int64()), ("k0", pa.string()), *((f"v{i}", pa.float64()) for i in range(3))]
    table = aggregate(bucketed([], pa.schema(fields), buckets), plan, KEY)
    assert table.channels == ((0, 0),)
    assert [row.keys for row in measure(plan, table, ZeroNoise()).rows] == [("F",), ("M",)]
