"""From exact totals to the released table: selection of unknown groups, order, limit, intervals, notes."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest

from catalog.schema import Bounds, ColumnType
from dataspace.domain.privacy import ByRho, ContributionBounds
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey, SortKey
from dataspace.domain.releases import ReleaseTable
from dataspace.dp import intervals, kernel
from dataspace.dp.bounding import aggregate, warm
from dataspace.dp.engine import measure
from dataspace.dp.grids import LARGEST, grid_of
from dataspace.dp.noise import Noise, NoiseTooSmall, OpenDPNoise, SeededNoise, ZeroNoise
from dataspace.dp.plan import plan_query
from dataspace.dp.shape import presented
from dataspace.dp.totals import ExactTable
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, query, without_noise
from tests.reference.rows import bucketed

SCHEMA = pa.schema([("person_key", pa.int64()), ("k0", pa.string()), *((f"v{i}", pa.float64()) for i in range(3))])
PERSONS = Aggregate("n", AggregateKind.PERSONS)
SUM = Aggregate("s", AggregateKind.SUM, 0, Bounds(Decimal(0), Decimal(10)))
DRUG = GroupKey("drug", ColumnType.CODE, None)


def rows(**persons: int) -> list[dict]:
    """That many persons for each drug, each with the value 2."""
    found = []
    for drug, count in persons.items():
        name = None if drug == "none" else drug
        found += [{"person_key": len(found) + i, "k0": name, "v0": 2.0, "v1": 0.0, "v2": 0.0} for i in range(count)]
    return found


def released(
    world: list[dict], key: GroupKey, asked: tuple[Aggregate, ...], noise: Noise, **more: object
) -> ReleaseTable:
    made = plan_query(query((key,), asked, **more), DICTIONARY, ByRho(Fraction(1)), GUARANTEE, ContributionBounds(1, 1))
    return presented(measure(made, aggregate(bucketed(world, SCHEMA, 2), made, KEY), noise), made.query)


class TestUnknownGroups:
    def test_small_groups_do_not_appear_and_large_ones_do(self) -> None:
        table = released(rows(common=500, rare=1, none=400), DRUG, (PERSONS,), OpenDPNoise())
        assert [row.keys for row in table.rows] == [("common",), (None,)]

    def test_other_aggregates_are_given_for_the_groups_that_appear(self) -> None:
        table = released(rows(b=300, a=200, rare=2), DRUG, (SUM,), ZeroNoise())
        assert [(row.keys, row.estimates[0].value) for row in table.rows] == [(("a",), 400.0), (("b",), 600.0)]

    def test_the_threshold_is_named(self) -> None:
        assert any("at least" in note for note in released(rows(a=9), DRUG, (PERSONS,), ZeroNoise()).notes)

    def test_nothing_found_is_an_empty_table(self) -> None:
        assert released(rows(rare=1), DRUG, (PERSONS, SUM), ZeroNoise()).rows == ()

    def test_many_groups_are_selected_the_same_way(self) -> None:
        names = {f"d{i}": 1 for i in range(6000)}
        table = released(rows(**names, common=100), DRUG, (PERSONS,), ZeroNoise())
        assert [row.keys for row in table.rows] == [("common",)]


class TestShape:
    KEY = GroupKey("drug", ColumnType.CODE, ("c", "a", "b"))

    def test_groups_come_in_the_order_of_the_domain(self) -> None:
        table = released(rows(a=1, z=7), self.KEY, (PERSONS,), ZeroNoise())
        assert [row.keys for row in table.rows] == [("c",), ("a",), ("b",)]
        assert [row.estimates[0].value for row in table.rows] == [0.0, 1.0, 0.0]

    def test_order_by_a_label_and_by_a_number(self) -> None:
        by_name = released(rows(a=5), self.KEY, (PERSONS,), ZeroNoise(), order=(SortKey("drug", True),))
        assert [row.keys[0] for row in by_name.rows] == ["c", "b", "a"]
        top = released(rows(a=5, b=9), self.KEY, (PERSONS,), ZeroNoise(), order=(SortKey("n", True),), limit=2)
        assert [row.keys[0] for row in top.rows] == ["b", "a"]
        assert any("first 2" in note for note in top.notes)
        assert any("noisy" in note for note in top.notes)

    def test_seeded_noise_repeats_itself(self) -> None:
        one, other = (released(rows(a=5), self.KEY, (PERSONS,), SeededNoise(7)) for _ in range(2))
        assert one == other

    def test_only_noise_of_opendp_is_for_use(self) -> None:
        assert [n.for_tests for n in (OpenDPNoise, ZeroNoise, SeededNoise)] == [False, True, True]


class TestIntervals:
    def test_counts_stay_signed_and_their_intervals_do_not(self) -> None:
        estimate = intervals.counted(-3, 1.0)
        assert (estimate.value, estimate.low, estimate.high) == (-3.0, 0.0, 0.0)

    def test_a_ratio_lost_in_noise_is_not_given(self) -> None:
        assert intervals.ratio(5, 10.0, 10, 10.0).value is None
        assert intervals.ratio(5, 10.0, -10, 1.0).value is None

    def test_fieller_without_noise_is_a_point(self) -> None:
        estimate = intervals.ratio(30, 1e-9, 10, 1e-9)
        assert (estimate.low, estimate.high) == (pytest.approx(3), pytest.approx(3))

    def test_fieller_is_wider_below_a_small_denominator(self) -> None:
        estimate = intervals.ratio(100, 5.0, 50, 10.0)
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < 2 < estimate.high
        assert estimate.high - 2 > 2 - estimate.low

    def test_variance_is_the_samples(self) -> None:
        # 1, 3: sum of (value - 2) is 0, of squares 2
        estimate = intervals.variance((2, 1e-9), (0, 1e-9), (2.0, 1e-9), 0.0, 100.0)
        assert estimate.value == pytest.approx(2)
        assert intervals.root(estimate).value == pytest.approx(2**0.5)


class TestWarm:
    def test_nothing_is_compiled_while_a_query_waits(self) -> None:
        warm()
        compiled = kernel.fixed_point, kernel.add_digit, kernel.is_sorted, kernel.keep_groups, kernel.add_stream
        before = [len(function.signatures) for function in compiled]
        spread = Aggregate("v", AggregateKind.VARIANCE, 0, Bounds(Decimal(0), Decimal(10)))
        rate = Aggregate("r", AggregateKind.RATE, 0, SUM.bounds, denominator=1, denominator_bounds=SUM.bounds)
        world = rows(a=5, b=7)
        for order in (world, world[::-1]):
            for key in (DRUG, GroupKey("drug", ColumnType.CODE, ("a", None))):
                released(order, key, (PERSONS, SUM, spread, rate), ZeroNoise())
        assert [len(function.signatures) for function in compiled] == before


class TestWholeNumbers:
    def test_totals_do_not_print_themselves(self) -> None:
        assert "99" not in repr(ExactTable((("a",),), ((99,),)))

    def test_wide_ranges_get_coarser_steps(self) -> None:
        grid = grid_of(Bounds(Decimal(0), Decimal(10**12)), Decimal("0.01"), "SUM", centred=True)
        assert grid.reach <= LARGEST
        assert grid.square_reach <= LARGEST

    @pytest.mark.parametrize("size", [1, 4097])
    def test_the_largest_values_add_up_exactly(self, size: int) -> None:
        wide = Aggregate("s", AggregateKind.SUM, 0, Bounds(Decimal(0), Decimal(2**30)))
        world = [{"person_key": i, "k0": "a", "v0": 1e300, "v1": 0.0, "v2": 0.0} for i in range(size)]
        made = plan_query(
            query((GroupKey("drug", ColumnType.CODE, ("a",)),), (wide,)), DICTIONARY, ByRho(Fraction(1)), GUARANTEE
        )
        totals = aggregate(bucketed(world, SCHEMA, 1), without_noise(made), KEY)
        assert totals.channels[0] == (size * 2**30,)

    def test_a_short_secret_is_refused(self) -> None:
        made = plan_query(query((), (PERSONS,)), DICTIONARY, ByRho(Fraction(1)), GUARANTEE)
        with pytest.raises(ValueError, match="16 bytes"):
            aggregate(bucketed([], SCHEMA, 1), made, b"short")

    def test_noise_that_was_not_paid_is_not_drawn(self) -> None:
        made = plan_query(query((), (PERSONS,)), DICTIONARY, ByRho(Fraction(1)), GUARANTEE)
        cheap = replace(made, channels=tuple(replace(c, scale=c.scale / 2) for c in made.channels))
        with pytest.raises(NoiseTooSmall):
            measure(cheap, aggregate(bucketed([], SCHEMA, 1), made, KEY), OpenDPNoise())
