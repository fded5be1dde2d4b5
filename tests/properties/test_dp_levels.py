"""Totals at several levels: what one person changes, that they add up, and that their intervals are right."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schema import Bounds, ColumnType
from dataspace.domain.errors import InvalidPrice
from dataspace.domain.privacy import ByAccuracy, ByEpsilon, ContributionBounds, Price
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey
from dataspace.dp.bounding import aggregate
from dataspace.dp.levels import fitted, levels_of
from dataspace.dp.plan import MeasurementPlan, plan_query
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, query
from tests.reference.rows import bucketed

KEYS = (
    GroupKey("a", ColumnType.INTEGER, (0, 1, 2)),
    GroupKey("b", ColumnType.CODE, ("x", "y", None)),
)
SETS = ((0, 1), (0,), (1,), ())
ASKED = (
    Aggregate("n", AggregateKind.ROWS),
    Aggregate("s", AggregateKind.SUM, 0, Bounds(Decimal(-3), Decimal(5))),
    Aggregate("v", AggregateKind.VARIANCE, 0, Bounds(Decimal(-3), Decimal(5))),
)
ROW = st.fixed_dictionaries(
    {
        "person_key": st.sampled_from([0, 1, 2]),
        "k0": st.sampled_from([0, 1, 2, 3]),
        "k1": st.sampled_from(["x", "y", "z", None]),
        "v0": st.sampled_from([None, -9.0, -3.0, 0.0, 5.0]),
        "v1": st.just(0.0),
        "v2": st.just(0.0),
    }
)
SCHEMA = pa.schema(
    [("person_key", pa.int64()), ("k0", pa.int64()), ("k1", pa.string()), *((f"v{i}", pa.float64()) for i in range(3))]
)


def plan_of(
    bounds: ContributionBounds, asked: tuple[Aggregate, ...] = ASKED, price: Price | None = None
) -> MeasurementPlan:
    grouped = replace(query(KEYS, asked), sets=SETS)
    return plan_query(grouped, DICTIONARY, price or ByEpsilon(Decimal(1)), GUARANTEE, bounds)


@given(
    rows=st.lists(ROW, max_size=40),
    gone=st.sampled_from([0, 1, 2]),
    groups=st.integers(1, 4),
    most=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_removing_one_person(rows: list[dict[str, Any]], gone: int, groups: int, most: int) -> None:
    plan = plan_of(ContributionBounds(groups, most))
    left = [row for row in rows if row["person_key"] != gone]
    before, after = (aggregate(bucketed(some, SCHEMA, 2), plan, KEY).channels for some in (rows, left))
    for level, channels in zip(plan.levels, plan.level_channels, strict=True):
        for channel, a, b in zip(channels, before, after, strict=True):
            changed = np.array(level.sums(a), dtype=object) - np.array(level.sums(b), dtype=object)
            assert sum(int(d) ** 2 for d in changed) <= channel.l2_squared


def test_a_person_of_several_groups_weighs_with_all_of_them_in_a_total() -> None:
    plan = plan_of(ContributionBounds(3, 1), ASKED[:1])
    rows = [{"person_key": 1, "k0": k, "k1": "x", "v0": 5.0, "v1": 0.0, "v2": 0.0} for k in (0, 1, 2)]
    [exact] = aggregate(bucketed(rows, SCHEMA, 1), plan, KEY).channels
    norms = [sum(n * n for n in level.sums(exact)) for level in plan.levels]
    assert norms == [3, 3, 9, 9]
    assert [int(channels[0].l2_squared) for channels in plan.level_channels] == [3, 9, 9, 9]


def test_all_levels_are_paid_for() -> None:
    plan = plan_of(ContributionBounds(2, 2))
    assert sum(channel.rho for channels in plan.level_channels for channel in channels) <= plan.loss.rho
    narrow = plan_of(ContributionBounds(2, 2), ASKED[:2], ByAccuracy(Decimal(60)))
    assert max(narrow.expected) <= 60  # type: ignore[type-var]
    assert sum(channel.rho for channels in narrow.level_channels for channel in channels) <= narrow.loss.rho
    with pytest.raises(InvalidPrice):
        plan_of(ContributionBounds(2, 2), ASKED[:2], ByAccuracy(Decimal("0.001")))


@given(st.lists(st.integers(-1000, 1000), min_size=9, max_size=9))
def test_what_adds_up_already_stays(numbers: list[int]) -> None:
    levels = levels_of(plan_of(ContributionBounds(1, 1)).cells or (), SETS, ("a", "b"))
    sums = [level.sums(numbers) for level in levels]
    found = fitted(levels, sums, [2.0, 4.0, 4.0, 4.0])
    assert found.numbers == pytest.approx([n for level in sums for n in level], abs=1e-6)


def test_fitting_makes_every_number_at_least_as_accurate_and_knows_how_much() -> None:
    levels = levels_of(plan_of(ContributionBounds(1, 1)).cells or (), SETS, ("a", "b"))
    random, scales = np.random.default_rng(1), [5.0, 10.0, 10.0, 10.0]
    exact = [level.sums(range(9)) for level in levels]
    errors = []
    for _ in range(4000):
        noisy = [[n + round(random.normal(0, s)) for n in part] for part, s in zip(exact, scales, strict=True)]
        found = fitted(levels, noisy, scales)
        errors.append(found.numbers - np.concatenate([np.array(part) for part in exact]))
    measured = np.array(errors).std(axis=0)
    assert measured == pytest.approx(found.scales, rel=0.06)
    each = np.repeat(scales, [len(level.labels) for level in levels])
    assert (found.scales <= each * 1.0000001).all()
    # the one grand total is known better than by adding nine groups up (15) or by itself (10)
    assert found.scales[-1] < 8
