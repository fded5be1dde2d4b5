"""The rules every row must pass before it is stored, as SQL conditions that are true where a row fails.

All rules look at one row, or at one person's rows: whether a person's row is kept never depends on other persons.
Conditions are true or false and never NULL, and cheap where the row is good: most rows are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.schema import Bounds, Column, ColumnType
from pipelines import sqltext as sql
from pipelines.generalise import generalisation
from pipelines.plan import ColumnPlan, TablePlan

PERSON_TEXT = "_person_text"
"""Mapped column with the person identifier; no stored column starts with an underscore."""

LONGEST_CODE = 255
"""Characters of the longest code; texts may be this many times the same number long."""

CONTROL = r"[\x00-\x1f\x7f]"

NOT_CAST = {
    ColumnType.BOOLEAN: "not true or false",
    ColumnType.INTEGER: "not a whole number",
    ColumnType.DECIMAL: "not a finite number in range",
    ColumnType.DATE: "not a date",
    ColumnType.TIMESTAMP: "not a date and time",
    ColumnType.CODE: "not a code",
    ColumnType.TEXT: "not a text",
}

NO_PERSON = "no person identifier"
BAD_PERSON = "the person identifier fails its declared normalisation"
SEVERAL_ROWS = "several rows for one person"
UNKNOWN_PERSON = "the person is not in the table of persons"


@dataclass(frozen=True)
class Rule:
    """`fails` is SQL over the mapped row; `column` is the stored column, or the empty text for the row as a whole."""

    column: str
    reason: str
    fails: str


def rules(table: TablePlan, domains: Mapping[str, str], empty: Mapping[str, str]) -> tuple[Rule, ...]:
    """Rules of a table over the stored columns, their cells and PERSON_TEXT.

    `domains` names what holds the allowed values of a column with a closed list, `empty` is SQL that is true where a
    column's delivered cell is empty.
    """
    found = [r for c in table.columns for r in _column_rules(c, domains.get(c.name), empty[c.name])]
    if table.person:
        found.append(Rule("", NO_PERSON, f"{PERSON_TEXT} IS NULL"))
    return tuple(found)


def _column_rules(plan: ColumnPlan, domain: str | None, empty: str) -> list[Rule]:
    column = plan.column
    value = sql.name(column.name)
    found = [Rule(column.name, _not_read(plan, domain), f"CASE WHEN {value} IS NULL THEN NOT ({empty}) ELSE false END")]
    if column.required:
        found.append(Rule(column.name, "missing", f"CASE WHEN {value} IS NULL THEN {empty} ELSE false END"))
    if domain and column.type is not ColumnType.CODE:
        outside = f"{value} IS NOT NULL AND {value} NOT IN (SELECT code FROM {domain})"
        return [*found, Rule(column.name, _not_listed(plan), outside)]
    # a value of a list is neither too long nor has it control characters
    return found if domain else found + _date_rules(plan, value) + _text_rules(column, value)


def _not_read(plan: ColumnPlan, domain: str | None) -> str:
    """Why a cell that is not empty has no value: a code is cast to the type of its list, so it is not in it."""
    if plan.coarser:
        return f"no coarser code in lookup table {plan.coarser.table}"
    reads = generalisation(plan.generalise).reads if plan.generalise else plan.column.type
    return _not_listed(plan) if domain and plan.column.type is ColumnType.CODE else NOT_CAST[reads]


def _not_listed(plan: ColumnPlan) -> str:
    return f"not in lookup table {plan.lookup.table}" if plan.lookup else "not in the list of values"


def _date_rules(plan: ColumnPlan, value: str) -> list[Rule]:
    # numbers beyond their bounds are stored and clamped by each query; dates beyond theirs are errors
    bounds = _date_bounds(plan)
    if bounds is None:
        return []
    low, high = sql.literal(bounds.low), sql.literal(bounds.high)
    fails = f"coalesce(CAST({value} AS DATE) NOT BETWEEN {low} AND {high}, false)"
    return [Rule(plan.name, f"outside of {bounds.low} to {bounds.high}", fails)]


def _date_bounds(plan: ColumnPlan) -> Bounds | None:
    dated = plan.column.type in (ColumnType.DATE, ColumnType.TIMESTAMP)
    return (plan.delivered_bounds or plan.column.bounds) if dated else None


def _text_rules(column: Column, value: str) -> list[Rule]:
    if column.type not in (ColumnType.CODE, ColumnType.TEXT):
        return []
    longest = _longest(column)
    control = f"coalesce(regexp_matches({value}, '{CONTROL}'), false)"
    return [
        Rule(column.name, f"longer than {longest} characters", f"coalesce(length({value}) > {longest}, false)"),
        Rule(column.name, "holds control characters", control),
    ]


def _longest(column: Column) -> int:
    return LONGEST_CODE if column.type is ColumnType.CODE else LONGEST_CODE * 40


def passes(table: TablePlan, found: tuple[Rule, ...], domains: Mapping[str, str], cells: Mapping[str, str]) -> str:
    """SQL that is true for a mapped row that fails no rule; `cells` name the delivered cells.

    Most rows are good, so what a good row shows at a glance is asked first, and the rules themselves only of others.
    """
    glance = [g for c in table.columns for g in _at_a_glance(c, domains.get(c.name), cells[c.name])]
    if table.person:
        glance.append(f"{PERSON_TEXT} IS NOT NULL")
    closely = " AND ".join(f"NOT ({rule.fails})" for rule in found)
    return f"CASE WHEN {' AND '.join(glance)} THEN true ELSE {closely} END" if glance else "true"


def _at_a_glance(plan: ColumnPlan, domain: str | None, cell: str) -> list[str]:
    column, value = plan.column, sql.name(plan.name)
    filled = f"{value} IS NOT NULL" if column.required else f"({value} IS NOT NULL OR {cell} IS NULL)"
    if domain:
        listed = f"({value} IS NULL OR {value} IN (SELECT code FROM {domain}))"
        return [filled] if column.type is ColumnType.CODE else [filled, listed]
    bounds = _date_bounds(plan)
    if bounds:
        within = f"{value} BETWEEN {sql.literal(bounds.low)} AND {sql.literal(bounds.high)}"
        return [within] if column.required else [filled, f"({value} IS NULL OR {within})"]
    if column.type in (ColumnType.CODE, ColumnType.TEXT):
        plain = f"(strlen({value}) <= {_longest(column)} AND NOT regexp_matches({value}, '{CONTROL}'))"
        return [plain] if column.required else [filled, f"({value} IS NULL OR {plain})"]
    return [filled]
