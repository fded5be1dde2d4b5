"""SQL that turns a delivered column into a stored one. Nothing here can fail on data: what cannot be cast is NULL."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from catalog.schema import ColumnType
from pipelines import sqltext as sql
from pipelines.errors import SourceError
from pipelines.plan import ColumnPlan

EXACT = 2**53
"""Whole numbers up to here are exact in a DOUBLE; stored decimals stay below this many steps."""


@dataclass(frozen=True)
class Generalisation:
    """A coarser stored value made of a finer delivered one; `sql` has `{}` for the delivered value as `reads`."""

    reads: ColumnType
    makes: ColumnType
    sql: str


GENERALISATIONS = {
    "year": Generalisation(ColumnType.DATE, ColumnType.INTEGER, "CAST(year({}) AS BIGINT)"),
    "month": Generalisation(ColumnType.DATE, ColumnType.DATE, "CAST(date_trunc('month', {}) AS DATE)"),
    "first-2": Generalisation(ColumnType.CODE, ColumnType.CODE, "left({}, 2)"),
    "first-3": Generalisation(ColumnType.CODE, ColumnType.CODE, "left({}, 3)"),
}
"""Names a plan may use under `generalise`."""


def is_castable(generalise: str, type_: ColumnType) -> bool:
    """True if the generalisation makes a column of this type."""
    return GENERALISATIONS[generalise].makes is type_


class Family(StrEnum):
    """Delivered types that are read alike."""

    TEXT = "text"
    WHOLE = "whole"
    FLOAT = "float"
    EXACT = "exact"
    DATE = "date"
    TIME = "time"
    ZONED = "zoned"
    BOOLEAN = "boolean"


def family(duckdb_type: str, column: str) -> Family:
    """Family of a delivered column; raises SourceError for nested and binary types."""
    base = duckdb_type.split("(")[0]
    families = {
        "VARCHAR": Family.TEXT, "UUID": Family.TEXT, "ENUM": Family.TEXT, '"NULL"': Family.TEXT,
        "TINYINT": Family.WHOLE, "SMALLINT": Family.WHOLE, "INTEGER": Family.WHOLE, "BIGINT": Family.WHOLE,
        "HUGEINT": Family.WHOLE, "UTINYINT": Family.WHOLE, "USMALLINT": Family.WHOLE, "UINTEGER": Family.WHOLE,
        "UBIGINT": Family.WHOLE, "FLOAT": Family.FLOAT, "DOUBLE": Family.FLOAT, "DECIMAL": Family.EXACT,
        "DATE": Family.DATE, "TIMESTAMP": Family.TIME, "TIMESTAMP_NS": Family.TIME, "TIMESTAMP_MS": Family.TIME,
        "TIMESTAMP_S": Family.TIME, "TIMESTAMP WITH TIME ZONE": Family.ZONED, "BOOLEAN": Family.BOOLEAN,
    }  # fmt: skip
    found = families.get(base)
    if found is None or duckdb_type.endswith("]"):
        raise SourceError(f"Delivered column {column!r} is of type {base}, which has no stored form. Deliver it flat.")
    return found


def raw(name: str, family_: Family) -> str:
    """The delivered value, NULL where the cell is empty."""
    quoted = sql.name(name)
    return f"nullif(trim(CAST({quoted} AS VARCHAR)), '')" if family_ is Family.TEXT else quoted


def identifier(name: str, family_: Family) -> str:
    """The text of an identifier: a whole number reads the same however it was delivered."""
    return as_text(raw(name, family_), family_)


def value(plan: ColumnPlan, delivered: str, family_: Family) -> str:
    """The stored value, NULL where it is missing or cannot be cast; `delivered` is the output of `raw`."""
    column = plan.column
    if plan.generalise:
        rule = GENERALISATIONS[plan.generalise]
        return rule.sql.format(_cast(rule.reads, delivered, family_, plan))
    made = _cast(column.type, delivered, family_, plan)
    return _on_grid(made, column.step) if column.type is ColumnType.DECIMAL else made


def _cast(type_: ColumnType, delivered: str, family_: Family, plan: ColumnPlan) -> str:
    match type_:
        case ColumnType.INTEGER:
            return _whole(delivered, family_)
        case ColumnType.DECIMAL:
            number = f"TRY_CAST({delivered} AS DOUBLE)"
            return f"CASE WHEN isfinite({number}) THEN {number} END"
        case ColumnType.DATE:
            return _moment(delivered, family_, plan.formats, "DATE")
        case ColumnType.TIMESTAMP:
            return _moment(delivered, family_, plan.formats, "TIMESTAMP")
        case ColumnType.BOOLEAN:
            return _truth(delivered, family_)
        case ColumnType.CODE | ColumnType.TEXT:
            return _recoded(as_text(delivered, family_), plan)


def as_text(delivered: str, family_: Family) -> str:
    """A delivered value as text; a float only if it is whole, since its digits would be an accident otherwise."""
    if family_ is Family.FLOAT:
        return f"CAST({_whole(delivered, family_)} AS VARCHAR)"
    return f"CAST({delivered} AS VARCHAR)"


def _whole(delivered: str, family_: Family) -> str:
    match family_:
        case Family.WHOLE | Family.BOOLEAN:
            return f"TRY_CAST({delivered} AS BIGINT)"
        case Family.FLOAT:
            return (
                f"CASE WHEN isfinite({delivered}) AND {delivered} = trunc({delivered}) AND abs({delivered}) <= {EXACT}"
                f" THEN CAST({delivered} AS BIGINT) END"
            )
        case Family.EXACT:
            return f"CASE WHEN {delivered} = trunc({delivered}) THEN TRY_CAST({delivered} AS BIGINT) END"
        case Family.TEXT:
            # a plain cast would round 1.5 to 2
            return (
                f"CASE WHEN regexp_full_match({delivered}, '[+-]?[0-9]+([.]0*)?')"
                f" THEN TRY_CAST(split_part({delivered}, '.', 1) AS BIGINT) END"
            )
        case _:
            return "CAST(NULL AS BIGINT)"


def _on_grid(number: str, step: Decimal) -> str:
    """The nearest multiple of the step, as the DOUBLE closest to it; NULL if too many steps to be exact."""
    numerator, denominator = step.as_integer_ratio()
    steps = f"round(({number}) * {denominator} / {numerator})"
    return f"CASE WHEN abs({steps}) <= {EXACT} THEN {steps} * {numerator} / {denominator} END"


def _moment(delivered: str, family_: Family, formats: tuple[str, ...], target: str) -> str:
    if formats and family_ in (Family.TEXT, Family.WHOLE):
        listed = "[" + ", ".join(sql.text(f) for f in formats) + "]"
        made = f"CAST(try_strptime(CAST({delivered} AS VARCHAR), {listed}) AS {target})"
    elif family_ is Family.ZONED:
        made = f"CAST({delivered} AT TIME ZONE 'UTC' AS {target})"
    elif family_ in (Family.DATE, Family.TIME):
        made = f"CAST({delivered} AS {target})"
    elif family_ is Family.TEXT:
        made = f"TRY_CAST(TRY_CAST({delivered} AS TIMESTAMP) AS {target})"
    else:
        return f"CAST(NULL AS {target})"
    return f"CASE WHEN isfinite({made}) THEN {made} END"


def _truth(delivered: str, family_: Family) -> str:
    if family_ is Family.BOOLEAN:
        return delivered
    written = f"lower({as_text(delivered, family_)})"
    return (
        f"CASE WHEN {written} IN ('true', 't', 'yes', 'y', '1') THEN true"
        f" WHEN {written} IN ('false', 'f', 'no', 'n', '0') THEN false END"
    )


def _recoded(written: str, plan: ColumnPlan) -> str:
    if not plan.recode:
        return written
    cases = " ".join(f"WHEN {sql.text(old)} THEN {sql.text(new)}" for old, new in plan.recode.items())
    return f"CASE {written} {cases} ELSE {written} END"
