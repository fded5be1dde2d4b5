"""Plans and answers under a minimum cell size, by example."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from catalog.schema import Bounds, ColumnType
from dataspace.domain.analyses import Analysis, AnalysisKind, Variable
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.privacy import ByAccuracy, ByRho, ContributionBounds, Price
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey
from dataspace.dp.analysed import analysed
from dataspace.dp.analyses.catalogue import method_of
from dataspace.dp.analyses.method import Line, Noisy
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.measures import ChannelKind
from dataspace.dp.noise import SeededNoise, ZeroNoise
from dataspace.dp.plan import MeasurementPlan, plan_query
from dataspace.dp.smallest import WITHHELD, judged_lines
from dataspace.dp.totals import ExactTable
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, query
from tests.reference.rows import bucketed
from tests.unit.dataspace.test_dp_release import SCHEMA, rows

DRUG = GroupKey("drug", ColumnType.CODE, ("a", "b", "c"))
PERSONS = Aggregate("n", AggregateKind.PERSONS)
SICK = Aggregate("sick", AggregateKind.PERSONS, 0)
SUM = Aggregate("s", AggregateKind.SUM, 0, Bounds(Decimal(0), Decimal(10)))
ONE = ContributionBounds(1, 1)


def plan(*asked: Aggregate, least: int = 5, price: Price | None = None, **more: Any) -> MeasurementPlan:
    asked_query = query((DRUG,), asked, **more)
    return plan_query(asked_query, DICTIONARY, price or ByRho(Fraction(1)), GUARANTEE, ONE, least)


def answer(made: MeasurementPlan, **persons: int) -> list[list[float | str | None]]:
    table = measure(made, aggregate(bucketed(rows(**persons), SCHEMA, 2), made, KEY), ZeroNoise())
    return [["withheld" if e.withheld else e.value for e in row.estimates] for row in table.rows]


class TestPlan:
    def test_without_a_minimum_nothing_changes(self) -> None:
        made = plan(SUM, least=0)
        assert (len(made.channels), made.judge) == (1, None)
        assert made.fingerprint == sha256(b"canonical\n1 groups, 1 rows").hexdigest()

    def test_persons_are_counted_once_asked_for_or_not(self) -> None:
        asked, added = plan(PERSONS, SUM), plan(SUM)
        assert [c.kind for c in asked.channels] == [ChannelKind.PERSONS, ChannelKind.SUM]
        assert [c.kind for c in added.channels] == [ChannelKind.SUM, ChannelKind.PERSONS]
        assert [note for note in asked.notes if "counted for that" in note] == []
        assert [note for note in added.notes if "counted for that (±" in note]
        # a rho of one, shared by two
        assert [c.rho for c in added.channels] == [Fraction(1, 2)] * 2

    def test_bought_by_accuracy_the_count_costs_as_much_as_the_dearest(self) -> None:
        by_accuracy = ByAccuracy(Decimal(20))
        alone, judged = plan(SUM, least=0, price=by_accuracy), plan(SUM, price=by_accuracy)
        assert judged.channels[0] == alone.channels[0]
        assert judged.channels[1].rho == alone.channels[0].rho
        assert judged.channels[1].scale < alone.channels[0].scale
        assert judged.loss.rho == pytest.approx(float(2 * alone.loss.rho), rel=1e-6)
        counted = plan(PERSONS, price=by_accuracy)
        assert counted.loss == plan(PERSONS, least=0, price=by_accuracy).loss

    def test_other_sizes_are_other_questions(self) -> None:
        assert len({plan(PERSONS, least=least).fingerprint for least in (0, 5, 6)}) == 3


class TestGroups:
    def test_a_small_group_keeps_its_name_and_loses_its_numbers(self) -> None:
        assert answer(plan(PERSONS, SUM), a=5, b=4) == [[5.0, 10.0], ["withheld"] * 2, ["withheld"] * 2]

    def test_a_count_of_some_of_a_large_group(self) -> None:
        world = [{**row, "v0": None if place > 3 else 1.0} for place, row in enumerate(rows(a=9, b=9))]
        made = plan(PERSONS, SICK, SUM)
        table = measure(made, aggregate(bucketed(world, SCHEMA, 1), made, KEY), ZeroNoise())
        assert [e.withheld for e in table.rows[0].estimates] == [False, True, False]

    def test_noise_decides_not_the_truth(self) -> None:
        made = plan(PERSONS, price=ByRho(Fraction(1, 50)))
        totals = aggregate(bucketed(rows(a=5, b=5, c=5), SCHEMA, 1), made, KEY)
        hidden = [measure(made, totals, SeededNoise(seed)).rows[0].estimates[0].withheld for seed in range(40)]
        assert 5 < sum(hidden) < 35

    def test_levels_are_as_measured_so_that_what_is_withheld_cannot_be_computed(self) -> None:
        made = plan(PERSONS, sets=((0,), ()), price=ByRho(Fraction(1, 50)))
        totals = aggregate(bucketed(rows(a=50, b=40, c=1), SCHEMA, 1), made, KEY)
        noise = SeededNoise(3)
        *groups, everybody = [row.estimates[0] for row in measure(made, totals, noise).rows]
        assert [group.withheld for group in groups] == [False, False, True]
        free = measure(replace(made, min_cell=0, judge=None), totals, SeededNoise(3))
        fitted = [row.estimates[0].value or 0 for row in free.rows]
        assert sum(fitted[:3]) == pytest.approx(fitted[3])
        assert everybody.value != pytest.approx(fitted[3])
        assert not any("add up." in note for note in made.notes)

    def test_levels_where_a_person_is_in_several_groups_are_refused(self) -> None:
        asked = query((DRUG,), (Aggregate("r", AggregateKind.ROWS),), sets=((0,), ()))
        two, price = ContributionBounds(2, 1), ByRho(Fraction(1))
        assert plan_query(asked, DICTIONARY, price, GUARANTEE, two).levels
        with pytest.raises(InvalidQuery, match="several of these groups"):
            plan_query(asked, DICTIONARY, price, GUARANTEE, two, 5)


NUMBER = Bounds(Decimal(0), Decimal(4))
X, Y = Variable("x", 1, NUMBER), Variable("y", 0, NUMBER)
ANALYSES = {
    AnalysisKind.KAPLAN_MEIER: Analysis(
        AnalysisKind.KAPLAN_MEIER, (Variable("t", 0, NUMBER), Variable("e", 1)), ("time",),
        ("survival", "at_risk", "events"), step=Decimal(2),
    ),
    AnalysisKind.INCIDENCE: Analysis(
        AnalysisKind.INCIDENCE, tuple(Variable(name, i) for i, name in enumerate("fle")), ("period",),
        ("rate", "events", "person_years"), levels=((date(1970, 1, 1), date(1970, 1, 5)),),
    ),
    AnalysisKind.CHI_SQUARE: Analysis(
        AnalysisKind.CHI_SQUARE, (Variable("a", 0), Variable("b", 1)), ("a", "b"),
        ("persons", "expected", "statistic", "degrees_of_freedom", "p_value"), levels=(("x",), ("y", "z")),
    ),
    AnalysisKind.LINEAR_REGRESSION: Analysis(
        AnalysisKind.LINEAR_REGRESSION, (Y, X), ("term",), ("coefficient",)
    ),
    AnalysisKind.LOGISTIC_REGRESSION: Analysis(
        AnalysisKind.LOGISTIC_REGRESSION, (Variable("y", 0), X), ("term",),
        ("coefficient", "odds_ratio"),
    ),
}  # fmt: skip
VALUES = {
    AnalysisKind.KAPLAN_MEIER: [9.0, 0.0],
    AnalysisKind.INCIDENCE: [0.0, 4.0, np.nan],
    AnalysisKind.CHI_SQUARE: [0.0, 0.0],
    AnalysisKind.LINEAR_REGRESSION: [1.0, 2.0],
    AnalysisKind.LOGISTIC_REGRESSION: [1.0, 2.0],
}


def analysis_plan(kind: AnalysisKind, least: int) -> MeasurementPlan:
    asked = replace(query((DRUG,), ()), analysis=ANALYSES[kind], one_row_per_person=True)
    return plan_query(asked, DICTIONARY, ByRho(Fraction(1)), GUARANTEE, None, least)


def withheld_for(kind: AnalysisKind, sizes: tuple[int, ...], least: int) -> dict[object, set[bool]]:
    """Group -> whether its numbers are withheld, of groups of these sizes of equal persons, without noise."""
    made, method = analysis_plan(kind, least), method_of(ANALYSES[kind])
    groups = []
    for size in sizes:
        whole, keep = method.whole(np.array([VALUES[kind]] * size, dtype=np.float64).reshape(size, len(VALUES[kind])))
        groups.append(whole[keep])
    if kind is AnalysisKind.LOGISTIC_REGRESSION:
        totals = ExactTable(made.cells or (), (), tuple(group.astype(np.int16) for group in groups))
    else:
        sums = [method.sums(group) for group in groups]
        channels = tuple(tuple(int(n) for part in parts for n in part) for parts in zip(*sums, strict=True))
        totals = ExactTable(made.cells or (), channels)
    found: dict[object, set[bool]] = {}
    for row in analysed(made, totals, ZeroNoise()):
        found.setdefault(row.keys[0], set()).update(e.withheld for e in row.estimates)
    return found


class TestAnalyses:
    @pytest.mark.parametrize("kind", [kind for kind in AnalysisKind if kind is not AnalysisKind.CHI_SQUARE])
    def test_a_small_group_is_withheld(self, kind: AnalysisKind) -> None:
        assert set(ANALYSES) == set(AnalysisKind)
        assert withheld_for(kind, (5, 4, 0), 5) == {"a": {False}, "b": {True}, "c": {True}}
        assert withheld_for(kind, (5, 4, 0), 0) == {"a": {False}, "b": {False}, "c": {False}}

    @pytest.mark.parametrize("kind", list(AnalysisKind))
    def test_persons_are_counted_where_the_analysis_does_not(self, kind: AnalysisKind) -> None:
        free, judged = analysis_plan(kind, 0), analysis_plan(kind, 5)
        extra = len(judged.channels) - len(free.channels)
        assert extra == (kind is AnalysisKind.LOGISTIC_REGRESSION)
        assert any("counted for that" in note for note in judged.notes) is bool(extra)
        assert judged.loss == free.loss
        assert sum(channel.rho for channel in judged.channels) <= judged.loss.rho
        assert judged.fingerprint != free.fingerprint

    def test_a_curve_is_withheld_from_where_too_few_are_at_risk(self) -> None:
        method = method_of(ANALYSES[AnalysisKind.KAPLAN_MEIER])
        # six events in the first step, three in the second, one is left
        lines = judged_lines(method.lines([Noisy([6, 3, 0, 0, 1], 0.0)]), 5)
        assert [[e.withheld for e in line.estimates] for line in lines] == [[False] * 3, [True] * 3]

    def test_a_test_of_a_table_goes_with_a_cell_of_it(self) -> None:
        method = method_of(ANALYSES[AnalysisKind.CHI_SQUARE])
        shown, hidden = judged_lines(method.lines([Noisy([20, 3], 0.0)]), 5)
        assert [e.withheld for e in shown.estimates] == [False, True, True, True, True]
        assert hidden.estimates == (WITHHELD,) * 5
        whole = judged_lines(method.lines([Noisy([20, 30], 0.0)]), 5)
        assert not any(e.withheld for line in whole for e in line.estimates)

    def test_a_table_of_too_few_persons_is_withheld_whatever_noise_makes_of_a_cell(self) -> None:
        method = method_of(ANALYSES[AnalysisKind.CHI_SQUARE])
        assert all(e.withheld for line in judged_lines(method.lines([Noisy([9, -7], 3.0)]), 5) for e in line.estimates)

    def test_a_line_whose_persons_nobody_counted_is_withheld(self) -> None:
        [line] = judged_lines([Line(("x",), (WITHHELD, WITHHELD))], 1)
        assert all(e.withheld for e in line.estimates)
