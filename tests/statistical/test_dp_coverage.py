"""Intervals hold the exact bounded answer in at least 19 of 20 releases, for every aggregate."""

from decimal import Decimal
from fractions import Fraction
from math import sqrt
from random import Random

import pytest

from catalog.schema import Bounds, ColumnType
from dataspace.domain.privacy import ByRho, ContributionBounds
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.noise import OpenDPNoise
from dataspace.dp.plan import plan_query
from tests.reference import exact
from tests.reference.dp_cases import DICTIONARY, GUARANTEE, KEY, query
from tests.reference.rows import bucketed

import pyarrow as pa  # isort: skip

RELEASES = 150
STAY, SMALL = Bounds(Decimal(0), Decimal(60)), Bounds(Decimal(0), Decimal(20))
KEYS = (GroupKey("g", ColumnType.INTEGER, tuple(range(8))),)
SCHEMA = pa.schema([("person_key", pa.int64()), ("k0", pa.int64()), *((f"v{i}", pa.float64()) for i in range(3))])

ASKED = {
    "persons": Aggregate("a", AggregateKind.PERSONS),
    "rows": Aggregate("a", AggregateKind.ROWS),
    "sum": Aggregate("a", AggregateKind.SUM, 0, STAY),
    "mean": Aggregate("a", AggregateKind.MEAN, 0, STAY),
    "variance": Aggregate("a", AggregateKind.VARIANCE, 0, STAY),
    "deviation": Aggregate("a", AggregateKind.STDDEV, 0, STAY),
    "proportion": Aggregate("a", AggregateKind.PROPORTION, 2),
    "rate": Aggregate("a", AggregateKind.RATE, 2, SMALL, denominator=1, denominator_bounds=SMALL),
    "median, flat": Aggregate("a", AggregateKind.QUANTILE, 1, SMALL, quantile=Decimal("0.5")),
    "quartile, tree": Aggregate("a", AggregateKind.QUANTILE, 0, STAY, quantile=Decimal("0.25")),
}


def rows() -> list[dict[str, float]]:
    random = Random(20261123)  # noqa: S311
    found = []
    for person in range(2400):
        # groups of very different size, so that intervals are tested from well known to nearly lost
        group = min(7, int(random.expovariate(0.6)))
        for _ in range(random.randint(1, 3)):
            stay, years = float(min(80, int(random.expovariate(0.12)))), float(random.randint(1, 18))
            event = float(random.random() < 0.3)
            found.append({"person_key": person, "k0": group, "v0": stay, "v1": years, "v2": event})
    return found


@pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))
def test_intervals_hold_the_answer_at_the_nominal_rate(asked: Aggregate) -> None:
    world = rows()
    plan = plan_query(query(KEYS, (asked,)), DICTIONARY, ByRho(Fraction(1, 20)), GUARANTEE, ContributionBounds(1, 2))
    totals = aggregate(bucketed(world, SCHEMA, 2), plan, KEY)
    truth = exact.answer(world, plan, asked, KEY)
    hits = tries = 0
    for _ in range(RELEASES):
        for row in measure(plan, totals, OpenDPNoise()).rows:
            true, estimate = truth.get(row.keys), row.estimates[0]
            if true is None:
                continue
            low = -float("inf") if estimate.low is None else estimate.low
            high = float("inf") if estimate.high is None else estimate.high
            tries, hits = tries + 1, hits + (low - 1e-9 <= true <= high + 1e-9)
    # 1,000 and more intervals; a rate of 95 % falls below this once in a million
    assert hits / tries > 0.95 - 5 * sqrt(0.05 * 0.95 / tries), f"{hits} of {tries}"
