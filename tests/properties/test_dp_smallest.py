"""The minimum cell size: no released number is of fewer persons than it, by the noisy counts that were drawn."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from dataspace.domain.privacy import ByEpsilon
from dataspace.domain.queries import AggregateKind
from dataspace.domain.releases import Estimate, ReleaseTable
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.measures import ChannelKind
from dataspace.dp.noise import SeededNoise
from dataspace.dp.plan import MeasurementPlan, plan_query
from dataspace.dp.smallest import WITHHELD
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, World, floats, worlds
from tests.reference.rows import bucketed


class Recorded(SeededNoise):
    """Remembers what was drawn, vector by vector."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.drawn: list[list[int]] = []

    def gaussian(self, totals: Sequence[int], scale: float, l2_squared: Fraction, rho: Fraction, /) -> list[int]:
        self.drawn.append(super().gaussian(totals, scale, l2_squared, rho))
        return self.drawn[-1]


def planned(world: World, least: int) -> MeasurementPlan:
    plan = world.plan
    return plan_query(plan.query, DICTIONARY, ByEpsilon(Decimal(20)), GUARANTEE, plan.bounds, least)


def released(world: World, plan: MeasurementPlan, noise: Recorded) -> ReleaseTable:
    return measure(plan, aggregate(bucketed([floats(row) for row in world.rows], world.schema, 2), plan, KEY), noise)


def own_count(plan: MeasurementPlan, position: int) -> int | None:
    """The channel with the number of rows or persons that an aggregate is made of."""
    counts = (ChannelKind.PERSONS, ChannelKind.COUNT)
    return next((c for c in plan.measures[position].channels if plan.channels[c].kind in counts), None)


@settings(deadline=None, derandomize=True)
@given(worlds(), st.integers(1, 6), st.integers(0, 10_000))
def test_what_is_of_too_few_persons_is_withheld_and_nothing_else(world: World, least: int, seed: int) -> None:
    plan = planned(world, least)
    noise = Recorded(seed)
    judged, shown = released(world, plan, noise), released(world, replace(plan, judge=None), Recorded(seed))
    assert plan.judge is not None
    for place, (row, free) in enumerate(zip(judged.rows, shown.rows, strict=True)):
        assert row.keys == free.keys
        few = noise.drawn[plan.judge][place] < least
        for position, (estimate, before) in enumerate(zip(row.estimates, free.estimates, strict=True)):
            counted = own_count(plan, position)
            if few or (counted is not None and noise.drawn[counted][place] < least):
                assert estimate == WITHHELD
            elif plan.measures[position].aggregate.kind is not AggregateKind.QUANTILE:
                assert estimate == before
            if estimate.withheld:
                assert replace(estimate, withheld=False) == Estimate(None, None, None)


@settings(deadline=None, derandomize=True)
@given(worlds(unknown=True), st.integers(1, 60), st.integers(0, 10_000))
def test_a_group_that_had_to_be_found_is_left_out(world: World, least: int, seed: int) -> None:
    plan = planned(world, least)
    assert plan.selection is not None
    assert plan.selection.threshold >= max(least, world.plan.selection.threshold if world.plan.selection else 0)
    for row in released(world, plan, Recorded(seed)).rows:
        counts = [e for e, m in zip(row.estimates, plan.measures, strict=True) if m.channels == (plan.judge,)]
        assert all((e.value or 0) >= plan.selection.threshold for e in counts)


@settings(deadline=None, derandomize=True)
@given(worlds(), st.integers(1, 6))
def test_the_price_covers_the_count_and_depends_on_no_data(world: World, least: int) -> None:
    plan = planned(world, least)
    assert plan.loss == world.plan.loss
    assert sum(channel.rho for channel in plan.channels) <= plan.loss.rho
    assert [channel.kind for channel in plan.channels].count(ChannelKind.PERSONS) == 1
    assert plan.fingerprint != world.plan.fingerprint
