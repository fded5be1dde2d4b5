"""Removing one person moves every exact vector by at most the plan's L2 sensitivity, and some person by all of it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalog.schema import Bounds, ColumnType
from dataspace.domain.privacy import ByEpsilon, ContributionBounds
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey
from dataspace.dp.bounding import aggregate
from dataspace.dp.measures import Channel, ChannelKind
from dataspace.dp.plan import Cell, MeasurementPlan, plan_query
from dataspace.dp.quantiles import nodes_of
from dataspace.dp.totals import ExactTable
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, World, floats, query, worlds
from tests.reference.rows import bucketed


def vectors(table: ExactTable, plan: MeasurementPlan, channel: int) -> dict[Cell, list[int]]:
    """What the noise is added to: a channel's numbers, for a histogram the nodes of its tree."""
    described, numbers = plan.channels[channel], np.array(table.channels[channel], dtype=object)
    bins = None if described.stream is None else plan.streams[described.stream].bins
    if described.kind is ChannelKind.HISTOGRAM and bins is not None:
        numbers = np.array(nodes_of(numbers.reshape(-1, bins.count), bins), dtype=object)
    rows = numbers.reshape(len(table.cells), -1) if table.cells else []
    return {cell: list(row) for cell, row in zip(table.cells, rows, strict=True)}


def distance_squared(with_person: ExactTable, without: ExactTable, plan: MeasurementPlan, channel: int) -> int:
    one, other = vectors(with_person, plan, channel), vectors(without, plan, channel)
    nothing = [0] * len(next(iter({**one, **other}.values()), []))
    cells = one.keys() | other.keys()
    return sum(
        (a - b) ** 2 for c in cells for a, b in zip(one.get(c, nothing), other.get(c, nothing), strict=True)
    )  # fmt: skip


def violations(world: World, plan: MeasurementPlan) -> list[Channel]:
    """Channels that some person's removal moves by more than the plan says."""
    everyone = aggregate(bucketed(list(map(floats, world.rows)), world.schema, 2), plan, KEY)
    found = []
    for person in {row["person_key"] for row in world.rows}:
        rest = [floats(row) for row in world.rows if row["person_key"] != person]
        without = aggregate(bucketed(rest, world.schema, 2), plan, KEY)
        found += [
            channel
            for position, channel in enumerate(plan.channels)
            if distance_squared(everyone, without, plan, position) > channel.l2_squared
        ]
    return found


@settings(deadline=None, derandomize=True)
@given(st.one_of(worlds(), worlds(unknown=True)))
def test_one_person_moves_nothing_by_more_than_the_bound(world: World) -> None:
    assume(world.rows)
    assert violations(world, world.plan) == []


VALUE = Bounds(Decimal(0), Decimal(7))
ASKED = {
    AggregateKind.PERSONS: Aggregate("a", AggregateKind.PERSONS),
    "persons with a value": Aggregate("a", AggregateKind.PERSONS, 0),
    AggregateKind.ROWS: Aggregate("a", AggregateKind.ROWS, 0),
    AggregateKind.SUM: Aggregate("a", AggregateKind.SUM, 0, VALUE),
    AggregateKind.MEAN: Aggregate("a", AggregateKind.MEAN, 0, VALUE),
    AggregateKind.VARIANCE: Aggregate("a", AggregateKind.VARIANCE, 0, VALUE),
    AggregateKind.STDDEV: Aggregate("a", AggregateKind.STDDEV, 0, VALUE),
    AggregateKind.PROPORTION: Aggregate("a", AggregateKind.PROPORTION, 2),
    AggregateKind.RATE: Aggregate("a", AggregateKind.RATE, 0, VALUE, denominator=1, denominator_bounds=VALUE),
    AggregateKind.QUANTILE: Aggregate("a", AggregateKind.QUANTILE, 0, VALUE, quantile=Decimal("0.5")),
    "wide quantile": Aggregate(
        "a", AggregateKind.QUANTILE, 0, Bounds(Decimal(0), Decimal(700)), quantile=Decimal("0.5")
    ),
}


def worst_case(asked: Aggregate) -> World:
    """One person at the end of every bound, with more rows and groups than count."""
    key = GroupKey("g", ColumnType.INTEGER, (0, 1, 2, 3))
    limits = ContributionBounds(groups=2, rows=3)
    plan = plan_query(query((key,), (asked,)), DICTIONARY, ByEpsilon(Decimal(1)), GUARANTEE, limits)
    row = {"person_key": 1, "v0": 1e6, "v1": 1e6, "v2": 1.0}
    schema = pa.schema([("person_key", pa.int64()), ("k0", pa.int64()), *((f"v{i}", pa.float64()) for i in range(3))])
    return World([{**row, "k0": group} for group in range(4) for _ in range(5)], schema, plan)


@pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))
def test_the_worst_person_reaches_the_bound_exactly(asked: Aggregate) -> None:
    world = worst_case(asked)
    everyone = aggregate(bucketed(world.rows, world.schema, 1), world.plan, KEY)
    nobody = aggregate(bucketed([], world.schema, 1), world.plan, KEY)
    for position, channel in enumerate(world.plan.channels):
        assert distance_squared(everyone, nobody, world.plan, position) == channel.l2_squared, channel


@pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))
@pytest.mark.parametrize(
    "wrong", [lambda square: square / 4, lambda square: square / 2], ids=["half the sensitivity", "half the groups"]
)
def test_a_sensitivity_that_is_too_small_is_caught(asked: Aggregate, wrong: Callable[[Fraction], Fraction]) -> None:
    world = worst_case(asked)
    channels = tuple(replace(c, l2_squared=wrong(c.l2_squared)) for c in world.plan.channels)
    assert len(violations(world, replace(world.plan, channels=channels))) == len(channels)


def test_a_kernel_that_keeps_one_group_or_row_too_many_is_caught() -> None:
    world = worst_case(ASKED[AggregateKind.SUM])
    for loose in (ContributionBounds(3, 3), ContributionBounds(2, 4)):
        assert violations(world, replace(world.plan, bounds=loose))
