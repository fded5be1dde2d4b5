"""The rules every row must pass before it is stored, as SQL conditions that are true where a row fails.

All rules look at one row, or at one person's rows: whether a person's row is kept never depends on other persons.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.schema import Column, ColumnType
from pipelines import sqltext as sql
from pipelines.plan import ColumnPlan, TablePlan
from pipelines.quality import bits

PERSON_TEXT = "_person_text"
"""Mapped column with the person identifier; no stored column starts with an underscore."""

PROBLEMS = "_problems"
"""Mapped columns, numbered from 0, with the rules a row fails."""

LONGEST_CODE = 255
"""Characters of the longest code; lookup texts may be this many times the same number long."""

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


def rules(table: TablePlan, domains: Mapping[str, str]) -> tuple[Rule, ...]:
    """Rules of a table over columns `raw.<name>` (delivered, empty as NULL) and `<name>` (cast).

    `domains` names, for a column with a closed list, the engine's table that holds the allowed values as `code`.
    """
    found = [rule for column in table.columns for rule in _column_rules(column, domains.get(column.name))]
    if table.person:
        found.append(Rule("", NO_PERSON, f"{PERSON_TEXT} IS NULL"))
        found.append(Rule("", BAD_PERSON, f"{PERSON_TEXT} IS NOT NULL AND person_key IS NULL"))
    return tuple(found)


def _column_rules(plan: ColumnPlan, domain: str | None) -> list[Rule]:
    column = plan.column
    value, raw = sql.name(column.name), sql.name(raw_name(column.name))
    found = [Rule(column.name, NOT_CAST[column.type], f"{raw} IS NOT NULL AND {value} IS NULL")]
    if column.required:
        found.append(Rule(column.name, "missing", f"{raw} IS NULL"))
    if domain:
        reason = f"not in lookup table {plan.lookup.table}" if plan.lookup else "not in the list of values"
        found.append(Rule(column.name, reason, f"{value} IS NOT NULL AND {value} NOT IN (SELECT code FROM {domain})"))
    return found + _date_rules(column, value) + _text_rules(column, value)


def _date_rules(column: Column, value: str) -> list[Rule]:
    # numbers beyond their bounds are stored and clamped by each query; dates beyond theirs are errors
    if column.bounds is None or column.type not in (ColumnType.DATE, ColumnType.TIMESTAMP):
        return []
    low, high = column.bounds.low, column.bounds.high
    fails = f"CAST({value} AS DATE) < {sql.literal(low)} OR CAST({value} AS DATE) > {sql.literal(high)}"
    return [Rule(column.name, f"outside of {low} to {high}", fails)]


def _text_rules(column: Column, value: str) -> list[Rule]:
    if column.type not in (ColumnType.CODE, ColumnType.TEXT):
        return []
    longest = LONGEST_CODE if column.type is ColumnType.CODE else LONGEST_CODE * 40
    return [
        Rule(column.name, f"longer than {longest} characters", f"length({value}) > {longest}"),
        Rule(column.name, "holds control characters", f"regexp_matches({value}, '[\\x00-\\x1f\\x7f]')"),
    ]


def raw_name(column: str) -> str:
    """Name of the delivered value beside the cast one, which no stored column can have."""
    return f"raw.{column}"


def masks(found: tuple[Rule, ...]) -> str:
    """SELECT items with a bit set for each rule a row fails."""
    return bits.columns(PROBLEMS, [rule.fails for rule in found])


def fails(position: int) -> str:
    """SQL that is true for a mapped row that fails the rule at `position`."""
    return bits.is_set(PROBLEMS, position)


def passes(found: tuple[Rule, ...]) -> str:
    """SQL that is true for a mapped row that fails no rule."""
    return bits.none_set(PROBLEMS, len(found))
