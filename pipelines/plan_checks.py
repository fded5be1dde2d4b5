"""The holder's own checks in a plan: `[[tables.NAME.checks]]`, one kind a check.

    order = ["start", "end"]                      the first is not after the second
    unique = ["day", "ward"]                      no two rows share the values; with "person": no two rows of a person
    complete = "ward"                             has a value
    between = "cost", low = 0, high = 900         within limits, one of which may be left out
    one_of = "ward", values = ["A", "B"]          one of these values
    matches = "code", pattern = "[A-Z][0-9]+"     the whole value has this form (RE2)
    holds = "nights = 0 OR cost > 0"              an SQL condition over the row; see `pipelines.quality.conditions`
    found_in = ["stay"], table = "s", key = ["id"]   exists in another table, there for the same person
    fresh = "day", days = 400                     the newest is at most so many days old when it is loaded
    rows = [1000, 50000]                          so many rows in the table

Every check has a `name`, may say `on_failure = "stop"` (else "note"), and those about rows `at_least = 0.99`: the share
of rows that must pass. A row without a value passes, except in `complete`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from catalog.schema import PERSON, ColumnType, TableKind
from pipelines.engine import connect
from pipelines.plan import Check, Plan, TablePlan
from pipelines.plan_section import Section
from pipelines.quality.conditions import check_condition
from pipelines.store.arrow import SQL_TYPES

Read = Callable[[Section], Mapping[str, Any]]


@dataclass(frozen=True)
class Kind:
    """`read` gives the fields of a Check from its section; `types` are the column types it can be asked of."""

    read: Read
    types: frozenset[ColumnType] = frozenset(ColumnType)
    of_rows: bool = True


TEXTS = frozenset({ColumnType.CODE, ColumnType.TEXT})
DATES = frozenset({ColumnType.DATE, ColumnType.TIMESTAMP})
ORDERED = DATES | {ColumnType.INTEGER, ColumnType.DECIMAL}
LISTED = TEXTS | {ColumnType.INTEGER}


def parse_check(section: Section) -> Check:
    """The check of one section; raises PlanError with its line."""
    kind = next((k for k in KINDS if section.has(k)), None)
    if kind is None:
        section.fail(None, f"a check has one of the keys {', '.join(KINDS)}.")
    check = Check(
        name=section.text("name"),
        kind=kind,
        **KINDS[kind].read(section),
        at_least=section.share("at_least", Decimal(1)) if KINDS[kind].of_rows else Decimal(1),
        stop=section.choice("on_failure", ("note", "stop"), "note") == "stop",
    )
    section.finish()
    return check


def check_fits(check: Check, table: TablePlan, section: Section) -> None:
    """Complain in the table's section unless its columns are there and of types that the check can be asked of."""
    said = f"check {check.name!r}"
    for name in check.columns:
        if name not in table.column:
            section.fail("checks", f"{said} names column {name!r}, which this table has not.")
        type_ = table.column[name].column.type
        if type_ not in KINDS[check.kind].types:
            section.fail("checks", f"{said} cannot be asked of column {name!r}, which is of type {type_}.")
        if not _limits_fit(check, type_):
            section.fail("checks", f"{said}: limits and values of column {name!r} are of its type, {type_}.")
    if check.per_person and table.kind is TableKind.LOOKUP:
        section.fail("checks", f"{said} names the person, and a lookup table has none.")
    if check.kind == "holds":
        types = {c.name: SQL_TYPES[c.column.type] for c in table.columns}
        section.build(lambda: check_condition(check.text, types))


def check_targets(plan: Plan, root: Section) -> None:
    """Complain about `found_in` checks whose table or columns the plan has not."""
    for table in plan.tables:
        for check in table.checks:
            if check.kind == "found_in":
                _check_target(check, plan.table.get(check.table), root.at("tables", table.name))


def _check_target(check: Check, target: TablePlan | None, section: Section) -> None:
    if target is None:
        section.fail("checks", f"check {check.name!r} looks in {check.table!r}, which is no table of this plan.")
    for name in check.keys:
        if name not in target.column:
            section.fail("checks", f"check {check.name!r}: table {check.table!r} has no column {name!r}.")


def _limits_fit(check: Check, type_: ColumnType) -> bool:
    if check.kind == "one_of":
        return all(isinstance(value, int) is (type_ is ColumnType.INTEGER) for value in check.values)
    if check.kind != "between":
        return True
    limits = [limit for limit in (check.low, check.high) if limit is not None]
    return all(isinstance(limit, date) is (type_ in DATES) for limit in limits)


def _order(section: Section) -> dict[str, Any]:
    columns = section.texts("order")
    if len(columns) != 2:
        section.fail("order", "names two columns: the one that comes first, the one that comes after.")
    return {"columns": columns}


def _unique(section: Section) -> dict[str, Any]:
    names = section.texts("unique")
    columns = tuple(name for name in names if name != PERSON)
    if not columns:
        section.fail("unique", "names at least one column.", "One row for each person is what the kind persons says.")
    return {"columns": columns, "per_person": PERSON in names}


def _complete(section: Section) -> dict[str, Any]:
    return {"columns": (_one(section, "complete"),)}


def _between(section: Section) -> dict[str, Any]:
    low, high = (_limit(section, key) for key in ("low", "high"))
    if low is None and high is None:
        section.fail("between", "needs low, high, or both.")
    # both of one kind, or neither is compared here: check_fits compares them with the column
    if low is not None and high is not None and isinstance(low, date) is isinstance(high, date) and low > high:  # type: ignore[operator]
        section.fail("low", "is above high.")
    return {"columns": (_one(section, "between"),), "low": low, "high": high}


def _one_of(section: Section) -> dict[str, Any]:
    values = section.value("values")
    if not isinstance(values, list) or not values or not all(type(v) in (str, int) for v in values):
        section.fail("values", "is a list of texts or whole numbers.")
    return {"columns": (_one(section, "one_of"),), "values": tuple(values)}


def _matches(section: Section) -> dict[str, Any]:
    pattern = section.text("pattern")
    try:
        with connect("100MB", 1) as engine:
            engine.execute("SELECT regexp_full_match('', ?)", [pattern]).fetchall()
    except duckdb.Error:
        section.fail("pattern", "is not a regular expression of RE2.", "It knows no look-around and no back-reference.")
    return {"columns": (_one(section, "matches"),), "text": pattern}


def _holds(section: Section) -> dict[str, Any]:
    return {"text": re.sub(r"\s+", " ", section.text("holds")).strip()}


def _found_in(section: Section) -> dict[str, Any]:
    columns, keys = section.texts("found_in"), section.texts("key")
    if not columns or len(columns) != len(keys):
        section.fail("key", "names a column of the other table for each column of found_in.")
    return {"columns": columns, "table": section.text("table"), "keys": keys}


def _fresh(section: Section) -> dict[str, Any]:
    days = section.count("days", 365)
    if days < 0:
        section.fail("days", "is not below zero.")
    return {"columns": (_one(section, "fresh"),), "high": days}


def _rows(section: Section) -> dict[str, Any]:
    low, high = section.pair("rows")
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in (low, high)) or not 0 <= low <= high:
        section.fail("rows", "is a list of two whole numbers: the fewest rows and the most.")
    return {"low": low, "high": high}


def _one(section: Section, key: str) -> str:
    names = section.texts(key)
    if len(names) != 1:
        section.fail(key, "names one column.")
    return names[0]


def _limit(section: Section, key: str) -> int | Decimal | date | None:
    limit = section.value(key)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | Decimal | date)):
        section.fail(key, "is a number or a date.")
    if isinstance(limit, Decimal) and not limit.is_finite():
        section.fail(key, "is a finite number.")
    return limit


KINDS: Mapping[str, Kind] = {
    "order": Kind(_order, ORDERED),
    "unique": Kind(_unique, of_rows=False),
    "complete": Kind(_complete),
    "between": Kind(_between, ORDERED),
    "one_of": Kind(_one_of, LISTED),
    "matches": Kind(_matches, TEXTS),
    "holds": Kind(_holds),
    "found_in": Kind(_found_in),
    "fresh": Kind(_fresh, DATES, of_rows=False),
    "rows": Kind(_rows, of_rows=False),
}
"""What a plan may demand, by the key that demands it."""
