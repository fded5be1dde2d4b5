"""SQL that turns a delivered column into a stored one. Nothing here can fail on data: what cannot be cast is NULL."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from secrets import token_hex

from catalog.schema import ColumnType
from pipelines import sqltext as sql
from pipelines.errors import SourceError
from pipelines.generalise import generalisation
from pipelines.plan import ColumnPlan

EXACT = 2**53
"""Whole numbers up to here are exact in a DOUBLE; stored decimals stay below this many steps."""

TRUE, FALSE = "'true', 't', 'yes', 'y', 'vrai', 'oui', 'o'", "'false', 'f', 'no', 'n', 'faux', 'non'"
"""How the two are written, in English and French; 1 and 0 are too."""

FIRST_DAY = "1000-01-01"
"""Earlier dates are taken for mistakes."""

# drawn, so that no text of a plan can be taken for one
HALF, CELL = (f"<{name} {token_hex(8)}>" for name in ("half", "cell"))
"""What stands for the outcome of a cast's first step, and for the delivered cell, until the SQL is put together."""


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


@dataclass(frozen=True)
class Cast:
    """A value in two steps, since SQL computes an expression anew wherever it is written.

    `first` is over the delivered column; `final` has HALF where the outcome of `first` belongs, as often as it likes,
    and CELL for the delivered cell.
    """

    first: str
    final: str = HALF

    def made_of(self, half: str, cell: str) -> str:
        """SQL of the value, where `half` holds the outcome of `first`."""
        return self.final.replace(CELL, cell).replace(HALF, half)

    def then(self, final: str) -> "Cast":
        return Cast(self.first, final.replace(HALF, self.final))


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


def is_empty(name: str, family_: Family) -> str:
    """True where the delivered cell is empty; never NULL."""
    quoted = sql.name(name)
    return f"coalesce(trim({quoted}) = '', true)" if family_ is Family.TEXT else f"{quoted} IS NULL"


def identifier(name: str, family_: Family) -> str:
    """The text of an identifier: a whole number reads the same however it was delivered."""
    text = as_text(raw(name, family_), family_)
    return text.made_of(f"({text.first})", sql.name(name))


def value(plan: ColumnPlan, name: str, family_: Family) -> Cast:
    """The stored value of delivered column `name`, NULL where it is missing or cannot be cast."""
    column = plan.column
    if plan.generalise:
        rule = generalisation(plan.generalise)
        return _cast(rule.reads, name, family_, plan).then(rule.sql.replace("{}", HALF))
    if column.type is ColumnType.DECIMAL:
        return _on_grid(name, column.step, family_, comma=plan.decimal_comma)
    return _cast(column.type, name, family_, plan)


def is_code_as_written(plan: ColumnPlan, family_: Family) -> bool:
    """True if a code is stored as its cell holds it, but for blanks around it."""
    return family_ is Family.TEXT and not plan.recode and not plan.generalise


def of_list(made: Cast, listed: str, *, as_it_is: bool) -> Cast:
    """The value if it is in an enumerated type; most cells are, as they are, and only others are looked at closely."""
    if not as_it_is:
        return made.then(f"TRY_CAST({HALF} AS {listed})")
    whole = f"coalesce(TRY_CAST({CELL} AS {listed}), TRY_CAST(nullif(trim({CELL}), '') AS {listed}))"
    return Cast("NULL", whole)


def _cast(type_: ColumnType, name: str, family_: Family, plan: ColumnPlan) -> Cast:
    match type_:
        case ColumnType.INTEGER:
            return _whole(name, family_)
        case ColumnType.DECIMAL:
            return Cast(f"TRY_CAST({sql.name(name)} AS DOUBLE)", f"CASE WHEN isfinite({HALF}) THEN {HALF} END")
        case ColumnType.DATE:
            return _moment(name, family_, plan.formats, "DATE")
        case ColumnType.TIMESTAMP:
            return _moment(name, family_, plan.formats, "TIMESTAMP")
        case ColumnType.BOOLEAN:
            return _truth(name, family_)
        case ColumnType.CODE:
            return _recoded(as_text(raw(name, family_), family_), plan)
        case ColumnType.TEXT:
            # lines of a text become one: the store keeps no control characters
            folded = as_text(raw(name, family_), family_).then(rf"regexp_replace({HALF}, '\s+', ' ', 'g')")
            return _recoded(folded, plan)


def as_text(delivered: str, family_: Family) -> Cast:
    """A delivered value as text; a float only if it is whole, since its digits would be an accident otherwise."""
    if family_ is Family.FLOAT:
        return Cast(delivered, f"CAST({_whole_float(HALF)} AS VARCHAR)")
    return Cast(delivered) if family_ is Family.TEXT else Cast(f"CAST({delivered} AS VARCHAR)")


def _whole(name: str, family_: Family) -> Cast:
    quoted = sql.name(name)
    match family_:
        case Family.WHOLE | Family.BOOLEAN:
            return Cast(f"TRY_CAST({quoted} AS BIGINT)")
        case Family.FLOAT:
            return Cast(quoted, _whole_float(HALF))
        case Family.EXACT:
            return Cast(f"CASE WHEN {quoted} = trunc({quoted}) THEN TRY_CAST({quoted} AS BIGINT) END")
        case Family.TEXT:
            return _whole_text(quoted)
        case _:
            return Cast("CAST(NULL AS BIGINT)")


def _whole_float(number: str) -> str:
    return (
        f"CASE WHEN isfinite({number}) AND {number} = trunc({number}) AND abs({number}) <= {EXACT}"
        f" THEN CAST({number} AS BIGINT) END"
    )


def _whole_text(quoted: str) -> Cast:
    # a plain cast would round 1.5 to 2: what does not read the same when written again is looked at closely
    closely = (
        f"CASE WHEN regexp_full_match(trim({CELL}), '[+-]?[0-9]+([.]0*)?')"
        f" THEN TRY_CAST(split_part(trim({CELL}), '.', 1) AS BIGINT) END"
    )
    return Cast(
        f"TRY_CAST({quoted} AS BIGINT)",
        f"CASE WHEN {HALF} IS NULL THEN NULL WHEN CAST({HALF} AS VARCHAR) = {CELL} THEN {HALF} ELSE {closely} END",
    )


def _on_grid(name: str, step: Decimal, family_: Family, *, comma: bool) -> Cast:
    """The nearest multiple of the step, as the DOUBLE closest to it; NULL if too many steps to be exact."""
    numerator, denominator = step.as_integer_ratio()
    # a comparison with NaN or infinity is false here, so both are NULL; to the engine 1_000 is a number, to people not
    plain = f" AND NOT contains({CELL}, '_')" if family_ is Family.TEXT else ""
    number = sql.name(name)
    if comma and family_ is Family.TEXT:
        # with a point as well, nobody can say which of the two is meant
        number, plain = f"replace({number}, ',', '.')", f"{plain} AND NOT contains({CELL}, '.')"
    return Cast(
        f"round(TRY_CAST({number} AS DOUBLE) * {denominator} / {numerator})",
        f"CASE WHEN abs({HALF}) <= {EXACT}{plain} THEN {HALF} * {numerator} / {denominator} END",
    )


def _moment(name: str, family_: Family, formats: tuple[str, ...], target: str) -> Cast:
    quoted = sql.name(name)
    if formats and family_ in (Family.TEXT, Family.WHOLE):
        listed = "[" + ", ".join(sql.text(f) for f in formats) + "]"
        made = f"CAST(try_strptime(CAST({raw(name, family_)} AS VARCHAR), {listed}) AS {target})"
    elif family_ is Family.ZONED:
        made = f"CAST({quoted} AT TIME ZONE 'UTC' AS {target})"
    elif family_ in (Family.DATE, Family.TIME):
        made = f"CAST({quoted} AS {target})"
    elif family_ is Family.TEXT:
        made = f"TRY_CAST(TRY_CAST({quoted} AS TIMESTAMP) AS {target})"
    else:
        return Cast(f"CAST(NULL AS {target})")
    return Cast(made, _plausible(family_ is Family.TEXT))


def _plausible(written: bool) -> str:
    """A moment from FIRST_DAY on: years of two digits, or with a digit lost, are no years."""
    word = f"lower(trim({CELL})) = 'epoch'" if written else "false"
    return (
        f"CASE WHEN NOT isfinite({HALF}) OR {HALF} < DATE '{FIRST_DAY}' THEN NULL"
        f" WHEN {HALF} = DATE '1970-01-01' THEN CASE WHEN {word} THEN NULL ELSE {HALF} END ELSE {HALF} END"
    )


def _truth(name: str, family_: Family) -> Cast:
    if family_ is Family.BOOLEAN:
        return Cast(sql.name(name))
    written = as_text(raw(name, family_), family_)
    return written.then(
        f"CASE WHEN lower({HALF}) IN ({TRUE}, '1') THEN true WHEN lower({HALF}) IN ({FALSE}, '0') THEN false END"
    )


def _recoded(written: Cast, plan: ColumnPlan) -> Cast:
    if not plan.recode:
        return written
    cases = " ".join(f"WHEN {sql.text(old)} THEN {sql.text(new)}" for old, new in plan.recode.items())
    return written.then(f"CASE {HALF} {cases} ELSE {HALF} END")
