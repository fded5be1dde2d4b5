"""Dates: parts, truncation, differences and shifts.

Every calendar function sees only days from year 1 to 9999 (others give NULL), and every shift is limited, so that no
chain of them can leave the range of DuckDB's timestamps.
"""

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

from sqlglot import exp

from catalog.schema import ColumnType
from dataspace.sql import build, casts, facts
from dataspace.sql.build import DATE, INTEGER, TIMESTAMP, need_moment, need_number
from dataspace.sql.facts import combine, days_between, moment
from dataspace.sql.refusals import refuse
from dataspace.sql.tree import Expr, Limit

MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
DAYS = {"day": 1, "week": 7}
SECONDS = {"hour": 3600, "minute": 60, "second": 1}
UNITS = (*DAYS, *MONTHS, *SECONDS)
MAX_MONTHS, MAX_DAYS = 12_000, 99_999

PARTS: dict[str, tuple[int, int] | None] = {
    "year": None,
    "isoyear": None,
    "month": (1, 12),
    "quarter": (1, 4),
    "week": (1, 53),
    "day": (1, 31),
    "dayofweek": (0, 6),
    "isodow": (1, 7),
    "dayofyear": (1, 366),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
}
ALIASES = {"dow": "dayofweek", "doy": "dayofyear", "weekofyear": "week", "dayofmonth": "day", "weekday": "dayofweek"}


def unit_of(text: str, node: exp.Expr, known: tuple[str, ...] = UNITS) -> str:
    """A unit by name, singular or plural, any case."""
    name = text.lower()
    name = name if name in known or name in ALIASES else name.removesuffix("s")
    name = ALIASES.get(name, name)
    if name not in known:
        raise refuse(node, "This unit of time is not part of the query language.", f"Use {', '.join(known)}.")
    return name


def part(unit: str, value: Expr, node: exp.Expr) -> Expr:
    """One field of a date: year, month, week, …"""
    value = need_moment(value, node)
    bounds = PARTS[unit]
    low, high = bounds or (_year(value.facts.low), _year(value.facts.high))
    if unit == "isoyear":
        low, high = (None if low is None else low - 1), (None if high is None else high + 1)
    known = combine((value,), low=_whole(low), high=_whole(high), step=Fraction(1), native=True)
    return Expr("part", INTEGER, (value,), unit, known)


def _year(limit: Limit | None) -> int | None:
    return limit.year if isinstance(limit, date) else None


def _whole(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def truncated(unit: str, value: Expr, node: exp.Expr) -> Expr:
    """First moment of the unit: a date for days and more, else a timestamp."""
    value = need_moment(value, node)
    kind: ColumnType = TIMESTAMP if unit in SECONDS else DATE
    if kind is TIMESTAMP:
        value = build.as_timestamp(value)
    elif unit == "day":
        return casts.to_date(value)
    low = facts.shifted(value.facts.low, -366 * (10 if unit == "decade" else 1))
    return Expr("truncated", kind, (value,), unit, combine((value,), low=low, high=value.facts.high))


def difference(unit: str, start: Expr, end: Expr, node: exp.Expr, *, complete: bool = False) -> Expr:
    """Boundaries of the unit between two moments (`date_diff`), or complete units (`date_sub`)."""
    (start, end), kind = build.alike([need_moment(start, node), need_moment(end, node)], node)
    if unit in SECONDS and kind is DATE:
        start, end = build.as_timestamp(start), build.as_timestamp(end)
    low, high = _difference_bounds(unit, start, end)
    known = combine((start, end), low=low, high=high, step=Fraction(1), native=True)
    return Expr("complete_units" if complete else "boundaries", INTEGER, (start, end), unit, known)


def _difference_bounds(unit: str, start: Expr, end: Expr) -> tuple[Fraction | None, Fraction | None]:
    low, high = days_between(start, end)
    if unit == "day":
        return low, high
    days = Fraction(DAYS.get(unit, 0)) or Fraction(SECONDS.get(unit, 0), 86400) or Fraction(30 * MONTHS.get(unit, 1))
    scaled = tuple(None if x is None else Fraction(int(x / days)) for x in (low, high))
    slack = 1 + (86400 // SECONDS[unit] if unit in SECONDS else 0)
    if unit in MONTHS:
        return _calendar_bounds(MONTHS[unit], start, end)
    return (None if scaled[0] is None else scaled[0] - slack), (None if scaled[1] is None else scaled[1] + slack)


def _calendar_bounds(months: int, start: Expr, end: Expr) -> tuple[Fraction | None, Fraction | None]:
    sl, sh, el, eh = (_month_number(x, months) for x in _limits(start, end))
    return (
        None if el is None or sh is None else Fraction(el - sh),
        None if eh is None or sl is None else Fraction(eh - sl),
    )


def _limits(start: Expr, end: Expr) -> tuple[Limit | None, ...]:
    return start.facts.low, start.facts.high, end.facts.low, end.facts.high


def _month_number(limit: Limit | None, months: int) -> int | None:
    return (limit.year * 12 + limit.month - 1) // months if isinstance(limit, date) else None


def plus_interval(value: Expr, interval: exp.Expr, node: exp.Expr, sign: int) -> Expr:
    """date ± INTERVAL with a constant number of units."""
    amount, unit = interval.args.get("this"), interval.args.get("unit")
    while isinstance(amount, exp.Paren):
        amount = amount.this
    if isinstance(amount, exp.Neg):
        amount, sign = amount.this, -sign
    text = str(amount.this) if isinstance(amount, exp.Literal) else ""
    if unit is None or not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 7:
        raise refuse(node, "The interval is not a whole number of units.", "Write d + INTERVAL 30 DAY, or d + days.")
    return _shift(need_moment(value, node), sign * int(text), unit_of(str(unit.this), interval), node)


def moved(op: str, a: Expr, b: Expr, node: exp.Expr) -> Expr:
    """date − date (days), date ± number of days."""
    if a.type in build.MOMENTS and b.type in build.MOMENTS and op == "sub":
        return difference("day", b, a, node)
    if op == "sub" and a.type in build.MOMENTS and b.is_literal and isinstance(b.value, str):
        return difference("day", need_moment(b, node), a, node)
    if a.type not in build.MOMENTS and op == "add":
        a, b = b, a
    days = need_number(b, node)
    if days.is_literal:
        value = build.number_value(days)
        if value.denominator != 1:
            raise refuse(node, "A date is moved by part of a day.", "Use whole days.")
        return _shift(need_moment(a, node), int(value) * (-1 if op == "sub" else 1), "day", node)
    return _shift_by(need_moment(a, node), build.minus(days) if op == "sub" else days)


def _shift(value: Expr, amount: int, unit: str, node: exp.Expr) -> Expr:
    months, days = amount * MONTHS.get(unit, 0), amount * DAYS.get(unit, 0)
    seconds = amount * SECONDS.get(unit, 0)
    if abs(months) > MAX_MONTHS or abs(days) + abs(seconds) // 86400 > MAX_DAYS:
        raise refuse(node, "The interval is too long.", f"Move dates by at most {MAX_DAYS:,} days or 1,000 years.")
    if seconds:
        value = build.as_timestamp(value)
    spare = 1 if seconds else 0
    low = _moved_limit(value.facts.low, months, days + seconds // 86400 - spare)
    high = _moved_limit(value.facts.high, months, days + seconds // 86400 + spare)
    known = combine((value,), low=low, high=high, nullable=True if not months else value.facts.nullable)
    known = replace(known, nullable=value.facts.nullable)
    if value.is_literal and not seconds and isinstance(low, date):
        return build.literal(_like(value, low))
    return Expr("shifted", value.type, (value,), (months, days, seconds), known)


def _like(value: Expr, moved_to: date) -> date:
    if isinstance(value.value, datetime):
        return datetime.combine(moved_to, value.value.time())
    return moved_to


def _moved_limit(limit: Limit | None, months: int, days: int) -> date | None:
    if limit is None:
        return None
    day = moment(limit)
    if not isinstance(day, date):
        return None
    total = day.year * 12 + day.month - 1 + months
    if not 12 <= total < 9999 * 12:
        return None
    year, month = divmod(total, 12)
    return facts.shifted(date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])), days)


def _shift_by(value: Expr, days: Expr) -> Expr:
    low, high = facts.ends(days)
    known = combine(
        (value, days),
        low=None if low is None else facts.shifted(value.facts.low, int(low)),
        high=None if high is None else facts.shifted(value.facts.high, int(high)),
        nullable=True,
    )
    return Expr("shifted_by", value.type, (value, days), facts=known)


def age_at(birth: Expr, at: Expr, node: exp.Expr) -> Expr:
    """Age in years: from a year of birth the difference of years, from a date of birth the completed years."""
    if birth.is_number:
        return build.arithmetic("sub", part("year", at, node), birth)
    return difference("year", birth, at, node, complete=True)
