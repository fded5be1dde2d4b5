"""Every data dictionary survives JSON exactly."""

import json
from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import RESERVED, Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from catalog.serialise import schema_from_dict, schema_to_dict

names = st.text(min_size=1, max_size=8).filter(lambda name: name not in RESERVED)
decimals = st.decimals(allow_nan=False, allow_infinity=False)


def ordered(values: st.SearchStrategy) -> st.SearchStrategy[Bounds]:
    return st.tuples(values, values).map(lambda pair: Bounds(*sorted(pair)))


# a stored timestamp has no zone, so the repeated hour (fold) means nothing
timestamps = st.datetimes().map(lambda moment: moment.replace(fold=0))
bounds = ordered(decimals) | ordered(st.dates()) | ordered(timestamps)
coded_values = st.builds(CodedValue, st.text(max_size=6) | st.integers(), st.text(max_size=8))

columns = st.builds(
    Column,
    name=names,
    type=st.sampled_from(ColumnType),
    title=st.text(max_size=8),
    description=st.text(max_size=8),
    required=st.booleans(),
    code_system=st.none() | st.text(max_size=8),
    values=st.none() | st.lists(coded_values, max_size=3).map(tuple),
    bounds=st.none() | bounds,
    step=decimals.filter(lambda step: step > 0),
    unit=st.none() | st.text(max_size=4),
    person_level=st.booleans(),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    kind = draw(st.sampled_from(TableKind))
    return Table(
        name=draw(names),
        kind=kind,
        columns=tuple(draw(st.lists(columns, max_size=4, unique_by=lambda column: column.name))),
        title=draw(st.text(max_size=8)),
        description=draw(st.text(max_size=8)),
        rows_per_person=1 if kind is TableKind.PERSONS else draw(st.integers(1, 100)),
        groups_per_person=draw(st.integers(1, 100)),
    )


schemas = st.builds(
    DatasetSchema,
    st.text(max_size=10),
    st.lists(tables(), max_size=3, unique_by=lambda table: table.name).map(tuple),
)


@given(schemas)
def test_a_schema_survives_json(schema: DatasetSchema) -> None:
    again = schema_from_dict(json.loads(json.dumps(schema_to_dict(schema))))
    assert again == schema
    # equality of decimals and of dates with timestamps forgives what the written form must not
    assert repr(again) == repr(schema)


def test_a_decimal_keeps_its_digits_and_a_timestamp_its_time() -> None:
    column = Column("x", ColumnType.DECIMAL, bounds=Bounds(Decimal("0.10"), Decimal("1E+3")), step=Decimal("0.010"))
    moment = Bounds(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2020-01-01T12:30"))
    day = Bounds(date(2020, 1, 1), date(2021, 1, 1))
    table = Table(
        "t",
        TableKind.EVENTS,
        (column, Column("at", ColumnType.TIMESTAMP, bounds=moment), Column("on", ColumnType.DATE, bounds=day)),
    )
    again = schema_from_dict(json.loads(json.dumps(schema_to_dict(DatasetSchema("d", (table,))))))
    assert repr(again.tables[0].columns) == repr(table.columns)
