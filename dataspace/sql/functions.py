"""Scalar functions by name. Each is total: where a value has no answer the result is NULL.

The parser has node types of its own for many functions; `ARGUMENTS` gives their name and the order of their parts, so
that every function is one entry in `FUNCTIONS`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction

from sqlglot import exp

from catalog.schema import ColumnType
from dataspace.sql import bins, build, casts, dates, facts
from dataspace.sql.build import BOOLEAN, DECIMAL, INTEGER, TEXT, need_number, need_text
from dataspace.sql.facts import combine
from dataspace.sql.hints import FUNCTION_HINTS
from dataspace.sql.refusals import name_of, refuse
from dataspace.sql.tree import Expr, Facts

Node = exp.Expr
Bind = Callable[[Node], Expr]

ARGUMENTS: dict[type[Node], tuple[str, ...]] = {
    exp.Abs: ("abs", "this"),
    exp.Ceil: ("ceil", "this"),
    exp.Coalesce: ("coalesce", "this", "expressions"),
    exp.Concat: ("concat", "expressions"),
    exp.Contains: ("contains", "this", "expression"),
    exp.Date: ("date", "this"),
    exp.DateDiff: ("date_diff", "unit", "expression", "this"),
    exp.DateTrunc: ("date_trunc", "unit", "this"),
    exp.Day: ("day", "this"),
    exp.DayOfWeek: ("dayofweek", "this"),
    exp.DayOfWeekIso: ("isodow", "this"),
    exp.DayOfYear: ("dayofyear", "this"),
    exp.EndsWith: ("ends_with", "this", "expression"),
    exp.Exp: ("exp", "this"),
    exp.Extract: ("date_part", "this", "expression"),
    exp.Floor: ("floor", "this"),
    exp.Hour: ("hour", "this"),
    exp.Minute: ("minute", "this"),
    exp.Second: ("second", "this"),
    exp.Greatest: ("greatest", "this", "expressions"),
    exp.Least: ("least", "this", "expressions"),
    exp.Left: ("left", "this", "expression"),
    exp.Length: ("length", "this"),
    exp.Ln: ("ln", "this"),
    exp.Lower: ("lower", "this"),
    exp.Month: ("month", "this"),
    exp.Nullif: ("nullif", "this", "expression"),
    exp.Pow: ("power", "this", "expression"),
    exp.Quarter: ("quarter", "this"),
    exp.Right: ("right", "this", "expression"),
    exp.Round: ("round", "this", "decimals"),
    exp.Sign: ("sign", "this"),
    exp.Sqrt: ("sqrt", "this"),
    exp.StartsWith: ("starts_with", "this", "expression"),
    exp.Substring: ("substr", "this", "start", "length"),
    exp.TimestampTrunc: ("date_trunc", "unit", "this"),
    exp.Trim: ("trim", "this"),
    exp.Trunc: ("trunc", "this"),
    exp.Upper: ("upper", "this"),
    exp.Week: ("week", "this"),
    exp.WeekOfYear: ("week", "this"),
    exp.Year: ("year", "this"),
}


@dataclass(frozen=True)
class Function:
    """`usage` and `meaning` are printed in the language reference; `least` and `most` count arguments."""

    usage: str
    meaning: str
    build: Callable[[list[Expr], Node], Expr]
    least: int
    most: int
    unit: bool = False


def call(bind: Bind, node: Node) -> Expr:
    """The expression of a function call."""
    name, args = _arguments(node)
    function = FUNCTIONS.get(name)
    if function is None:
        close = get_close_matches(name, FUNCTIONS, n=1)
        hint = FUNCTION_HINTS.get(name) or _advice(close)
        raise refuse(node, f"The function {name_of(node)} is not part of the query language.", hint)
    if not function.least <= len(args) <= function.most:
        raise refuse(node, f"{name}() has another number of arguments.", f"Write {function.usage}.")
    first = [_unit(args[0], node)] if function.unit else []
    return function.build([*first, *(bind(a) for a in args[len(first) :])], node)


def _advice(close: list[str]) -> str:
    return f"Did you mean {FUNCTIONS[close[0]].usage}?" if close else f"Functions: {', '.join(sorted(_LISTED))}."


def _arguments(node: Node) -> tuple[str, list[Node]]:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower(), list(node.expressions)
    name, *keys = ARGUMENTS[type(node)]
    args: list[Node] = []
    for key in keys:
        value = node.args.get(key)
        args += value if isinstance(value, list) else [] if value is None else [value]
    return name, args


def _unit(node: Node, call_node: Node) -> Expr:
    if isinstance(node, exp.Var) or (isinstance(node, exp.Literal) and node.is_string):
        return build.literal(str(node.this))
    raise refuse(call_node, "The unit of time is a constant.", "Write date_diff('day', a, b).")


def joined(args: list[Expr], node: Node) -> Expr:
    """Text put together, cut after 1,000 characters so that no query can make it explode."""
    texts = [a if build.is_text(a) else casts.convert(a, TEXT, node) for a in args]
    return Expr("joined", TEXT, tuple(texts), facts=combine(texts))


def rounded(op: str, x: Expr, step: Fraction = Fraction(1)) -> Expr:
    """floor, ceil, trunc, or round to whole numbers."""
    return Expr(op, INTEGER, (x,), facts=facts.stepped(x, step))


def modulo(a: Expr, b: Expr) -> Expr:
    """Remainder with the sign of `a`; NULL for b = 0."""
    kind = INTEGER if a.type is b.type is INTEGER else DECIMAL
    (al, ah), (bl, bh) = facts.ends(a), facts.ends(b)
    widest = None if bl is None or bh is None else max(abs(bl), abs(bh))
    known = combine(
        (a, b),
        low=Fraction(0) if al is not None and al >= 0 else None if widest is None else -widest,
        high=Fraction(0) if ah is not None and ah <= 0 else widest,
        step=facts.common_step((a.facts.step, b.facts.step)),
        nullable=True if bl is None or bh is None or bl <= 0 <= bh else a.facts.nullable or b.facts.nullable,
    )
    return Expr("mod", kind, (a, b), facts=known)


def _round(args: list[Expr], node: Node) -> Expr:
    x = need_number(args[0], node)
    if len(args) == 1:
        return rounded("round", x)
    places = _small_int(args[1], node, 0, 12)
    return Expr("round_to", DECIMAL, (x,), places, facts.stepped(x, Fraction(1, 10**places)))


def _small_int(expr: Expr, node: Node, low: int, high: int) -> int:
    if isinstance(expr.value, int) and expr.type is INTEGER and low <= expr.value <= high:
        return expr.value
    raise refuse(node, f"This argument is a constant from {low} to {high}.", "Write the number itself.")


def _number(op: str, known: Callable[[Expr], Facts], kind: ColumnType | None = DECIMAL) -> Callable[..., Expr]:
    def make(args: list[Expr], node: Node) -> Expr:
        x = need_number(args[0], node)
        return Expr(op, kind or x.type, (x,), facts=known(x))

    return make


def _rounding(op: str) -> Callable[..., Expr]:
    return lambda args, node: rounded(op, need_number(args[0], node))


def _sqrt_facts(x: Expr) -> Facts:
    low, _ = facts.ends(x)
    sure = low is not None and low >= 0
    return facts.monotone(x, lambda v: math.sqrt(max(v, 0.0)), nullable=x.facts.nullable or not sure)


def _ln_facts(x: Expr) -> Facts:
    low, _ = facts.ends(x)
    return facts.monotone(x, math.log, nullable=x.facts.nullable or low is None or low <= 0)


def _power(args: list[Expr], node: Node) -> Expr:
    x, y = need_number(args[0], node), need_number(args[1], node)
    if isinstance(y.value, int) and y.is_literal and y.value == 2:
        known = facts.multiplied(x, x)
        low, high = facts.ends(x)
        spans = low is not None and high is not None and low <= 0 <= high
        return Expr("power", DECIMAL, (x, y), facts=replace(known, low=Fraction(0)) if spans else known)
    return Expr("power", DECIMAL, (x, y), facts=combine((x, y), nullable=True))


def _text(op: str) -> Callable[..., Expr]:
    def make(args: list[Expr], node: Node) -> Expr:
        x = need_text(args[0], node)
        return Expr(op, TEXT, (x,), facts=combine((x,)))

    return make


def _substr(args: list[Expr], node: Node) -> Expr:
    start = _small_int(args[1], node, 1, 1000)
    length = _small_int(args[2], node, 0, 1000) if len(args) > 2 else 1000
    text = need_text(args[0], node)
    return Expr("substr", TEXT, (text,), (start, length), combine((text,)))


def _left(args: list[Expr], node: Node) -> Expr:
    return _substr([args[0], build.literal(1), args[1]], node)


def _right(args: list[Expr], node: Node) -> Expr:
    text = need_text(args[0], node)
    return Expr("right", TEXT, (text,), _small_int(args[1], node, 0, 1000), combine((text,)))


def _length(args: list[Expr], node: Node) -> Expr:
    text = need_text(args[0], node)
    return Expr("length", INTEGER, (text,), facts=combine((text,), low=Fraction(0), step=Fraction(1), native=True))


def _affix(op: str) -> Callable[..., Expr]:
    def make(args: list[Expr], node: Node) -> Expr:
        a, b = need_text(args[0], node), need_text(args[1], node)
        return Expr(op, BOOLEAN, (a, b), facts=combine((a, b), domain=(False, True)))

    return make


def _choose(op: str, known: Callable[[tuple[Expr, ...]], Facts]) -> Callable[..., Expr]:
    def make(args: list[Expr], node: Node) -> Expr:
        same, kind = build.alike(args, node)
        unique = tuple(dict.fromkeys(same))
        return unique[0] if len(unique) == 1 else Expr(op, kind, unique, facts=known(unique))

    return make


def _nullif(args: list[Expr], node: Node) -> Expr:
    return build.case([(build.compare("eq", args[0], args[1], node), build.NULL)], args[0], node)


def _part(name: str) -> Callable[..., Expr]:
    return lambda args, node: dates.part(name, args[0], node)


def _date_part(args: list[Expr], node: Node) -> Expr:
    return dates.part(dates.unit_of(str(args[0].value), node, tuple(dates.PARTS)), args[1], node)


def _between(complete: bool) -> Callable[..., Expr]:
    def make(args: list[Expr], node: Node) -> Expr:
        unit = dates.unit_of(str(args[0].value), node)
        return dates.difference(unit, args[1], args[2], node, complete=complete)

    return make


def _trunc_date(args: list[Expr], node: Node) -> Expr:
    return dates.truncated(dates.unit_of(str(args[0].value), node), args[1], node)


FUNCTIONS: dict[str, Function] = {
    # numbers
    "abs": Function("abs(x)", "distance from zero", _number("abs", facts.absolute, None), 1, 1),
    "ceil": Function("ceil(x)", "next whole number above", _rounding("ceil"), 1, 1),
    "clamp": Function("CLAMP(x, lo, hi[, step])", "x held between two constants", bins.clamp, 3, 4),
    "exp": Function("exp(x)", "e to the power x", _number("exp", lambda x: facts.monotone(x, math.exp)), 1, 1),
    "floor": Function("floor(x)", "next whole number below", _rounding("floor"), 1, 1),
    "greatest": Function(
        "greatest(x, y, …)", "largest value that is not NULL", _choose("greatest", facts.greatest), 2, 50
    ),
    "least": Function("least(x, y, …)", "smallest value that is not NULL", _choose("least", facts.least), 2, 50),
    "ln": Function("ln(x)", "natural logarithm; NULL from zero down", _number("ln", _ln_facts), 1, 1),
    "mod": Function("mod(x, y)", "remainder", lambda a, n: modulo(need_number(a[0], n), need_number(a[1], n)), 2, 2),
    "power": Function("power(x, y)", "x to the power y", _power, 2, 2),
    "round": Function("round(x[, places])", "nearest number with so many decimals", _round, 1, 2),
    "sign": Function(
        "sign(x)",
        "-1, 0 or 1",
        _number("sign", lambda x: combine((x,), low=Fraction(-1), high=Fraction(1), step=Fraction(1)), INTEGER),
        1,
        1,
    ),
    "sqrt": Function("sqrt(x)", "square root; NULL below zero", _number("sqrt", _sqrt_facts), 1, 1),
    "trunc": Function("trunc(x)", "whole part", _rounding("trunc"), 1, 1),
    # choices
    "coalesce": Function("coalesce(x, y, …)", "first value that is not NULL", build.coalesce, 1, 50),
    "ifnull": Function("ifnull(x, y)", "y where x is NULL", build.coalesce, 2, 2),
    "nullif": Function("nullif(x, y)", "NULL where x = y", _nullif, 2, 2),
    # bands
    "age_band": Function("AGE_BAND(age[, width])", "bands from 0 to 100 years: '40-49'", bins.age_band, 1, 2),
    "bin": Function("BIN(x, lo, hi, width)", "bands of equal width: '40-49'", bins.bins, 2, 4),
    # text
    "concat": Function(
        "concat(a, b, …), a || b", "text put together, cut at 1,000 characters; NULL if one is NULL", joined, 1, 50
    ),
    "contains": Function("contains(a, b)", "b occurs in a", _affix("contains"), 2, 2),
    "ends_with": Function("ends_with(a, b)", "a ends with b", _affix("ends_with"), 2, 2),
    "left": Function("left(a, n)", "first n characters", _left, 2, 2),
    "length": Function("length(a)", "number of characters", _length, 1, 1),
    "lower": Function("lower(a)", "in small letters", _text("lower"), 1, 1),
    "right": Function("right(a, n)", "last n characters", _right, 2, 2),
    "starts_with": Function("starts_with(a, b)", "a starts with b", _affix("starts_with"), 2, 2),
    "substr": Function("substr(a, start[, length])", "part of a text, counted from 1", _substr, 2, 3),
    "trim": Function("trim(a)", "without blanks at both ends", _text("trim"), 1, 1),
    "upper": Function("upper(a)", "in capital letters", _text("upper"), 1, 1),
    # dates
    "age_at": Function(
        "AGE_AT(birth, date)",
        "age in years from a year or date of birth",
        lambda a, n: dates.age_at(a[0], a[1], n),
        2,
        2,
    ),
    "date": Function("date(x)", "day of a timestamp or text", lambda a, n: casts.convert(a[0], build.DATE, n), 1, 1),
    "date_diff": Function(
        "date_diff('unit', a, b)", "unit boundaries from a to b", _between(complete=False), 3, 3, unit=True
    ),
    "date_part": Function(
        "date_part('unit', d), extract(unit FROM d)", "one field of a date", _date_part, 2, 2, unit=True
    ),
    "date_sub": Function(
        "date_sub('unit', a, b)", "complete units from a to b", _between(complete=True), 3, 3, unit=True
    ),
    "date_trunc": Function("date_trunc('unit', d)", "first day of the unit", _trunc_date, 2, 2, unit=True),
    **{
        name: Function(f"{name}(d)", f"the {name} of a date or time", _part(name), 1, 1)
        for name in ("year", "isoyear", "quarter", "month", "week", "day", "dayofweek", "isodow", "dayofyear")
    },
    **{
        name: Function(f"{name}(t)", f"the {name} of a time", _part(name), 1, 1)
        for name in ("hour", "minute", "second")
    },
}
_LISTED = tuple(FUNCTIONS)
FUNCTIONS["datesub"] = FUNCTIONS["date_sub"]
FUNCTIONS["datepart"] = FUNCTIONS["date_part"]
