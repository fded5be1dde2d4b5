"""Hypothesis strategies: small worlds of rows, and queries over them, for the engine's property tests."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from catalog.schema import Bounds, ColumnType, DatasetSchema, Scalar, Table, TableKind
from dataspace.domain.privacy import ByEpsilon, ContributionBounds, Guarantee
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey, Query
from dataspace.dp.plan import MeasurementPlan, plan_query

KEY = b"a secret of a snapshot"
GUARANTEE = Guarantee(Decimal(20), Decimal("1e-6"))
DICTIONARY = {"s": DatasetSchema("s", (Table("t", TableKind.EVENTS, (), rows_per_person=3, groups_per_person=2),))}

DOMAINS: dict[ColumnType, tuple[Scalar | None, ...]] = {
    ColumnType.CODE: ("F", "M", "d'or", None),
    ColumnType.INTEGER: (-2, 0, 1, 7, None),
    ColumnType.DECIMAL: (Decimal("0.5"), Decimal(2), None),
    ColumnType.DATE: (date(1969, 12, 31), date(2020, 2, 29), None),
    ColumnType.TIMESTAMP: (datetime(1969, 1, 1), datetime(2021, 5, 5, 12, 30), None),  # noqa: DTZ001  the store has no zones
    ColumnType.BOOLEAN: (True, False, None),
}
ARROW = {
    ColumnType.CODE: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.DECIMAL: pa.float64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.BOOLEAN: pa.bool_(),
}
PERSONS = (-(2**63) + 1, -5, 0, 1, 2, 3, 2**62)
VALUES = (None, float("nan"), float("inf"), float("-inf"), -1e300, -3.0, 0.0, 0.25, 0.5, 1.0, 2.0, 2.5, 7.0, 99.0, 1e9)


@dataclass(frozen=True)
class World:
    """Rows with person_key, k0…, v0, v1 (v2 is 0 or 1), their Arrow schema, and a plan over them."""

    rows: list[dict[str, Any]]
    schema: pa.Schema
    plan: MeasurementPlan


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    low = draw(st.sampled_from([Decimal(-4), Decimal(0), Decimal("0.3"), Decimal(2)]))
    return Bounds(low, low + draw(st.sampled_from([Decimal(0), Decimal(1), Decimal(5), Decimal(100)])))


@st.composite
def aggregates(draw: st.DrawFn, kind: AggregateKind, name: str) -> Aggregate:
    step = draw(st.sampled_from([Decimal(1), Decimal("0.25"), Decimal("0.1")]))
    if kind in (AggregateKind.PERSONS, AggregateKind.ROWS):
        return Aggregate(name, kind, draw(st.sampled_from([None, 0, 1])))
    if kind is AggregateKind.PROPORTION:
        return Aggregate(name, kind, 2)
    if kind is AggregateKind.RATE:
        below = Bounds(Decimal(0), Decimal(10))
        return Aggregate(name, kind, 0, draw(bounds()), step, denominator=1, denominator_bounds=below)
    share = draw(st.sampled_from([Decimal("0.5"), Decimal("0.25"), Decimal("0.99")]))
    return Aggregate(name, kind, draw(st.sampled_from([0, 1])), draw(bounds()), step, share)


@st.composite
def worlds(draw: st.DrawFn, *, unknown: bool = False) -> World:
    """`unknown` makes the first key one without a public domain."""
    types = draw(st.lists(st.sampled_from(list(ColumnType)[:-1]), min_size=1 if unknown else 0, max_size=3))
    keys = []
    for position, kind in enumerate(types):
        domain = draw(st.lists(st.sampled_from(DOMAINS[kind]), min_size=1, unique=True))
        keys.append(GroupKey(f"key{position}", kind, None if unknown and position == 0 else tuple(domain)))
    # quantiles of groups that are not known are refused
    possible = [kind for kind in AggregateKind if not (unknown and kind is AggregateKind.QUANTILE)]
    kinds = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=4))
    asked = tuple(draw(aggregates(kind, f"a{i}")) for i, kind in enumerate(kinds))
    limits = ContributionBounds(draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    columns = {f"k{i}": st.sampled_from(DOMAINS[kind]) for i, kind in enumerate(types)}
    row = st.fixed_dictionaries(
        {
            "person_key": st.sampled_from(PERSONS),
            **columns,
            "v0": st.sampled_from(VALUES),
            "v1": st.sampled_from(VALUES),
            "v2": st.sampled_from([None, 0.0, 1.0]),
        }
    )
    rows = draw(st.lists(row, max_size=40))
    fields = [("person_key", pa.int64()), *((f"k{i}", ARROW[kind]) for i, kind in enumerate(types))]
    schema = pa.schema([*fields, *((f"v{i}", pa.float64()) for i in range(3))])
    plan = plan_query(query(tuple(keys), asked), DICTIONARY, ByEpsilon(Decimal(20)), GUARANTEE, limits)
    return World(rows, schema, plan)


def query(keys: tuple[GroupKey, ...], asked: tuple[Aggregate, ...], **more: Any) -> Query:
    chosen = ", ".join(["person_key", *(f"k{i}" for i in range(len(keys))), "v0", "v1", "v2"])
    names = tuple(k.name for k in keys) + tuple(a.name for a in asked)
    return Query("canonical", f"SELECT {chosen} FROM s.t", (("s", "t"),), frozenset(), keys, asked, names, **more)


def without_noise(plan: MeasurementPlan) -> MeasurementPlan:
    """The plan with noise so small that every ratio is given."""
    return replace(plan, channels=tuple(replace(c, scale=1e-12) for c in plan.channels))


def floats(row: dict[str, Any]) -> dict[str, Any]:
    """Decimal keys are stored as doubles."""
    return {k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()}
