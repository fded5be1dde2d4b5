"""Removing one person changes an exact vector by at most what its noise is scaled for, and by not much less."""

from datetime import date
from decimal import Decimal
from itertools import product
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schema import Bounds, ColumnType
from dataspace.domain.analyses import Analysis, AnalysisKind, Variable
from dataspace.domain.privacy import ByEpsilon
from dataspace.domain.queries import GroupKey, Query
from dataspace.dp.analyses.catalogue import method_of
from dataspace.dp.analyses.logistic import LogisticRegression
from dataspace.dp.analyses.method import Noisy
from dataspace.dp.bounding import aggregate
from dataspace.dp.plan import MeasurementPlan, plan_query
from dataspace.dp.totals import ExactTable
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY
from tests.reference.rows import bucketed

UNIT, WIDE = Bounds(Decimal(0), Decimal(1)), Bounds(Decimal(-3), Decimal(5))
STARTS = (date(2019, 12, 1), date(2020, 1, 1), date(2020, 7, 1), date(2021, 1, 1))
FIRST = (STARTS[0] - date(1970, 1, 1)).days
ANALYSES = {
    AnalysisKind.KAPLAN_MEIER: Analysis(
        AnalysisKind.KAPLAN_MEIER,
        (Variable("time", 0, Bounds(Decimal(0), Decimal(6))), Variable("event", 2, UNIT)),
        ("time",),
        ("survival", "at_risk", "events"),
        step=Decimal("1.5"),
    ),
    AnalysisKind.INCIDENCE: Analysis(
        AnalysisKind.INCIDENCE,
        (Variable("first", 3), Variable("last", 4), Variable("event", 5)),
        ("period",),
        ("rate", "events", "person_years"),
        (STARTS,),
    ),
    AnalysisKind.CHI_SQUARE: Analysis(
        AnalysisKind.CHI_SQUARE,
        (Variable("a", 2), Variable("b", 6)),
        ("a", "b"),
        ("persons", "expected", "statistic", "degrees_of_freedom", "p_value"),
        ((0, 1), ("x", "y", "z")),
    ),
    AnalysisKind.LINEAR_REGRESSION: Analysis(
        AnalysisKind.LINEAR_REGRESSION,
        (Variable("y", 0, WIDE), Variable("x", 1, WIDE), Variable("z", 2, UNIT)),
        ("term",),
        ("coefficient",),
    ),
    AnalysisKind.LOGISTIC_REGRESSION: Analysis(
        AnalysisKind.LOGISTIC_REGRESSION,
        (Variable("y", 2), Variable("x", 0, WIDE), Variable("z", 1, WIDE)),
        ("term",),
        ("coefficient", "odds_ratio"),
    ),
}
SOME = st.sampled_from([None, float("nan"), float("inf"), -1e300, -3.0, 0.0, 0.4, 1.5, 5.0, 6.0, 7.0, 1e9])
DAY = st.one_of(st.sampled_from([None, float("nan"), -1e12, 1e12]), st.integers(FIRST - 20, FIRST + 420).map(float))
COINS = st.sampled_from([None, 0.0, 1.0])
ROW = st.fixed_dictionaries(
    {
        "person_key": st.sampled_from([-5, 0, 1, 2**62]),
        "k0": st.sampled_from(["F", "M", "other", None]),
        "v0": SOME,
        "v1": SOME,
        "v2": COINS,
        **dict.fromkeys(("v3", "v4", "v5"), DAY),
        "v6": st.sampled_from([None, 0.0, 1.0, 2.0, 3.0]),
    }
)
SCHEMA = pa.schema([("person_key", pa.int64()), ("k0", pa.string()), *((f"v{i}", pa.float64()) for i in range(7))])


def plan_of(analysis: Analysis) -> MeasurementPlan:
    key = GroupKey("sex", ColumnType.CODE, ("F", "M", None), person_level=True)
    columns = ", ".join(["person_key", "k0", *(f"v{i}" for i in range(7))])
    query = Query(
        "canonical", f"SELECT {columns} FROM s.t", (("s", "t"),), frozenset(), (key,), (),
        ("sex", *analysis.keys, *analysis.columns), one_row_per_person=True, analysis=analysis,
    )  # fmt: skip
    return plan_query(query, DICTIONARY, ByEpsilon(Decimal(20)), GUARANTEE)


def vectors(totals: ExactTable, plan: MeasurementPlan, at: list[float]) -> list[np.ndarray]:
    """Each part over all groups; of a regression in rounds its derivatives at some coefficients."""
    method = method_of(plan.query.analysis)  # type: ignore[arg-type]
    if isinstance(method, LogisticRegression):
        found = [method.derivatives(people.astype(np.int64), np.array(at)) for people in totals.people]
        return [np.concatenate(found).astype(object)] * len(plan.channels)
    return [np.array(channel, dtype=object) for channel in totals.channels]


@pytest.mark.parametrize("kind", ANALYSES)
@given(
    rows=st.lists(ROW, max_size=25),
    gone=st.sampled_from([-5, 0, 1, 2**62]),
    buckets=st.integers(1, 3),
    at=st.lists(st.floats(-9, 9), min_size=3, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_removing_one_person(
    kind: AnalysisKind, rows: list[dict[str, Any]], gone: int, buckets: int, at: list[float]
) -> None:
    plan = plan_of(ANALYSES[kind])
    left = [row for row in rows if row["person_key"] != gone]
    before, after = (vectors(aggregate(bucketed(some, SCHEMA, buckets), plan, KEY), plan, at) for some in (rows, left))
    for channel, a, b in zip(plan.channels, before, after, strict=True):
        assert sum(int(d) ** 2 for d in a - b) <= channel.l2_squared


@pytest.mark.parametrize("kind", ANALYSES)
def test_a_sensitivity_half_as_large_would_be_caught(kind: AnalysisKind) -> None:
    plan = plan_of(ANALYSES[kind])
    worst = [0] * len(plan.channels)
    days = [None, FIRST - 1.0, FIRST + 1000.0]
    values = product([-3.0, 5.0], [-3.0, 5.0], [0.0, 1.0], days, days, [None, FIRST + 5.0], [0.0, 1.0])
    for chosen in values:
        row = {"person_key": 1, "k0": "F", **{f"v{i}": v for i, v in enumerate(chosen)}}
        if kind is AnalysisKind.LOGISTIC_REGRESSION and (chosen[3] or chosen[4]):
            continue
        totals = aggregate(bucketed([row], SCHEMA, 1), plan, KEY)
        found = vectors(totals, plan, [8.0, 8.0, 8.0])
        worst = [max(w, sum(int(n) ** 2 for n in part)) for w, part in zip(worst, found, strict=True)]
    for channel, norm in zip(plan.channels, worst, strict=True):
        # half the sensitivity would be a quarter of its square
        assert channel.l2_squared * 0.9 < norm <= channel.l2_squared


@given(rows=st.lists(ROW, max_size=25), order=st.randoms(use_true_random=False), buckets=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_and_the_buckets_change_nothing(rows: list[dict[str, Any]], order: Any, buckets: int) -> None:
    plan = plan_of(ANALYSES[AnalysisKind.LINEAR_REGRESSION])
    shuffled = order.sample(rows, len(rows))
    once, again = (
        aggregate(bucketed(rows, SCHEMA, 1), plan, KEY),
        aggregate(bucketed(shuffled, SCHEMA, buckets), plan, KEY),
    )
    assert once == again


NUMBER = st.one_of(st.integers(-(2**62), 2**62), st.integers(-50, 50), st.integers(0, 10**6))


@pytest.mark.parametrize("kind", ANALYSES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_noisy_numbers_give_an_answer(kind: AnalysisKind, data: st.DataObject) -> None:
    """A failure after the charge would tell something about the data."""
    method = method_of(ANALYSES[kind])
    scale = data.draw(st.sampled_from([1e-9, 0.4, 30.0, 1e6, 1e12]))
    parts = [
        Noisy(data.draw(st.lists(NUMBER, min_size=part.width, max_size=part.width)), scale) for part in method.parts
    ]
    if isinstance(method, LogisticRegression):
        lines = method.fit(np.zeros((0, method.size + 1), np.int64), lambda number, _: parts[number])
    else:
        lines = method.lines(parts)
    for estimate in (e for line in lines for e in line.estimates):
        found = [n for n in (estimate.value, estimate.low, estimate.high) if n is not None]
        assert all(isfinite(n) for n in found)
        assert estimate.low is None or estimate.high is None or estimate.low <= estimate.high


def test_the_charge_is_the_sum_of_the_parts() -> None:
    for analysis in ANALYSES.values():
        plan = plan_of(analysis)
        assert sum(channel.rho for channel in plan.channels) <= plan.loss.rho
        for channel in plan.channels:
            assert channel.l2_squared / (2 * channel.scale**2) <= float(channel.rho)
