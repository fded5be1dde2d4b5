"""The expectations of a stored table: those the plan implies, and the holder's own checks.

What the ingestion made itself (the order of rows, their ranks, one row a person) is proven by one pass over the sorted
stream, which costs a fraction of a search for duplicates.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, cast

from catalog.schema import PERSON_KEY, ROW_RANK, Bounds, Column, Table, TableKind
from pipelines import sqltext as sql
from pipelines.plan import Check, Plan
from pipelines.quality.expectations import HOLDS, Expectation

LONGEST_SET = 1_000
"""Lists of values longer than this were checked row by row already and are not sent again."""

RANKS = (
    f"CASE WHEN {PERSON_KEY} = lag({PERSON_KEY}) OVER () THEN {ROW_RANK} = lag({ROW_RANK}) OVER () + 1"
    f" ELSE {ROW_RANK} = 1 AND {PERSON_KEY} > coalesce(lag({PERSON_KEY}) OVER (), {PERSON_KEY} - 1) END"
)
"""Keys ascend, and each person's ranks are 1, 2, …: then no person and rank come twice, in whatever file they lie."""

ALL_TRUE: Mapping[str, Any] = {"column": HOLDS, "value_set": [True]}

Asked = tuple[str, Mapping[str, Any]]
"""An expectation's class and its arguments."""


def suite(plan: Plan, table: Table, rows: int, today: date) -> list[Expectation]:
    """Expectations of one stored table of `rows` rows, loaded `today`."""
    columns = {"column_set": [c.name for c in table.columns], "exact_match": False}
    made = [
        Expectation(table.name, "all rows are there", "ExpectTableRowCountToEqual", {"value": rows}),
        Expectation(table.name, "all columns are there", "ExpectTableColumnsToMatchSet", columns),
    ]
    if table.kind is not TableKind.LOOKUP:
        made += [_filled(table, PERSON_KEY, "every row has a person"), _ranks(table)]
    for column in table.columns:
        made += _of_column(table, column)
    return made + [_of_check(plan, table, check, today) for check in plan.table[table.name].checks]


def _ranks(table: Table) -> Expectation:
    once = table.kind is TableKind.PERSONS
    name = "one row for each person" if once else "row ranks are unique"
    condition = f"{ROW_RANK} = 1 AND ({RANKS})" if once else RANKS
    return Expectation(table.name, name, "ExpectColumnValuesToBeInSet", ALL_TRUE, condition=condition)


def _filled(table: Table, column: str, name: str) -> Expectation:
    return Expectation(table.name, name, "ExpectColumnValuesToNotBeNull", {"column": column})


def _of_column(table: Table, column: Column) -> list[Expectation]:
    made = [_filled(table, column.name, f"{column.name} is filled")] if column.required else []
    if column.values is not None and 0 < len(column.values) <= LONGEST_SET:
        arguments = {"column": column.name, "value_set": [v.code for v in column.values]}
        name = f"{column.name} is in its list of values"
        made.append(Expectation(table.name, name, "ExpectColumnValuesToBeInSet", arguments))
    if column.bounds is not None and isinstance(column.bounds.low, date):
        name = f"{column.name} is within its bounds"
        made.append(Expectation(table.name, name, "ExpectColumnValuesToBeBetween", _within(column.name, column.bounds)))
    return made


def _within(column: str, bounds: Bounds) -> Mapping[str, Any]:
    # up to the end of the last day, which a date and time may well be in
    after = cast(date, bounds.high) + timedelta(days=1)
    return {"column": column, "min_value": str(bounds.low), "max_value": str(after), "strict_max": True}


def _of_check(plan: Plan, table: Table, check: Check, today: date) -> Expectation:
    if check.kind in CONDITIONS:
        condition = CONDITIONS[check.kind](plan, table, check)
        asked: Asked = ("ExpectColumnValuesToBeInSet", ALL_TRUE)
    else:
        condition, asked = "", QUESTIONS[check.kind](check, today)
    expect, arguments = asked
    if check.kind not in WHOLE_TABLE and check.at_least < 1:
        arguments = {**arguments, "mostly": float(check.at_least)}
    return Expectation(table.name, check.name, expect, arguments, check.stop, condition, check.kind)


WHOLE_TABLE = frozenset({"unique", "fresh", "rows"})
"""Kinds that look at the table and not at each row."""


def _order(check: Check, _: date) -> Asked:
    first, after = check.columns
    arguments = {"column_A": after, "column_B": first, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return "ExpectColumnPairValuesAToBeGreaterThanB", arguments


def _unique(check: Check, _: date) -> Asked:
    columns = [PERSON_KEY, *check.columns] if check.per_person else list(check.columns)
    if len(columns) == 1:
        return "ExpectColumnValuesToBeUnique", {"column": columns[0]}
    return "ExpectCompoundColumnsToBeUnique", {"column_list": columns}


def _one_of(check: Check, _: date) -> Asked:
    return "ExpectColumnValuesToBeInSet", {"column": check.columns[0], "value_set": list(check.values)}


def _fresh(check: Check, today: date) -> Asked:
    oldest = today - timedelta(days=cast(int, check.high))
    return "ExpectColumnMaxToBeBetween", {"column": check.columns[0], "min_value": oldest.isoformat()}


def _matches(_: Plan, __: Table, check: Check) -> str:
    return f"regexp_full_match({sql.name(check.columns[0])}, {sql.text(check.text)})"


def _between(_: Plan, __: Table, check: Check) -> str:
    column = sql.name(check.columns[0])
    low = f"{column} >= {sql.literal(check.low)}" if check.low is not None else "true"
    high = f"{column} <= {sql.literal(check.high)}" if check.high is not None else "true"
    return f"CASE WHEN {column} IS NOT NULL THEN {low} AND {high} END"


def _holds(_: Plan, __: Table, check: Check) -> str:
    return check.text


def _found_in(plan: Plan, table: Table, check: Check) -> str:
    other = plan.table[check.table]
    pairs = [(sql.name(c), sql.name(k)) for c, k in zip(check.columns, check.keys, strict=True)]
    if TableKind.LOOKUP not in (table.kind, other.kind):
        pairs.append((PERSON_KEY, PERSON_KEY))
    same = " AND ".join(f"there.{key} = here.{column}" for column, key in pairs)
    filled = " AND ".join(f"here.{column} IS NOT NULL" for column, _ in pairs)
    return f"CASE WHEN {filled} THEN EXISTS (SELECT 1 FROM {sql.name(check.table)} there WHERE {same}) END"


QUESTIONS: Mapping[str, Callable[[Check, date], Asked]] = {
    "order": _order,
    "unique": _unique,
    "complete": lambda check, _: ("ExpectColumnValuesToNotBeNull", {"column": check.columns[0]}),
    "one_of": _one_of,
    "fresh": _fresh,
    "rows": lambda check, _: ("ExpectTableRowCountToBeBetween", {"min_value": check.low, "max_value": check.high}),
}
"""Checks that Great Expectations asks by itself."""

CONDITIONS: Mapping[str, Callable[[Plan, Table, Check], str]] = {
    "between": _between,
    "matches": _matches,
    "holds": _holds,
    "found_in": _found_in,
}
"""Checks that are an SQL condition over the row."""
